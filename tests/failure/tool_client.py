"""The tool through the in-memory MCP client, for the tests of what it answers."""

from pathlib import Path
from typing import Any

import anyio
import pandas as pd
from bms_failure.tools import server
from mcp import Client

TOOL = "predict_cell_failure"
VOLTAGE_ALONE = ["string", "Cell ID", "Timestamp", "CellVoltage"]


def call(**arguments: Any) -> dict[str, Any]:
    """Return the tool's answer; the server must be well afterwards and the message short."""

    async def main() -> Any:
        async with Client(server) as client:
            result = await client.call_tool(TOOL, arguments)
            health = await client.call_tool("health_check", {})
            assert health.structured_content["status"] == "success"
            assert len(result.content[0].text) <= 8_000
            return result.structured_content

    return anyio.run(main)


def write(frame: pd.DataFrame, folder: Path, name: str = "fleet.csv") -> str:
    """Write a CSV and return its path."""
    frame.to_csv(folder / name, index=False)
    return str(folder / name)
