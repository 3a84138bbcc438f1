"""Tables and words of a cell's forecast."""

import numpy as np
import pandas as pd
from bms_schema.data.columns import COLUMNS, SENSOR_NAMES, TIMESTAMP

from bms_forecast.backtest import Backtest
from bms_forecast.cell import CellForecast, TargetForecast
from bms_forecast.grid import WHEN
from bms_forecast.results import Outlook, TargetMetrics

REQUIRED = (TIMESTAMP, *SENSOR_NAMES)
_BANDS = {"q0.05": "lo90", "q0.95": "hi90"}


def forecast_table(result: CellForecast) -> pd.DataFrame:
    """Return `Timestamp`, `target`, `mean`, `lo90`, `hi90`, `method`, one row per target and step."""
    parts = [
        item.forecast.rename(columns={WHEN: TIMESTAMP, **_BANDS}).assign(
            target=name, method=item.backtest.method
        )
        for name, item in result.targets.items()
    ]
    return pd.concat(parts, ignore_index=True)[[TIMESTAMP, "target", "mean", "lo90", "hi90", "method"]]


def backtest_table(result: CellForecast) -> pd.DataFrame:
    """Return every reported window: `target`, `origin`, `Timestamp`, `horizon`, `actual`, forecast and naives."""
    renamed = {WHEN: TIMESTAMP, "y": "actual", "last value": "last_value", "seasonal naive": "seasonal_naive"}
    columns = ["target", "origin", TIMESTAMP, "horizon", "actual", "mean", "lo90", "hi90"]
    columns += ["last_value", "seasonal_naive", "historical_mean"]
    parts = [
        item.backtest.table.rename(
            columns={
                **renamed,
                **_BANDS,
                "daily profile": "daily_profile",
                "historical mean": "historical_mean",
            }
        ).assign(target=name)
        for name, item in result.targets.items()
        if not item.backtest.table.empty
    ]
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return whole.reindex(columns=columns)


def metrics_of(test: Backtest) -> TargetMetrics:
    """Return a backtest's figures; None where undefined."""
    scores = test.scores
    return TargetMetrics(
        mase=scores.mase,
        naive_mase=scores.naive_mase,
        rmse=scores.rmse,
        naive_rmse=scores.naive_rmse,
        coverage90=scores.coverage,
        skill=scores.skill,
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
    said: dict[str, list[str]] = {}
    for name, item in result.targets.items():
        said.setdefault(_split_words(item), []).append(name)
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(f"{', '.join(names)}: {words}" for words, names in said.items())


def _split_words(item: TargetForecast) -> str:
    test = item.backtest
    if test.table.empty:
        return f"not tested: {test.reason}"
    origins = np.sort(test.table["origin"].unique())
    cut = pd.to_datetime(round(item.state.cut_s * 1e3), unit="ms")
    horizon = int(test.table["horizon"].max())
    if item.state.final is None:
        return (
            f"too little history for a model; baseline chosen before {pd.Timestamp(origins[0])}, metrics from "
            f"{len(origins)} rolling origins of {horizon} steps after"
        )
    return (
        f"trained before {cut}, calibrated and chosen until {pd.Timestamp(origins[0])}, metrics from "
        f"{len(origins)} rolling origins of {horizon} steps after; the forecast's model is then trained on all"
    )


def message_of(result: CellForecast) -> str:
    """Say in one or two sentences what is expected and how far it can be trusted."""
    parts = []
    for name, item in result.targets.items():
        outlook, test = outlook_of(result, name), item.backtest
        unit = f" {outlook.unit}" if outlook.unit else ""
        last, mean, low, high = (
            "?" if value is None else f"{value:.4g}"
            for value in (outlook.last, outlook.mean, outlook.lo90, outlook.hi90)
        )
        naive = f", {test.scores.naive} {test.scores.naive_mase:.2f}" if test.method == "model" else ""
        mase = "" if np.isnan(test.scores.mase) else f", MASE {test.scores.mase:.2f}{naive}"
        parts.append(f"{name} {last} -> {mean}{unit} ({low} to {high}; {test.method}{mase})")
    steps = len(next(iter(result.targets.values())).forecast)
    return f"Cell {result.cell_id}, {steps} steps of {result.step_s:g} s: {'; '.join(parts)}."


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
