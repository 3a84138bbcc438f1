"""`/predict/forecast`: the forecast server's own features and models on readings from a request."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bms_schema.data.columns import COLUMNS
from bms_schema.run.envelope import Outcome
from bms_schema.run.workspace import models_folder

from bms_live.catalogue import wanted_version
from bms_live.requests import ForecastRequest
from bms_live.results import ForecastData, ForecastPoint, TargetForecast

if TYPE_CHECKING:
    from bms_forecast.cell import TargetForecast as Forecast
    from bms_forecast.fitted import FittedState

MODEL = "forecast"
TRAINED_BY = "predict_cell_timeseries (feature-two-timeseries-prediction-mcp)"
_VERSIONS_KEPT = 4


def predict(request: ForecastRequest) -> Outcome[ForecastData]:
    """Forecast every target of one cell that the model knows.

    Raises:
        InputError: the readings cannot be used, or hold no such cell.
        ModelError: no such version, or it does not fit the readings.
    """
    from bms_forecast.cell import forecast_cell
    from bms_forecast.limits import limits_of
    from bms_forecast.needs import REQUIRED, check_measured
    from bms_forecast.report import crossings_of, told

    from bms_live.readings import battery_table

    version = wanted_version(MODEL, request.model, trained_by=TRAINED_BY)
    table = battery_table(request.readings, require=REQUIRED, chemistry=request.chemistry)
    absent = check_measured(table)
    states, limits = _states(models_folder(), version), limits_of(table)
    result = forecast_cell(table, request.cell_id, request.steps, states=states)
    data = ForecastData(
        model_version=version,
        notes=[*absent, *table.notes, *result.warnings, *limits.notes],
        cell_id=result.cell_id,
        step_seconds=result.step_s,
        targets=[_target(name, item) for name, item in result.targets.items()],
        crossings=[told(item) for item in crossings_of(result, limits)],
    )
    names = ", ".join(result.targets)
    watch = f" {data.crossings[0].words}." if data.crossings and data.crossings[0].alarm else ""
    message = f"{request.steps} steps of {result.step_s:g} s of cell {result.cell_id}: {names}.{watch}"
    return Outcome(message, data)


@lru_cache(maxsize=_VERSIONS_KEPT)
def _states(store: Path, version: str) -> dict[str, FittedState]:
    """Load a version once; `store` is part of the key because versions belong to a workspace."""
    from bms_forecast.store import load_states

    states: dict[str, FittedState] = load_states(version)[0]
    return states


def _target(name: str, item: Forecast) -> TargetForecast:
    table = item.forecast
    columns = (table[name] for name in ("ds", "mean", "q0.25", "q0.75", "q0.05", "q0.95"))
    points = [
        ForecastPoint(timestamp=when.isoformat(), mean=mean, lo50=lo50, hi50=hi50, lo90=lo90, hi90=hi90)
        for when, mean, lo50, hi50, lo90, hi90 in zip(*columns, strict=True)
    ]
    return TargetForecast(target=name, unit=COLUMNS[name].unit, method=item.backtest.method, points=points)
