import json

import pandas as pd
import pytest
from bms_schema.run.envelope import Outcome, ToolData
from bms_schema.run.errors import MachineProblem, NotEnoughData
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
