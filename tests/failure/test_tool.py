"""The tool through the in-memory MCP client."""

import json
import shutil
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pandas as pd
import pytest
from bms_failure.publish import worst_that_fit
from bms_failure.results import FailingCell
from bms_failure.scoring import rank_by_model
from bms_failure.storage import load_model
from bms_failure.tools import server
from bms_failure.watch import watch
from bms_failure.workflow import predict_failure
from bms_generate.simulate import SimulatedFleet
from bms_schema.data.columns import SENSOR_NAMES
from bms_schema.data.table import canonical_table
from bms_schema.run.errors import ModelError, RunCancelled
from bms_schema.run.run_folder import Run
from mcp import Client

TOOL = "predict_cell_failure"
RISK_COLUMNS = {"Cell ID", "string", "risk", "rank", "reason_1", "reason_2", "reason_3", "indicator_score"}


def call(**arguments: Any) -> dict[str, Any]:
    async def main() -> Any:
        async with Client(server) as client:
            result = await client.call_tool(TOOL, arguments)
            health = await client.call_tool("health_check", {})
            assert health.structured_content["status"] == "success"
            assert len(result.content[0].text) <= 8_000
            return result.structured_content

    return anyio.run(main)


def write(frame: pd.DataFrame, folder: Path, name: str = "fleet.csv") -> str:
    frame.to_csv(folder / name, index=False)
    return str(folder / name)


@pytest.fixture(scope="module")
def trained(readings: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One training run in a workspace of its own: its answer, and `home`."""
    home = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BMS_HOME", str(home))
        patch.setenv("BMS_DATA_ROOTS", str(home))
        return {"home": home, **call(data_path=write(readings, home), seed=4)}


@pytest.fixture
def version(trained: dict[str, Any], workspace: Path) -> str:
    """The trained model's version, stored in this test's workspace."""
    shutil.copytree(trained["home"] / "models", workspace / "models", symlinks=True)
    return str(trained["data"]["model_version"])


@pytest.fixture
def labelled(readings: pd.DataFrame, tmp_path: Path) -> str:
    return write(readings, tmp_path)


@pytest.fixture
def unlabelled(readings: pd.DataFrame, tmp_path: Path) -> str:
    return write(readings.drop(columns="IsDead"), tmp_path, "unlabelled.csv")


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


def test_labels_without_a_0_or_1_are_not_called_no_deaths(readings: pd.DataFrame, tmp_path: Path) -> None:
    answer = call(data_path=write(readings.assign(IsDead="unknown"), tmp_path))
    assert answer["data"]["method"] == "indicators"
    assert answer["message"].startswith("IsDead holds no 0 or 1")
    assert any(note.startswith("chemistry lead_acid_flooded") for note in answer["data"]["notes"])


def test_a_larger_budget_of_alerts_makes_the_list_of_a_stored_model_no_shorter(
    version: str, unlabelled: str
) -> None:
    few, many = (call(data_path=unlabelled, alerts_per_week=budget)["data"] for budget in (0.1, 1000))
    assert few["model_version"] == many["model_version"] == version
    assert few["failing_total"] < many["failing_total"]


VOLTAGE_ALONE = ["string", "Cell ID", "Timestamp", "CellVoltage"]


def test_a_voltage_is_enough_to_learn_from(readings: pd.DataFrame, tmp_path: Path) -> None:
    answer = call(data_path=write(readings[[*VOLTAGE_ALONE, "IsDead"]], tmp_path))
    assert answer["data"]["method"] in {"classifier", "baseline"}
    assert any(note.startswith("CellTemperature is not in the data") for note in answer["data"]["notes"])


def test_a_voltage_alone_is_not_scored_by_a_model_that_knew_more(
    version: str, readings: pd.DataFrame, tmp_path: Path
) -> None:
    path = write(readings[VOLTAGE_ALONE], tmp_path)
    answer = call(data_path=path)
    assert answer["data"]["method"] == "indicators"
    assert version in answer["message"]
    assert "lacks CellTemperature" in answer["message"]
    assert call(data_path=path, model=version)["status"] == "error"


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


def test_parquet_is_written_where_asked_for(version: str, labelled: str) -> None:
    data = call(data_path=labelled, model=version, output_format="parquet")["data"]
    assert pd.read_parquet(data["risk_csv"])["risk"].notna().all()


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
