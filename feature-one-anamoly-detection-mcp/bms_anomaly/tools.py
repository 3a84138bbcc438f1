"""The MCP server: arguments, what the model reads, and one call each into the workflow."""

from typing import Annotated, Literal

from bms_schema.run.envelope import Outcome
from bms_schema.run.mcp_boundary import ToolSpec, build_server
from bms_schema.run.run_folder import Run
from pydantic import Field

from bms_anomaly import __version__
from bms_anomaly.results import AnomalyData, PlotData

AxisName = Literal[
    "auto",
    "CellVoltage",
    "CellTemperature",
    "CellSpecificGravity",
    "InstantaneousCurrent",
    "AmbientTemperature",
    "StateOfCharge",
    "anomaly_score",
    "Timestamp",
    "latent_1",
    "latent_2",
    "latent_3",
]
Axis = Annotated[AxisName, Field(description="Column on this axis; auto: next of the space that varies.")]

INSTRUCTIONS = (
    "Finds odd cells and readings in battery-monitoring (BMS) logs: cells that stray from their string, run "
    "hot, lose gravity, gain resistance or drop out; sensors that stick, spike or get noisy. Call "
    "detect_anomalies on a raw export or on the cleaned_csv of preprocessing (never on scaled values), then "
    "visualize_anomalies_3d on its result_csv. Needed: CellVoltage [V] (aliases are known; or a column per cell). "
    "Looked at where given: CellTemperature [°C], InstantaneousCurrent [A, charge positive], AmbientTemperature "
    "[°C], CellSpecificGravity; Cell ID (or CellNumber and a site or string column) and Timestamp make it far "
    "sharper. Scores are decades of rarity: higher = worse, 3 and more is notable. "
    "Detection is retrospective: a row is also judged by what came later in the file. A reading that was not "
    "answered is never an anomaly; one that preprocessing masked as spike or stuck always is. Each training call "
    "stores its model; model='latest' scores new data without training. For long files pass background=true and "
    "poll run_status."
)


def detect_anomalies(
    run: Run,
    data_path: Annotated[
        str, Field(description="CSV, CSV.gz or Parquet of BMS readings, or a folder of them; raw or cleaned.")
    ],
    contamination: Annotated[
        float | None,
        Field(
            gt=0.0,
            le=0.5,
            description="Share of rows to flag. Default: fixed thresholds, one false event in 1,000 cell-days.",
        ),
    ] = None,
    false_alarm_rate: Annotated[
        float | None,
        Field(
            gt=0.0, le=0.5, description="Share of healthy rows to flag by mistake; not with contamination."
        ),
    ] = None,
    model: Annotated[
        str,
        Field(
            max_length=200,
            description="Stored version, or 'latest', to score with; empty trains on this file.",
        ),
    ] = "",
    seed: Annotated[int, Field(ge=0, le=2**31 - 1, description="Seed of the training.")] = 0,
    chemistry: Annotated[
        Literal["auto", "lead_acid_flooded", "vrla", "li_ion"],
        Field(description="Sets plausible ranges; auto decides and says why."),
    ] = "auto",
    output_format: Annotated[Literal["csv", "parquet"], Field(description="Format of the tables.")] = "csv",
) -> Outcome[AnomalyData]:
    """Score every row of a BMS log (higher = worse) and join odd rows to events with cell, start, end and kind.

    Writes result_csv (source_row, Cell ID, string, Timestamp, anomaly_score, anomaly 0/1, share of each
    detector, top_signal, readings), events_csv with kind and evidence, timeline and heat map. Needs 20 rows with
    readings. Not for forecasting failures (it tells what is odd, not what will die), nor for scaled values.
    """
    from bms_anomaly.workflow import detect

    return detect(run, data_path, contamination, false_alarm_rate, model, seed, chemistry, output_format)


def visualize_anomalies_3d(
    run: Run,
    result_csv: Annotated[str, Field(description="result_csv of detect_anomalies.")],
    x: Axis = "auto",
    y: Axis = "auto",
    z: Axis = "auto",
    space: Annotated[
        Literal["readings", "deviations", "latent"],
        Field(
            description="What auto takes: readings; the same less the string's median (best where strings charge "
            "and discharge); or the VAE's latent axes."
        ),
    ] = "readings",
    seed: Annotated[
        int, Field(ge=0, le=2**31 - 1, description="Seed of the choice of normal rows shown.")
    ] = 0,
) -> Outcome[PlotData]:
    """Draw a detection result in three axes, as PNG and interactive page: normal rows grey, others by score.

    Cell faults are dots (orange to purple), sensor faults diamonds (blue). Default axes: voltage, temperature,
    specific gravity, or the next that vary. Draws at most 10,000 rows, the worst among them.
    """
    from bms_anomaly.workflow import visualize

    return visualize(run, result_csv, space, (x, y, z), seed)


server = build_server(
    name="bms-anomaly",
    title="BMS-Flux anomaly detection",
    version=__version__,
    instructions=INSTRUCTIONS,
    tools=[
        ToolSpec(detect_anomalies, "Detect anomalies", background=True),
        ToolSpec(visualize_anomalies_3d, "Anomalies in three axes"),
    ],
    libraries=("numpy", "pandas", "scikit-learn", "torch", "skops", "matplotlib", "plotly", "mcp"),
    models=("anomaly",),
)
