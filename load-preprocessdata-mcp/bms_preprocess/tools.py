"""The MCP server: arguments, what the model reads, and one call each into the workflow."""

from typing import Annotated, Literal

from bms_schema.run.envelope import Outcome
from bms_schema.run.mcp_boundary import ToolSpec, build_server
from bms_schema.run.run_folder import Run
from pydantic import Field

from bms_preprocess import __version__
from bms_preprocess.results import PreprocessData, ScaledData, StepData

DataPath = Annotated[
    str,
    Field(
        description="CSV, Parquet or folder of BMS readings, a row or a column per cell; raw or cleaned before."
    ),
]
TablePath = Annotated[
    str,
    Field(description="csv of an earlier step, or a raw export."),
]
Chunksize = Annotated[
    int,
    Field(ge=1, le=10_000_000, description="Rows parsed at once; changes no result."),
]
Chemistry = Annotated[
    Literal["auto", "lead_acid_flooded", "vrla", "li_ion"],
    Field(description="Sets plausible ranges; auto decides and says why."),
]
OutputFormat = Annotated[Literal["csv", "parquet"], Field(description="Of the tables.")]
ModelVersion = Annotated[
    str,
    Field(
        max_length=200,
        description="Stored version (or 'latest') to apply; empty fits here.",
    ),
]
Inverse = Annotated[bool, Field(description="The way back: `csv_path` is a scaled table.")]


INSTRUCTIONS = (
    "Turns battery-monitoring (BMS) logs of stationary batteries into tables that the other BMS-Flux "
    "servers read. Usually call preprocess_battery_data_tool once: it runs every step and writes a "
    "data-quality report. The step tools run one step each, in the order clean_and_filter_data, "
    "engineer_battery_features, impute_battery_data_mice, impute_and_scale_battery_data; each takes a "
    "raw export or the table of an earlier step. Columns needed (aliases are known): CellVoltage [V], "
    "CellTemperature [°C], InstantaneousCurrent [A, charge positive], AmbientTemperature [°C], "
    "CellSpecificGravity (vented lead-acid only), with Cell ID (or CellNumber and a site or string "
    "column) and Timestamp. Units are physical except in the scaled table. Missing readings stay "
    "missing in cleaned and featured tables; filled ones are flagged. Results are files whose paths "
    "stand in data. For long inputs pass background=true and poll run_status."
)


def preprocess_battery_data_tool(
    run: Run,
    data_path: DataPath,
    chunksize: Chunksize = 100_000,
    chemistry: Chemistry = "auto",
    output_format: OutputFormat = "csv",
    model_version: ModelVersion = "",
) -> Outcome[PreprocessData]:
    """Run all steps on a BMS export: clean, engineer features, fill gaps (MICE), scale; report on data quality.

    Start here; takes any size, drops no row: each has its `source_row`. Give `cleaned_csv` to anomaly detection,
    forecasting and failure prediction, `sdv_folder` to synthetic data, `imputed_csv` (fillings flagged) and
    `scaled_csv` (no units) only to models that need no gaps.
    """
    from bms_preprocess import workflow

    return workflow.run_all(run, data_path, chunksize, chemistry, output_format, model_version)


def clean_and_filter_data(
    run: Run,
    data_path: DataPath,
    chunksize: Chunksize = 100_000,
    chemistry: Chemistry = "auto",
    output_format: OutputFormat = "csv",
) -> Outcome[StepData]:
    """Give columns, cells, times canonical names; mask sentinels, impossible values, text, spikes, stuck sensors.

    One output row per input row; `<column>_flag` says why a reading is missing. `changed`: readings masked.
    """
    from bms_preprocess import workflow

    return workflow.run_clean(run, data_path, chunksize, chemistry, output_format)


def engineer_battery_features(
    run: Run, csv_path: TablePath, output_format: OutputFormat = "csv"
) -> Outcome[StepData]:
    """Add physical features: deviation from the string, trailing windows, resistance, charge, thermal age and more.

    Never across cells, never ahead. `changed`: features added.
    """
    from bms_preprocess import workflow

    return workflow.run_engineer(run, csv_path, output_format)


def impute_battery_data_mice(
    run: Run, csv_path: TablePath, output_format: OutputFormat = "csv"
) -> Outcome[StepData]:
    """Fill missing readings by physics, then MICE, in physical units; each is flagged `imputed`.

    Not for failure or anomaly detection, where a missing reading is information. `changed`: readings filled.
    """
    from bms_preprocess import workflow

    return workflow.run_impute(run, csv_path, output_format)


def impute_and_scale_battery_data(
    run: Run,
    csv_path: TablePath,
    output_format: OutputFormat = "csv",
    model_version: ModelVersion = "",
    inverse: Inverse = False,
) -> Outcome[ScaledData]:
    """Fill leftovers with column means and scale robustly (median, quartiles) into columns `<name>_scaled`.

    `inverse` brings a scaled table back to physical units; `mean_filled` names what is a mean. `changed`: values.
    """
    from bms_preprocess import workflow

    work = workflow.run_unscale if inverse else workflow.run_scale
    return work(run, csv_path, output_format, model_version)


server = build_server(
    name="bms-preprocess",
    title="BMS-Flux: load and preprocess battery data",
    version=__version__,
    instructions=INSTRUCTIONS,
    tools=[
        ToolSpec(preprocess_battery_data_tool, "Preprocess", background=True),
        ToolSpec(clean_and_filter_data, "Clean"),
        ToolSpec(engineer_battery_features, "Engineer features"),
        ToolSpec(impute_battery_data_mice, "Impute (MICE)"),
        ToolSpec(impute_and_scale_battery_data, "Impute and scale"),
    ],
    libraries=(
        "bms-preprocess",
        "bms-schema",
        "pandas",
        "numpy",
        "pyarrow",
        "scikit-learn",
        "skops",
        "matplotlib",
        "distributed",
        "mcp",
    ),
    models=("preprocess", "preprocess-scaler"),
)
