"""Tables and words of a cell's forecast."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from bms_schema.data.columns import COLUMNS, TIMESTAMP

from bms_forecast.alarms import Ahead, Crossing, find_crossings, quantile_table
from bms_forecast.backtest import Backtest
from bms_forecast.cell import CellForecast
from bms_forecast.fitted import FittedState
from bms_forecast.grid import WHEN
from bms_forecast.limits import Limits
from bms_forecast.results import CrossedLimit, Outlook, TargetMetrics

BANDS = {"q0.25": "lo50", "q0.75": "hi50", "q0.05": "lo90", "q0.95": "hi90"}
MIXED = " + "
VALUES = ("mean", "lo50", "hi50", "lo90", "hi90")
_NAIVES = {
    "last value": "last_value",
    "seasonal naive": "seasonal_naive",
    "historical mean": "historical_mean",
}


def forecast_table(result: CellForecast) -> pd.DataFrame:
    """Return `Timestamp`, `target`, `mean`, `lo50`, `hi50`, `lo90`, `hi90`, `method`, a row per target and step."""
    parts = [
        item.forecast.rename(columns={WHEN: TIMESTAMP, **BANDS}).assign(
            target=name, method=method_used(item.backtest, item.state)
        )
        for name, item in result.targets.items()
    ]
    return pd.concat(parts, ignore_index=True)[[TIMESTAMP, "target", *VALUES, "method"]]


def backtest_table(result: CellForecast) -> pd.DataFrame:
    """Return every reported window: `target`, `origin`, `Timestamp`, `horizon`, `actual`, forecast and naives."""
    columns = ["target", "origin", TIMESTAMP, "horizon", "actual", *VALUES]
    columns += _NAIVES.values()
    parts = [
        item.backtest.table.rename(columns={WHEN: TIMESTAMP, "y": "actual", **_NAIVES, **BANDS}).assign(
            target=name
        )
        for name, item in result.targets.items()
        if not item.backtest.table.empty
    ]
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return whole.reindex(columns=columns)


def crossings_of(result: CellForecast, limits: Limits) -> list[Crossing]:
    """Hold the limits against a cell's forecast, the likeliest alarm first."""
    ahead = {}
    for name, item in result.targets.items():
        quantiles, levels = quantile_table(item.forecast)
        last = float(item.history["y"].iloc[-1])
        ahead[name] = Ahead(quantiles, levels, item.state.step_s, last, item.state.courses)
    return find_crossings(limits, ahead)


def told(crossing: Crossing) -> CrossedLimit:
    """Return a crossing as the tool tells it."""
    limit = crossing.limit
    return CrossedLimit(
        target=limit.target,
        side=limit.side,
        limit=limit.value,
        over=limit.over,
        unit=COLUMNS[limit.target].unit,
        probability=round(crossing.probability, 4),
        hours=round(crossing.seconds / 3600.0, 4),
        now=crossing.now,
        alarm=limit.alarm,
        meaning=limit.meaning,
        words=crossing.words,
    )


def metrics_of(test: Backtest) -> TargetMetrics:
    """Return a backtest's figures; None where undefined."""
    scores = test.scores
    return TargetMetrics(
        mase=scores.mase,
        naive_mase=scores.naive_mase,
        rmse=scores.rmse,
        naive_rmse=scores.naive_rmse,
        wql=scores.wql,
        naive_wql=scores.naive_wql,
        coverage90=scores.coverage,
        coverage50=scores.coverage50,
        skill=scores.skill,
        naive=scores.naive,
        method=test.method,
    )


def outlook_of(result: CellForecast, name: str) -> Outlook:
    """Return the last reading and the forecast of the last step."""
    item = result.targets[name]
    final = item.forecast.iloc[-1]
    return Outlook(
        unit=COLUMNS[name].unit,
        last=float(item.history["y"].iloc[-1]),
        mean=_rounded(final["mean"]),
        lo90=_rounded(final["q0.05"]),
        hi90=_rounded(final["q0.95"]),
    )


def split_of(result: CellForecast) -> str:
    """Say which readings trained, calibrated and tested, per target where they differ."""
    return per_target(
        result.targets, lambda name: split_words(result.targets[name].backtest, result.targets[name].state)
    )


def per_target(targets: dict, words: Callable[[str], str]) -> str:
    """Say once what holds for all targets, else which of them it holds for."""
    said: dict[str, list[str]] = {}
    for name in targets:
        said.setdefault(words(name), []).append(name)
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in said.items())


def split_words(test: Backtest, state: FittedState) -> str:
    """Say how one target's history was divided."""
    if test.table.empty:
        return f"not tested: {test.reason}"
    origins = np.sort(test.table["origin"].unique())
    first, horizon = pd.Timestamp(origins[0]), int(test.table["horizon"].max())
    tested = f"metrics from {len(origins)} rolling origins of {horizon} steps after"
    if state.final is None:
        return f"too little history for a model; baseline chosen before {first}, {tested}"
    cut = pd.to_datetime(round(state.cut_s * 1e3), unit="ms")
    lost = (
        ""
        if state.lost_by is None
        else (f"; there the last value erred {state.lost_by:.0%} less than the mixture, so it is forecast")
    )
    return (
        f"trained before {cut}, blended and calibrated until {first}, {tested}; for the forecast blended and "
        f"calibrated on all of it{lost}"
    )


def method_used(test: Backtest, state: FittedState) -> str:
    """Return what the forecast is made with: what was tested, unless it lost to the last value."""
    return test.method if state.lost_by is None else state.method


def message_of(result: CellForecast, crossings: list[Crossing]) -> str:
    """Say in a few sentences what is expected, what is likely to be crossed, how far it can be trusted."""
    parts = [_target_words(result, name) for name in result.targets]
    steps = len(next(iter(result.targets.values())).forecast)
    text = f"Cell {result.cell_id}, {steps} steps of {result.step_s:g} s: {'; '.join(parts)}."
    return f"{crossings[0].words}. {text}" if crossings and crossings[0].limit.alarm else text


def _target_words(result: CellForecast, name: str) -> str:
    outlook, test, state = outlook_of(result, name), result.targets[name].backtest, result.targets[name].state
    unit = f" {outlook.unit}" if outlook.unit else ""
    last, mean, low, high = (
        "?" if value is None else f"{value:.4g}"
        for value in (outlook.last, outlook.mean, outlook.lo90, outlook.hi90)
    )
    naive = f", {test.scores.naive} {test.scores.naive_mase:.2f}" if test.method != test.scores.naive else ""
    mase = "" if np.isnan(test.scores.mase) else f", MASE {test.scores.mase:.2f}{naive}"
    method = "mixture" if MIXED in test.method else test.method
    if state.lost_by is not None:
        method = f"last value, to which the {method} lost in the backtest"
    return f"{name} {last} -> {mean}{unit} ({low} to {high}; {method}{mase})"


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
