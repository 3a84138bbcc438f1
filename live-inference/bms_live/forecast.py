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
    from bms_forecast.report import REQUIRED

    from bms_live.readings import battery_table

    version = wanted_version(MODEL, request.model, trained_by=TRAINED_BY)
    table = battery_table(request.readings, require=REQUIRED, chemistry=request.chemistry)
    states = _states(models_folder(), version)
    result = forecast_cell(table, request.cell_id, request.steps, states=states)
    data = ForecastData(
        model_version=version,
        notes=[*table.notes, *result.warnings],
        cell_id=result.cell_id,
        step_seconds=result.step_s,
        targets=[_target(name, item) for name, item in result.targets.items()],
    )
    names = ", ".join(result.targets)
    return Outcome(f"{request.steps} steps of {result.step_s:g} s of cell {result.cell_id}: {names}.", data)


@lru_cache(maxsize=_VERSIONS_KEPT)
def _states(store: Path, version: str) -> dict[str, FittedState]:
    """Load a version once; `store` is part of the key because versions belong to a workspace."""
    from bms_forecast.store import load_states

    states: dict[str, FittedState] = load_states(version)[0]
    return states


def _target(name: str, item: Forecast) -> TargetForecast:
    table = item.forecast
    columns = (table["ds"], table["mean"], table["q0.05"], table["q0.95"])
    points = [
        ForecastPoint(timestamp=when.isoformat(), mean=mean, lo90=low, hi90=high)
        for when, mean, low, high in zip(*columns, strict=True)
    ]
    return TargetForecast(target=name, unit=COLUMNS[name].unit, method=item.backtest.method, points=points)
