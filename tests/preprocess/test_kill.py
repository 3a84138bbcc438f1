"""A server killed at any moment leaves inputs and earlier results alone, and nothing that reads as a result."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from bms_preprocess.tools import preprocess_battery_data_tool
from bms_schema.run.envelope import Envelope
from bms_schema.run.hashing import sha256_of
from bms_schema.run.jobs import execute
from bms_schema.run.model_store import model_versions
from bms_schema.run.run_folder import LOG_NAME, Run

SERVER = Path(__file__).parents[2] / "load-preprocessdata-mcp" / "server.py"
LONGEST_WAIT_S = 60.0
# A line of the run's log, after which the server is killed at once.
STAGES = {
    "in memory": ["preprocess_battery_data_tool", "filling missing", "scaling", "writing the report"],
    "on Dask": [
        "preprocess_battery_data_tool",
        "cleaned and sorted",
        "cleaned and engineered",
        "filled and scaled",
    ],
}
SETTINGS = {"in memory": {}, "on Dask": {"BMS_MEMORY_BUDGET": "1MiB", "BMS_THREADS": "1"}}

pytestmark = pytest.mark.stdio


class RealServer:
    """The server as a host starts it, spoken to by hand: a client of the SDK would wait for its answer."""

    def __init__(self, home: Path, settings: dict[str, str]) -> None:
        environment = os.environ | {"BMS_HOME": str(home), "BMS_DATA_ROOTS": str(home.parent), **settings}
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )
        hello = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "0"},
        }
        self.send("initialize", hello, number=1)
        assert self.process.stdout is not None
        assert json.loads(self.process.stdout.readline())["result"]
        self.send("notifications/initialized", {})

    def send(self, method: str, parameters: dict[str, Any], number: int | None = None) -> None:
        """Write one message."""
        message = {"jsonrpc": "2.0", "method": method, "params": parameters}
        if number is not None:
            message["id"] = number
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def call(self, tool: str, arguments: dict[str, Any]) -> None:
        """Call a tool without waiting for its answer."""
        self.send("tools/call", {"name": tool, "arguments": arguments}, number=2)

    def below(self) -> list[psutil.Process]:
        """The processes that it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill(self) -> None:
        """Kill it, and it alone, without a chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, fleet: pd.DataFrame) -> Path:
    """A workspace with a run and a model from before; the input lies beside it."""
    folder = tmp_path_factory.mktemp("killed")
    fleet.to_csv(folder / "raw.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        _set_environment(patch, folder)
        assert preprocess_here(folder).status == "success"
    return folder


@pytest.fixture
def home(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    _set_environment(monkeypatch, place)
    return place


def _set_environment(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setenv("BMS_HOME", str(folder / "home"))
    patch.setenv("BMS_DATA_ROOTS", str(folder))


def preprocess_here(home: Path) -> Envelope[Any]:
    """Run the full tool in this process."""
    run = Run("bms-preprocess", "preprocess_battery_data_tool", {})
    return execute(lambda run: preprocess_battery_data_tool(run, str(home / "raw.csv")), run)[0]


def hashes(home: Path) -> dict[str, str]:
    files = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path): sha256_of(path) for path in files}


def until(true: Any) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + LONGEST_WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def killed_after(line: str, home: Path, settings: dict[str, str]) -> list[psutil.Process]:
    """Start a run, kill the server once the run's log has the line, and return what the server had started."""
    server = RealServer(home / "home", settings)
    before = set((home / "home" / "runs").iterdir())

    def said() -> bool:
        logs = [folder / LOG_NAME for folder in set((home / "home" / "runs").iterdir()) - before]
        return any(line in log.read_text(encoding="utf-8") for log in logs if log.is_file())

    try:
        server.call("preprocess_battery_data_tool", {"data_path": str(home / "raw.csv")})
        until(said)
        return server.below()
    finally:
        server.kill()


@pytest.mark.parametrize(
    ("engine", "line"), [(name, line) for name, lines in STAGES.items() for line in lines]
)
def test_nothing_of_a_killed_run_reads_as_a_result(home: Path, engine: str, line: str) -> None:
    earlier, versions = hashes(home), model_versions("preprocess")
    assert versions
    latest = (home / "home/models/preprocess/latest").readlink()
    started = killed_after(line, home, SETTINGS[engine])
    now = hashes(home)
    assert {path: now[path] for path in earlier} == earlier
    added = {Path(path).relative_to(home / "home").parts for path in now.keys() - earlier.keys()}
    assert added, "it was killed before it began"
    assert all(parts[0] == "runs" and parts[1].endswith(".partial") for parts in added)
    assert model_versions("preprocess") == versions
    assert (home / "home/models/preprocess/latest").readlink() == latest
    until(lambda: not any(process.is_running() and process.status() != "zombie" for process in started))


def test_the_next_run_after_a_killed_one_succeeds(home: Path) -> None:
    killed_after("filling missing", home, {})
    envelope = preprocess_here(home)
    assert envelope.status == "success", envelope.message
