"""Five servers, twelve bad inputs: an envelope that says what to do, a live server, nothing half-written."""

import json

import anyio
import numpy as np
import pandas as pd
import pytest
from mcp import Client

from tests.schema.fleet import small_fleet
from tests.servers import SERVERS

FOLDER_TOOLS = {
    "sdv_generate": {},
    "sdv_evaluate": {},
    "sdv_visualize": {"table_name": "battery", "column_name": "CellVoltage"},
}
TABLE_TOOLS = {
    "preprocess_battery_data_tool": ("data_path", {}),
    "clean_and_filter_data": ("data_path", {}),
    "engineer_battery_features": ("csv_path", {}),
    "impute_battery_data_mice": ("csv_path", {}),
    "impute_and_scale_battery_data": ("csv_path", {}),
    "detect_anomalies": ("data_path", {}),
    "visualize_anomalies_3d": ("result_csv", {}),
    "predict_cell_timeseries": ("data_path", {"cell_id": "S0/1"}),
    "forecast_fleet": ("data_path", {}),
    "predict_cell_failure": ("data_path", {}),
}
SIGNAL_TOOLS = {"detect_anomalies", "predict_cell_timeseries", "forecast_fleet"}
# Failure prediction judges by what sensors there are, as long as voltage is among them.
ANSWERED = {("predict_cell_failure", "all-NaN column")}
# What is bad for everyone; one row, one cell and text in a few numbers may be answered honestly instead.
FATAL = (
    "missing file",
    "empty folder",
    "empty file",
    "header only",
    "missing column",
    "all-NaN column",
    "outside the roots",
)
SOFT = ("text in numbers", "one row", "one cell")


def bad_table(folder, kind):
    """Write the bad table and return its path as an argument."""
    fleet = small_fleet(moments=60)
    path = folder / "bad.csv"
    if kind == "missing file":
        return folder / "nowhere.csv"
    if kind == "outside the roots":
        return "/etc/hostname"
    if kind == "empty folder":
        (folder / "empty").mkdir()
        return folder / "empty"
    if kind == "empty file":
        path.touch()
        return path
    changed = {
        "header only": fleet.iloc[:0],
        "missing column": fleet.drop(columns="CellVoltage"),
        "all-NaN column": fleet.assign(CellTemperature=np.nan),
        "text in numbers": fleet.assign(
            CellVoltage=fleet["CellVoltage"].astype(object).where(fleet.index % 5 > 0, "bad")
        ),
        "one row": fleet.iloc[:1],
        "one cell": fleet[fleet["Cell ID"] == "S0/1"],
    }[kind]
    changed.to_csv(path, index=False)
    return path


def bad_dataset(folder, kind):
    """Put the bad table into an SDV folder with metadata, and return the folder."""
    table = bad_table(folder, kind)
    if kind in {"missing file", "empty folder", "outside the roots"}:
        return table
    dataset = folder / "dataset"
    dataset.mkdir()
    table.rename(dataset / "battery.csv")
    numbers = [name for name in small_fleet().columns if name not in {"string", "Cell ID", "Timestamp"}]
    columns = {name: {"sdtype": "numerical"} for name in numbers} | {
        "string": {"sdtype": "categorical"},
        "Cell ID": {"sdtype": "categorical"},
        "Timestamp": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d %H:%M:%S"},
    }
    metadata = {
        "METADATA_SPEC_VERSION": "V2",
        "tables": {"battery": {"columns": columns}},
        "relationships": [],
    }
    (dataset / "metadata.json").write_text(json.dumps(metadata))
    return dataset


def cases():
    for server in SERVERS:
        for tool in server.tools:
            if tool in TABLE_TOOLS or tool in FOLDER_TOOLS:
                yield from (pytest.param(server, tool, kind, id=f"{tool}: {kind}") for kind in FATAL + SOFT)


def called(server, tool, arguments):
    """Call the tool, then ask for health: the server must still be there."""

    async def main():
        async with Client(server.module().server) as client:
            result = await client.call_tool(tool, arguments)
            health = await client.call_tool("health_check", {})
            assert health.structured_content["status"] == "success"
            return result

    return anyio.run(main)


def assert_told(result, workspace):
    """Check that the failure is told in full and that no reader can take anything for a result."""
    envelope = result.structured_content
    assert result.is_error
    assert envelope["status"] == "error"
    assert envelope["data"] is None
    assert len(envelope["message"]) > 30
    assert "failed unexpectedly" not in envelope["message"]
    assert "Traceback" not in envelope["message"]
    runs = workspace / "runs"
    left = [item.name for item in runs.iterdir()] if runs.exists() else []
    assert all(name.endswith(".failed") for name in left), left


@pytest.mark.parametrize(("server", "tool", "kind"), list(cases()))
def test_bad_data_is_told_or_answered_honestly(server, tool, kind, tmp_path, workspace):
    if tool in FOLDER_TOOLS:
        arguments = {"folder_name": str(bad_dataset(tmp_path, kind)), **FOLDER_TOOLS[tool]}
    else:
        first, rest = TABLE_TOOLS[tool]
        arguments = {first: str(bad_table(tmp_path, kind)), **rest}
    result = called(server, tool, arguments)
    # A twin keeps what there is; detection and forecasts look at the signals that have readings.
    lenient = tool in FOLDER_TOOLS or tool in SIGNAL_TOOLS
    answered = (lenient and kind in {"missing column", "all-NaN column"}) or (tool, kind) in ANSWERED
    hopeless = kind in FATAL and not answered
    if hopeless or result.is_error:
        assert_told(result, workspace)
    else:
        assert result.structured_content["data"] is not None
        assert not list((workspace / "runs").glob("*.partial"))


@pytest.mark.parametrize("steps", [0, -1, 10**9, "many"])
def test_impossible_steps_are_told_with_the_bounds(steps, tmp_path, workspace):
    forecast = next(server for server in SERVERS if server.package == "bms_forecast")
    path = tmp_path / "fleet.csv"
    small_fleet(moments=60).to_csv(path, index=False)
    arguments = {"data_path": str(path), "cell_id": "S0/1", "steps": steps}
    assert_told(called(forecast, "predict_cell_timeseries", arguments), workspace)


def test_an_unknown_cell_is_told_with_the_known_ones(tmp_path, workspace):
    forecast = next(server for server in SERVERS if server.package == "bms_forecast")
    path = tmp_path / "fleet.csv"
    small_fleet(moments=60).to_csv(path, index=False)
    result = called(forecast, "predict_cell_timeseries", {"data_path": str(path), "cell_id": "nobody"})
    assert_told(result, workspace)
    assert "S0/1" in result.structured_content["message"]


@pytest.mark.parametrize(
    "size", [{"n_strings": 0}, {"days": 10**9}, {"interval_minutes": 0}, {"death_fraction": 2}]
)
def test_an_impossible_fleet_is_told(size, workspace):
    generate = next(server for server in SERVERS if server.package == "bms_generate")
    assert_told(called(generate, "simulate_battery_fleet", size), workspace)


def test_a_table_that_is_no_result_cannot_be_visualised(tmp_path, workspace):
    anomaly = next(server for server in SERVERS if server.package == "bms_anomaly")
    path = tmp_path / "other.csv"
    pd.DataFrame({"a": [1]}).to_csv(path, index=False)
    assert_told(called(anomaly, "visualize_anomalies_3d", {"result_csv": str(path)}), workspace)
