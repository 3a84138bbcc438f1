"""Voltage of each string over time, as a band that stays small however long the record."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.columns import SOURCE_ROW, VOLTAGE

from bms_preprocess.cell_facts import CellCodes
from bms_preprocess.grouped import grouped_quantiles
from bms_preprocess.timeline import NO_TIME

MOST_BANDS = 6
STRETCHES, MOMENTS_PER_STRETCH = 240, 2


@dataclass(frozen=True)
class Stretches:
    """The time of each string cut into equal stretches; source rows where the string has no times.

    Args:
        names: Strings, sorted, shape (s,).
        string: String of each row, shape (n,).
        stretch: Stretch of each row, shape (n,).
        known: Rows that have a place, shape (n,).
        when: Time of each row [ns since 1970], or its source row, shape (n,).
        first: Of each string, shape (s,).
        last: Of each string, shape (s,).
        timed: Whether the string has times, shape (s,).
        moments: Distinct times of each string, shape (s,).
        cuts: Stretches of each string: 240, or fewer where so few moments would leave some empty, shape (s,).
    """

    names: np.ndarray
    string: np.ndarray
    stretch: np.ndarray
    known: np.ndarray
    when: np.ndarray
    first: np.ndarray
    last: np.ndarray
    timed: np.ndarray
    moments: np.ndarray
    cuts: np.ndarray

    def as_times(self, string: int, values: np.ndarray) -> np.ndarray:
        """Return times as datetimes, source rows as they are."""
        whole = values.astype("int64")
        return whole.astype("datetime64[ns]") if self.timed[string] else whole

    def count_cells(self, cells: CellCodes) -> np.ndarray:
        """Return how many cells each string has, shape (s,)."""
        of_cell = np.searchsorted(self.names, cells.strings.astype(str))
        return np.bincount(of_cell, minlength=len(self.names))

    def edges(self, string: int) -> np.ndarray:
        """Return the string's first and last time, shape (2,)."""
        return self.as_times(string, np.array([self.first[string], self.last[string]]))


def cut_stretches(frame: pd.DataFrame, cells: CellCodes, stamps: np.ndarray) -> Stretches:
    """Cut the strings' time into stretches.

    Args:
        frame: Canonical, whole strings.
        cells: `cell_codes` of the frame.
        stamps: `instants` of the frame.
    """
    names, of_cell = np.unique(cells.strings.astype(str), return_inverse=True)
    string = of_cell[cells.code]
    has_time = stamps != NO_TIME
    timed = np.bincount(string[has_time], minlength=len(names)) > 0
    when = np.where(timed[string], stamps, frame[SOURCE_ROW].to_numpy(dtype="int64"))
    known = has_time | ~timed[string]
    first = np.full(len(names), np.iinfo("int64").max)
    last = np.full(len(names), np.iinfo("int64").min)
    np.minimum.at(first, string[known], when[known])
    np.maximum.at(last, string[known], when[known])
    # Divided first: nanoseconds of two years times the stretches would run over.
    span = np.maximum(last - first, 1)[string]
    share = np.where(known, when - first[string], 0) / span
    pairs = pd.DataFrame({"string": string[known], "when": when[known]}).drop_duplicates()
    moments = np.bincount(pairs["string"].to_numpy(), minlength=len(names))
    cuts = np.clip(moments // MOMENTS_PER_STRETCH, 1, STRETCHES)
    stretch = np.minimum((share * cuts[string]).astype("int64"), cuts[string] - 1)
    return Stretches(names, string, stretch, known, when, first, last, timed, moments, cuts)


@dataclass(frozen=True)
class Band:
    """Voltage of one string over time: 5 %, median and 95 % of its readings in up to 240 stretches.

    Args:
        string: Name.
        width: Median width of the band [V]; the widest bands are kept.
        time: Middle reading's time of each stretch, datetime64[ns] or source row, shape (m,).
        low: 5 % quantile [V], shape (m,).
        median: Median [V], shape (m,).
        high: 95 % quantile [V], shape (m,).
    """

    string: str
    width: float
    time: np.ndarray
    low: np.ndarray
    median: np.ndarray
    high: np.ndarray


def voltage_bands(frame: pd.DataFrame, place: Stretches) -> list[Band]:
    """Return the voltage band of each string, the widest six."""
    voltage = frame[VOLTAGE].to_numpy(dtype=float)
    known = place.known & np.isfinite(voltage)
    code = place.string[known] * STRETCHES + place.stretch[known]
    groups = len(place.names) * STRETCHES
    quantiles = grouped_quantiles(voltage[known], code, groups, (0.05, 0.5, 0.95))
    since = (place.when - place.first[place.string])[known].astype(float)
    middle = grouped_quantiles(since, code, groups, (0.5,))[:, 0]
    bands = []
    for number, name in enumerate(place.names):
        part = slice(number * STRETCHES, (number + 1) * STRETCHES)
        used = np.isfinite(quantiles[part, 1])
        if used.any():
            low, median, high = quantiles[part][used].T
            times = place.as_times(number, place.first[number] + middle[part][used].astype("int64"))
            bands.append(Band(str(name), float(np.median(high - low)), times, low, median, high))
    return widest(bands)


def widest(bands: list[Band]) -> list[Band]:
    """Keep the six widest bands."""
    return sorted(bands, key=lambda band: (-band.width, band.string))[:MOST_BANDS]
