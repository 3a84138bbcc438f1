"""What the command line accepts, prints and returns."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bms_driver import cli, environment, output
from bms_driver.cli import main
from bms_driver.request import read_request
from bms_driver.stages import STAGE_NAMES

from .conftest import Driver, Outcome

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


def no_commands() -> dict[str, environment.ServerCommand]:
    """Servers whose start would fail: bad input must be found before any is started."""
    return {}


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["no-such-file.csv"], "no such file or folder"),
        (["."], "is not empty"),
        (["--stages", "anomaly,banana"], "unknown stage banana; choose from preprocess, generate"),
        (["--stages", "simulate"], "unknown stage simulate"),
        (["--stages", " , "], "names no stage"),
        (["--steps", "0"], "--steps is 0; give a number from 1 to"),
        (["--steps", "1000000000"], "--steps is 1000000000"),
        (["--steps", "10001"], "give a number from 1 to 10,000"),
        (["--timeout", "0"], "--timeout is 0"),
        (["--timeout", "nan"], "--timeout is nan"),
        (["--cell-id", " "], "--cell-id is empty"),
        (["--out", ""], "which is no path"),
        (["x\0y"], "which is no path"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    argv: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.chdir(tmp_path)
    full = tmp_path / "full"
    full.mkdir()
    (full / "someone.txt").write_text("mine")
    if "--out" not in argv:
        argv = [*argv, "--out", "full" if argv == ["."] else "new"]
    assert main([*argv, "--json"], commands=no_commands()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
    assert len(captured.err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full"]
    assert [path.name for path in full.iterdir()] == ["someone.txt"]


def test_an_output_folder_below_a_file_is_refused(tmp_path: Path, data_file: Path, capsys):
    assert main([str(data_file), "--out", str(data_file / "below")], commands=no_commands()) == 2
    assert "cannot write to" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--steps", "many"], ["--nonsense"], ["a", "b"]])
def test_what_the_parser_refuses_is_exit_2(argv: list[str]):
    with pytest.raises(SystemExit) as stop:
        main(argv, commands=no_commands())
    assert stop.value.code == 2


def test_missing_uv_is_one_line_and_exit_1(
    tmp_path: Path, data_file: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("UV", raising=False)
    out = tmp_path / "out"
    assert main([str(data_file), "--out", str(out), "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["error: uv was not found on PATH; install it with: pip install uv"]
    outcome = json.loads(captured.out)
    assert outcome["status"] == "error" and outcome["report"] is None
    assert {stage["status"] for stage in outcome["stages"].values()} == {"skipped"}
    assert not out.exists()


@pytest.mark.stdio
def test_json_is_all_that_stdout_carries(whole_run: Outcome):
    assert json.loads(whole_run.stdout) == whole_run.pipeline
    assert "failure: success" in whole_run.stderr


@pytest.mark.stdio
def test_without_json_stdout_ends_with_the_table_and_the_report(forecast_run: Outcome):
    run = forecast_run
    assert run.stdout.splitlines()[-1] == f"Report: {run.out / 'report.html'}"
    assert all(name in run.stdout for name in STAGE_NAMES)
    assert "\x1b" not in run.stderr + run.stdout


@pytest.mark.stdio
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_servers_and_leaves_no_report(stop: int, tmp_path: Path, data_file: Path):
    out = tmp_path / "out"
    # Tests that run as a background job inherit an ignored SIGINT, and the driver would then ignore it as well.
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{listen}; from conftest import *; sys.exit(main(sys.argv[1:], commands=fake_commands()))"
    env = os.environ | {
        "FAKE_HOME": str(tmp_path),
        "FAKE_FAULTS": '{"preprocess_battery_data_tool": "hang"}',
        "PYTHONPATH": str(HERE),
    }
    argv = [sys.executable, "-c", code, str(data_file), "--out", str(out)]
    process = subprocess.Popen(argv, env=env, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("preprocess: 50%"):
            process.send_signal(stop)
    assert process.wait() == 130
    assert lines[-1].startswith("interrupted: no report was written")
    assert "Traceback" not in "".join(lines)
    assert sorted(path.name for path in out.iterdir()) == ["logs"]
    calls = (tmp_path / "calls.jsonl").read_text().splitlines()
    for pid in {json.loads(line)["pid"] for line in calls}:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_result_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    target = tmp_path / "report.html"

    def full_disk(self: Path, text: str, encoding: str) -> int:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OSError, match="no space"):
        output.write_whole(target, "page")
    assert not target.exists()


def test_a_disk_that_fills_up_is_one_line(driver: Driver, data_file: Path, monkeypatch: pytest.MonkeyPatch):
    def full_disk(path: Path, text: str) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(cli, "write_whole", full_disk)
    run = driver(str(data_file), "--stages", "preprocess")
    assert run.code == 1
    assert "could not be written" in run.stderr.splitlines()[-1]


def test_the_default_folder_is_a_new_run_of_the_workspace(tmp_path: Path):
    first = output.make_output_folder(None, {"BMS_HOME": str(tmp_path)})
    assert first.parent == tmp_path / "runs"
    assert "-pipeline-" in first.name and ":" not in first.name
    assert output.make_output_folder(None, {"BMS_HOME": str(tmp_path)}) != first


def test_servers_are_started_as_their_readmes_say():
    name = "load-preprocessdata-mcp"
    command = environment.server_commands([name], "uv")[name]
    folder = str(ROOT / name)
    assert command.run == ("uv", "run", "--directory", folder, "--with", "mcp", "server.py")
    assert command.sync == ("uv", "sync", "--directory", folder)


def test_the_driver_knows_no_other_part_and_no_heavy_library():
    code = (
        "import sys, bms_driver.cli; tops = {name.split('.')[0] for name in sys.modules};"
        "ours = {name for name in tops if name.startswith('bms_')} - {'bms_driver'};"
        "print(sorted(ours | tops & {'pandas', 'numpy', 'torch', 'sdv', 'matplotlib', 'plotly'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_examples_of_the_readme_are_accepted(data_file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(data_file.parent)
    readme = (ROOT / "agent-driver" / "README.md").read_text(encoding="utf-8")
    script = "uv run agent-driver/run_full_pipeline.py"
    examples = [line.partition(script)[2] for line in readme.splitlines() if line.strip().startswith(script)]
    assert len(examples) == 4
    for example in examples:
        read_request(shlex.split(re.split("[#>]", example)[0]))
