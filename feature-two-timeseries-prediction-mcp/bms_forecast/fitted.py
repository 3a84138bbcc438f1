"""What a fitted forecaster holds, and how its model's answer becomes quantiles in the unit of the series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from bms_schema.run.errors import ModelError

from bms_forecast import boosting
from bms_forecast.conformal import apply_shifts
from bms_forecast.features import SeriesFeatures
from bms_forecast.learn import Samples

if TYPE_CHECKING:
    import xgboost

MEDIAN = 0.5
# Share of its range that a forecast may leave a series' own history by [U].
EXPERIENCE_MARGIN = 0.5


@dataclass
class FittedState:
    """All that forecasting needs besides the data; `store` writes and reads it.

    Args:
        step_s: Step of the grid [s].
        season: Steps of a day, 0 for none.
        longest: Longest look back of the features [steps].
        exogenous: Names of the past covariates.
        cut_s: Time before which the backtest's model was trained [s since 1970].
        window: Longest horizon the models know [steps].
        levels: Quantile levels, ascending, with the median.
        checked: Model trained before `cut_s`, for backtests; None where history was too short.
        final: Model trained on everything; None likewise.
        checked_shifts: Conformal correction from the calibration part alone, (window, Q).
        final_shifts: The same from everything after `cut_s`.
    """

    step_s: float
    season: int
    longest: int
    exogenous: list[str]
    cut_s: float
    window: int
    levels: np.ndarray
    checked: xgboost.Booster | None = None
    final: xgboost.Booster | None = None
    checked_shifts: np.ndarray | None = None
    final_shifts: np.ndarray | None = None

    @property
    def middle(self) -> int:
        """Index of the median among the levels."""
        return int(np.argmin(np.abs(self.levels - MEDIAN)))


def model_quantiles(
    features: SeriesFeatures,
    model: xgboost.Booster | None,
    shifts: np.ndarray | None,
    levels: np.ndarray,
    samples: Samples,
) -> np.ndarray:
    """Return the model's corrected quantiles in the unit of the series, shape (m, Q)."""
    if model is None or shifts is None:
        raise ModelError("No model was fitted.", expected="a longer history", fix="Use a baseline.")
    change = boosting.predict(model, features.table(samples.rows, samples.origins, samples.horizons))
    level, scale = features.level_and_scale(samples.rows, samples.origins)
    quantiles = apply_shifts(change, samples.horizons, shifts, levels) * scale[:, None] + level[:, None]
    return within_experience(quantiles, features.grid.values, samples)


def within_experience(quantiles: np.ndarray, values: np.ndarray, samples: Samples) -> np.ndarray:
    """Keep forecasts near what the series has shown up to the origin: its range and half of it on either side.

    All series teach one model, so the fault of another cell could else reach any distance into the interval.

    Args:
        quantiles: In the unit of the series, shape (m, Q).
        values: The grid, shape (n_series, n_columns), NaN = none.
        samples: What is forecast, m triples.
    """
    at = samples.rows, samples.origins
    low = np.fmin.accumulate(values, axis=1)[at][:, None]
    high = np.fmax.accumulate(values, axis=1)[at][:, None]
    room = EXPERIENCE_MARGIN * (high - low)
    return np.where(room > 0, np.clip(quantiles, low - room, high + room), quantiles)


def quantile_name(level: float) -> str:
    """Return the column name of a quantile level.

    >>> quantile_name(0.1), quantile_name(0.05)
    ('q0.1', 'q0.05')
    """
    return f"q{level:g}"
