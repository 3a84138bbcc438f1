"""A mergeable histogram with fixed bins: its quantiles do not depend on how the rows came."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

# A bin is a float32 without its last 11 bits: 4,096 bins per octave, so 0.024 % wide; integers to 8,192 are exact.
_DROPPED_BITS = 11
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Histogram:
    """How often each bin was met.

    Args:
        keys: int64 bins in increasing order of the values they hold.
        counts: int64 values met in each.
    """

    keys: np.ndarray = field(default_factory=lambda: np.empty(0, dtype="int64"))
    counts: np.ndarray = field(default_factory=lambda: np.empty(0, dtype="int64"))

    @classmethod
    def of(cls, values: np.ndarray) -> "Histogram":
        """Count finite values (1-d float).

        >>> Histogram.of(np.array([3.0, 1.0, 2.0, 2.0, -8.0])).quantile(0.5)
        2.0
        """
        keys, counts = np.unique(_bins(values), return_counts=True)
        return cls(keys, counts.astype("int64"))

    def merge(self, other: "Histogram") -> "Histogram":
        """Return the histogram of both."""
        keys, place = np.unique(np.concatenate([self.keys, other.keys]), return_inverse=True)
        weights = np.concatenate([self.counts, other.counts])
        counts = np.zeros(len(keys), dtype="int64")
        np.add.at(counts, place, weights)
        return Histogram(keys, counts)

    @cached_property
    def values(self) -> np.ndarray:
        """The edge nearest zero of each bin, in increasing order."""
        edges: np.ndarray = (
            (np.abs(self.keys) << _DROPPED_BITS).astype("uint32").view("float32").astype("float64")
        )
        edges[self.keys < 0] *= -1.0
        return edges

    @property
    def total(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

    def within(self, low: float, high: float) -> "Histogram":
        """Return the part with `low` <= value <= `high`."""
        inside = (self.values >= low) & (self.values <= high)
        return Histogram(self.keys[inside], self.counts[inside])

    def converted(self, readings: np.ndarray) -> "Histogram":
        """Return the histogram of what each bin's value became (`readings`, one per bin)."""
        keys, place = np.unique(_bins(readings), return_inverse=True)
        return Histogram(keys, np.bincount(place, weights=self.counts, minlength=len(keys)).astype("int64"))

    def quantile(self, share: float) -> float:
        """Return the lower quantile, off by one bin at most; NaN where nothing was counted."""
        if not self.counts.size:
            return float("nan")
        place = int(np.searchsorted(np.cumsum(self.counts), share * self.total, side="left"))
        return float(self.values[min(place, len(self.values) - 1)])

    @property
    def median(self) -> float:
        """The middle value."""
        return self.quantile(0.5)


def _bins(values: np.ndarray) -> np.ndarray:
    clipped = np.clip(values, -_LARGEST, _LARGEST).astype("float32")
    bins: np.ndarray = (np.abs(clipped).view("uint32") >> _DROPPED_BITS).astype("int64")
    bins[clipped < 0] *= -1
    return bins
