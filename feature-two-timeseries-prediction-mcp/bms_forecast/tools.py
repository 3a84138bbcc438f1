"""The MCP layer of the forecast server."""

from typing import Annotated, Literal

from bms_schema.run.envelope import Outcome
from bms_schema.run.mcp_boundary import ToolSpec, build_server
from bms_schema.run.run_folder import Run
from pydantic import Field

from bms_forecast import __version__
from bms_forecast.results import ForecastData

MODEL_NAME = "forecast"
LIBRARIES = ("bms-forecast", "bms-schema", "numpy", "pandas", "xgboost", "matplotlib", "plotly", "mcp")
INSTRUCTIONS = """Forecasts of battery cells: what voltage, current, temperatures, gravity and state of charge
of one cell will do next, with 90 % intervals, beside naive forecasts it is tested against.
Give it the raw export or the cleaned CSV of the preprocess server; never imputed or scaled values.
predict_cell_timeseries needs a time stamp per row and at least 8 readings of the cell. Units: V, A (charge
positive), °C, %. A target whose method is not "model" is forecast by that simpler method because it tested
better. Discharges and outages cannot be foreseen: intervals tell how often they came. Pass model="latest" to
forecast again without training. A cell is named as in the file, or '<string>/<number>' where numbers repeat."""


def predict_cell_timeseries(
    run: Run,
    data_path: Annotated[str, Field(description="CSV, CSV.GZ, Parquet or a folder of them.")],
    cell_id: Annotated[
        str,
        Field(min_length=1, max_length=200, description="Cell ID; its number alone where only one has it."),
    ],
    steps: Annotated[
        int, Field(ge=1, le=10_000, description="Readings ahead, in the cell's usual step.")
    ] = 24,
    model: Annotated[
        str, Field(max_length=200, description="Empty trains; 'latest' or a version reuses it.")
    ] = "",
    seed: Annotated[int, Field(ge=0, le=2**31 - 1, description="Seed of sampling and training.")] = 0,
    chemistry: Annotated[
        Literal["auto", "lead_acid_flooded", "vrla", "li_ion"],
        Field(description="Sets plausible voltages; 'auto' tells which."),
    ] = "auto",
    output_format: Annotated[Literal["csv", "parquet"], Field(description="Format of the tables.")] = "csv",
) -> Outcome[ForecastData]:
    """Forecast every physical target of one cell with 90 % intervals, tested against naive forecasts.

    Writes forecast and backtest tables, a PNG and an interactive HTML plot. Not for a cell's death
    (predict_cell_failure) or for oddities in the past (detect_anomalies).
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


server = build_server(
    name="bms-forecast",
    title="Battery cell forecasts",
    version=__version__,
    instructions=INSTRUCTIONS,
    tools=[ToolSpec(predict_cell_timeseries, "Forecast a cell", background=True)],
    libraries=LIBRARIES,
    models=(MODEL_NAME,),
)
