"""The fleet tool, background runs, cancellation, and the server as a real process."""

import json
import os
import sys
from pathlib import Path

import anyio
import pandas as pd
import pytest
from bms_generate.tools import server
from bms_generate.workflow import generate_twin
from bms_schema.run.errors import RunCancelled
from bms_schema.run.run_folder import Run, failing_cleanly
from mcp import Client, StdioServerParameters, stdio_client

from tests.generate.sdv_folders import call, succeed, write_battery

SERVER = Path(__file__).resolve().parents[2] / "data-generator-mcp" / "server.py"
SMALL = {"n_strings": 2, "cells_per_string": 4, "days": 3}


def test_a_fleet_comes_with_its_truth():
    data = succeed("simulate_battery_fleet", **SMALL, seed=4)
    readings = pd.read_csv(data["csv"])
    assert len(readings) == data["rows"] == 2 * 4 * 72
    assert readings["Cell ID"].nunique() == data["cells"] == 8
    assert readings.loc[readings["IsDead"] == 1, "Cell ID"].nunique() == data["dead_cells"]
    assert data["strings"] == readings["string"].nunique() == 2
    assert {"Cell ID", "kind"} <= set(pd.read_csv(data["truth_csv"]))
    assert len(pd.read_csv(data["cells_csv"])) == 8


def test_equal_seeds_give_equal_fleets():
    first, again, other = (
        pd.read_csv(succeed("simulate_battery_fleet", **SMALL, seed=seed)["csv"]) for seed in (4, 4, 5)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_a_fleet_as_parquet_holds_the_same_readings():
    text = pd.read_csv(succeed("simulate_battery_fleet", **SMALL)["csv"])
    binary = pd.read_parquet(succeed("simulate_battery_fleet", **SMALL, output_format="parquet")["csv"])
    assert binary["CellVoltage"].tolist() == pytest.approx(text["CellVoltage"].tolist(), nan_ok=True)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_strings": 500, "cells_per_string": 500, "days": 3650},
        {"days": 1e-6},
        {"chemistry": "lemon"},
        {"n_strings": 0},
    ],
)
def test_a_fleet_that_cannot_be_is_told(settings, workspace):
    envelope = call("simulate_battery_fleet", **settings)
    assert envelope["status"] == "error"
    assert "failed unexpectedly" not in envelope["message"]
    runs = workspace / "runs"
    assert not runs.exists() or all(item.name.endswith(".failed") for item in runs.iterdir())


def test_a_twin_made_in_the_background_is_found_by_its_run_id(battery):
    async def main():
        async with Client(server) as client:
            started = await client.call_tool(
                "sdv_generate", {"folder_name": str(battery), "background": True}
            )
            run_id = started.structured_content["data"]["run_id"]
            with anyio.fail_after(300):
                while True:
                    state = (await client.call_tool("run_status", {"run_id": run_id})).structured_content[
                        "data"
                    ]
                    if state["state"] != "running":
                        return state

    state = anyio.run(main)
    assert state["state"] == "success", state["message"]
    assert state["result"]["tables"] == {"battery": 240}


PHASES = [
    "reading",
    "battery: looking for columns that follow from others",
    "battery: fitting and sampling strings and cells",
    "written",
]


@pytest.mark.parametrize("phase", PHASES)
def test_a_twin_cancelled_in_any_phase_leaves_nothing_behind(phase, battery, workspace):
    def cancel(done, total, message):
        if message == phase:
            raise RunCancelled

    run = Run("bms-generate", "sdv_generate", report=cancel)
    run.begin()
    with pytest.raises(RunCancelled), failing_cleanly(run):
        generate_twin(run, str(battery), rows=None, scale=1.0, seed=0, method="auto", write_metadata=False)
    assert sorted(item.name for item in battery.iterdir()) == ["battery.csv", "metadata.json"]
    (left,) = (workspace / "runs").iterdir()
    assert left.suffix == ".failed"
    assert sorted(item.name for item in left.iterdir()) == ["manifest.json", "run.log"]


def test_progress_is_told_phase_by_phase(battery):
    told = []

    async def note(done, total, message):
        told.append(message)

    async def main():
        async with Client(server) as client:
            await client.call_tool("sdv_generate", {"folder_name": str(battery)}, progress_callback=note)

    anyio.run(main)
    assert [word for word in told if word in PHASES] == PHASES


@pytest.mark.stdio
def test_a_real_process_makes_scores_and_draws_a_twin_and_keeps_stdout_clean(tmp_path):
    folder = write_battery(tmp_path / "battery")

    async def main():
        parameters = StdioServerParameters(
            command=sys.executable, args=[str(SERVER)], env=dict(os.environ), cwd=tmp_path
        )
        with (tmp_path / "stderr.log").open("w") as errlog:
            async with Client(stdio_client(parameters, errlog=errlog)) as client:
                answers = []
                for tool, more in (
                    ("sdv_generate", {}),
                    ("sdv_evaluate", {}),
                    ("sdv_visualize", {"table_name": "battery", "column_name": "CellVoltage"}),
                    ("sdv_visualize", {"table_name": "nope", "column_name": "CellVoltage"}),
                ):
                    result = await client.call_tool(tool, {"folder_name": str(folder), **more})
                    answers.append(result.structured_content["status"])
                return answers

    assert anyio.run(main) == ["success", "success", "success", "error"]


def test_what_the_model_reads_is_unchanged():
    async def main():
        async with Client(server) as client:
            return (await client.list_tools()).tools

    arguments = {tool.name: sorted(tool.input_schema["properties"]) for tool in anyio.run(main)}
    assert arguments["sdv_generate"] == [
        *("background", "folder_name", "method", "rows", "scale", "seed", "write_metadata")
    ]
    assert arguments["sdv_evaluate"] == ["folder_name"]
    assert arguments["sdv_visualize"] == ["column_name", "folder_name", "second_column", "table_name"]
    assert json.dumps(arguments["simulate_battery_fleet"]).count("fraction") == 4
