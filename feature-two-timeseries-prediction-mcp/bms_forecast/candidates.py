"""The forecasts that are blended: boosted trees on a linear forecast, that forecast itself, and the baselines.

All in one unit, (value - level) / scale at the origin, so that what is learnt holds for every series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bms_forecast import boosting
from bms_forecast.baselines import USUAL_DAY, points_of
from bms_forecast.features import SeriesFeatures
from bms_forecast.linear import MOST_WINDOWS, LinearForecast
from bms_forecast.samples import Samples, training_origins

if TYPE_CHECKING:
    import xgboost

MODEL, LINEAR = "model", "linear"
# Levels every candidate is asked for; others are interpolated.
LEVELS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
MIDDLE = 2
# (origin, horizon) pairs trained on: more gains little on simulated fleets and ETTh1, and costs time.
TRAINING_PAIRS, HORIZONS_PER_ORIGIN = 10_000, 2
# One series has too few days of its own for more.
PAIRS_PER_SERIES = 5_000
# A usual day of fewer days says nothing of its spread; that of the trees stands for it.
FEWEST_USUAL_DAYS = 5
# Below this the trees have nothing to learn from and the baselines answer [U].
FEWEST_PAIRS = 300


@dataclass(frozen=True)
class Said:
    """What the candidates say about m samples, in scales of the series from its level.

    Args:
        points: Point forecasts, shape (m, K).
        spread: Quantiles of the trees around their median, shape (m, Q).
        usual_spread: Quantiles of the usual day around its median, those of the trees where it is made of fewer
            than five days; None without a daily season.
    """

    points: np.ndarray
    spread: np.ndarray
    usual_spread: np.ndarray | None

    def select(self, keep: np.ndarray) -> Said:
        """Return the samples of a mask."""
        usual = None if self.usual_spread is None else self.usual_spread[keep]
        return Said(self.points[keep], self.spread[keep], usual)

    @classmethod
    def joined(cls, parts: Sequence[Said]) -> Said:
        """Return the parts one after the other."""
        usual = [part.usual_spread for part in parts if part.usual_spread is not None]
        return cls(
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.spread for part in parts]),
            np.concatenate(usual) if usual else None,
        )


@dataclass(frozen=True)
class Candidates:
    """What was learnt on the earlier part of the history.

    Args:
        linear: The linear forecast.
        trees: Quantiles of what it leaves over.
        season: Steps of a day, 0 for none.
    """

    linear: LinearForecast
    trees: xgboost.Booster
    season: int

    @property
    def names(self) -> tuple[str, ...]:
        """The candidates, the order of all weights."""
        return (MODEL, LINEAR, *points_of(self.season))

    @classmethod
    def fitted(
        cls,
        features: SeriesFeatures,
        until: int,
        reach: int,
        seed: int,
        *,
        apart: range = range(0),
        without: np.ndarray | None = None,
    ) -> Candidates | None:
        """Learn from what lies before column `until`; None where that is too little.

        Args:
            features: Of all series.
            until: First column not to be read.
            reach: Longest horizon.
            seed: Of the horizons drawn and of the trees.
            apart: Columns that no window learnt from may touch.
            without: Series that nothing is learnt from.
        """
        rows, origins = training_origins(features.grid, until, MOST_WINDOWS)
        clear = np.full(len(rows), True)
        if apart:
            clear &= (origins + reach < apart.start) | (origins >= apart.stop)
        if without is not None:
            clear &= ~np.isin(rows, without)
        rows, origins = rows[clear], origins[clear]
        linear = LinearForecast.fitted(features, rows, origins, until, reach)
        samples = _pairs(features, rows, origins, until, reach, seed)
        if linear is None or len(samples) < FEWEST_PAIRS:
            return None
        base = linear.change(features, samples)
        trees = boosting.train(
            np.column_stack([features.table(samples.rows, samples.origins, samples.horizons), base]),
            scaled_change(features, samples) - base,
            LEVELS.tolist(),
            names=[*features.names(), LINEAR],
            seed=seed,
        )
        return cls(linear, trees, features.season)

    def said(self, features: SeriesFeatures, samples: Samples) -> Said:
        """Return what every candidate says."""
        rows, origins, horizons = samples.rows, samples.origins, samples.horizons
        level, scale = features.level_and_scale(rows, origins)
        baselines = features.baselines
        base = self.linear.change(features, samples)
        rest = boosting.predict(self.trees, np.column_stack([features.table(rows, origins, horizons), base]))
        points = [base + rest[:, MIDDLE], base]
        spread = rest - rest[:, [MIDDLE]]
        usual_spread = None
        for name in points_of(self.season):
            if name == USUAL_DAY:
                usual, days = baselines.usual_day(rows, origins, horizons, LEVELS)
                usual /= scale[:, None]
                points.append(usual[:, MIDDLE] - level / scale)
                enough = (days >= FEWEST_USUAL_DAYS)[:, None]
                usual_spread = np.where(enough, usual - usual[:, [MIDDLE]], spread)
            else:
                points.append((baselines.point(name, rows, origins, horizons) - level) / scale)
        return Said(np.column_stack(points), spread, usual_spread)


def scaled_change(features: SeriesFeatures, samples: Samples) -> np.ndarray:
    """Return (reading - level) / scale of the samples' targets, NaN = not read."""
    level, scale = features.level_and_scale(samples.rows, samples.origins)
    return (features.grid.values[samples.rows, samples.targets] - level) / scale


def _pairs(
    features: SeriesFeatures, rows: np.ndarray, origins: np.ndarray, until: int, reach: int, seed: int
) -> Samples:
    """Return (origin, horizon) pairs whose target was read before column `until`, horizons drawn with `seed`."""
    count = min(TRAINING_PAIRS, PAIRS_PER_SERIES * len(features.grid.ids)) // HORIZONS_PER_ORIGIN
    rows, origins = (np.repeat(item[:count], HORIZONS_PER_ORIGIN) for item in (rows, origins))
    horizons = np.random.default_rng(seed).integers(1, reach + 1, len(rows))
    samples = Samples(rows, origins, horizons)
    samples = samples.select(samples.targets < until)
    return samples.select(np.isfinite(features.grid.values[samples.rows, samples.targets]))
