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
# All horizons of a window at once where that makes at most so many times the forecasts asked for.
WHOLE_WINDOWS = 16


@dataclass(frozen=True)
class Moments:
    """Sums of products over windows, all that ridge regression needs; those of two parts add up to the whole's.

    Args:
        gram: Of the inputs with each other, shape (inputs, inputs).
        cross: Of the inputs with the targets, shape (inputs, horizons).
    """

    gram: np.ndarray
    cross: np.ndarray

    @classmethod
    def of(cls, inputs: np.ndarray, targets: np.ndarray) -> Moments:
        """Return the moments of windows, shapes (m, inputs) and (m, horizons)."""
        return cls((inputs.T @ inputs).astype(float), (inputs.T @ targets).astype(float))

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.gram + other.gram, self.cross + other.cross)

    def of_first(self, count: int) -> Moments:
        """Return the moments of the first so many inputs alone."""
        return Moments(self.gram[:count, :count], self.cross[:count])

    def ridge(self) -> np.ndarray:
        """Return the weights, shape (inputs, horizons)."""
        penalty = PENALTY * np.trace(self.gram) / len(self.gram) + 1e-9
        return np.asarray(np.linalg.solve(self.gram + penalty * np.eye(len(self.gram)), self.cross))


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
        # In time order: what the covariates are tried on follows what they are learnt on.
        order = np.argsort(origins, kind="stable")
        rows, origins = rows[order], origins[order]
        inputs = _inputs(features, rows, origins, lags)
        targets = features.following(rows, origins, reach, MOST_SCALES)
        late_from = np.quantile(origins, TRIED_FROM)
        early = int(np.searchsorted(origins + reach, late_from))
        late = int(np.searchsorted(origins, late_from))
        before, after = (
            Moments.of(inputs[part], targets[part]) for part in (slice(early), slice(early, None))
        )
        whole = before + after
        if inputs.shape[1] > lags and (
            early < inputs.shape[1] or not _worth_it(before, lags, inputs[late:], targets[late:])
        ):
            whole = whole.of_first(lags)
        return cls(whole.ridge(), lags)

    def change(self, features: SeriesFeatures, samples: Samples) -> np.ndarray:
        """Return the forecast (value - level) / scale, shape (m,)."""
        by_horizon = np.ascontiguousarray(self.weights.T.astype(np.float32))
        parts = [self._change(features, part, by_horizon) for part in samples.pieces(PIECE)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _change(self, features: SeriesFeatures, part: Samples, by_horizon: np.ndarray) -> np.ndarray:
        rows, origins, which = part.by_origin(features.grid.length)
        inputs = _inputs(features, rows, origins, self.lags, covariates=len(self.weights) > self.lags)
        if len(rows) * len(by_horizon) <= WHOLE_WINDOWS * len(part):
            answer = (inputs @ by_horizon.T)[which, part.horizons - 1]
        else:  # few of the horizons are asked for
            answer = np.einsum("ij,ij->i", inputs[which], by_horizon[part.horizons - 1])
        return np.asarray(answer, dtype=float)


def _inputs(
    features: SeriesFeatures, rows: np.ndarray, origins: np.ndarray, lags: int, *, covariates: bool = True
) -> np.ndarray:
    own = features.recent(rows, origins, lags, MOST_SCALES)
    return np.hstack([own, features.covariates(rows, origins, MOST_SCALES)]) if covariates else own


def _worth_it(early: Moments, lags: int, inputs: np.ndarray, targets: np.ndarray) -> bool:
    """Return whether the covariates, learnt on the early windows, lower the error of the late ones."""
    errors = [
        np.abs(targets - inputs[:, : len(weights)] @ weights.astype(np.float32)).mean()
        for weights in (early.ridge(), early.of_first(lags).ridge())
    ]
    return bool(errors[0] < WORTH_COVARIATES * errors[1])
