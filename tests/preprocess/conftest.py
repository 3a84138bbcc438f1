"""A small simulated fleet, a workspace below tmp_path, and a caller through the in-memory MCP client."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pandas as pd
import pytest
from bms_generate.simulate import simulate_fleet
from mcp import Client

Call = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def fleet() -> pd.DataFrame:
    """Two strings of five cells, five days hourly: 1,200 rows, some without an answer; carried `Remark`."""
    readings = simulate_fleet(
        n_strings=2, cells_per_string=5, days=5, seed=3, sentinel_fraction=0.05
    ).readings
    readings.insert(0, "source_row", range(len(readings)))
    readings["Remark"] = [f"r{row:04d}" for row in range(len(readings))]
    return readings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BMS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BMS_DATA_ROOTS", str(tmp_path))
    return tmp_path


@pytest.fixture
def call(home: Path) -> Call:
    """Call a tool and return the envelope, after checking that text and structured content agree."""
    from bms_preprocess.tools import server

    async def ask(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        async with Client(server) as client:
            result = await client.call_tool(tool, arguments)
        envelope: dict[str, Any] = result.structured_content
        assert json.loads(result.content[0].text) == envelope
        assert result.is_error == (envelope["status"] == "error")
        assert len(result.content[0].text) <= 8000
        return envelope

    return lambda tool, **arguments: anyio.run(ask, tool, arguments)
