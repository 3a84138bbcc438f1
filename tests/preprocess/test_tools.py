"""Every tool through the MCP client: results, chaining, refusals, cost."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pandas as pd
import pytest
from bms_preprocess import __version__
from bms_preprocess.tools import INSTRUCTIONS, server
from mcp import Client

from tests.preprocess.conftest import Call

STEPS = {
    "clean_and_filter_data": ("data_path", "cleaned"),
    "engineer_battery_features": ("csv_path", "features"),
    "impute_battery_data_mice": ("csv_path", "imputed"),
    "impute_and_scale_battery_data": ("csv_path", "scaled"),
}
TOOLS = {"preprocess_battery_data_tool": "data_path"} | {
    tool: argument for tool, (argument, _) in STEPS.items()
}
KEYS = (
    "cleaned_csv",
    "features_csv",
    "imputed_csv",
    "scaled_csv",
    "report_json",
    "report_html",
    "sdv_folder",
)


@pytest.fixture
def raw(fleet: pd.DataFrame, home: Path) -> Path:
    path = home / "raw.csv"
    fleet.drop(columns="source_row").to_csv(path, index=False)
    return path


def test_the_full_tool_writes_everything_it_names(call: Call, raw: Path, fleet: pd.DataFrame) -> None:
    envelope = call("preprocess_battery_data_tool", data_path=str(raw))
    data = envelope["data"]
    assert envelope["status"] == "success"
    assert all(Path(data[key]).is_absolute() and Path(data[key]).exists() for key in KEYS)
    assert (data["rows_in"], data["rows_out"], data["cells"], data["strings"]) == (1200, 1200, 10, 2)
    assert data["chemistry"] == "lead_acid_flooded"
    for key in KEYS[:4]:
        table = pd.read_csv(data[key])
        assert table["source_row"].tolist() == list(range(1200))
        assert table["Cell ID"].tolist() == fleet["Cell ID"].tolist()
        assert pd.to_datetime(table["Timestamp"]).tolist() == fleet["Timestamp"].tolist()
    run = Path(data["cleaned_csv"]).parent
    manifest = json.loads((run / "manifest.json").read_text())
    assert {"cleaned.csv", "report.html", "sdv_dataset/battery.csv"} <= set(manifest["artefacts"])
    assert manifest["metrics"]["CellVoltage"]["rmse"] < manifest["metrics"]["CellVoltage"]["mean_rmse"]
    version = Path(run.parent.parent / "models" / "preprocess" / data["model_version"])
    assert (version / "imputer.skops").is_file() and (version / "scaler.skops").is_file()


def test_a_stored_version_is_applied_and_no_new_one_made(call: Call, raw: Path) -> None:
    first = call("preprocess_battery_data_tool", data_path=str(raw), output_format="parquet")["data"]
    again = call(
        "preprocess_battery_data_tool", data_path=str(raw), output_format="parquet", model_version="latest"
    )
    assert again["data"]["model_version"] == first["model_version"]
    assert first["scaled_csv"].endswith("scaled.parquet")
    pd.testing.assert_frame_equal(
        pd.read_parquet(first["scaled_csv"]), pd.read_parquet(again["data"]["scaled_csv"]), check_exact=True
    )


@pytest.mark.parametrize("output_format", ["csv", "parquet"])
def test_steps_chain_to_what_the_full_tool_gives(call: Call, raw: Path, output_format: str) -> None:
    whole = call("preprocess_battery_data_tool", data_path=str(raw), output_format=output_format)["data"]
    read = pd.read_csv if output_format == "csv" else pd.read_parquet
    source = str(raw)
    for tool, (argument, name) in STEPS.items():
        data = call(tool, **{argument: source}, output_format=output_format)["data"]
        assert data["rows"] == 1200 and data["changed"] > 0
        assert Path(data["csv"]).name == f"{name}.{output_format}"
        expected = read(whole[f"{name}_csv"])
        # A step carries along what its input has: here the features.
        pd.testing.assert_frame_equal(
            read(data["csv"])[list(expected)],
            expected,
            check_dtype=False,
            check_categorical=False,
            rtol=1e-9,
        )
        source = data["csv"]


@pytest.mark.parametrize("tool", [tool for tool in STEPS if tool != "clean_and_filter_data"])
def test_each_step_takes_a_raw_export(call: Call, raw: Path, tool: str) -> None:
    envelope = call(tool, csv_path=str(raw))
    assert envelope["status"] == "success"
    table = pd.read_csv(envelope["data"]["csv"])
    assert len(table) == 1200 and "source_row" in table


def test_cleaning_a_cleaned_table_changes_nothing(call: Call, raw: Path) -> None:
    once = call("clean_and_filter_data", data_path=str(raw))["data"]
    twice = call("clean_and_filter_data", data_path=once["csv"])["data"]
    assert Path(once["csv"]).read_text() == Path(twice["csv"]).read_text()
    assert once["changed"] == twice["changed"] == 3 * int((pd.read_csv(raw)["CellVoltage"] == 65.535).sum())


@pytest.mark.parametrize("tool", ["preprocess_battery_data_tool", "impute_and_scale_battery_data"])
def test_a_scaled_table_comes_back_in_physical_units(call: Call, raw: Path, tool: str) -> None:
    data = call(tool, **{TOOLS[tool]: str(raw)})["data"]
    scaled = data["scaled_csv" if "scaled_csv" in data else "csv"]
    back = call("impute_and_scale_battery_data", csv_path=scaled, inverse=True)["data"]
    assert back["rows"] == 1200 and back["model_version"] == data["model_version"]
    table, cleaned = (
        pd.read_csv(back["csv"]),
        pd.read_csv(call("clean_and_filter_data", data_path=str(raw))["data"]["csv"]),
    )
    known = cleaned["CellVoltage"].notna()
    assert (table["CellVoltage"] - cleaned["CellVoltage"])[known].abs().max() < 1e-9
    assert table["mean_filled"].dropna().str.split(";").str.len().sum() > 0


def test_a_stored_scaler_is_applied_to_another_table(call: Call, raw: Path, home: Path) -> None:
    first = call("impute_and_scale_battery_data", csv_path=str(raw))["data"]
    half = home / "half.csv"
    pd.read_csv(raw).head(600).to_csv(half, index=False)
    again = call("impute_and_scale_battery_data", csv_path=str(half), model_version=first["model_version"])[
        "data"
    ]
    assert again["model_version"] == first["model_version"]
    pd.testing.assert_frame_equal(pd.read_csv(again["csv"]), pd.read_csv(first["csv"]).head(600), rtol=1e-9)
    bare = home / "bare.csv"
    pd.read_csv(raw).drop(columns="CellSpecificGravity").to_csv(bare, index=False)
    refused = call("impute_and_scale_battery_data", csv_path=str(bare), model_version=first["model_version"])
    assert refused["status"] == "error" and "CellSpecificGravity" in refused["message"]


def test_a_table_that_was_never_scaled_is_not_unscaled(call: Call, raw: Path) -> None:
    call("preprocess_battery_data_tool", data_path=str(raw))
    envelope = call("impute_and_scale_battery_data", csv_path=str(raw), inverse=True)
    assert envelope["status"] == "error" and "_scaled" in envelope["message"]


def test_a_step_refuses_what_does_not_fit_into_memory(
    call: Call, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BMS_MEMORY_BUDGET", "1MiB")
    envelope = call("engineer_battery_features", csv_path=str(raw))
    assert envelope["status"] == "error" and "preprocess_battery_data_tool" in envelope["message"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("BMS_MEMORY_BUDGET", "much"), ("BMS_MEMORY_BUDGET", "200%"), ("BMS_DASK_SCHEDULER", "somewhere")],
)
def test_a_setting_that_makes_no_sense_is_named(
    call: Call, raw: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    envelope = call("preprocess_battery_data_tool", data_path=str(raw))
    assert envelope["status"] == "error"
    assert (
        variable in envelope["message"] and value in envelope["message"] and "Expected" in envelope["message"]
    )


def _bad(name: str, folder: Path, frame: pd.DataFrame) -> Path:
    path = folder / f"{name}.csv"
    if name == "missing file":
        return path
    if name == "outside the roots":
        return Path("/etc/hostname")
    if name == "empty folder":
        (folder / name).mkdir()
        return folder / name
    if name == "empty file":
        path.write_text("")
        return path
    made = {
        "header only": frame.head(0),
        "missing column": frame.drop(columns="CellTemperature"),
        "all missing": frame.assign(CellVoltage=None),
        "text in numbers": frame.assign(CellVoltage="high"),
    }
    made[name].to_csv(path, index=False)
    return path


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing file", "does not exist"),
        ("outside the roots", "BMS_DATA_ROOTS"),
        ("empty folder", "holds no table"),
        ("empty file", "is empty"),
        ("header only", "no rows"),
        ("missing column", "CellTemperature"),
        ("all missing", "no usable value"),
        ("text in numbers", "no usable value"),
    ],
)
def test_bad_input_is_refused_with_advice(
    call: Call, home: Path, fleet: pd.DataFrame, tool: str, name: str, said: str
) -> None:
    path = _bad(name, home, fleet.head(50))
    envelope = call(tool, **{TOOLS[tool]: str(path)})
    assert envelope["status"] == "error" and envelope["data"] is None
    assert said in envelope["message"] and "Expected" in envelope["message"]
    assert "Traceback" not in envelope["message"]
    assert not list(home.rglob("*.partial"))
    assert call("health_check")["status"] == "success"


@pytest.mark.parametrize("chunksize", [0, 10**9])
def test_chunksize_out_of_bounds_is_refused(call: Call, raw: Path, chunksize: int) -> None:
    envelope = call("preprocess_battery_data_tool", data_path=str(raw), chunksize=chunksize)
    assert envelope["status"] == "error" and "chunksize" in envelope["message"]


def test_an_unknown_model_version_is_refused(call: Call, raw: Path, home: Path) -> None:
    envelope = call("preprocess_battery_data_tool", data_path=str(raw), model_version="of-last-year")
    assert envelope["status"] == "error" and "of-last-year" in envelope["message"]
    assert not list(home.rglob("*.partial"))


@pytest.mark.parametrize("tool", TOOLS)
def test_one_row_is_enough_for_every_tool(call: Call, home: Path, fleet: pd.DataFrame, tool: str) -> None:
    path = home / "one.csv"
    fleet[fleet["CellVoltage"] < 5].head(1).to_csv(path, index=False)
    envelope = call(tool, **{TOOLS[tool]: str(path)})
    assert envelope["status"] == "success", envelope["message"]


def _listed() -> list[Any]:
    async def ask() -> list[Any]:
        async with Client(server) as client:
            return (await client.list_tools()).tools

    return anyio.run(ask)


def test_the_tool_list_is_lean_and_every_argument_described() -> None:
    tools = _listed()
    assert {tool.name for tool in tools} == {*TOOLS, "health_check", "run_status", "cancel_run"}
    assert sum(len(tool.model_dump_json(exclude_none=True, by_alias=True)) for tool in tools) <= 12_000
    assert len(INSTRUCTIONS) <= 2000
    for tool in tools:
        assert tool.input_schema["additionalProperties"] is False
        assert all("description" in item for item in tool.input_schema.get("properties", {}).values())


def test_importing_the_server_loads_nothing_heavy() -> None:
    heavy = ("pandas", "numpy", "sklearn", "matplotlib", "pyarrow", "skops", "dask", "distributed")
    code = f"import sys, bms_preprocess.tools; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_readme_names_every_tool_and_argument() -> None:
    readme = (Path(__file__).parents[2] / "load-preprocessdata-mcp" / "README.md").read_text()
    for tool in _listed():
        assert f"`{tool.name}`" in readme
        for argument in tool.input_schema.get("properties", {}):
            assert f"`{argument}" in readme, (tool.name, argument)


def test_health_names_server_and_version(call: Call) -> None:
    data = call("health_check")["data"]
    assert (data["server"], data["version"]) == ("bms-preprocess", __version__)
