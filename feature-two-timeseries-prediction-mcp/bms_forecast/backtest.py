"""Rolling-origin backtest of each series: what the forecast is worth beside the naive ones, on later data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bms_forecast.baselines import NAIVES
from bms_forecast.candidates import LEVELS, MIDDLE
from bms_forecast.features import SeriesFeatures
from bms_forecast.fitted import FittedState, blended_quantiles, quantile_name
from bms_forecast.grid import as_times
from bms_forecast.plan import Plan
from bms_forecast.samples import Samples, crossed
from bms_forecast.scores import Scores, score


@dataclass(frozen=True)
class Backtest:
    """What a series' backtest says.

    Args:
        method: What is forecast with: a baseline, "model", or a mixture such as "0.75 model + 0.25 usual day".
        reason: Why, in words.
        scores: Figures on the reported windows; NaN where there is nothing to score.
        table: One row per reported window and horizon: `origin`, `ds`, `horizon`, `y`, `mean`, the quantiles,
            and each baseline's forecast.
    """

    method: str
    reason: str
    scores: Scores
    table: pd.DataFrame = field(repr=False)


def run_backtest(
    features: SeriesFeatures, plan: Plan, state: FittedState, rows: np.ndarray
) -> dict[str, Backtest]:
    """Forecast the reported part of the history from rolling origins; return {series: backtest}.

    Candidates were trained before the calibration part and blended on it; the reported part follows both.
    """
    ids = features.grid.ids
    if not plan.reportable:
        return {ids[row]: _untested(features, state, row) for row in rows}
    report = crossed(rows, np.array(plan.report_origins(), dtype=int), np.arange(1, plan.window + 1))
    table = _table(features, report)
    quantiles = np.full((len(report), len(LEVELS)), np.nan)
    if state.candidates is not None and state.checked is not None:
        quantiles = blended_quantiles(features, state.candidates, state.checked, report)
    answer = {}
    per_series = len(report) // max(len(rows), 1)
    for place, row in enumerate(rows):
        own = slice(place * per_series, (place + 1) * per_series)
        if np.isfinite(table["y"].to_numpy()[own]).any() and not features.constant(int(row)):
            answer[ids[row]] = _of_series(features, plan, state, int(row), table.iloc[own], quantiles[own])
        else:
            answer[ids[row]] = _untested(features, state, int(row))
    return answer


def _of_series(
    features: SeriesFeatures,
    plan: Plan,
    state: FittedState,
    row: int,
    table: pd.DataFrame,
    quantiles: np.ndarray,
) -> Backtest:
    if state.candidates is not None and state.checked is not None:
        method, why = state.checked.words(state.candidates.names), "least loss on the calibration part"
    else:
        baselines, ahead = features.baselines, np.arange(1, plan.window + 1)
        chosen = baselines.best(row, plan.report_from, plan.window)
        method, why = chosen, "least error on the history before the reported windows, too short for a model"
        quantiles = np.concatenate(
            [
                baselines.intervals(chosen, row, origin, ahead, LEVELS, plan.report_from)
                for origin in plan.report_origins()
            ]
        )
    if not np.isfinite(quantiles[:, MIDDLE]).any():
        return _untested(features, state, row)
    named = {quantile_name(level): quantiles[:, index] for index, level in enumerate(LEVELS)}
    whole = table.assign(mean=quantiles[:, MIDDLE], **named).reset_index(drop=True)
    history = features.grid.values[row, : plan.report_from]
    naive = min(
        (name for name in NAIVES if name in whole),
        key=lambda name: np.nanmean(np.abs(whole["y"] - whole[name])),
    )
    return Backtest(method, why, score(whole, history, state.season, naive, LEVELS), whole)


def _untested(features: SeriesFeatures, state: FittedState, row: int) -> Backtest:
    if features.constant(row):
        return Backtest("last value", "the history is constant", Scores(), pd.DataFrame())
    return Backtest(state.method or "last value", "no later data to test on", Scores(), pd.DataFrame())


def _table(features: SeriesFeatures, report: Samples) -> pd.DataFrame:
    """Return what came and what the baselines said, one row per sample."""
    grid, baselines = features.grid, features.baselines
    known = {
        "origin": as_times(grid.seconds(report.rows, report.origins)),
        "ds": as_times(grid.seconds(report.rows, report.targets)),
        "horizon": report.horizons,
        "y": grid.values[report.rows, report.targets],
    }
    guesses = {
        name: baselines.point(name, report.rows, report.origins, report.horizons)
        for name in baselines.methods
    }
    return pd.DataFrame(known | guesses)
