"""The MCP layer of the forecast server."""

from typing import Annotated, Literal

from bms_schema.run.envelope import Outcome
from bms_schema.run.mcp_boundary import ToolSpec, build_server
from bms_schema.run.run_folder import Run
from pydantic import Field

from bms_forecast import __version__
from bms_forecast.results import FleetData, ForecastData

MODEL_NAME = "forecast"
LIBRARIES = ("bms-forecast", "bms-schema", "numpy", "pandas", "xgboost", "matplotlib", "plotly", "mcp")
INSTRUCTIONS = """Forecasts of battery cells: what voltage, current, temperatures, gravity and state of charge
will do next, with 50 and 90 % intervals, beside naive forecasts they are tested against, and how likely a limit is
crossed: P(CellVoltage < 2.13 V within 24 h).
predict_cell_timeseries looks at one cell; forecast_fleet at all of them, and names the ten most likely to leave
their window: start there where no cell is named.
Give them the raw export or the cleaned CSV of the preprocess server; never imputed or scaled values. A time stamp
per row, one measured column and 8 readings of a cell are enough; what is missing is said. Units: V, A (charge
positive), °C, %. method says what is forecast with: the model, a simpler forecast, or a mixture. Discharges and
outages cannot be foreseen: intervals and chances tell how often they came. Pass model="latest" to forecast again
without training; a model trained by either tool serves both. A cell is named as in the file, or
'<string>/<number>' where numbers repeat."""

DataPath = Annotated[str, Field(description="CSV, CSV.GZ, Parquet or a folder of them.")]
Steps = Annotated[int, Field(ge=1, le=10_000, description="Readings ahead, in the usual step.")]
Model = Annotated[str, Field(max_length=200, description="Empty trains; 'latest' or a version reuses it.")]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1, description="Seed of sampling and training.")]
Chemistry = Annotated[
    Literal["auto", "lead_acid_flooded", "vrla", "li_ion"],
    Field(description="Sets plausible voltages and limits; 'auto' tells which."),
]


def predict_cell_timeseries(
    run: Run,
    data_path: DataPath,
    cell_id: Annotated[
        str,
        Field(min_length=1, max_length=200, description="Cell ID; its number alone where only one has it."),
    ],
    steps: Steps = 24,
    model: Model = "",
    seed: Seed = 0,
    chemistry: Chemistry = "auto",
    output_format: Annotated[Literal["csv", "parquet"], Field(description="Format of the tables.")] = "csv",
) -> Outcome[ForecastData]:
    """Forecast every physical target of one cell with 50 and 90 % intervals and the chance to cross its limits.

    Tested against naive forecasts. Writes forecast and backtest tables, a PNG and an interactive HTML plot. Not
    for a cell's death (predict_cell_failure) or for oddities in the past (detect_anomalies).
    """
    from bms_forecast import workflow

    return workflow.predict_cell(
        run,
        data_path,
        cell_id,
        steps=steps,
        model=model,
        seed=seed,
        chemistry=chemistry,
        output_format=output_format,
    )


def forecast_fleet(
    run: Run,
    data_path: DataPath,
    steps: Steps = 24,
    model: Model = "",
    seed: Seed = 0,
    chemistry: Chemistry = "auto",
) -> Outcome[FleetData]:
    """Forecast all cells with one model per target and name the ten most likely to leave their window.

    Writes one Parquet of all forecasts, a CSV of every cell's likeliest alarm, a PNG and an interactive HTML of
    the ten. Not for a cell's death (predict_cell_failure).
    """
    from bms_forecast import workflow

    return workflow.forecast_fleet(run, data_path, steps=steps, model=model, seed=seed, chemistry=chemistry)


server = build_server(
    name="bms-forecast",
    title="Battery cell forecasts",
    version=__version__,
    instructions=INSTRUCTIONS,
    tools=[
        ToolSpec(predict_cell_timeseries, "Forecast a cell", background=True),
        ToolSpec(forecast_fleet, "Forecast all cells", background=True),
    ],
    libraries=LIBRARIES,
    models=(MODEL_NAME,),
)
