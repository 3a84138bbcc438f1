"""Small battery files and a way to call the server as an MCP host does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pandas as pd
from mcp import Client

HOURS = 24 * 8
CELLS = ("A/1", "A/2", "A/3", "B/1")


def battery_frame(hours: int = HOURS, cells: tuple[str, ...] = CELLS) -> pd.DataFrame:
    """Return hourly readings with a daily cycle in the temperatures, one row per cell and hour."""
    rng = np.random.default_rng(7)
    when = pd.date_range("2026-01-01", periods=hours, freq="h")
    day = np.sin(2 * np.pi * np.arange(hours) / 24)
    parts = []
    for index, cell in enumerate(cells):
        ambient = 22 + 3 * day + rng.normal(0, 0.1, hours)
        parts.append(
            pd.DataFrame(
                {
                    "Cell ID": cell,
                    "string": cell.split("/")[0],
                    "Timestamp": when,
                    "CellVoltage": 2.23 + 0.01 * index - 0.01 * day + rng.normal(0, 0.002, hours),
                    "CellTemperature": 24 + 3 * np.roll(day, 2) + rng.normal(0, 0.2, hours),
                    "InstantaneousCurrent": 0.1 + rng.normal(0, 0.02, hours),
                    "AmbientTemperature": ambient,
                    "CellSpecificGravity": 1.22 + rng.normal(0, 0.001, hours).round(3),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def call(*requests: tuple[str, dict[str, Any]]) -> list[Any]:
    """Call the server's tools in turn over one in-memory connection; return their results."""
    from bms_forecast.tools import server

    async def talk() -> list[Any]:
        async with Client(server) as client:
            return [await client.call_tool(name, arguments) for name, arguments in requests]

    return anyio.run(talk)


def forecast(path: Path, cell_id: str = "A/2", **arguments: Any) -> dict[str, Any]:
    """Return the envelope of one forecast."""
    request = {"data_path": str(path), "cell_id": cell_id, "steps": 6, **arguments}
    return call(("predict_cell_timeseries", request))[0].structured_content


@dataclass(frozen=True)
class Trained:
    """One forecast that many tests look at: the file, its folder (roots and workspace), the envelope."""

    csv: Path
    folder: Path
    answer: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        return self.answer["data"]
