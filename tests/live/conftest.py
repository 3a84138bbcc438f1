"""A running service in memory, and one workspace with trained models that all tests of this folder share."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from bms_live.app import create_app
from fastapi.testclient import TestClient

from tests.live.fleet import completed, small_fleet

STEPS = 6


@dataclass(frozen=True)
class Trained:
    """A fleet and what the servers' own tools answer about it."""

    home: Path
    readings: pd.DataFrame
    cell_id: str
    anomalies: pd.DataFrame
    risks: pd.DataFrame
    forecast: pd.DataFrame


@pytest.fixture
def client():
    """Return a client whose server answers errors instead of raising them into the test."""
    with TestClient(create_app(), raise_server_exceptions=False) as running:
        yield running


@pytest.fixture(scope="session")
def batch(tmp_path_factory):
    """Train the three models through the servers' workflows, once."""
    from bms_anomaly.workflow import detect
    from bms_failure.workflow import predict_failure
    from bms_forecast.workflow import predict_cell

    folder = tmp_path_factory.mktemp("live")
    readings, path = small_fleet(), folder / "fleet.csv"
    readings.to_csv(path, index=False)
    cell_id = str(readings["Cell ID"].iloc[0])
    common = {"data_path": str(path), "seed": 0, "chemistry": "auto", "output_format": "csv"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BMS_HOME", str(folder / "home"))
        patch.setenv("BMS_DATA_ROOTS", str(folder))
        patch.setenv("BMS_THREADS", "1")
        found = completed(
            lambda run: detect(run, contamination=None, false_alarm_rate=None, model="", **common)
        )
        ranked = completed(lambda run: predict_failure(run, horizon_days=5, model="", **common))
        ahead = completed(lambda run: predict_cell(run, cell_id=cell_id, steps=STEPS, **common))
    return Trained(
        folder / "home",
        readings,
        cell_id,
        pd.read_csv(found.result_csv),
        pd.read_csv(ranked.risk_csv),
        pd.read_csv(ahead.forecast_csv),
    )


@pytest.fixture
def trained(batch, monkeypatch):
    """Point the service at the workspace with the trained models."""
    monkeypatch.setenv("BMS_HOME", str(batch.home))
    monkeypatch.setenv("BMS_THREADS", "1")
    return batch
