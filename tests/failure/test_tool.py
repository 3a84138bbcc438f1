"""What the tool answers with what it is given: labels, none, little, bad data."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bms_failure.publish import worst_that_fit
from bms_failure.results import FailingCell
from bms_failure.workflow import predict_failure
from bms_generate.simulate import SimulatedFleet
from bms_schema.run.errors import RunCancelled
from bms_schema.run.run_folder import Run

from tests.failure.tool_client import TOOL, VOLTAGE_ALONE, call, write

RISK_COLUMNS = {"Cell ID", "string", "risk", "rank", "reason_1", "reason_2", "reason_3", "indicator_score"}


def test_with_labels_it_trains_checks_itself_and_ranks_the_living(
    trained: dict[str, Any], fleet: SimulatedFleet
) -> None:
    data = trained["data"]
    assert trained["status"] == "success"
    assert data["method"] in {"classifier", "baseline"}
    methods = data["metrics"]["methods"]
    assert set(methods) == {"classifier", "deviation_rank", "ohmic_rise"}
    used = methods[data["metrics"]["chosen"]]
    assert used["brier_skill"] == max(item["brier_skill"] for item in methods.values())
    table = pd.read_csv(data["risk_csv"])
    assert set(table) >= RISK_COLUMNS
    assert table["risk"].between(0, 1).all()
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    died = set(fleet.truth.loc[fleet.truth["death"].notna(), "Cell ID"])
    assert set(data["dead_cells"]) == died
    assert not set(table["Cell ID"]) & died
    assert len(table) + data["dead_total"] == data["cells"] == 48


def test_no_risk_is_claimed_for_a_horizon_that_was_not_labelled(trained: dict[str, Any]) -> None:
    data = trained["data"]
    assert data["horizon_days"] == 30
    assert data["effective_horizon_days"] == 7
    assert "no risk is claimed" in trained["message"]
    assert (pd.read_csv(data["risk_csv"])["horizon_days"] == 7).all()


def test_risks_rise_with_the_horizon_and_the_days_left_agree_with_them(trained: dict[str, Any]) -> None:
    table = pd.read_csv(trained["data"]["risk_csv"])
    horizons = trained["data"]["horizons"]
    risks = table[[f"risk_{days}d" for days in horizons]]
    assert (risks.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    np.testing.assert_allclose(table["risk"], table["risk_7d"])
    beyond = risks.iloc[:, -1] < 0.5
    assert (table["days_to_death"].isna() == beyond).all()
    assert table.loc[beyond, "expected"].str.startswith(f"more than {horizons[-1]} days").all()
    known = table[["days_lo80", "days_to_death", "days_hi80"]].dropna()
    assert (known.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


def test_the_evidence_holds_every_horizon_and_method_and_says_what_the_reply_says(
    trained: dict[str, Any],
) -> None:
    data = trained["data"]
    record = json.loads(Path(data["evidence_json"]).read_text(encoding="utf-8"))
    assert record["in_words"] == data["in_words"]
    assert all(sentence in trained["message"] for sentence in data["in_words"])
    assert {f"{days} days" for days in data["horizons"]} <= set(record["horizons"])
    for horizon in record["horizons"].values():
        assert set(horizon["methods"]) == {"classifier", "deviation_rank", "ohmic_rise"}
    judged = record["horizons"][f"{record['judged_days']} days"]["methods"][record["chosen"]]
    assert judged["brier_skill"] == pytest.approx(
        data["metrics"]["methods"][record["chosen"]]["brier_skill"], rel=1e-3
    )
    assert set(record["alert_curves"]) == set(record["reliability"])


def test_the_report_is_one_page_with_its_pictures_inside(trained: dict[str, Any]) -> None:
    page = Path(trained["data"]["report_html"]).read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 5
    assert "http" not in page
    assert Path(trained["data"]["plot_png"]).read_bytes().startswith(b"\x89PNG")


def test_the_manifest_tells_split_and_metrics(trained: dict[str, Any]) -> None:
    folder = Path(trained["data"]["risk_csv"]).parent
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["seed"] == 4
    assert "folds by string" in manifest["split"]
    assert manifest["metrics"]["deaths"] == trained["data"]["metrics"]["deaths"]


def test_without_labels_and_models_it_only_ranks(unlabelled: str) -> None:
    answer = call(data_path=unlabelled)
    data = answer["data"]
    assert data["method"] == "indicators"
    assert data["model_version"] is data["metrics"] is data["effective_horizon_days"] is None
    assert "without any probability" in answer["message"]
    table = pd.read_csv(data["risk_csv"])
    assert table["risk"].isna().all()
    assert table["indicator_score"].is_monotonic_decreasing


def test_labels_without_a_0_or_1_are_not_called_no_deaths(readings: pd.DataFrame, tmp_path: Path) -> None:
    answer = call(data_path=write(readings.assign(IsDead="unknown"), tmp_path))
    assert answer["data"]["method"] == "indicators"
    assert answer["message"].startswith("IsDead holds no 0 or 1")
    assert any(note.startswith("chemistry lead_acid_flooded") for note in answer["data"]["notes"])


def test_a_voltage_is_enough_to_learn_from(readings: pd.DataFrame, tmp_path: Path) -> None:
    answer = call(data_path=write(readings[[*VOLTAGE_ALONE, "IsDead"]], tmp_path))
    assert answer["data"]["method"] in {"classifier", "baseline"}
    assert any(note.startswith("CellTemperature is not in the data") for note in answer["data"]["notes"])


def test_ten_rows_are_ranked_without_a_probability(readings: pd.DataFrame, tmp_path: Path) -> None:
    answer = call(data_path=write(readings.sort_values("Timestamp").head(10), tmp_path))
    assert answer["data"]["method"] == "indicators"
    assert len(pd.read_csv(answer["data"]["risk_csv"])) == 10


def test_names_from_the_data_cannot_become_part_of_the_page(readings: pd.DataFrame, tmp_path: Path) -> None:
    evil = readings.head(2000).drop(columns="IsDead")
    evil = evil.assign(**{"Cell ID": "<script>$" + evil["Cell ID"] + "$</script>", "string": "<b>1"})
    data = call(data_path=write(evil, tmp_path))["data"]
    page = Path(data["report_html"]).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<b>1" not in page
    assert "&lt;script&gt;$S001/C01" in page


def test_a_call_cancelled_after_training_leaves_no_model(labelled: str, workspace: Path) -> None:
    def stop(done: float, total: float | None, message: str | None) -> None:
        if message == "drawing":
            raise RunCancelled

    run = Run("bms-failure", TOOL, report=stop)
    with pytest.raises(RunCancelled):
        predict_failure(
            run, data_path=labelled, horizon_days=30, model="", seed=0, chemistry="auto", output_format="csv"
        )
    assert not (workspace / "models").exists()


def test_one_death_is_too_few_to_learn_from(
    readings: pd.DataFrame, fleet: SimulatedFleet, tmp_path: Path
) -> None:
    first = fleet.truth.loc[fleet.truth["death"].notna(), "Cell ID"].iloc[0]
    spared = readings.assign(IsDead=readings["IsDead"].where(readings["Cell ID"] == first, 0))
    answer = call(data_path=write(spared, tmp_path))
    assert answer["data"]["method"] == "indicators"
    assert "1 death" in answer["message"]
    assert answer["data"]["dead_cells"] == [first]


def test_only_as_many_failing_cells_as_a_reply_has_room_for_are_shown() -> None:
    reasons = ["specific gravity 0.079 below the string median over 7 d, 1st percentile of the fleet"] * 3
    cells = [FailingCell(cell=f"S1/{n}", string="S1", risk=0.5, reasons=reasons) for n in range(30)]
    shown = worst_that_fit(cells)
    assert shown == cells[: len(shown)]
    assert 5 < len(shown) < 15
    assert worst_that_fit(cells[:3]) == cells[:3]


def test_the_same_seed_gives_the_same_answer(trained: dict[str, Any], labelled: str) -> None:
    again = call(data_path=labelled, seed=4)["data"]
    assert again["metrics"] == trained["data"]["metrics"]
    pd.testing.assert_frame_equal(pd.read_csv(again["risk_csv"]), pd.read_csv(trained["data"]["risk_csv"]))


BAD = {
    "missing file": lambda frame: None,
    "empty file": lambda frame: "",
    "header only": lambda frame: frame.iloc[:0],
    "missing column": lambda frame: frame.drop(columns="CellVoltage"),
    "no time": lambda frame: frame.drop(columns="Timestamp"),
    "all-NaN voltage": lambda frame: frame.assign(CellVoltage=np.nan),
    "one row": lambda frame: frame.iloc[:1],
    "one cell": lambda frame: frame[frame["Cell ID"] == "S001/C01"],
    "all dead": lambda frame: frame.assign(IsDead=1),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_data_is_told_with_what_to_do(
    kind: str, readings: pd.DataFrame, tmp_path: Path, workspace: Path
) -> None:
    made = BAD[kind](readings)
    path = tmp_path / "bad.csv"
    if isinstance(made, str):
        path.write_text(made)
    elif made is not None:
        made.to_csv(path, index=False)
    answer = call(data_path=str(path))
    assert answer["status"] == "error"
    assert answer["data"] is None
    assert "Expected" in answer["message"]
    assert "unexpectedly" not in answer["message"]
    assert not list(workspace.glob("runs/*.partial"))


def test_text_among_the_numbers_is_a_missing_reading(readings: pd.DataFrame, tmp_path: Path) -> None:
    mixed = readings.assign(CellVoltage=readings["CellVoltage"].astype(object))
    mixed.loc[::50, "CellVoltage"] = "bad"
    assert call(data_path=write(mixed, tmp_path))["status"] == "success"


@pytest.mark.parametrize(
    "arguments",
    [
        {"horizon_days": 0},
        {"horizon_days": 10**9},
        {"alerts_per_week": 0},
        {"seed": -1},
        {"model": "nobody"},
        {"steps": 3},
    ],
)
def test_impossible_arguments_are_told(arguments: dict[str, Any], labelled: str) -> None:
    answer = call(data_path=labelled, **arguments)
    assert answer["status"] == "error"
    assert len(answer["message"]) > 30


def test_packets_of_minutes_are_answered_without_a_probability(
    readings: pd.DataFrame, tmp_path: Path
) -> None:
    few = readings.drop(columns="IsDead").groupby("Cell ID").head(50).copy()
    few["Timestamp"] = pd.Timestamp("2026-01-01") + few.groupby("Cell ID").cumcount() * pd.Timedelta(
        seconds=5
    )
    answer = call(data_path=write(few, tmp_path))
    assert answer["data"]["method"] == "indicators"
    assert "less than a day" in answer["message"]
    reasons = pd.read_csv(answer["data"]["risk_csv"])["reason_1"].dropna()
    assert not reasons.str.contains(r"over \d+ d").any()
    assert reasons.str.contains("over all its readings").any()
