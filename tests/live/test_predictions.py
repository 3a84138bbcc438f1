"""A reading scored live gets what the batch tools say of it, to 1e-6."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from tests.live.fleet import as_readings

STEPS = 6
TOLERANCE = 1e-6


def ask(client, endpoint, readings, **options):
    """Post readings and return the data of a successful answer."""
    response = client.post(f"/predict/{endpoint}", json={"readings": as_readings(readings), **options})
    envelope = response.json()
    assert (response.status_code, envelope["status"]) == (200, "success"), envelope["message"]
    assert envelope["log_path"] is None
    return envelope["data"]


def assert_same(live, batch):
    """Assert that two columns of numbers agree, missing ones at the same places."""
    np.testing.assert_allclose(live.astype(float), batch.astype(float), rtol=0.0, atol=TOLERANCE)


def test_anomaly_scores_are_those_of_the_batch(client, trained):
    data = ask(client, "anomaly", trained.readings, rows="all")
    live, batch = pd.DataFrame(data["rows"]), trained.anomalies
    assert data["score_kind"] == "retrospective"
    assert live["source_row"].tolist() == batch["source_row"].tolist()
    assert live["cell_id"].tolist() == batch["Cell ID"].tolist()
    assert_same(live["score"], batch["anomaly_score"])
    assert live["anomaly"].astype(int).tolist() == batch["anomaly"].tolist()
    assert batch["anomaly_score"].isna().any() and batch["anomaly"].any()


def test_by_default_only_the_newest_reading_of_every_cell_is_returned_the_worst_first(client, trained):
    data = ask(client, "anomaly", trained.readings)
    live = pd.DataFrame(data["rows"])
    newest = trained.anomalies.groupby("Cell ID").tail(1).set_index("Cell ID").loc[live["cell_id"]]
    assert data["score_kind"] == "trailing"
    assert len(live) == trained.readings["Cell ID"].nunique()
    assert live["score"].dropna().is_monotonic_decreasing
    assert live["anomaly"].astype(int).tolist() == newest["anomaly"].tolist()
    open_event = newest["anomaly"] == 1
    assert_same(
        live["score"], newest["anomaly_score"].where(open_event, newest["anomaly_score"].clip(upper=3.0))
    )


def test_a_newest_reading_keeps_its_score_when_later_ones_are_known(client, trained):
    from bms_anomaly.trailing import trailing_scores
    from bms_schema.data.table import canonical_table

    then = trained.readings["Timestamp"].unique()[80]
    past = trained.readings[trained.readings["Timestamp"] <= then]
    live = pd.DataFrame(ask(client, "anomaly", past)["rows"]).set_index("cell_id")["score"].astype(float)
    more = trained.readings[trained.readings["Timestamp"] <= trained.readings["Timestamp"].unique()[83]]
    known = trailing_scores(canonical_table(more).frame, moments=4)
    again = known[known["Timestamp"] == then].set_index("Cell ID")["trailing_score"]
    assert_same(live.loc[again.index], again)


def test_the_order_in_which_readings_are_sent_changes_no_score(client, trained):
    shuffled = trained.readings.sample(frac=1.0, random_state=1)
    live = pd.DataFrame(ask(client, "anomaly", shuffled)["rows"]).set_index("cell_id")["score"]
    expected = pd.DataFrame(ask(client, "anomaly", trained.readings)["rows"]).set_index("cell_id")["score"]
    assert_same(live.loc[expected.index], expected)


def test_names_of_a_bms_export_give_the_same_scores(client, trained):
    aliases = {"CellVoltage": "Cell Voltage", "CellTemperature": "CellTemp", "Timestamp": "PacketDateTime"}
    plain = ask(client, "anomaly", trained.readings)["rows"]
    assert ask(client, "anomaly", trained.readings.rename(columns=aliases))["rows"] == plain


def test_one_reading_is_scored_with_its_doubts_said(client, trained):
    data = ask(client, "anomaly", trained.readings.head(1))
    assert len(data["rows"]) == 1
    assert any("72 h" in note for note in data["notes"])
    assert any("own past" in note for note in data["notes"])


@pytest.mark.parametrize("column", ["CellVoltage", "CellTemperature", "Timestamp", "Cell ID"])
@pytest.mark.parametrize("value", [10**30, -1, True, "garbage", "", "9999-12-31", float("nan"), 1e300])
def test_an_odd_value_in_one_reading_ends_in_an_answer_or_a_refusal(client, trained, column, value):
    readings = as_readings(trained.readings.head(16))
    readings[3][column] = value
    body = json.dumps({"readings": readings, "rows": "all"})
    response = client.post("/predict/anomaly", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 422), response.text
    if response.status_code == 200:
        assert len(response.json()["data"]["rows"]) == 16


def test_failure_risks_are_those_of_the_batch(client, trained):
    data = ask(client, "failure", trained.readings)
    live, batch = pd.DataFrame(data["cells"]), trained.risks
    assert live["cell_id"].tolist() == batch["Cell ID"].tolist()
    assert live["rank"].tolist() == batch["rank"].tolist()
    assert_same(live["risk"], batch["risk"])
    assert batch["risk"].notna().all() and data["method"] in {"classifier", "baseline"}
    assert [reasons[0] if reasons else None for reasons in live["reasons"]] == batch["reason_1"].where(
        batch["reason_1"].notna(), None
    ).tolist()


def test_risks_at_every_horizon_and_the_days_left_are_those_of_the_batch(client, trained):
    data = ask(client, "failure", trained.readings, horizon_days=2)
    days = [name[len("risk_") : -1] for name in trained.risks if name.startswith("risk_")]
    assert data["horizon_days"] == 2
    for live, batch in zip(data["cells"], trained.risks.to_dict("records"), strict=True):
        assert list(live["risk_by_days"]) == days
        for each in days:
            assert live["risk_by_days"][each] == pytest.approx(batch[f"risk_{each}d"], abs=1e-6)
        assert live["risk"] == live["risk_by_days"]["2"]
        assert live["expected"] == batch["expected"]


def test_no_risk_is_claimed_beyond_the_models_last_horizon(client, trained):
    body = {"readings": as_readings(trained.readings), "horizon_days": 365}
    answer = client.post("/predict/failure", json=body).json()
    assert answer["data"]["horizon_days"] < 365
    assert "as far as the model reaches" in answer["message"]


def test_a_voltage_alone_is_ranked_although_the_latest_model_needs_more(client, trained):
    kept = trained.readings[["string", "Cell ID", "Timestamp", "CellVoltage"]]
    answer = client.post("/predict/failure", json={"readings": as_readings(kept)}).json()
    assert answer["data"]["method"] == "indicators"
    assert "CellTemperature" in answer["message"] and "no probability" in answer["message"]
    named = client.post(
        "/predict/failure",
        json={
            "readings": as_readings(kept),
            "model": client.get("/models").json()["data"]["models"][1]["latest"],
        },
    )
    assert named.status_code == 409 and "CellTemperature" in named.json()["message"]


def test_dead_cells_are_named_and_not_ranked(client, trained):
    last = trained.readings.groupby("Cell ID")["IsDead"].last()
    data = ask(client, "failure", trained.readings)
    assert data["dead_cells"] == sorted(last.index[last == 1])
    assert len(data["cells"]) == (last == 0).sum()


def test_without_a_failure_model_cells_are_ranked_by_indicators_that_are_no_probabilities(client, batch):
    data = ask(client, "failure", batch.readings.drop(columns="IsDead"))
    assert (data["method"], data["model_version"], data["horizon_days"]) == ("indicators", None, None)
    cells = pd.DataFrame(data["cells"])
    assert cells["risk"].isna().all()
    assert cells["indicator_score"].is_monotonic_decreasing


def test_a_string_too_small_to_compare_gives_no_risk(client, trained):
    one = trained.readings[trained.readings["Cell ID"] == trained.cell_id]
    response = client.post("/predict/failure", json={"readings": as_readings(one)})
    assert response.status_code == 422 and "whole strings" in response.json()["message"]


def test_forecasts_are_those_of_the_batch(client, trained):
    data = ask(client, "forecast", trained.readings, cell_id=trained.cell_id, steps=STEPS)
    points = [{"target": item["target"], **point} for item in data["targets"] for point in item["points"]]
    live, batch = pd.DataFrame(points), trained.forecast
    assert live["target"].tolist() == batch["target"].tolist()
    assert pd.to_datetime(live["timestamp"]).tolist() == pd.to_datetime(batch["Timestamp"]).tolist()
    for name in ("mean", "lo50", "hi50", "lo90", "hi90"):
        assert_same(live[name], batch[name])
    first = data["crossings"][0]
    assert first["alarm"] and 0 <= first["probability"] <= 1
    assert first["words"].startswith(f"P({first['target']} ")


def test_one_measured_column_is_enough_for_a_forecast_and_the_others_are_named(client, trained):
    lone = trained.readings[["Cell ID", "Timestamp", "CellVoltage"]]
    data = ask(client, "forecast", lone, cell_id=trained.cell_id, steps=STEPS, chemistry="lead_acid_flooded")
    assert [item["target"] for item in data["targets"]] == ["CellVoltage"]
    assert any("not in the data" in note and "AmbientTemperature" in note for note in data["notes"])
    assert {item["target"] for item in data["crossings"]} == {"CellVoltage"}


def test_an_unknown_cell_is_told_with_the_known_ones(client, trained):
    body = {"readings": as_readings(trained.readings), "cell_id": "nobody"}
    response = client.post("/predict/forecast", json=body)
    assert response.status_code == 422 and trained.cell_id in response.json()["message"]


@pytest.mark.parametrize("endpoint", ["anomaly", "failure", "forecast"])
def test_a_version_may_be_named_and_an_unknown_one_is_refused(client, trained, endpoint):
    models = client.get("/models").json()["data"]["models"]
    latest = {model["name"]: model["latest"] for model in models}[endpoint]
    options = {"cell_id": trained.cell_id, "steps": STEPS} if endpoint == "forecast" else {}
    assert ask(client, endpoint, trained.readings, model=latest, **options)["model_version"] == latest
    body = {"readings": as_readings(trained.readings.head(8)), "model": "../other", **options}
    response = client.post(f"/predict/{endpoint}", json=body)
    assert response.status_code == 404 and latest in response.json()["message"]


def test_readings_without_a_signal_of_the_model_are_scored_by_the_others(client, trained):
    without = trained.readings.drop(columns=["CellSpecificGravity", "AmbientTemperature"])
    data = ask(client, "anomaly", without)
    assert len(data["rows"]) == trained.readings["Cell ID"].nunique()
    assert any("also judges gravity" in note for note in data["notes"])


def test_a_moved_latest_is_used_without_a_restart(client, trained, tmp_path, monkeypatch):
    home = tmp_path / "copy"
    shutil.copytree(trained.home / "models", home / "models", symlinks=True)
    monkeypatch.setenv("BMS_HOME", str(home))
    few = trained.readings.head(80)
    first = ask(client, "anomaly", few)["model_version"]
    store = home / "models" / "anomaly"
    shutil.copytree(store / first, store / "newer")
    (store / "latest").unlink()
    (store / "latest").symlink_to("newer", target_is_directory=True)
    assert ask(client, "anomaly", few)["model_version"] == "newer"
    assert ask(client, "anomaly", few, model=first)["model_version"] == first


def test_a_changed_model_file_is_refused(client, trained, tmp_path, monkeypatch):
    home = tmp_path / "copy"
    shutil.copytree(trained.home / "models", home / "models", symlinks=True)
    monkeypatch.setenv("BMS_HOME", str(home))
    weights = next((home / "models" / "anomaly" / "latest").glob("*.pt"))
    weights.write_bytes(weights.read_bytes() + b"x")
    response = client.post("/predict/anomaly", json={"readings": as_readings(trained.readings.head(80))})
    assert response.status_code == 409 and weights.name in response.json()["message"]
