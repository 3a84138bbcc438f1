"""The five members fitted together: which rows they learn from, and their raw scores side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from bms_schema.run.threads import thread_count

from bms_anomaly import vae
from bms_anomaly.covariance import RobustCovariance
from bms_anomaly.members import fit_forest, fit_svm, score_member
from bms_anomaly.neighbours import Neighbours

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator
    from torch import nn


MEMBERS = ("svm", "forest", "vae", "neighbours", "covariance")
# Rows this far out in both robust members teach the other three nothing, but never more than a share of all rows:
# in clean data they are rare kinds of normal rows. Chosen on 60 public tables.
TRIM_SIGMAS, MOST_TRIMMED = 8.0, 0.05
QUIET_SIDE = 0.1587  # quantile one sigma below the middle of a normal distribution: anomalies cannot widen it
ROWS_FOR_UNITS = 2_000
SLICE_ROWS = 16_384  # rows scored at once by each thread


@dataclass(frozen=True)
class Ensemble:
    """The fitted members; each scores higher = more anomalous.

    Args:
        svm, forest, vae, neighbours, covariance: The members.
        units: Middle and spread of each member's score over the rows fitted on, (2, 5). In these units scores of
            members fitted on other rows of the same kind can stand in for each other.
    """

    svm: BaseEstimator
    forest: BaseEstimator
    vae: nn.Module
    neighbours: Neighbours
    covariance: RobustCovariance
    units: np.ndarray

    @classmethod
    def fitted(cls, z: np.ndarray, seed: int, device: str | None = None) -> Ensemble:
        """Fit on scaled rows (n, d); the ensemble is `on` the device.

        Forest and covariance bear anomalies among the rows and are fitted on all; the others are fitted on the rows
        that these two do not call far out.
        """
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):  # the matrices are so small that a second thread costs more than it does
            forest, covariance = fit_forest(z, seed), RobustCovariance.fitted(z, seed)
            far = far_out(score_member(forest, z), covariance.score(z))
            crowd = z[far <= max(1.0, float(np.quantile(far, 1.0 - MOST_TRIMMED)))]
            plain = np.stack([np.zeros(len(MEMBERS)), np.ones(len(MEMBERS))])
            members = cls(
                fit_svm(crowd, seed),
                forest,
                vae.train(crowd, seed, device or "cpu"),
                replace(Neighbours.fitted(crowd, seed), device=device),
                covariance,
                plain,
            )
        return replace(members, units=_units(members.raw_scores(z[:ROWS_FOR_UNITS])))

    def on(self, device: str | None) -> Ensemble:
        """Return it with autoencoder and distances on a torch device; None: on the CPU, distances by numpy."""
        if device == self.neighbours.device:
            return self
        network = vae.on_device(self.vae, device or "cpu")
        return replace(self, vae=network, neighbours=replace(self.neighbours, device=device))

    def raw_scores(self, z: np.ndarray) -> np.ndarray:
        """Return the members' scores of scaled rows (n, d) in `units`, shape (n, 5), in the order of `MEMBERS`."""
        return by_slices(self.slice_scores, z)

    def slice_scores(self, z: np.ndarray) -> np.ndarray:
        """Do what `raw_scores` does for few rows, all at once."""
        middle, spread = self.units
        return np.asarray((self._scores(z) - middle) / spread)

    def _scores(self, z: np.ndarray) -> np.ndarray:
        if not len(z):
            return np.empty((0, len(MEMBERS)))
        return np.column_stack(
            [
                score_member(self.svm, z),
                score_member(self.forest, z),
                vae.score(self.vae, z),
                self.neighbours.score(z),
                self.covariance.score(z),
            ]
        )


def by_slices(work: Callable[[np.ndarray], np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Return what `work` makes of the rows (n, d), slice by slice, below each other.

    So nothing that the members need on the way is as long as the table.
    """
    from threadpoolctl import threadpool_limits

    slices = [rows[start : start + SLICE_ROWS] for start in range(0, max(len(rows), 1), SLICE_ROWS)]
    # One thread a slice: the libraries' own threads on such small pieces mostly wait for each other.
    with threadpool_limits(1), ThreadPoolExecutor(thread_count()) as threads:
        return np.concatenate(list(threads.map(work, slices)))


def far_out(forest: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return how far out rows are in the robust members' scores, each (n,), shape (n,); above 1: not the crowd."""
    scores = np.column_stack([forest, covariance])
    middle, spread = _units(scores)
    return np.asarray(((scores - middle) / spread).sum(axis=1) / TRIM_SIGMAS)


def _units(scores: np.ndarray) -> np.ndarray:
    """Return middle and spread of each column of scores (n, m), shape (2, m)."""
    middle, low = np.quantile(scores, (0.5, QUIET_SIDE), axis=0)
    return np.stack([middle, np.maximum(middle - low, 1e-12)])
