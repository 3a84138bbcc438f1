"""Each way a server can fail becomes one line with its log, while the other stages go on."""

import io
import os
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from bms_driver.environment import ServerCommand
from bms_driver.failures import ServerFailure, install_failure, last_words, one_line
from bms_driver.progress import LineDisplay
from bms_driver.servers import Servers

from .conftest import Outcome, fake_commands, run_driver, write_log

pytestmark = pytest.mark.stdio

GENERATE, ANOMALY = "data-generator-mcp", "feature-one-anamoly-detection-mcp"
FORECAST, FAILURE = "feature-two-timeseries-prediction-mcp", "feature-three-failure-prediction-mcp"


def failure_of(run: Outcome, stage: str, log: str) -> str:
    """Check that the stage failed in one line that names its log, and return that line."""
    assert run.code == 1
    assert run.stages["preprocess"]["status"] == "success"
    assert run.stages[stage]["status"] == "error"
    assert run.stages[stage]["data"] is None
    message = run.stages[stage]["message"]
    assert "\n" not in message
    assert log in message
    return message


@pytest.fixture(scope="module")
def in_calls(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run in which servers come up and then fail in different ways."""
    folder = tmp_path_factory.mktemp("calls")
    faults = {
        "predict_cell_timeseries": "crash",
        "predict_cell_failure": "hang",
        "detect_anomalies": "bare",
        "sdv_evaluate": "schema",
        "sdv_visualize": "raise",
    }
    return run_driver(folder, str(write_log(folder)), "--timeout", "4", faults=faults)


@pytest.fixture(scope="module")
def before_calls(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run in which servers do not come up, each for another reason."""
    folder = tmp_path_factory.mktemp("starts")
    script = "print('Resolved 3 packages'); raise SystemExit('error: no space left')"
    commands = {
        GENERATE: ServerCommand(("no-such-command",)),
        ANOMALY: ServerCommand(("never-started",), sync=(sys.executable, "-c", script)),
        FORECAST: ServerCommand(("never-started",), sync=("no-such-uv",)),
    }
    faults = {f"start:{FAILURE}": "crash"}
    return run_driver(folder, str(write_log(folder)), faults=faults, commands=commands)


def test_a_server_that_dies_in_a_call(in_calls: Outcome):
    message = failure_of(in_calls, "forecast", f"{FORECAST}.log")
    assert "died during predict_cell_timeseries" in message
    assert "Killed by the test" in message


def test_a_server_that_hangs(in_calls: Outcome):
    assert "no answer within 4 s" in failure_of(in_calls, "failure", f"{FAILURE}.log")


def test_an_answer_that_breaks_its_own_schema(in_calls: Outcome):
    assert "broke its own output schema" in failure_of(in_calls, "evaluate", f"{GENERATE}.log")


def test_a_missing_key_fails_the_stage_that_needs_it_and_names_it(in_calls: Outcome):
    assert in_calls.stages["anomaly"]["status"] == "success"
    assert 'anomaly returned no "result_csv"' in failure_of(in_calls, "anomaly_3d", "")


def test_a_tool_that_raises_is_told_without_an_envelope(in_calls: Outcome):
    message = failure_of(in_calls, "visualize", f"{GENERATE}.log")
    assert "Error executing tool sdv_visualize" in message


def test_a_command_that_is_missing(before_calls: Outcome):
    message = failure_of(before_calls, "generate", f"{GENERATE}.log")
    assert "the command 'no-such-command' was not found" in message


def test_an_installation_that_fails(before_calls: Outcome):
    message = failure_of(before_calls, "anomaly", f"{ANOMALY}.log")
    assert "could not be installed: error: no space left" in message


def test_an_installer_that_is_missing(before_calls: Outcome):
    assert "'no-such-uv' was not found" in failure_of(before_calls, "forecast", f"{FORECAST}.log")


def test_a_server_that_dies_at_its_start(before_calls: Outcome):
    message = failure_of(before_calls, "failure", f"{FAILURE}.log")
    assert "did not start: ModuleNotFoundError: No module named 'bms_nothing'" in message


def test_a_dead_server_is_started_anew_for_the_next_call(tmp_path: Path):
    env = os.environ | {"FAKE_HOME": str(tmp_path), "FAKE_FAULTS": '{"sdv_evaluate": "crash"}'}

    async def ignore(progress: float, total: float | None, message: str | None) -> None:
        return None

    async def two_calls() -> dict[str, Any]:
        async with anyio.create_task_group() as tasks:
            servers = Servers(fake_commands(), env, tmp_path, LineDisplay(io.StringIO()), tasks)
            folder = {"folder_name": "x"}
            with pytest.raises(ServerFailure, match="died during sdv_evaluate"):
                await servers.call(GENERATE, "sdv_evaluate", folder, 30, ignore)
            envelope = await servers.call(GENERATE, "sdv_generate", folder, 30, ignore)
            servers.stop()
        return envelope

    assert anyio.run(two_calls)["message"] == "sdv_generate did it"


def test_the_installers_own_error_line_is_preferred(tmp_path: Path):
    lines = ["Using CPython 3.11", "error: Failed to fetch x", "  Caused by: no route"]
    assert "error: Failed to fetch x (log:" in str(install_failure("s", lines, tmp_path / "s.log"))
    assert "no reason given" in str(install_failure("s", [], tmp_path / "s.log"))


def test_last_words_are_those_after_the_start(tmp_path: Path):
    log = tmp_path / "s.log"
    log.write_bytes(b"installed\n")
    assert last_words(log, start=10) == ""
    log.write_bytes(b"installed\nTraceback\nValueError: x\n\n")
    assert last_words(log, start=10) == "ValueError: x"


def test_last_words_of_uv_are_its_error_with_the_causes(tmp_path: Path):
    log = tmp_path / "s.log"
    log.write_bytes(b"Resolved 3 packages\nerror: Failed to spawn: `server.py`\n  cause: No such file\n")
    assert last_words(log) == "error: Failed to spawn: `server.py` cause: No such file"
    assert last_words(tmp_path / "missing.log") == ""


def test_one_line_never_grows_past_its_limit():
    assert one_line("a\n\tb  c") == "a b c"
    assert len(one_line("x" * 5000, 100)) == 100
