"""The forecast tools' input and output: read, forecast, write, store."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bms_schema.data.chemistry import ChemistryOption
from bms_schema.data.table import BatteryTable, load_battery_table
from bms_schema.run.envelope import Outcome
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import TableFormat, write_table
from bms_schema.run.workspace import readable_path

from bms_forecast import fleet_plots, page, plots
from bms_forecast.alarms import Crossing, span_words
from bms_forecast.cell import CellForecast, forecast_cell
from bms_forecast.fleet import FleetForecast, forecast_fleet_table
from bms_forecast.fleet_report import first_of, fleet_message, fleet_metrics, fleet_split, fleet_table
from bms_forecast.limits import limits_of
from bms_forecast.needs import REQUIRED, check_measured
from bms_forecast.report import (
    backtest_table,
    crossings_of,
    forecast_table,
    message_of,
    metrics_of,
    outlook_of,
    split_of,
    told,
)
from bms_forecast.results import FleetData, ForecastData, RiskyCell
from bms_forecast.risk import fleet_crossings, risk_table
from bms_forecast.store import load_states, save_states

if TYPE_CHECKING:
    from bms_forecast.fitted import FittedState

MOST_WARNINGS, MOST_NOTES, MOST_STOPPED = 10, 12, 20
PNG, HTML = "forecast.png", "forecast.html"
FLEET_PARQUET, RISK_CSV = "forecast.parquet", "risk.csv"


@dataclass(frozen=True)
class Read:
    """A table as read, what was found about it, and the stored models to forecast with (None: train)."""

    path: Path
    table: BatteryTable
    notes: list[str]
    states: dict[str, "FittedState"] | None
    version: str


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
    read = _read(run, data_path, model, seed, chemistry)
    result = forecast_cell(read.table, cell_id, steps, seed=seed, states=read.states, progress=run.progress)
    limits = limits_of(read.table)
    crossings = crossings_of(result, limits)
    notes = [*limits.notes, *read.notes]
    _record(run, read, result.warnings, notes)
    metrics = {name: metrics_of(item.backtest) for name, item in result.targets.items()}
    run.split = split_of(result)
    run.metrics = {name: item.model_dump(mode="json") for name, item in metrics.items()}
    forecast_name, backtest_name = f"forecast.{output_format}", f"backtest.{output_format}"
    write_table(forecast_table(result), run.path(forecast_name))
    write_table(backtest_table(result), run.path(backtest_name))
    _draw_cell(run, result, crossings)
    data = ForecastData(
        cell_id=result.cell_id,
        steps=steps,
        step_seconds=result.step_s,
        forecast_csv=run.published(forecast_name),
        backtest_csv=run.published(backtest_name),
        metrics=metrics,
        outlook={name: outlook_of(result, name) for name in result.targets},
        crossings=[told(item) for item in crossings],
        plot_png=run.published(PNG),
        plot_html=run.published(HTML),
        model_version=read.version
        or _store(run, {name: item.state for name, item in result.targets.items()}),
        split=run.split,
        warnings=result.warnings[:MOST_WARNINGS],
        notes=notes[:MOST_NOTES],
    )
    return Outcome(message_of(result, crossings), data, (PNG, forecast_name, HTML, backtest_name))


def forecast_fleet(
    run: Run,
    data_path: str,
    *,
    steps: int,
    model: str = "",
    seed: int = 0,
    chemistry: ChemistryOption = "auto",
) -> Outcome[FleetData]:
    """Forecast all cells of a file; see `tools.forecast_fleet` for the arguments.

    Raises:
        InputError: the file cannot be used.
        ModelError: the named model version cannot be used.
    """
    read = _read(run, data_path, model, seed, chemistry)
    fleet = forecast_fleet_table(read.table, steps, seed=seed, states=read.states, progress=run.progress)
    limits = limits_of(read.table)
    crossings = fleet_crossings(fleet, limits)
    risk = risk_table(fleet, crossings)
    notes = [*limits.notes, *read.notes]
    _record(run, read, fleet.warnings, notes)
    metrics = {name: fleet_metrics(item) for name, item in fleet.targets.items()}
    run.split = fleet_split(fleet)
    run.metrics = {name: item.model_dump(mode="json") for name, item in metrics.items()}
    write_table(fleet_table(fleet), run.path(FLEET_PARQUET))
    write_table(risk, run.path(RISK_CSV))
    risky, outside = first_of(risk, "inside"), first_of(risk, "outside")
    _draw_fleet(run, fleet, risky or outside, crossings)
    data = FleetData(
        cells=len(fleet.cells),
        steps=steps,
        step_seconds=next(iter(fleet.targets.values())).step_s,
        forecast_parquet=run.published(FLEET_PARQUET),
        risk_csv=run.published(RISK_CSV),
        risky=risky,
        outside=outside,
        outside_cells=int((risk["place"] == "outside").sum()),
        stopped=fleet.stopped[:MOST_STOPPED],
        metrics=metrics,
        plot_png=run.published(PNG),
        plot_html=run.published(HTML),
        model_version=read.version or _store(run, {name: item.state for name, item in fleet.targets.items()}),
        split=run.split,
        warnings=fleet.warnings[:MOST_WARNINGS],
        notes=notes[:MOST_NOTES],
    )
    return Outcome(fleet_message(fleet, risk, risky, metrics), data, (PNG, RISK_CSV, HTML, FLEET_PARQUET))


def _read(run: Run, data_path: str, model: str, seed: int, chemistry: ChemistryOption) -> Read:
    path = readable_path(data_path)
    states, version = None, ""
    if model.strip():
        states, stored = load_states(model.strip())
        version = stored.version
    run.progress(0, None, f"reading {path.name}")
    table = load_battery_table(path, require=REQUIRED, chemistry=chemistry)
    notes = [*check_measured(table), *table.notes]
    run.seed = seed
    return Read(path, table, notes, states, version)


def _record(run: Run, read: Read, warnings: list[str], notes: list[str]) -> None:
    run.add_input(read.path)
    for warning in warnings:
        run.warn(warning)
    for note in notes:
        run.log.info(note)


def _draw_cell(run: Run, result: CellForecast, crossings: list[Crossing]) -> None:
    run.progress(len(result.targets), len(result.targets), "drawing")
    panels, title = plots.prepare_cell(result, crossings), f"Cell {result.cell_id}: what comes next"
    plots.draw_png(panels, title, run.path(PNG))
    page.draw_html(panels, title, run.path(HTML))


def _draw_fleet(
    run: Run, fleet: FleetForecast, risky: list[RiskyCell], crossings: dict[str, list[Crossing]]
) -> None:
    run.progress(len(fleet.targets), len(fleet.targets), "drawing")
    panels = fleet_plots.prepare_fleet(fleet, risky, crossings)
    first = next(iter(crossings.values()), [])
    span = f" within {span_words(first[0].seconds)}" if first else ""
    title = f"Most likely to leave their window{span}" if risky else "What comes next"
    columns = fleet_plots.COLUMNS_OF_PANELS
    plots.draw_png(panels, title, run.path(PNG), columns=columns)
    page.draw_html(panels, title, run.path(HTML), columns=columns)


def _store(run: Run, states: dict[str, "FittedState"]) -> str:
    return save_states(states, split=run.split or "", metrics=run.metrics, training_run=run.id)
