"""Fitting the boosted model of one target on a bounded sample, and its correction on later data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, SOURCE_ROW, TIMESTAMP
from bms_schema.data.sampling import hash_sample

from bms_forecast import boosting
from bms_forecast.conformal import fit_shifts
from bms_forecast.features import SeriesFeatures
from bms_forecast.grid import Grid, as_times
from bms_forecast.plan import Plan

if TYPE_CHECKING:
    import xgboost

# (origin, horizon) pairs trained on: more gains little on simulated fleets and ETTh1, and costs time.
TRAINING_PAIRS = 10_000
HORIZONS_PER_ORIGIN = 2
# Below this the trees have nothing to learn from and the baselines answer [U].
FEWEST_PAIRS = 300
CALIBRATION_PAIRS = 20_000


@dataclass(frozen=True)
class Samples:
    """(series, origin column, steps ahead) triples, each of shape (m,)."""

    rows: np.ndarray
    origins: np.ndarray
    horizons: np.ndarray

    @property
    def targets(self) -> np.ndarray:
        """Columns that are forecast."""
        return self.origins + self.horizons

    def select(self, keep: np.ndarray) -> Samples:
        """Return the triples of a boolean mask."""
        return Samples(self.rows[keep], self.origins[keep], self.horizons[keep])


def crossed(rows: np.ndarray, origins: np.ndarray, horizons: np.ndarray) -> Samples:
    """Return every combination of series, origins and horizons, in that order."""
    return Samples(*(item.ravel() for item in np.meshgrid(rows, origins, horizons, indexing="ij")))


def training_samples(grid: Grid, until: int, reach: int, seed: int) -> Samples:
    """Return a sample of pairs whose target lies before column `until`; it does not depend on row order.

    Origins are those with the smallest hash of (series, time); their horizons are drawn with `seed`.
    """
    rows, origins = np.nonzero(np.isfinite(grid.values[:, : max(until - 1, 0)]))
    places = pd.DataFrame(
        {
            CELL_ID: np.asarray(grid.ids, dtype=object)[rows],
            TIMESTAMP: as_times(grid.seconds(rows, origins)),
            SOURCE_ROW: np.arange(len(rows)),
        }
    )
    chosen = hash_sample(places, TRAINING_PAIRS // HORIZONS_PER_ORIGIN)
    rows, origins = (np.repeat(item[chosen], HORIZONS_PER_ORIGIN) for item in (rows, origins))
    horizons = np.random.default_rng(seed).integers(1, reach + 1, len(rows))
    samples = Samples(rows, origins, horizons)
    samples = samples.select(samples.targets < until)
    return samples.select(np.isfinite(grid.values[samples.rows, samples.targets]))


def fit_model(
    features: SeriesFeatures, until: int, reach: int, quantiles: np.ndarray, *, seed: int
) -> xgboost.Booster | None:
    """Train on what lies before column `until`; None where that is too little."""
    samples = training_samples(features.grid, until, reach, seed)
    if len(samples.rows) < FEWEST_PAIRS:
        return None
    return boosting.train(
        features.table(samples.rows, samples.origins, samples.horizons),
        scaled_change(features, samples),
        quantiles.tolist(),
        names=features.names(),
        seed=seed,
    )


def scaled_change(features: SeriesFeatures, samples: Samples) -> np.ndarray:
    """Return (reading - level) / scale of the samples' targets, NaN = not read."""
    level, scale = features.level_and_scale(samples.rows, samples.origins)
    return (features.grid.values[samples.rows, samples.targets] - level) / scale


def calibration_samples(grid: Grid, plan: Plan, start: int, end: int) -> Samples:
    """Return all series at origins whose windows lie in columns [start, end), thinned to a bounded number."""
    origins = np.arange(end - 1 - plan.window, start - 2, -1)
    most = max(CALIBRATION_PAIRS // (len(grid.ids) * plan.window), 1)
    stride = max(-(-len(origins) // most), 1)
    return crossed(np.arange(len(grid.ids)), origins[::stride][::-1], np.arange(1, plan.window + 1))


def learn_shifts(
    features: SeriesFeatures, model: xgboost.Booster, plan: Plan, end: int, quantiles: np.ndarray
) -> np.ndarray:
    """Return the conformal correction from columns [calibrate_from, end), which the model has not seen."""
    samples = calibration_samples(features.grid, plan, plan.calibrate_from, end)
    forecast = boosting.predict(model, features.table(samples.rows, samples.origins, samples.horizons))
    truth = scaled_change(features, samples)
    return fit_shifts(truth, forecast, samples.horizons, plan.window, quantiles)
