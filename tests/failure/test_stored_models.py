"""A stored model: whose data it scores, what it answers, when it is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bms_failure.scoring import rank_by_model
from bms_failure.storage import load_model
from bms_failure.watch import watch
from bms_schema.data.columns import SENSOR_NAMES
from bms_schema.data.table import canonical_table
from bms_schema.run.errors import ModelError

from tests.failure.tool_client import VOLTAGE_ALONE, call, write


def test_without_labels_the_newest_fitting_model_scores(
    trained: dict[str, Any], version: str, unlabelled: str
) -> None:
    scored = call(data_path=unlabelled)
    assert scored["data"]["model_version"] == version
    assert scored["data"]["method"] == trained["data"]["method"]
    assert version in scored["message"]
    used = trained["data"]["metrics"]["methods"][trained["data"]["metrics"]["chosen"]]
    assert f"out-of-fold AUROC {used['auroc']:.2f} (95 %" in scored["message"]
    assert scored["data"]["metrics"] is None


def test_a_larger_budget_of_alerts_makes_the_list_of_a_stored_model_longer(
    version: str, readings: pd.DataFrame, tmp_path: Path
) -> None:
    # Without the dead, whose risk of one half and more no budget keeps off the list.
    living = readings[readings.groupby("Cell ID")["IsDead"].transform("max") == 0]
    path = write(living.drop(columns="IsDead"), tmp_path)
    few, many = (call(data_path=path, alerts_per_week=budget)["data"] for budget in (0.1, 1000))
    assert few["model_version"] == many["model_version"] == version
    assert few["failing_total"] < many["failing_total"]


def test_what_the_fleet_of_training_lost_is_not_said_of_the_fleet_that_is_scored(
    version: str, unlabelled: str, labelled: str
) -> None:
    assert "(the fleet it was trained on lost " in call(data_path=unlabelled, alerts_per_week=0.1)["message"]
    assert "(the fleet lost " in call(data_path=labelled, alerts_per_week=0.1)["message"]


def test_a_voltage_alone_is_not_scored_by_a_model_that_knew_more(
    version: str, readings: pd.DataFrame, tmp_path: Path
) -> None:
    path = write(readings[VOLTAGE_ALONE], tmp_path)
    answer = call(data_path=path)
    assert answer["data"]["method"] == "indicators"
    assert version in answer["message"]
    assert "lacks CellTemperature" in answer["message"]
    assert call(data_path=path, model=version)["status"] == "error"


def test_a_stored_model_gives_the_risks_it_gave_when_it_was_trained(
    trained: dict[str, Any], version: str, labelled: str
) -> None:
    scored = call(data_path=labelled, model="latest")["data"]
    assert scored["model_version"] == version
    pd.testing.assert_frame_equal(pd.read_csv(trained["data"]["risk_csv"]), pd.read_csv(scored["risk_csv"]))


def test_the_live_service_gives_the_same_risks(
    trained: dict[str, Any], version: str, readings: pd.DataFrame
) -> None:
    table = pd.read_csv(trained["data"]["risk_csv"]).set_index("Cell ID")
    in_memory = canonical_table(readings)
    model, _ = load_model(version, measured=in_memory.measured, chemistry=in_memory.chemistry.profile.name)
    live = rank_by_model(watch(in_memory).living, model).table.set_index("Cell ID")
    np.testing.assert_allclose(live.loc[table.index, "risk"], table["risk"], atol=1e-6)
    assert model.horizon_days == 7


def test_a_model_of_another_chemistry_is_refused_and_passed_over(version: str, unlabelled: str) -> None:
    refused = call(data_path=unlabelled, chemistry="vrla", model=version)
    assert refused["status"] == "error"
    assert version in refused["message"]
    assert call(data_path=unlabelled, chemistry="vrla")["data"]["method"] == "indicators"


def test_a_damaged_model_is_refused(version: str, workspace: Path) -> None:
    trees = workspace / "models" / "failure" / version / "trees.ubj"
    trees.write_bytes(trees.read_bytes()[:-1])
    with pytest.raises(ModelError, match="was changed"):
        load_model(version, measured=SENSOR_NAMES, chemistry="lead_acid_flooded")


def test_parquet_is_written_where_asked_for(version: str, labelled: str) -> None:
    data = call(data_path=labelled, model=version, output_format="parquet")["data"]
    assert pd.read_parquet(data["risk_csv"])["risk"].notna().all()


def test_minutes_of_readings_are_too_short_for_a_stored_model(
    version: str, readings: pd.DataFrame, tmp_path: Path
) -> None:
    start = readings["Timestamp"].min()
    short = readings[readings["Timestamp"] < start + pd.Timedelta(hours=12)].drop(columns="IsDead")
    path = write(short, tmp_path)
    answer = call(data_path=path)
    assert answer["data"]["method"] == "indicators"
    assert "days of readings or fewer" in answer["message"]
    assert "at least 1 day" in call(data_path=path, model=version)["message"]


def test_a_model_no_better_than_chance_is_passed_over(version: str, unlabelled: str, workspace: Path) -> None:
    sidecar = workspace / "models" / "failure" / version / "meta.json"
    meta = json.loads(sidecar.read_text(encoding="utf-8"))
    for figures in meta["metrics"]["methods"].values():
        figures["auroc_lo95"] = 0.48
    sidecar.write_text(json.dumps(meta), encoding="utf-8")
    assert call(data_path=unlabelled)["data"]["method"] == "indicators"
