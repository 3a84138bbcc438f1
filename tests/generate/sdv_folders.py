"""Small SDV folders for the tests, and a way to call tools as a client does."""

import json
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pandas as pd
from bms_generate.tools import server
from mcp import Client

NUMERICAL, CATEGORICAL = {"sdtype": "numerical"}, {"sdtype": "categorical"}
TIME = {"sdtype": "datetime", "datetime_format": "%Y-%m-%dT%H:%M:%S"}
SENSORS = ["CellVoltage", "CellTemperature", "CellSpecificGravity", "InstantaneousCurrent"]
BATTERY_COLUMNS = {
    "source_row": {"sdtype": "id"},
    "string": CATEGORICAL,
    "serial": {"sdtype": "id"},
    "Cell ID": {"sdtype": "id"},
    "Timestamp": TIME,
    **dict.fromkeys(SENSORS, NUMERICAL),
    "alarm": {"sdtype": "boolean"},
    "firmware": CATEGORICAL,
    "empty": NUMERICAL,
}


def battery_table(cells: int = 6, readings: int = 40, seed: int = 1) -> pd.DataFrame:
    """Cells of two strings with autocorrelated readings; in every tenth row three sensors give no answer."""
    random = np.random.default_rng(seed)
    parts = []
    for cell in range(cells):
        slow = np.cumsum(random.normal(size=readings)) * 0.3
        string = f"SITE-{cell % 2}"
        parts.append(
            pd.DataFrame(
                {
                    "string": string,
                    "serial": f"SN{cell % 2}77",
                    "Cell ID": f"{string}/{cell}",
                    "Timestamp": pd.date_range("2026-03-01", periods=readings, freq="h").strftime(
                        "%Y-%m-%dT%H:%M:%S"
                    ),
                    "CellVoltage": (2.2 + 0.01 * slow).round(3),
                    "CellTemperature": (25 + slow + random.normal(size=readings) * 0.1).round(2),
                    "CellSpecificGravity": (1.24 + random.normal(size=readings) * 0.01).round(4),
                    "InstantaneousCurrent": np.where(
                        random.random(readings) < 0.7, 0.0, random.normal(-20, 3, readings)
                    ).round(1),
                    "alarm": random.random(readings) < 0.2,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True).assign(firmware="v7", empty=np.nan)
    table.insert(0, "source_row", range(len(table)))
    table.loc[::10, ["CellVoltage", "CellTemperature", "CellSpecificGravity"]] = 65.535, 65535.0, 59.749
    return table


def write_battery(folder: Path, table: pd.DataFrame | None = None, **columns: Any) -> Path:
    """Write the one-table folder; `columns` replace or add column descriptions."""
    described = BATTERY_COLUMNS | columns
    tables = {"battery": {"primary_key": "source_row", "columns": described}}
    return write_folder(folder, {"battery": battery_table() if table is None else table}, tables)


def write_related(folder: Path) -> Path:
    """Write the two-table folder: cells and their readings."""
    readings = battery_table()[["Cell ID", "Timestamp", *SENSORS, "alarm"]]
    cells = pd.DataFrame({"Cell ID": readings["Cell ID"].unique()}).assign(
        rated=[100, 200] * 3, site=["n", "s"] * 3
    )
    tables = {
        "cells": {
            "primary_key": "Cell ID",
            "columns": {"Cell ID": {"sdtype": "id"}, "rated": NUMERICAL, "site": CATEGORICAL},
        },
        "readings": {"columns": {name: BATTERY_COLUMNS[name] for name in readings}},
    }
    link = {
        "parent_table_name": "cells",
        "parent_primary_key": "Cell ID",
        "child_table_name": "readings",
        "child_foreign_key": "Cell ID",
    }
    return write_folder(folder, {"cells": cells, "readings": readings}, tables, [link])


def write_folder(
    folder: Path, frames: dict[str, pd.DataFrame], tables: dict[str, Any], links: Any = ()
) -> Path:
    """Write CSV files and metadata.json."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    metadata = {"METADATA_SPEC_VERSION": "V2", "tables": tables, "relationships": list(links)}
    (folder / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    return folder


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool through an in-memory client and return the envelope."""

    async def main() -> dict[str, Any]:
        async with Client(server) as client:
            result = await client.call_tool(tool, arguments)
            assert result.is_error == (result.structured_content["status"] == "error")
            assert len(result.content[0].text) < 8_000
            return result.structured_content

    return anyio.run(main)


def succeed(tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool that must succeed and return its data."""
    envelope = call(tool, **arguments)
    assert envelope["status"] == "success", envelope["message"]
    return envelope["data"]


def synthetic(folder: Path, table: str = "battery") -> pd.DataFrame:
    """Read what was generated."""
    return pd.read_csv(folder / "synthetic_data" / f"{table}.csv")
