import json

import pandas as pd
import pytest
from bms_schema.run.envelope import Outcome, ToolData
from bms_schema.run.errors import MachineProblem, NotEnoughData, RunCancelled
from bms_schema.run.hashing import sha256_of
from bms_schema.run.jobs import Jobs, execute
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import write_table


class Made(ToolData):
    csv: str


def write_one(run):
    write_table(pd.DataFrame({"a": [1, None]}), run.path("a.csv"))
    run.metrics["rmse"] = 0.5
    return Outcome("made a table", Made(csv=run.published("a.csv")), ("a.csv",))


def only_folder(workspace):
    (folder,) = (workspace / "runs").iterdir()
    return folder


def test_a_complete_run_has_log_manifest_and_hashes(workspace, tmp_path):
    (tmp_path / "in.csv").write_text("x\n1\n")
    run = Run("bms-x", "make", {"n": 1}, ("numpy",), seed=3)

    def work(run):
        run.add_input(tmp_path / "in.csv")
        return write_one(run)

    envelope, links = execute(work, run)
    folder = only_folder(workspace)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (envelope.status, links) == ("success", ("a.csv",))
    assert envelope.log_path == str(folder / "run.log")
    assert envelope.data.csv == str(folder / "a.csv")
    assert manifest["artefacts"] == {"a.csv": sha256_of(folder / "a.csv")}
    assert manifest["inputs"] == {str(tmp_path / "in.csv"): sha256_of(tmp_path / "in.csv")}
    assert manifest["seed"] == 3
    assert manifest["metrics"] == {"rmse": 0.5}
    assert manifest["versions"]["numpy"]
    assert "bms-x.make" in (folder / "run.log").read_text()
    assert ":" not in folder.name


def test_a_run_that_waits_says_so_once_in_its_log(workspace):
    def work(run):
        run.begin()
        for _ in range(3):
            run.progress(0, None, "waiting")
        run.progress(1, None, "working")
        return write_one(run)

    execute(work, Run("bms-x", "make"))
    log = (only_folder(workspace) / "run.log").read_text()
    assert (log.count("waiting"), log.count("working")) == (1, 1)


def test_a_manifest_tells_the_start_of_the_call_not_of_its_first_file(workspace):
    execute(write_one, Run("bms-x", "make", _started="2026-01-01T00:00:00+00:00"))
    manifest = json.loads((only_folder(workspace) / "manifest.json").read_text())
    assert manifest["started"] == "2026-01-01T00:00:00+00:00"


def test_a_folders_hash_is_that_of_its_own_files(tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n")
    before = sha256_of(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.csv").write_text("x\n")
    assert sha256_of(tmp_path) == before
    (tmp_path / "a.csv").write_text("x\n2\n")
    assert sha256_of(tmp_path) != before


def test_an_unknown_metric_is_null_in_the_manifest(workspace):
    def work(run):
        run.metrics = {"auroc": float("nan"), "by_fold": [0.5, float("inf")]}
        return Outcome("done", Made(csv=run.published("a.csv")))

    run = Run("bms-x", "make")
    run.begin()
    execute(work, run)
    text = (only_folder(workspace) / "manifest.json").read_text()
    assert json.loads(text)["metrics"] == {"auroc": None, "by_fold": [0.5, None]}
    assert "NaN" not in text


def test_a_cancellation_that_comes_after_the_work_does_not_take_it_back(workspace):
    run = Run("bms-x", "make")

    def work(run):
        outcome = write_one(run)
        run.report = cancelled
        return outcome

    def cancelled(done, total, message):
        raise RunCancelled

    assert execute(work, run)[0].status == "success"
    assert (only_folder(workspace) / "a.csv").is_file()


@pytest.mark.parametrize(
    "error", [NotEnoughData("Too little.", expected="more", fix="Get more."), ValueError("boom")]
)
def test_a_failed_run_keeps_its_log_and_nothing_else(workspace, error):
    def work(run):
        run.path("sub/half.csv").write_text("half")
        raise error

    envelope, _ = execute(work, Run("bms-x", "make"))
    folder = only_folder(workspace)
    assert envelope.status == "error"
    assert envelope.log_path == str(folder / "run.log")
    assert folder.name.endswith(".failed")
    assert {item.name for item in folder.iterdir()} == {"run.log", "manifest.json"}
    assert json.loads((folder / "manifest.json").read_text())["status"] == "error"
    assert "Traceback" not in envelope.message


def test_arguments_refused_early_leave_no_folder(workspace):
    def work(run):
        raise NotEnoughData("Nothing.", expected="something", fix="Pass it.")

    envelope, _ = execute(work, Run("bms-x", "make"))
    assert envelope.message == "Nothing. Expected: something. Pass it."
    assert envelope.log_path is None
    assert not (workspace / "runs").exists()


def test_an_unwritable_home_is_the_operators_turn(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("BMS_HOME", str(tmp_path / "file"))
    with pytest.raises(MachineProblem, match="BMS_HOME"):
        Run("bms-x", "make").begin()


def test_a_killed_run_is_unfinished_and_no_result(workspace):
    run_id = Run("bms-x", "make").begin()
    state = Jobs().state(run_id)
    assert state.state == "unfinished"
    assert state.result is None


def test_csv_keeps_times_blanks_and_commas(tmp_path):
    frame = pd.DataFrame(
        {"t": pd.to_datetime(["2026-01-01 00:00:00", None]), "x": [0.1, None], "s": ["a,b", "ü"]}
    )
    text = write_table(frame, tmp_path / "t.csv").read_text(encoding="utf-8")
    assert text.splitlines() == ['"t","x","s"', '"2026-01-01T00:00:00",0.1,"a,b"', ',,"ü"']
    sub_second = frame.assign(t=pd.to_datetime(["2026-01-01 00:00:00.25", None], format="ISO8601"))
    assert "2026-01-01T00:00:00.250000" in write_table(sub_second, tmp_path / "s.csv").read_text(
        encoding="utf-8"
    )
