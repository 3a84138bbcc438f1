"""The order of the stages, what they hand on, and what becomes of those that cannot run."""

import os
from pathlib import Path

import pytest
from bms_driver.stages import STAGE_NAMES

from .conftest import SHELL, Driver, Outcome

pytestmark = pytest.mark.stdio


def test_the_whole_chain_succeeds_and_passes_on_what_the_contract_names(whole_run: Outcome):
    run = whole_run
    assert run.code == 0
    assert [run.stages[name]["status"] for name in STAGE_NAMES] == ["success"] * 8
    assert list(run.pipeline) == ["status", "data_path", "report", "stages"]
    data_path = run.pipeline["data_path"]
    assert data_path.endswith("log.csv")
    assert all(list(stage) == ["status", "message", "seconds", "data"] for stage in run.stages.values())

    cleaned = run.stages["preprocess"]["data"]["cleaned_csv"]
    copy = str(run.out / "sdv_dataset")
    assert run.arguments("preprocess_battery_data_tool") == {"data_path": data_path}
    assert (
        run.arguments("detect_anomalies") == run.arguments("predict_cell_failure") == {"data_path": cleaned}
    )
    assert run.arguments("predict_cell_timeseries") == {
        "data_path": cleaned,
        "cell_id": "S1/<b>2",
        "steps": 12,
    }
    assert run.arguments("visualize_anomalies_3d") == {
        "result_csv": run.stages["anomaly"]["data"]["result_csv"]
    }
    assert run.arguments("sdv_generate") == run.arguments("sdv_evaluate") == {"folder_name": copy}
    assert run.arguments("sdv_visualize") == {
        "folder_name": copy,
        "table_name": "battery",
        "column_name": "CellVoltage",
    }
    assert sorted(path.name for path in Path(copy).iterdir()) == ["battery.csv", "metadata.json"]

    order = run.order()
    for before, after in (
        ("preprocess_battery_data_tool end", "sdv_generate begin"),
        ("preprocess_battery_data_tool end", "predict_cell_failure begin"),
        ("preprocess_battery_data_tool end", "predict_cell_timeseries begin"),
        ("sdv_generate end", "sdv_evaluate begin"),
        ("sdv_generate end", "sdv_visualize begin"),
        ("detect_anomalies end", "visualize_anomalies_3d begin"),
    ):
        assert order.index(before) < order.index(after)
    pids = {call["tool"]: call["pid"] for call in run.calls}
    assert pids["sdv_generate"] == pids["sdv_evaluate"] == pids["sdv_visualize"]


def test_without_data_a_fleet_is_simulated_first_and_said_so(driver: Driver, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("BMS_DATA_ROOTS", raising=False)
    run = driver("--stages", "preprocess")
    assert run.code == 0
    assert next(iter(run.stages)) == "simulate"
    assert "simulated" in run.stages["simulate"]["message"]
    assert run.arguments("simulate_battery_fleet") == {
        "n_strings": 4,
        "cells_per_string": 24,
        "days": 30,
        "interval_minutes": 60,
        "seed": 7,
        "dying_fraction": 0.05,
    }
    fleet = run.stages["simulate"]["data"]["csv"]
    assert run.pipeline["data_path"] == fleet
    assert run.arguments("preprocess_battery_data_tool") == {"data_path": fleet}
    roots = run.calls[0]["env"]["BMS_DATA_ROOTS"].split(os.pathsep)
    assert roots == list(dict.fromkeys([str(Path.cwd()), str(Path.home()), str(run.out)]))


def test_a_stage_brings_its_prerequisites_and_nothing_else(forecast_run: Outcome):
    run = forecast_run
    assert run.code == 0
    assert {call["tool"] for call in run.calls} == {"preprocess_battery_data_tool", "predict_cell_timeseries"}
    skipped = {"status": "skipped", "message": "not asked for", "seconds": 0.0, "data": None}
    assert run.stages["failure"] == skipped
    logs = {path.name for path in (run.out / "logs").iterdir()}
    assert logs == {"load-preprocessdata-mcp.log", "feature-two-timeseries-prediction-mcp.log"}


def test_independent_stages_run_side_by_side(driver: Driver, data_file: Path):
    # Each of the two returns only once the other has begun.
    faults = {
        "predict_cell_timeseries": "meet:predict_cell_failure",
        "predict_cell_failure": "meet:predict_cell_timeseries",
    }
    run = driver(str(data_file), "--stages", "forecast,failure", "--timeout", "30", faults=faults)
    assert run.code == 0


def test_what_follows_a_failed_stage_is_skipped_with_the_reason(driver: Driver, data_file: Path):
    run = driver(str(data_file), faults={"preprocess_battery_data_tool": "error:/runs/x.failed/run.log"})
    assert run.code == 1
    assert run.pipeline["status"] == "error"
    advice = "Found 3 rows. Expected 24. (log: /runs/x.failed/run.log)"
    assert run.stages["preprocess"]["message"] == advice
    assert run.stages["preprocess"]["status"] == "error"
    assert run.stages["anomaly"]["message"] == "preprocess failed"
    assert run.stages["anomaly_3d"]["message"] == "anomaly was skipped"
    assert {run.stages[name]["status"] for name in STAGE_NAMES[1:]} == {"skipped"}


def test_the_cell_of_the_user_is_forecast(forecast_run: Outcome):
    assert forecast_run.arguments("predict_cell_timeseries")["cell_id"] == "S1/3"
    assert "chosen by the user" in forecast_run.stages["forecast"]["message"]


def test_servers_inherit_the_environment_and_may_read_what_the_user_named(forecast_run: Outcome):
    env = forecast_run.calls[0]["env"]
    assert "VIRTUAL_ENV" not in env and "UV_PROJECT_ENVIRONMENT" not in env
    assert env["HTTPS_PROXY"] == SHELL["HTTPS_PROXY"]
    assert env["BMS_HOME"] == str(Path.cwd() / "workspace")
    data_folder = str(Path(forecast_run.pipeline["data_path"]).parent)
    roots = env["BMS_DATA_ROOTS"].split(os.pathsep)
    assert roots == ["/first", str(Path.cwd() / "second"), data_folder, str(forecast_run.out)]
