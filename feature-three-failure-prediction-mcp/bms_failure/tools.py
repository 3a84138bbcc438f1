"""The MCP layer: arguments and descriptions."""

from typing import Annotated, Literal

from bms_schema.run.envelope import Outcome
from bms_schema.run.mcp_boundary import ToolSpec, build_server
from bms_schema.run.run_folder import Run
from pydantic import Field

from bms_failure.results import FailureData

VERSION = "0.1.0"
INSTRUCTIONS = """Tells which cells of stationary battery strings are likely to die soon, from BMS logs.
Pass the raw export or the cleaned_csv of preprocessing, never imputed or scaled values; whole strings, many days.
With IsDead labels it trains, checks itself out of fold against two baselines and stores a model; without them it
scores with the newest stored model that fits, else it ranks by physical indicators and gives no probability.
Read `method` and `effective_horizon_days` before quoting a risk: it holds for that horizon only; `in_words` says
how such risks came true. Units: V, °C, A, days. Dead cells are listed apart where IsDead tells them."""

DataPath = Annotated[
    str,
    Field(description="CSV, CSV.gz, Parquet or a folder of them: one row per cell and time, whole strings."),
]
Horizon = Annotated[
    int, Field(ge=1, le=365, description="Days ahead; shortened, and said so, where labels allow less.")
]
ModelChoice = Annotated[
    str,
    Field(
        max_length=200,
        description="Empty: train if labels allow, else newest fitting model. 'latest' or a version: only score.",
    ),
]
Budget = Annotated[
    float,
    Field(
        ge=0.1,
        le=1000,
        description="Most alerts per week and 1,000 cells.",
    ),
]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1, description="Of folds, trees and bootstrap.")]
ChemistryChoice = Annotated[
    Literal["auto", "lead_acid_flooded", "vrla", "li_ion"],
    Field(description="Sets limits and the float window."),
]
OutputFormat = Annotated[Literal["csv", "parquet"], Field(description="Format of risk_csv.")]


def predict_cell_failure(
    run: Run,
    data_path: DataPath,
    horizon_days: Horizon = 30,
    model: ModelChoice = "",
    seed: Seed = 0,
    chemistry: ChemistryChoice = "auto",
    output_format: OutputFormat = "csv",
    alerts_per_week: Budget = 10.0,
) -> Outcome[FailureData]:
    """Rank living cells by the probability that they die within the asked days (1 to 365), with reasons.

    Needs Cell ID, Timestamp, CellVoltage; temperatures, current, gravity sharpen it; IsDead (0/1) to learn from.
    Returns risk_csv (risk per horizon, days expected to last, reasons), the alert list, `in_words` and metrics out
    of fold with both baselines, report.html, evidence.json. method "indicators" means: ranking only, risk empty.
    Not for single cells: a cell is judged against its string.
    """
    from bms_failure.workflow import predict_failure

    return predict_failure(
        run,
        data_path=data_path,
        horizon_days=horizon_days,
        model=model,
        seed=seed,
        chemistry=chemistry,
        output_format=output_format,
        alerts_per_week=alerts_per_week,
    )


server = build_server(
    name="bms-failure",
    title="Battery cell failure prediction",
    version=VERSION,
    instructions=INSTRUCTIONS,
    tools=[ToolSpec(predict_cell_failure, "Predict cell failures", background=True)],
    libraries=("xgboost", "numpy", "pandas", "scipy", "pyarrow", "matplotlib", "mcp"),
    models=("failure",),
)
