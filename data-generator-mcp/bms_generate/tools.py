"""The MCP layer of the data generator: arguments and what the model reads about them."""

from typing import Annotated, Literal

from bms_schema.run.envelope import Outcome
from bms_schema.run.mcp_boundary import ToolSpec, build_server
from bms_schema.run.run_folder import Run
from pydantic import Field

from bms_generate import __version__
from bms_generate.results import Evaluated, Generated, Simulated, Visualized

INSTRUCTIONS = """Synthetic twins of tables, and simulated battery fleets with known truth.

Twin: sdv_generate(folder_name) on a folder with CSV files and SDV metadata.json (the 'sdv_folder' of
preprocessing is one), then sdv_evaluate(folder_name), then sdv_visualize for the columns it names as weakest.
Demo or test data: simulate_battery_fleet; its CSV fits every other BMS-Flux server.
Volts, °C, amperes (charge positive). Scores run from 0 to 1, higher is better.
Twins of cell series keep memory in time, shared currents, faults and labels; those of other tables do not."""

_FOLDER = Annotated[str, Field(description="Folder with <table>.csv files and metadata.json.")]
_SEED = Annotated[int, Field(ge=0, le=2**32 - 1, description="Same seed, same result.")]
_Share = Annotated[float, Field(ge=0, le=1)]
_Shares = _Share | dict[str, float]


def sdv_generate(
    run: Run,
    folder_name: _FOLDER,
    rows: Annotated[int | None, Field(ge=1, le=2_000_000, description="Rows to make (one table).")] = None,
    scale: Annotated[float, Field(ge=0.01, le=100, description="Size against the real tables.")] = 1.0,
    seed: _SEED = 0,
    method: Annotated[
        Literal["auto", "trees", "copula"],
        Field(description="auto: by cells in time where there are, HMA for related tables, else trees."),
    ] = "auto",
    write_metadata: Annotated[bool, Field(description="Write metadata.json where there is none.")] = False,
) -> Outcome[Generated]:
    """Make a synthetic twin of one table or of related tables.

    Replaces <folder_name>/synthetic_data. Cells over time behave as the real ones, string by string. No-answer
    values become missing; columns that follow from others are computed. `method` says what made each table.
    """
    from bms_generate.workflow import generate_twin

    return generate_twin(
        run, folder_name, rows=rows, scale=scale, seed=seed, method=method, write_metadata=write_metadata
    )


def sdv_evaluate(run: Run, folder_name: _FOLDER) -> Outcome[Evaluated]:
    """Say whether synthetic_data may be shared (copies, nearness; no privacy guarantee) and trained on.

    Reasons with figures: memory in time, cells, shared signals, labels, models tested on real rows; SDV's scores.
    """
    from bms_generate.workflow import evaluate_twin

    return evaluate_twin(run, folder_name)


def sdv_visualize(
    run: Run,
    folder_name: _FOLDER,
    table_name: Annotated[str, Field(description="CSV name without .csv.")],
    column_name: Annotated[str, Field(description="Any column of it.")],
    second_column: Annotated[str | None, Field(description="Draw both together instead.")] = None,
) -> Outcome[Visualized]:
    """Draw a column real against synthetic and say what is to be seen; with second_column the pair.

    Of an identifier: rows per value and reuse of real ones. In a table of cell series, cells_png shows a few
    cells over time. Also copied to <folder_name>/evaluation_plots.
    """
    from bms_generate.workflow import visualize_column

    return visualize_column(run, folder_name, table_name, column_name, second_column)


def simulate_battery_fleet(
    run: Run,
    n_strings: Annotated[int, Field(ge=1, le=500, description="Strings.")] = 4,
    cells_per_string: Annotated[int, Field(ge=2, le=500, description="Cells in series.")] = 24,
    days: Annotated[float, Field(gt=0, le=3650, description="Span in days.")] = 30,
    interval_minutes: Annotated[float, Field(gt=0, le=1440, description="Between samples.")] = 60,
    seed: _SEED = 0,
    death_fraction: Annotated[
        _Shares,
        Field(
            description="Cells that die; or by kind: slow, sudden, unheralded. Above 0 each of the first two "
            "strings has one."
        ),
    ] = 0.1,
    dying_fraction: Annotated[
        _Shares, Field(description="Cells that die soon after the end; likewise.")
    ] = 0.0,
    fault_fraction: Annotated[
        _Shares,
        Field(
            description="Other cells with a fault; or by kind: thermal, drift, noise, spike, stuck, dropout; "
            "sensor: the last five, e.g. {'thermal': 0.02, 'sensor': 0.05}."
        ),
    ] = 0.1,
    sentinel_fraction: Annotated[_Share, Field(description="Rows without an answer.")] = 0.01,
    chemistry: Annotated[
        Literal["lead_acid_flooded", "vrla", "li_ion"], Field(description="Only flooded cells have gravity.")
    ] = "lead_acid_flooded",
    duty: Annotated[
        Literal["standby", "solar", "ups_test"],
        Field(description="Float with outages, a cycle every day, or weekly short tests."),
    ] = "standby",
    output_format: Annotated[Literal["csv", "parquet"], Field(description="Of the three tables.")] = "csv",
) -> Outcome[Simulated]:
    """Simulate battery strings by physics, with deaths, planted faults and sensor errors, and their truth.

    No model of a real site. At most 100 million rows; above 2 million 'csv' is a folder with a file per string.
    """
    from bms_generate.workflow import write_fleet

    return write_fleet(
        run,
        output_format=output_format,
        n_strings=n_strings,
        cells_per_string=cells_per_string,
        days=days,
        interval_minutes=interval_minutes,
        seed=seed,
        death_fraction=death_fraction,
        dying_fraction=dying_fraction,
        fault_fraction=fault_fraction,
        sentinel_fraction=sentinel_fraction,
        chemistry=chemistry,
        duty=duty,
    )


server = build_server(
    name="bms-generate",
    title="BMS-Flux data generator",
    version=__version__,
    instructions=INSTRUCTIONS,
    tools=[
        ToolSpec(sdv_generate, "Make a synthetic twin", background=True, destructive=True),
        ToolSpec(sdv_evaluate, "Score a synthetic twin"),
        ToolSpec(sdv_visualize, "Draw real against synthetic"),
        ToolSpec(simulate_battery_fleet, "Simulate a battery fleet", background=True),
    ],
    libraries=(
        "bms-schema",
        "mcp",
        "numpy",
        "pandas",
        "scikit-learn",
        "sdv",
        "sdmetrics",
        "xgboost",
        "matplotlib",
        "plotly",
    ),
)
