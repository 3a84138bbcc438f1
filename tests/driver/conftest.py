"""The driver run against fake servers, in this process."""

import contextlib
import functools
import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bms_driver.cli import main
from bms_driver.environment import ServerCommand
from bms_driver.stages import STAGES

FAKE_SERVER = Path(__file__).with_name("fake_server.py")


def fake_commands() -> dict[str, ServerCommand]:
    names = {stage.server for stage in STAGES.values()}
    return {name: ServerCommand((sys.executable, str(FAKE_SERVER), name)) for name in names}


@dataclass
class Outcome:
    code: int
    stdout: str
    stderr: str
    out: Path
    calls: list[dict[str, Any]]

    @property
    def stages(self) -> dict[str, Any]:
        return self.pipeline["stages"]

    @property
    def pipeline(self) -> dict[str, Any]:
        return json.loads((self.out / "pipeline.json").read_text(encoding="utf-8"))

    @property
    def report(self) -> str:
        return (self.out / "report.html").read_text(encoding="utf-8")

    def arguments(self, tool: str) -> dict[str, Any]:
        return next(call["arguments"] for call in self.calls if call["tool"] == tool)

    def order(self) -> list[str]:
        return [f"{call['tool']} {call['event']}" for call in self.calls]

    def first_look(self) -> str:
        """Return the report's part above the table of stages."""
        return self.report[self.report.index('id="first"') : self.report.index('id="stages"')]


Driver = Callable[..., Outcome]


def run_driver(
    folder: Path,
    *argv: str,
    faults: dict[str, str] | None = None,
    commands: dict[str, ServerCommand] | None = None,
    env: dict[str, str] | None = None,
) -> Outcome:
    """Run the command line in `folder` with faults: {tool or "start:server": fault}."""
    home, out = folder / "fake", folder / "out"
    home.mkdir()
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        patch.setenv("FAKE_HOME", str(home))
        patch.setenv("FAKE_FAULTS", json.dumps(faults or {}))
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        code = main([*argv, "--out", str(out)], commands=fake_commands() | (commands or {}))
    log = home / "calls.jsonl"
    calls = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return Outcome(code, stdout.getvalue(), stderr.getvalue(), out, calls)


def write_log(folder: Path) -> Path:
    path = folder / "input" / "log.csv"
    path.parent.mkdir()
    path.write_text("Cell ID,CellVoltage\nS1/1,2.2\n")
    return path


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    return write_log(tmp_path)


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    return functools.partial(run_driver, tmp_path)


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run of all stages on a data file, in which nothing fails."""
    folder = tmp_path_factory.mktemp("whole")
    return run_driver(folder, str(write_log(folder)), "--steps", "12", "--json")


# What a user's shell may hold when the driver is started.
SHELL = {
    "VIRTUAL_ENV": "/nowhere",
    "UV_PROJECT_ENVIRONMENT": "/nowhere",
    "HTTPS_PROXY": "http://proxy.example",
    "BMS_HOME": "workspace",
    "BMS_DATA_ROOTS": os.pathsep.join(["/first", "second"]),
}


@pytest.fixture(scope="session")
def forecast_run(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run of one stage, with a cell of the user's choice and a full environment."""
    folder = tmp_path_factory.mktemp("forecast")
    argv = ["--stages", "forecast", "--cell-id", "S1/3"]
    return run_driver(folder, str(write_log(folder)), *argv, env=SHELL)
