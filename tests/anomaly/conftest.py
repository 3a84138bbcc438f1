"""A small fleet with faults that nobody could miss, a detector fitted on it, and the in-memory client."""

import json

import anyio
import numpy as np
import pandas as pd
import pytest
from mcp import Client

MOMENTS, CELLS = 240, 8
STUCK, HOT, DROPPED, SPIKED, SAGGING, SILENT = "S0/1", "S0/2", "S0/3", "S1/1", "S1/2", "S1/3"


def quiet_fleet(moments=MOMENTS, cells=CELLS, seed=0):
    """Two strings of healthy cells, hourly: each with its own level, all with sensor noise."""
    rng = np.random.default_rng(seed)
    times = pd.date_range("2026-01-01", periods=moments, freq="h")
    room = 22.0 + 2.0 * np.sin(np.arange(moments) / 24 * 2 * np.pi)

    def one_cell(string, number):
        return pd.DataFrame(
            {
                "string": string,
                "Cell ID": f"{string}/{number}",
                "Timestamp": times,
                "CellVoltage": 2.23 + rng.normal(0, 0.005) + rng.normal(0, 0.002, moments),
                "CellTemperature": room + rng.normal(0, 0.4) + rng.normal(0, 0.2, moments),
                "InstantaneousCurrent": 0.5,
                "AmbientTemperature": room - 1.0,
                "CellSpecificGravity": 1.215 + rng.normal(0, 0.002) + rng.normal(0, 0.001, moments),
            }
        )

    fleet = pd.concat([one_cell(string, number) for string in ("S0", "S1") for number in range(cells)])
    return fleet.sort_values(["Timestamp", "Cell ID"], kind="stable", ignore_index=True)


def with_faults(fleet):
    """Plant one fault of each sort, and one cell that does not answer for a day."""
    fleet = fleet.copy()
    hour = (fleet["Timestamp"] - fleet["Timestamp"].min()) / pd.Timedelta("1h")

    def rows(cell, first, last):
        return (fleet["Cell ID"] == cell) & hour.between(first, last)

    for column in ("CellVoltage", "CellTemperature", "CellSpecificGravity"):
        fleet.loc[rows(STUCK, 60, 110), column] = fleet.loc[rows(STUCK, 60, 60), column].item()
    fleet.loc[rows(HOT, 120, 160), "CellTemperature"] += 12.0
    fleet.loc[rows(DROPPED, 30, 36), "CellVoltage"] = 0.4
    fleet.loc[rows(SPIKED, 150, 150), "CellVoltage"] += 0.3
    fleet.loc[rows(SAGGING, 140, 239), "CellVoltage"] -= 0.1
    silent = rows(SILENT, 80, 103)
    fleet.loc[silent, ["CellVoltage", "CellTemperature", "CellSpecificGravity"]] = [65.535, 65535.0, 59.749]
    return fleet


@pytest.fixture(scope="session")
def fleet():
    return with_faults(quiet_fleet())


@pytest.fixture(scope="session")
def frame(fleet):
    from bms_schema.data.table import canonical_table

    return canonical_table(fleet).frame


@pytest.fixture(scope="session")
def features(frame):
    from bms_anomaly.features import fleet_features

    return fleet_features(frame)


@pytest.fixture(scope="session")
def detector(frame, features):
    from bms_anomaly.scoring import fit_detector

    return fit_detector(frame, features)


@pytest.fixture(scope="session")
def scores(frame, features, detector):
    from bms_anomaly.scoring import score_fleet

    return score_fleet(frame, features, detector)


@pytest.fixture
def call():
    """Call a tool and return its envelope, after checking that text and structured content agree."""
    from bms_anomaly.tools import server

    async def ask(tool, arguments):
        async with Client(server) as client:
            result = await client.call_tool(tool, arguments)
        envelope = result.structured_content
        assert json.loads(result.content[0].text) == envelope
        assert result.is_error == (envelope["status"] == "error")
        assert len(result.content[0].text) <= 8000
        return envelope

    return lambda tool, **arguments: anyio.run(ask, tool, arguments)
