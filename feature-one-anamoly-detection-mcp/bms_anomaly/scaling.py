"""Robust scaling: median and interquartile range, then a soft compression that never saturates."""

from dataclasses import dataclass

import numpy as np

IQR_TO_SIGMA = 1.349  # interquartile range of a standard normal distribution
RANGE95_TO_SIGMA = 3.92  # width of its central 95 %


@dataclass(frozen=True)
class RobustScaling:
    """Centre and scale per column, each of shape (d,).

    A missing value is put at the centre: it speaks neither for nor against an anomaly.
    """

    centre: np.ndarray
    scale: np.ndarray

    @classmethod
    def fitted(cls, x: np.ndarray) -> "RobustScaling":
        """Learn centre and scale from `x`, shape (n, d), NaN allowed; a constant column gets scale 1."""
        known = np.where(np.isfinite(x).any(axis=0), x, 0.0)
        low, first, centre, third, high = np.nanquantile(known, (0.025, 0.25, 0.5, 0.75, 0.975), axis=0)
        scale = (third - first) / IQR_TO_SIGMA
        # A column that is mostly one value has no interquartile range, yet its few other values matter.
        for wider in ((high - low) / RANGE95_TO_SIGMA, np.nanstd(known, axis=0), np.ones(x.shape[1])):
            scale = np.where(scale > 0, scale, wider)
        return cls(centre, scale)

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Return asinh((x - centre) / scale): linear within a sigma, logarithmic far out, NaN at 0."""
        z = np.arcsinh((x - self.centre) / self.scale)
        compressed: np.ndarray = np.nan_to_num(z, nan=0.0)
        return compressed
