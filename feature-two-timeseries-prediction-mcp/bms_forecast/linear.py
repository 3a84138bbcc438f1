"""A direct linear forecast: each step ahead is a weighted sum of the newest readings, the same for all series.

On public load series such plain models equal or beat most networks (Zeng et al. 2023, "Are Transformers effective
for time series forecasting?"). Ridge regression in closed form; inputs and targets relative to level and scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bms_forecast.features import SeriesFeatures
from bms_forecast.samples import Samples

# Two weeks of hours.
MOST_LAGS = 336
# Penalty as a share of the inputs' mean square; chosen on simulated fleets and ETTh1.
PENALTY = 0.1
# Changes are held to so many scales: squared errors must not be all about outages. Chosen like the penalty.
MOST_SCALES = 20.0
# Covariates enter where they bring the error of the windows after this share of the training down to that share.
TRIED_FROM, WORTH_COVARIATES = 0.7, 0.95
MOST_WINDOWS, MOST_TARGETS = 20_000, 20_000_000
# A window teaches where so much of it was read; what is missing in it is the last reading before.
KNOWN_SHARE = 0.8
PIECE = 16_384


@dataclass(frozen=True)
class LinearForecast:
    """Fitted weights.

    Args:
        weights: Shape (inputs, horizons): the newest readings, the last one last, then the covariates.
        lags: How many of the inputs are readings of the series itself.
    """

    weights: np.ndarray
    lags: int

    @classmethod
    def fitted(
        cls, features: SeriesFeatures, rows: np.ndarray, origins: np.ndarray, until: int, reach: int
    ) -> LinearForecast | None:
        """Fit on the windows that follow the origins and end before column `until`.

        Args:
            features: Of the series.
            rows: Series of each window, shape (m,).
            origins: Column of the last known reading of each, shape (m,).
            until: First column that must not be read.
            reach: Longest horizon.

        Returns:
            The forecast; None where windows are fewer than lags.
        """
        lags = min(MOST_LAGS, features.longest)
        inside = (origins + reach < until) & (origins >= lags - 1)
        most = min(MOST_WINDOWS, max(MOST_TARGETS // reach, lags))
        rows, origins = rows[inside][:most], origins[inside][:most]
        ahead = features.grid.values[rows[:, None], origins[:, None] + np.arange(1, reach + 1)]
        known = np.isfinite(ahead).mean(axis=1) >= KNOWN_SHARE
        rows, origins = rows[known], origins[known]
        if len(rows) < lags:
            return None
        inputs = _inputs(features, rows, origins, lags)
        targets = features.following(rows, origins, reach, MOST_SCALES)
        early = origins + reach < np.quantile(origins, TRIED_FROM)
        late = origins >= np.quantile(origins, TRIED_FROM)
        if inputs.shape[1] > lags and (
            not late.any()
            or early.sum() < inputs.shape[1]
            or not _worth_it(inputs, targets, lags, early, late)
        ):
            inputs = inputs[:, :lags]
        return cls(_ridge(inputs, targets), lags)

    def change(self, features: SeriesFeatures, samples: Samples) -> np.ndarray:
        """Return the forecast (value - level) / scale, shape (m,)."""
        by_horizon = np.ascontiguousarray(self.weights.T)
        parts = [
            np.einsum(
                "ij,ij->i",
                _inputs(
                    features, part.rows, part.origins, self.lags, covariates=len(self.weights) > self.lags
                ),
                by_horizon[part.horizons - 1],
            )
            for part in samples.pieces(PIECE)
        ]
        return np.concatenate(parts) if parts else np.empty(0)


def _inputs(
    features: SeriesFeatures, rows: np.ndarray, origins: np.ndarray, lags: int, *, covariates: bool = True
) -> np.ndarray:
    own = features.recent(rows, origins, lags, MOST_SCALES)
    return np.hstack([own, features.covariates(rows, origins, MOST_SCALES)]) if covariates else own


def _worth_it(
    inputs: np.ndarray, targets: np.ndarray, lags: int, early: np.ndarray, late: np.ndarray
) -> bool:
    """Return whether the covariates, learnt on the early windows, lower the error of the late ones."""
    errors = [
        np.abs(targets[late] - part[late] @ _ridge(part[early], targets[early])).mean()
        for part in (inputs, inputs[:, :lags])
    ]
    return bool(errors[0] < WORTH_COVARIATES * errors[1])


def _ridge(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    gram = inputs.T @ inputs
    penalty = PENALTY * np.trace(gram) / len(gram) + 1e-9
    return np.asarray(np.linalg.solve(gram + penalty * np.eye(len(gram)), inputs.T @ targets))
