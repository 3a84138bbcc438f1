"""The forecast tool's input and output: read, forecast, write, store."""

from bms_schema.data.chemistry import ChemistryOption
from bms_schema.data.table import load_battery_table
from bms_schema.run.envelope import Outcome
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import TableFormat, write_table
from bms_schema.run.workspace import readable_path

from bms_forecast import plots
from bms_forecast.cell import CellForecast, forecast_cell
from bms_forecast.report import (
    REQUIRED,
    backtest_table,
    forecast_table,
    message_of,
    metrics_of,
    outlook_of,
    split_of,
)
from bms_forecast.results import ForecastData
from bms_forecast.store import load_states, save_states

MOST_WARNINGS, MOST_NOTES = 10, 12
PNG, HTML = "forecast.png", "forecast.html"


def predict_cell(
    run: Run,
    data_path: str,
    cell_id: str,
    *,
    steps: int,
    model: str = "",
    seed: int = 0,
    chemistry: ChemistryOption = "auto",
    output_format: TableFormat = "csv",
) -> Outcome[ForecastData]:
    """Forecast a cell of a file; see `tools.predict_cell_timeseries` for the arguments.

    Raises:
        InputError: the file or the cell cannot be used.
        ModelError: the named model version cannot be used.
    """
    path = readable_path(data_path)
    stored = load_states(model.strip()) if model.strip() else None
    run.progress(0, None, f"reading {path.name}")
    table = load_battery_table(path, require=REQUIRED, chemistry=chemistry)
    run.seed = seed
    result = forecast_cell(
        table,
        cell_id,
        steps,
        seed=seed,
        states=stored[0] if stored else None,
        progress=run.progress,
    )
    run.add_input(path)
    for warning in result.warnings:
        run.warn(warning)
    for note in table.notes:
        run.log.info(note)
    metrics = {name: metrics_of(item.backtest) for name, item in result.targets.items()}
    run.split = split_of(result)
    run.metrics = {name: item.model_dump(mode="json") for name, item in metrics.items()}
    forecast_name, backtest_name = f"forecast.{output_format}", f"backtest.{output_format}"
    write_table(forecast_table(result), run.path(forecast_name))
    write_table(backtest_table(result), run.path(backtest_name))
    _plot(run, result)
    data = ForecastData(
        cell_id=result.cell_id,
        steps=steps,
        step_seconds=result.step_s,
        forecast_csv=run.published(forecast_name),
        backtest_csv=run.published(backtest_name),
        metrics=metrics,
        outlook={name: outlook_of(result, name) for name in result.targets},
        plot_png=run.published(PNG),
        plot_html=run.published(HTML),
        model_version=stored[1].version if stored else _store(run, result),
        split=run.split,
        warnings=result.warnings[:MOST_WARNINGS],
        notes=table.notes[:MOST_NOTES],
    )
    return Outcome(message_of(result), data, (PNG, forecast_name, HTML, backtest_name))


def _plot(run: Run, result: CellForecast) -> None:
    run.progress(len(result.targets), len(result.targets), "drawing")
    prepared = plots.prepare_forecast(result)
    plots.draw_forecast_png(prepared, result.cell_id, run.path(PNG))
    plots.draw_forecast_html(prepared, result.cell_id, run.path(HTML))


def _store(run: Run, result: CellForecast) -> str:
    states = {name: item.state for name, item in result.targets.items()}
    return save_states(states, split=run.split or "", metrics=run.metrics, training_run=run.id)
