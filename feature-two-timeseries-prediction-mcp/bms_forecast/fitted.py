"""What a fitted forecaster holds, and how it becomes quantiles in the unit of the series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bms_forecast.blend import Blend, Courses
from bms_forecast.candidates import Candidates
from bms_forecast.features import SeriesFeatures
from bms_forecast.samples import Samples


@dataclass
class FittedState:
    """All that forecasting needs besides the data; `store` writes and reads it.

    Args:
        step_s: Step of the grid [s].
        season: Steps of a day, 0 for none.
        longest: Longest look back of the features [steps].
        exogenous: Names of the past covariates.
        future: Names of the covariates that are known ahead.
        cut_s: Time before which everything was trained [s since 1970].
        window: Longest horizon the candidates know [steps].
        candidates: What was trained before `cut_s`; None where history was too short.
        checked: Blend from the calibration part alone, for the backtest; None likewise.
        final: Blend from everything after `cut_s`, for the forecast; None likewise.
        lost_by: Share by which the last value erred less than `checked` in the backtest, which is why `final` is
            the last value; None where it did not.
    """

    step_s: float
    season: int
    longest: int
    exogenous: list[str]
    future: list[str]
    cut_s: float
    window: int
    candidates: Candidates | None = None
    checked: Blend | None = None
    final: Blend | None = None
    lost_by: float | None = None

    @property
    def method(self) -> str:
        """What the forecast consists of; empty where there is no model."""
        if self.candidates is None or self.final is None:
            return ""
        return self.final.words(self.candidates.names)

    @property
    def courses(self) -> Courses:
        """Courses of past windows; none where there is no model."""
        return self.final.courses if self.final is not None else Courses.none(self.window)


def blended_quantiles(
    features: SeriesFeatures, candidates: Candidates, blend: Blend, samples: Samples
) -> np.ndarray:
    """Return the forecast at `LEVELS` in the unit of the series, shape (m, Q).

    It stays near what the series has shown up to the origin. All series teach one model, so the fault of another
    cell could else reach any distance into the interval.
    """
    level, scale = features.level_and_scale(samples.rows, samples.origins)
    quantiles = blend.quantiles(features, candidates, samples) * scale[:, None] + level[:, None]
    low, high = (item[:, None] for item in features.reachable(samples.rows, samples.origins))
    return np.asarray(np.where(high > low, np.clip(quantiles, low, high), quantiles))


def quantile_name(level: float) -> str:
    """Return the column name of a quantile level.

    >>> quantile_name(0.1), quantile_name(0.05)
    ('q0.1', 'q0.05')
    """
    return f"q{level:g}"
