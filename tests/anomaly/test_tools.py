"""The two tools through the in-memory client."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_anomaly.results import AnomalyData
from bms_anomaly.workflow import detect
from bms_schema.run.errors import RunCancelled
from bms_schema.run.run_folder import Run

from tests.anomaly.conftest import DROPPED, HOT, SAGGING, SPIKED, STUCK, quiet_fleet


@pytest.fixture
def data(tmp_path, fleet):
    path = tmp_path / "fleet.csv"
    fleet.to_csv(path, index=False)
    return path


def test_detection_writes_a_row_per_row_and_names_the_cells(call, data, fleet):
    envelope = call("detect_anomalies", data_path=str(data))
    assert envelope["status"] == "success"
    found = AnomalyData.model_validate(envelope["data"])
    result, events = pd.read_csv(found.result_csv), pd.read_csv(found.events_csv)
    assert result["source_row"].tolist() == list(range(len(fleet)))
    assert result["anomaly"].sum() == found.anomalies
    assert len(events) == found.events == sum(found.kinds.values()) == 5
    assert found.sensor_events == (events["about"] == "sensor").sum() > 0
    assert found.rows_without_reading == result["anomaly_score"].isna().sum() == 24
    assert found.engine == "pandas"
    manifest = json.loads((Path(found.result_csv).parent / "manifest.json").read_text())
    assert manifest["split"] == found.split


def test_the_worst_cells_come_with_evidence_and_pictures(call, data):
    envelope = call("detect_anomalies", data_path=str(data))
    found = AnomalyData.model_validate(envelope["data"])
    cells = {cell.cell_id: cell for cell in found.top_cells}
    assert set(cells) == {STUCK, HOT, DROPPED, SPIKED, SAGGING}
    assert cells[STUCK].about == "sensor" and cells[HOT].about == "cell"
    assert found.top_cells[0].evidence and found.top_cells[0].evidence in envelope["message"]
    for picture in (found.timeline_png, found.timeline_html, found.heatmap_png, found.heatmap_html):
        assert Path(picture).stat().st_size > 10_000


def test_a_stored_model_scores_without_training_and_alike(call, data, workspace):
    first = call("detect_anomalies", data_path=str(data))["data"]
    second = call("detect_anomalies", data_path=str(data), model="latest", output_format="parquet")["data"]
    assert second["model_version"] == first["model_version"]
    trained = [item for item in (workspace / "models" / "anomaly").iterdir() if item.name != "latest"]
    assert len(trained) == 1
    left, right = pd.read_csv(first["result_csv"]), pd.read_parquet(second["result_csv"])
    np.testing.assert_allclose(left["anomaly_score"], right["anomaly_score"], rtol=0, atol=1e-9)


def test_a_model_of_another_fleet_is_doubted(call, data, fleet, tmp_path):
    call("detect_anomalies", data_path=str(data))
    rng = np.random.default_rng(0)
    wild = fleet.assign(
        CellVoltage=rng.uniform(1.8, 2.4, len(fleet)), CellTemperature=rng.uniform(15, 40, len(fleet))
    )
    wild.to_csv(tmp_path / "wild.csv", index=False)
    message = call("detect_anomalies", data_path=str(tmp_path / "wild.csv"), model="latest")["message"]
    assert "trained on another kind of fleet" in message


def test_a_call_cancelled_after_training_leaves_no_model(data, workspace):
    def stop(done, total, message):
        if message == "drawing":
            raise RunCancelled

    run = Run("bms-anomaly", "detect_anomalies", report=stop)
    with pytest.raises(RunCancelled):
        detect(run, str(data), None, None, "", 0, "auto", "csv")
    assert not (workspace / "models").exists()


def test_row_order_changes_no_score(call, data, fleet, tmp_path):
    straight = pd.read_csv(call("detect_anomalies", data_path=str(data))["data"]["result_csv"])
    shuffled = fleet.assign(source_row=range(len(fleet))).sample(frac=1.0, random_state=1)
    shuffled.to_csv(tmp_path / "shuffled.csv", index=False)
    again = pd.read_csv(
        call("detect_anomalies", data_path=str(tmp_path / "shuffled.csv"))["data"]["result_csv"]
    )
    again = again.sort_values("source_row")
    np.testing.assert_allclose(again["anomaly_score"], straight["anomaly_score"], rtol=0, atol=1e-5)


def test_contamination_sets_the_share_of_anomalies(call, data, fleet):
    found = call("detect_anomalies", data_path=str(data), contamination=0.2)["data"]
    assert found["anomalies"] / (len(fleet) - 24) == pytest.approx(0.2, abs=0.01)


def test_the_picture_refuses_what_is_no_result(call, data):
    message = call("visualize_anomalies_3d", result_csv=str(data))["message"]
    assert "source_row, anomaly_score, anomaly" in message and "result_csv" in message


def test_sealed_cells_need_no_gravity(call, tmp_path):
    quiet_fleet().drop(columns="CellSpecificGravity").to_csv(tmp_path / "vrla.csv", index=False)
    found = call("detect_anomalies", data_path=str(tmp_path / "vrla.csv"))["data"]
    assert found["anomalies"] == 0 and found["top_cells"] == []


def test_a_pack_of_voltages_alone_is_answered(call, tmp_path):
    """One column per cell and a time: no temperature, current, ambient or gravity."""
    pack = quiet_fleet().query("string == 'S0'").pivot_table("CellVoltage", "Timestamp", "Cell ID")
    pack.columns = [f"V_{number}" for number in range(1, len(pack.columns) + 1)]
    pack.iloc[30:60, 2] = 0.9
    pack.reset_index().to_csv(tmp_path / "pack.csv", index=False)
    found = call("detect_anomalies", data_path=str(tmp_path / "pack.csv"))["data"]
    assert found["rows"] == pack.size
    assert [cell["kind"] for cell in found["top_cells"]][:1] == ["dropout"]
    assert found["top_cells"][0]["cell_id"].endswith("3")


@pytest.mark.parametrize("rows", ["one cell", "no time stamps", "every time twice"])
def test_small_or_untimed_tables_are_answered(call, tmp_path, rows):
    fleet = quiet_fleet()
    table = {
        "one cell": fleet[fleet["Cell ID"] == "S0/1"],
        "no time stamps": fleet.drop(columns="Timestamp"),
        "every time twice": pd.concat([fleet, fleet]),
    }[rows]
    table.to_csv(tmp_path / "table.csv", index=False)
    found = call("detect_anomalies", data_path=str(tmp_path / "table.csv"))
    assert found["status"] == "success", found["message"]
    assert found["data"]["rows"] == len(table)


def test_a_model_of_more_signals_scores_the_others_and_says_so(call, data, fleet, tmp_path):
    call("detect_anomalies", data_path=str(data))
    fleet.drop(columns="CellSpecificGravity").to_csv(tmp_path / "fewer.csv", index=False)
    found = call("detect_anomalies", data_path=str(tmp_path / "fewer.csv"), model="latest")["data"]
    assert {SAGGING, HOT, DROPPED} <= {cell["cell_id"] for cell in found["top_cells"]}
    assert any("also judges gravity" in note for note in found["notes"])


def bad_tables():
    fleet = quiet_fleet(moments=30)
    nothing = dict.fromkeys(("CellVoltage", "CellTemperature", "CellSpecificGravity"), np.nan)
    return {
        "header only": (fleet.head(0), "row"),
        "no voltage": (fleet.drop(columns="CellVoltage"), "no column CellVoltage"),
        "all-NaN column": (fleet.assign(CellVoltage=np.nan), "CellVoltage"),
        "nothing answered": (fleet.assign(**nothing), "CellVoltage"),
        "text in all numbers": (fleet.assign(CellVoltage="broken"), "CellVoltage"),
        "five rows": (fleet.head(5), "at least 20"),
        "scaled values": (fleet.rename(columns={"CellVoltage": "CellVoltage_scaled"}), "cleaned table"),
    }


@pytest.mark.parametrize("kind", bad_tables())
def test_a_bad_table_is_told_and_leaves_nothing_half_written(call, tmp_path, workspace, kind):
    table, said = bad_tables()[kind]
    table.to_csv(tmp_path / "bad.csv", index=False)
    envelope = call("detect_anomalies", data_path=str(tmp_path / "bad.csv"))
    assert envelope["status"] == "error" and said in envelope["message"]
    assert envelope["data"] is None
    assert not list(workspace.rglob("*.partial"))
    assert not (workspace / "models").exists() or not list((workspace / "models").rglob("meta.json"))


@pytest.mark.parametrize("tool", ["detect_anomalies", "visualize_anomalies_3d"])
def test_a_bad_path_is_told(call, tmp_path, workspace, tool):
    argument = "data_path" if tool == "detect_anomalies" else "result_csv"
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.csv").touch()
    for path, said in (
        (tmp_path / "nowhere.csv", "does not exist"),
        (tmp_path / "empty", "Expected"),
        (tmp_path / "empty.csv", "empty"),
        ("/etc/hostname", "BMS_DATA_ROOTS"),
    ):
        envelope = call(tool, **{argument: str(path)})
        assert envelope["status"] == "error" and said in envelope["message"], path
    assert call("health_check")["status"] == "success"


@pytest.mark.parametrize(
    "wrong",
    [
        {"contamination": 0.9},
        {"contamination": 0},
        {"false_alarm_rate": 0},
        {"seed": -1},
        {"steps": 3},
        {"model": "no-such"},
        {"false_alarm_rate": 0.01, "contamination": 0.1},
    ],
)
def test_wrong_options_are_told(call, data, workspace, wrong):
    envelope = call("detect_anomalies", data_path=str(data), **wrong)
    assert envelope["status"] == "error"
    assert next(iter(wrong)) in envelope["message"] or "no-such" in envelope["message"]
    assert "Expected" in envelope["message"] or "Correct the arguments" in envelope["message"]
    assert not list(workspace.rglob("*.partial")) and not list(workspace.rglob("meta.json"))
    assert call("health_check")["status"] == "success"
