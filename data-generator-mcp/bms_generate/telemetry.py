"""A table of series as arrays: sorted by cell and time, joined on the time grid, cut into days."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.labels import parse_labels

from bms_generate.telemetry_roles import TelemetryRoles, entity_codes, string_codes

# A reading may come this share of a step early or late and still be the next one of the grid.
STEP_TOLERANCE = 0.25
_DAY_NS = 24 * 3600 * 10**9
_POINTS = 24
# A cell gives at least so many windows, so that no classifier is asked to judge by whole series alone.
_WINDOWS_PER_CELL = 4
_READINGS_PER_WINDOW = 6
_MOST_GRID_POINTS = 2**32  # the largest place on one cell's grid; leaves 31 bits for the cell


@dataclass(frozen=True)
class Telemetry:
    """Readings sorted by cell, then time; rows without cell or time are left out.

    Args:
        entity: Number of the cell, ascending, shape (n,).
        string: Number of its string, shape (n,).
        time: Nanoseconds, shape (n,).
        values: Signals, float64 of shape (n, signals), NaN where missing.
        label: 1.0, 0.0 or NaN, shape (n,); all NaN without a label.
    """

    entity: np.ndarray
    string: np.ndarray
    time: np.ndarray
    values: np.ndarray
    label: np.ndarray

    def first_times(self) -> np.ndarray:
        """Return the time of the first reading of each reading's cell, shape (n,)."""
        first = np.diff(self.entity, prepend=-1) != 0
        return self.time[first][np.cumsum(first) - 1]

    def steps(self) -> np.ndarray:
        """Return the time from each reading to the cell's next one in nanoseconds, shape (n - cells,)."""
        same = self.entity[1:] == self.entity[:-1]
        return np.diff(self.time)[same]

    def usual_step(self) -> int:
        """Return the median positive step in nanoseconds; 0 where there is none."""
        steps = self.steps()
        positive = steps[steps > 0]
        return int(np.median(positive)) if len(positive) else 0


def arrange(frame: pd.DataFrame, roles: TelemetryRoles) -> Telemetry:
    """Return a table's series as arrays.

    Args:
        frame: Real or synthetic.
        roles: Of a table with series.
    """
    entity, times = entity_codes(frame, roles.entity), frame[roles.time]
    known = np.flatnonzero((entity >= 0) & times.notna().to_numpy())
    stamps = times.to_numpy(dtype="datetime64[ns]").astype("int64")
    rows = known[np.lexsort((stamps[known], entity[known]))]
    labels = (
        parse_labels(frame[roles.label], blank_is_alive=False) if roles.label else np.full(len(frame), np.nan)
    )
    return Telemetry(
        entity=entity[rows],
        string=string_codes(frame, roles.entity, roles.strings_by, roles.string)[rows],
        time=stamps[rows],
        values=frame[roles.signals].to_numpy(dtype="float64", na_value=np.nan)[rows],
        label=labels[rows],
    )


def lagged_pairs(telemetry: Telemetry, lag: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of readings and of those `lag` grid steps later of the same cell.

    Args:
        telemetry: Sorted series.
        lag: In steps; 0 pairs each reading with itself.
        step: Of the grid, nanoseconds, above 0.
    """
    if lag == 0:
        every = np.arange(len(telemetry.entity))
        return every, every
    place = np.rint((telemetry.time - telemetry.first_times()) / step).astype("int64")
    key = telemetry.entity * _MOST_GRID_POINTS + place
    found = np.minimum(np.searchsorted(key, key + lag), len(key) - 1)
    late = np.abs(telemetry.time[found] - telemetry.time - lag * step) <= STEP_TOLERANCE * step
    now = np.flatnonzero((key[found] == key + lag) & late)
    return now, found[now]


@dataclass(frozen=True)
class Windows:
    """Whole days of cells, or shorter or longer pieces where the step asks for them.

    Args:
        values: float32 of shape (windows, points * signals), signal by signal in time order; NaN where missing.
        string: Number of the string, shape (windows,).
        start: Nanoseconds, shape (windows,).
    """

    values: np.ndarray
    string: np.ndarray
    start: np.ndarray


@dataclass(frozen=True)
class WindowPlan:
    """How series are cut: length in nanoseconds and points per window, each the mean of the readings in it."""

    length: int
    points: int


def plan_windows(real: Telemetry) -> WindowPlan:
    """Return the plan for a real table: a day, longer where it has under 6 readings, at most a quarter series."""
    bounds = np.flatnonzero(np.diff(real.entity, prepend=-1, append=-1))
    spans = real.time[bounds[1:] - 1] - real.time[bounds[:-1]]
    step = max(real.usual_step(), 1)
    wanted = max(_DAY_NS, _READINGS_PER_WINDOW * step)
    length = int(min(wanted, max((np.median(spans) + step) // _WINDOWS_PER_CELL, step)))
    return WindowPlan(length, int(np.clip(length // step, 1, _POINTS)))


def cut_windows(telemetry: Telemetry, plan: WindowPlan) -> Windows:
    """Cut series into windows: days from midnight, others from the cell's first reading.

    Windows in which fewer than half of the points have a reading are left out.
    """
    origin = np.zeros_like(telemetry.time) if plan.length == _DAY_NS else telemetry.first_times()
    window, inside = np.divmod(telemetry.time - origin, plan.length)
    opens = (np.diff(telemetry.entity, prepend=-1) != 0) | (np.diff(window, prepend=0) != 0)
    number = np.cumsum(opens) - 1
    point = inside * plan.points // plan.length
    place, size = number * plan.points + point, int(opens.sum()) * plan.points
    means = [_means(place, column, size).reshape(-1, plan.points) for column in telemetry.values.T]
    values = np.concatenate(means, axis=1).astype("float32") if means else np.empty((size // plan.points, 0))
    filled = (np.bincount(place, minlength=size) > 0).reshape(-1, plan.points).mean(axis=1) >= 0.5
    start = (origin + window * plan.length)[opens]
    return Windows(values[filled], telemetry.string[opens][filled], start[filled])


def _means(place: np.ndarray, column: np.ndarray, size: int) -> np.ndarray:
    """Return the mean of the present values at each place, NaN where there are none."""
    present = np.isfinite(column)
    counts = np.bincount(place[present], minlength=size)
    sums = np.bincount(place[present], weights=column[present], minlength=size)
    return np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)
