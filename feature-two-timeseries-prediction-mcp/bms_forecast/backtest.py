"""Rolling-origin backtest of each series: which method to use, and what it is worth against the naive ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bms_forecast.baselines import NAIVES, Baselines, Method
from bms_forecast.features import SeriesFeatures
from bms_forecast.fitted import FittedState, model_quantiles, quantile_name
from bms_forecast.grid import as_times
from bms_forecast.learn import Samples, crossed
from bms_forecast.plan import Plan
from bms_forecast.scores import Scores, score

# A baseline must beat the model by this share of its error on the calibration part to be preferred [U].
MARGIN = 0.05
# A model tested on fewer readings than this is not used, and the history chooses among the baselines [U].
ENOUGH_REPORTED = 24
# Calibration windows of one series overlap so many times: more of them, though not independent.
CALIBRATION_OVERLAP = 4


@dataclass(frozen=True)
class Backtest:
    """What a series' backtest says.

    Args:
        method: The method to forecast with.
        reason: Why, in words.
        scores: Figures on the reported windows; NaN where there is nothing to score.
        table: One row per reported window and horizon: `origin`, `ds`, `horizon`, `y`, `mean`, the quantiles,
            and each naive forecast.
    """

    method: Method
    reason: str
    scores: Scores
    table: pd.DataFrame = field(repr=False)


def run_backtest(
    features: SeriesFeatures, baselines: Baselines, plan: Plan, state: FittedState, rows: list[int]
) -> dict[str, Backtest]:
    """Choose on the calibration part, score on the reported part; both lie after the model's training.

    Where a naive forecast still wins on the reported part, it is what is used and what is scored.
    """
    return {features.grid.ids[row]: _backtest_series(features, baselines, plan, state, row) for row in rows}


def _backtest_series(
    features: SeriesFeatures, baselines: Baselines, plan: Plan, state: FittedState, row: int
) -> Backtest:
    values = features.grid.values[row]
    known = values[np.isfinite(values)]
    if known.size and known.min() == known.max():
        return Backtest("last value", "the history is constant", Scores(), pd.DataFrame())
    ahead = np.arange(1, plan.window + 1)
    stride = max(plan.window // CALIBRATION_OVERLAP, 1)
    calibration = crossed(np.array([row]), np.array(plan.calibration_origins(stride), dtype=int), ahead)
    report = crossed(np.array([row]), np.array(plan.report_origins(), dtype=int), ahead)
    if not plan.reportable or not all(
        np.isfinite(values[part.targets]).any() for part in (calibration, report)
    ):
        fallback: Method = "model" if state.final is not None else "last value"
        return Backtest(fallback, "no later data to test on", Scores(), pd.DataFrame())
    reported = {name: _mean_error(features, baselines, state, name, report) for name in baselines.methods}
    naive = min((name for name in NAIVES if name in reported), key=lambda name: reported[name])
    if np.isfinite(values[report.targets]).sum() < ENOUGH_REPORTED:
        figures = {
            name: baselines.mean_error(name, row, plan.report_from, plan.window) for name in baselines.methods
        }
        chosen, where = (
            baselines.best(row, plan.report_from, plan.window),
            "history before the reported windows",
        )
    else:
        modelled: tuple[Method, ...] = ("model",) if state.checked is not None else ()
        figures = {
            name: _mean_error(features, baselines, state, name, calibration)
            for name in (*modelled, *baselines.methods)
        }
        chosen, where = _preferred(figures), "calibration part"
        reported[chosen] = _mean_error(features, baselines, state, chosen, report)
        if reported[naive] < reported[chosen]:
            chosen, where, figures = naive, "reported windows", reported
    table = _report_table(features, baselines, plan, state, report, chosen)
    scores = score(table, values[: plan.report_from], state.season, naive, state.levels)
    return Backtest(chosen, f"least error on the {where} ({_worded(figures)})", scores, table)


def _forecast(
    features: SeriesFeatures, baselines: Baselines, state: FittedState, name: Method, samples: Samples
) -> np.ndarray:
    if name == "model":
        return model_quantiles(features, state.checked, state.checked_shifts, state.levels, samples)[
            :, state.middle
        ]
    return baselines.point(name, samples.rows, samples.origins, samples.horizons)


def _mean_error(
    features: SeriesFeatures, baselines: Baselines, state: FittedState, name: Method, samples: Samples
) -> float:
    truth = features.grid.values[samples.rows, samples.targets]
    return float(np.nanmean(np.abs(truth - _forecast(features, baselines, state, name, samples))))


def _preferred(errors: dict[Method, float]) -> Method:
    """Return the method of least error; the model where it is within the margin of it."""
    best = min(errors, key=lambda name: errors[name])
    return "model" if "model" in errors and errors["model"] * (1.0 - MARGIN) <= errors[best] else best


def _worded(errors: dict[Method, float]) -> str:
    return ", ".join(f"{name} {error:.3g}" for name, error in errors.items())


def _report_table(
    features: SeriesFeatures,
    baselines: Baselines,
    plan: Plan,
    state: FittedState,
    report: Samples,
    method: Method,
) -> pd.DataFrame:
    grid, row = features.grid, int(report.rows[0])
    if method == "model":
        quantiles = model_quantiles(features, state.checked, state.checked_shifts, state.levels, report)
    else:
        ahead = np.arange(1, plan.window + 1)
        quantiles = np.concatenate(
            [
                baselines.intervals(method, row, origin, ahead, state.levels, plan.report_from)
                for origin in plan.report_origins()
            ]
        )
    table = pd.DataFrame(
        {
            "origin": as_times(grid.seconds(report.rows, report.origins)),
            "ds": as_times(grid.seconds(report.rows, report.targets)),
            "horizon": report.horizons,
            "y": grid.values[report.rows, report.targets],
            "mean": quantiles[:, state.middle],
        }
    )
    for index, level in enumerate(state.levels):
        table[quantile_name(level)] = quantiles[:, index]
    for name in baselines.methods:
        table[name] = baselines.point(name, report.rows, report.origins, report.horizons)
    return table
