"""The covariance member: distance from the middle of the crowd in units of its own shape (Mahalanobis)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

# The minimum covariance determinant costs n d² per trial and needs several rows per column to mean anything. On 64
# public tables 500 rows rank as well as 2,000, in a seventh of the time.
MOST_ROWS, MOST_COLUMNS, ROWS_PER_COLUMN = 500, 40, 5


@dataclass(frozen=True)
class RobustCovariance:
    """Centre (d,) and precision matrix (d, d) of the bulk of the rows."""

    centre: np.ndarray
    precision: np.ndarray

    @classmethod
    def fitted(cls, z: np.ndarray, seed: int) -> RobustCovariance:
        """Fit on scaled rows (n, d): by the minimum covariance determinant (Rousseeuw and Van Driessen 1999).

        It follows the densest half of the rows, so that anomalies among them do not widen it. With many columns
        or few rows the shrunk covariance of all rows (Ledoit and Wolf 2004) stands in.
        """
        from sklearn.covariance import LedoitWolf, MinCovDet

        rows = z[:MOST_ROWS]
        n, d = rows.shape
        if d <= MOST_COLUMNS and n >= ROWS_PER_COLUMN * d:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # a constant column makes it singular, which the inverse below bears
                robust = MinCovDet(random_state=seed).fit(rows)
            return cls(robust.location_, _inverse(robust.covariance_))
        shrunk = LedoitWolf().fit(rows)
        return cls(shrunk.location_, _inverse(shrunk.covariance_))

    def score(self, z: np.ndarray) -> np.ndarray:
        """Return the logarithm of the Mahalanobis distance of scaled rows (n, d), shape (n,)."""
        away = z - self.centre
        distance = np.einsum("ij,ij->i", away @ self.precision, away)
        return np.asarray(0.5 * np.log(np.maximum(distance, 1e-12)))


def _inverse(covariance: np.ndarray) -> np.ndarray:
    """Return the inverse with the smallest variances lifted: a direction without spread must not own the score."""
    variance, axes = np.linalg.eigh(covariance)
    floor = 1e-6 * max(float(variance.max()), 1e-12)
    inverse: np.ndarray = (axes / np.maximum(variance, floor)) @ axes.T
    return inverse
