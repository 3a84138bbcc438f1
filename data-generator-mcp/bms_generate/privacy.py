"""How near synthetic records lie to real ones, beside how near real ones of other strings lie; and exact copies.

All real records answer: thinning them out would hide what was learnt by heart. Distances say whether records
were copied; they promise no privacy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from bms_generate.judges import SEED
from bms_generate.records import Records, sample
from bms_generate.telemetry import Windows

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors

# Records looked up on either side, and strings held out in turn.
_MOST_ASKED = 5_000
_MOST_HELD_OUT = 8
_FEWEST = 20
# A record with fewer of its values says too little to be anybody's.
_LEAST_PRESENT = 0.5
_MOST_LABELS = 20  # of a category that are told apart; the rarer ones are one
# A record is near at half the distance within which the nearest 1 % of the hold-out lie. At that distance itself
# too many stand: of 144 values all distances are alike, and strings a little nearer on the whole push them over.
_NEAREST, _NEAR = 0.01, 0.5
_DECIMALS = 9  # of the scaled value: what differs less is rounding
_ROUNDING = 1e-6  # what the search leaves of the distance of equal records


@dataclass(frozen=True)
class Share:
    """Share of records that copy a real one, or come near it.

    Args:
        real: Of real records against those of other strings: chance.
        synthetic: Of synthetic records.
        scatter: Two standard errors of the difference between two fleets of so many strings, or rows.
    """

    real: float
    synthetic: float
    scatter: float

    @property
    def excess(self) -> float:
        """What chance and its scatter do not explain."""
        return max(self.synthetic - self.real - self.scatter, 0.0)


@dataclass(frozen=True)
class Nearness:
    """Distances to the closest real record: root mean square over columns, in units of their 5-95 % range.

    Args:
        records: What was compared.
        held_out: What the reference leaves out together.
        real: From real records to real records of other strings, sorted, shape (k,).
        synthetic: From synthetic records to the same references, sorted, shape (m,). Both sides miss one string
            in turn, because more strings to compare with make every distance smaller.
        limit: Distance at which a record counts as near.
        near: Records at most that far.
        copies: Records that equal a real one.
    """

    records: Literal["rows", "windows"]
    held_out: Literal["strings or cells", "rows"]
    real: np.ndarray
    synthetic: np.ndarray
    limit: float
    near: Share
    copies: Share

    def quantiles(self) -> pd.DataFrame:
        """Return the 1, 5 and 50 % quantiles: `quantile`, `real`, `synthetic`."""
        levels = [0.01, 0.05, 0.5]
        sides = {"real": np.quantile(self.real, levels), "synthetic": np.quantile(self.synthetic, levels)}
        return pd.DataFrame({"quantile": levels, **sides})


def row_nearness(real: Records, synthetic: Records) -> Nearness | None:
    """Compare single rows by their signals and categories.

    A missing value lies at the column's median and, where present ones are wanted, one range away.

    Returns:
        None where a side has fewer than 20 rows with half of their values.
    """
    size = real.signals
    if not real.names:
        return None
    present = np.isfinite(real.values).mean(axis=1), np.isfinite(synthetic.values).mean(axis=1)
    kept = [np.flatnonzero(share >= _LEAST_PRESENT) for share in present]
    sides = [side.values[rows] for side, rows in zip((real, synthetic), kept, strict=True)]
    numbers = _scaled(sides[0][:, :size], sides[1][:, :size])
    absent = [np.isnan(side[:, :size]) for side in sides]
    gappy = absent[0].any(axis=0) | absent[1].any(axis=0)
    gaps = [side[:, gappy].astype(float) for side in absent]
    labels = [_indicators(side[:, size:], _label_counts(sides[0][:, size:])) for side in sides]
    places = [np.column_stack(parts) for parts in zip(numbers, gaps, labels, strict=True)]
    group = None if real.group is None else real.group[kept[0]]
    return _compare(places, real.values.shape[1], group, "rows")


def window_nearness(real: Windows, synthetic: Windows) -> Nearness | None:
    """Compare whole windows of cells by all signals in time order; a missing value lies at its column's median.

    Returns:
        None where a side has fewer than 20 windows.
    """
    if not real.values.shape[1]:
        return None
    places = _scaled(real.values.astype(float), synthetic.values.astype(float))
    return _compare(places, real.values.shape[1], real.string, "windows")


def _scaled(real: np.ndarray, synthetic: np.ndarray) -> list[np.ndarray]:
    """Return both in units of the real columns' 5-95 % range (of twice the deviation where that is nought)."""
    present = np.isfinite(real).any(axis=0) if len(real) else np.zeros(real.shape[1], dtype=bool)
    real, synthetic = real[:, present], synthetic[:, present]
    low, middle, high = np.nanquantile(real, [0.05, 0.5, 0.95], axis=0) if present.any() else np.zeros((3, 0))
    deviation = 2 * np.nanstd(real, axis=0) if present.any() else np.zeros(0)
    scale = np.where(high > low, high - low, np.where(deviation > 0, deviation, 1.0))
    return [np.nan_to_num((side - middle) / scale, nan=0.0) for side in (real, synthetic)]


def _label_counts(codes: np.ndarray) -> list[int]:
    """Return how many labels of each category are told apart; codes are ranks, the most frequent first."""
    return [
        int(min(np.nanmax(column) + 1, _MOST_LABELS)) if np.isfinite(column).any() else 0
        for column in codes.T
    ]


def _indicators(codes: np.ndarray, counts: list[int]) -> np.ndarray:
    """Return one column per label, such that two rows of different labels lie one apart."""
    parts = [
        (np.minimum(np.nan_to_num(column, nan=-1.0), count)[:, None] == np.arange(-1, count + 1)) / np.sqrt(2)
        for column, count in zip(codes.T, counts, strict=True)
    ]
    return np.column_stack(parts) if parts else np.empty((len(codes), 0))


def _compare(
    places: list[np.ndarray], columns: int, group: np.ndarray | None, records: Literal["rows", "windows"]
) -> Nearness | None:
    """Measure both sides against real references.

    Args:
        places: Real and synthetic coordinates.
        columns: Columns that a record has, to take the mean over.
        group: Of each real record, held out together; None holds out the record itself.
        records: What they are.
    """
    real, synthetic = places
    if min(len(real), len(synthetic)) < _FEWEST:
        return None
    if group is not None and len(np.unique(group)) < 2:
        group = None
    asked = synthetic[sample(len(synthetic), _MOST_ASKED, SEED)]
    before, after = _to_others(real, asked, group) if group is not None else _to_other_rows(real, asked)
    unit = np.sqrt(columns)
    distances = [np.where(side < _ROUNDING, 0.0, side) / unit for side in (*before, after)]
    held_out: Literal["strings or cells", "rows"] = "rows" if group is None else "strings or cells"
    all_before, after = np.sort(np.concatenate(distances[:-1])), np.sort(distances[-1])
    limit = _NEAR * float(np.quantile(all_before, _NEAREST))
    near = _share([side <= limit for side in distances[:-1]], after <= limit)
    copies = _copies(real, synthetic, group)
    return Nearness(records, held_out, all_before, after, limit, near, copies)


def _share(real: list[np.ndarray], synthetic: np.ndarray) -> Share:
    """Return what is true of records; the real ones in groups, or in one where each stands for itself."""
    share, units = np.concatenate(real).mean(), len(np.concatenate(real))
    variance = share * (1 - share)
    if len(real) > 1:
        variance, units = np.var([group.mean() for group in real], ddof=1), len(real)
    return Share(float(share), float(synthetic.mean()), float(2 * np.sqrt(2 * variance / units)))


def _to_others(real: np.ndarray, asked: np.ndarray, group: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Return distances of real (by group) and synthetic records to real ones but for one group, 8 in turn."""
    names = np.unique(group)
    held_out = names[sample(len(names), _MOST_HELD_OUT, SEED)]
    turn = np.random.default_rng(SEED).integers(len(held_out), size=len(asked))
    before, after = [], []
    for number, name in enumerate(held_out):
        own = group == name
        some = real[own][sample(int(own.sum()), _MOST_ASKED // len(held_out), SEED)]
        nearest = _neighbours(real[~own])
        before.append(nearest.kneighbors(some)[0][:, 0])
        if (turn == number).any():
            after.append(nearest.kneighbors(asked[turn == number])[0][:, 0])
    return before, np.concatenate(after)


def _to_other_rows(real: np.ndarray, asked: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    nearest = _neighbours(real)
    some = real[sample(len(real), _MOST_ASKED, SEED)]
    # The closest is the row itself, or one equal to it.
    return [nearest.kneighbors(some, n_neighbors=2)[0][:, 1]], nearest.kneighbors(asked)[0][:, 0]


def _neighbours(reference: np.ndarray) -> NearestNeighbors:
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=1).fit(reference)


def _copies(real: np.ndarray, synthetic: np.ndarray, group: np.ndarray | None) -> Share:
    """Return the shares of real records equal to one of another group, and of synthetic ones equal to any real."""
    before, after = (_hashes(side) for side in (real, synthetic))
    table = pd.DataFrame({"hash": before, "group": np.arange(len(before)) if group is None else group})
    elsewhere = table.groupby("hash")["group"].transform("nunique").to_numpy() > 1
    places = [elsewhere] if group is None else [elsewhere[group == name] for name in np.unique(group)]
    found = _share(places, np.isin(after, before))
    # A synthetic record has one group more to be equal to by chance.
    groups = table["group"].nunique()
    return replace(found, real=min(found.real * groups / (groups - 1), 1.0))


def _hashes(places: np.ndarray) -> np.ndarray:
    rounded = np.round(places, _DECIMALS) + 0.0  # no negative nought
    return pd.util.hash_pandas_object(pd.DataFrame(rounded), index=False).to_numpy()
