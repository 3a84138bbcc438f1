"""Lowest, median and highest reading of a column, from parts that can be merged in any order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Bins are equally wide in asinh(value / 0.1): near zero 0.04 mV, mA or mK wide, elsewhere 0.04 % of the value.
_SCALE, _BINS_PER_UNIT = 0.1, 2500.0


@dataclass(frozen=True)
class Spread:
    """Readings counted in fine fixed bins.

    Args:
        bins: Bins that hold readings, rising, shape (b,).
        readings: Readings in each, shape (b,).
        lowest: Lowest reading in each, shape (b,).
        highest: Highest reading of all; NaN without one.
    """

    bins: np.ndarray
    readings: np.ndarray
    lowest: np.ndarray
    highest: float

    @property
    def count(self) -> int:
        """All readings."""
        return int(self.readings.sum())

    @property
    def minimum(self) -> float:
        """The lowest reading; NaN without one."""
        return float(self.lowest[0]) if len(self.lowest) else float("nan")

    @property
    def median(self) -> float:
        """The lowest reading in the bin that holds the median: within 0.04 % of it, whatever the parts."""
        if not len(self.bins):
            return float("nan")
        place = np.searchsorted(np.cumsum(self.readings), (self.count + 1) // 2)
        return float(self.lowest[place])


def spread(values: np.ndarray) -> Spread:
    """Count readings, shape (n,), NaN = none.

    >>> spread(np.array([2.2, 2.25, np.nan, 9.0])).median
    2.25
    """
    known = np.sort(values[np.isfinite(values)])
    return _counted(_bin(known), np.ones(len(known), dtype="int64"), known)


def merge_spreads(parts: Sequence[Spread]) -> Spread:
    """Return the spread of all parts' readings together."""
    bins = np.concatenate([part.bins for part in parts])
    lowest = np.concatenate([part.lowest for part in parts])
    readings = np.concatenate([part.readings for part in parts])
    order = np.lexsort((lowest, bins))
    merged = _counted(bins[order], readings[order], lowest[order])
    tops = [part.highest for part in parts if np.isfinite(part.highest)]
    return Spread(merged.bins, merged.readings, merged.lowest, max(tops, default=float("nan")))


def _counted(bins: np.ndarray, readings: np.ndarray, lowest: np.ndarray) -> Spread:
    """Bring sorted (bin, readings, lowest) to one entry per bin."""
    starts = np.flatnonzero(np.concatenate(([True], bins[1:] != bins[:-1]))[: len(bins)])
    totals = np.add.reduceat(readings, starts) if len(starts) else readings[:0]
    highest = float(lowest[-1]) if len(lowest) else float("nan")
    return Spread(bins[starts], totals, lowest[starts], highest)


def _bin(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.floor(np.arcsinh(values / _SCALE) * _BINS_PER_UNIT).astype("int64"))
