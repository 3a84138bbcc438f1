"""Robust scaling: median and the spread of what is not far out, then a compression that never saturates."""

from dataclasses import dataclass

import numpy as np

IQR_TO_SIGMA = 1.349  # interquartile range of a standard normal distribution
# Values further out than this many robust sigmas do not count for the scale: they may be what is looked for.
REACH = 10.0
# Linear up to about here [sigmas], logarithmic beyond: a stray value in the thousands must not drown the rest.
KNEE = 10.0


@dataclass(frozen=True)
class RobustScaling:
    """Centre and scale per column, each of shape (d,).

    A missing value is put at the centre: it speaks neither for nor against an anomaly.
    """

    centre: np.ndarray
    scale: np.ndarray

    @classmethod
    def fitted(cls, x: np.ndarray) -> "RobustScaling":
        """Learn centre and scale from `x`, shape (n, d), NaN allowed; a constant column gets scale 1.

        The scale is the standard deviation of the values within 10 robust sigmas of the median; of all values where
        the column is mostly one value, so that its interquartile range says nothing.
        """
        known = np.where(np.isfinite(x).any(axis=0), x, 0.0)
        first, centre, third = np.nanquantile(known, (0.25, 0.5, 0.75), axis=0)
        sigma = (third - first) / IQR_TO_SIGMA
        far = (sigma > 0) & (np.abs(known - centre) > REACH * sigma)
        scale = np.nanstd(np.where(far, np.nan, known), axis=0)
        return cls(centre, np.where(scale > 0, scale, 1.0))

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Return the scaled rows (n, d): in sigmas up to about 10, growing with the logarithm beyond; NaN at 0."""
        z = KNEE * np.arcsinh((x - self.centre) / (KNEE * self.scale))
        compressed: np.ndarray = np.nan_to_num(z, nan=0.0)
        return compressed
