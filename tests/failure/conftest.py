"""One simulated fleet, and one training on it, for all tests of failure prediction."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bms_generate.simulate import SimulatedFleet, simulate_fleet

from tests.failure.tool_client import call, write


@pytest.fixture(scope="session")
def fleet() -> SimulatedFleet:
    """4 strings × 12 cells × 30 days at 3 h, with deaths in several strings."""
    return simulate_fleet(
        n_strings=4, cells_per_string=12, days=30, interval_minutes=180, seed=1, death_fraction=0.2
    )


@pytest.fixture(scope="session")
def readings(fleet: SimulatedFleet) -> pd.DataFrame:
    return fleet.readings


@pytest.fixture(scope="session")
def trained(readings: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One training run in a workspace of its own: its answer, and `home`."""
    home = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BMS_HOME", str(home))
        patch.setenv("BMS_DATA_ROOTS", str(home))
        return {"home": home, **call(data_path=write(readings, home), seed=4)}


@pytest.fixture
def version(trained: dict[str, Any], workspace: Path) -> str:
    """The trained model's version, stored in this test's workspace."""
    shutil.copytree(trained["home"] / "models", workspace / "models", symlinks=True)
    return str(trained["data"]["model_version"])


@pytest.fixture
def labelled(readings: pd.DataFrame, tmp_path: Path) -> str:
    """A file to learn from."""
    return write(readings, tmp_path)


@pytest.fixture
def unlabelled(readings: pd.DataFrame, tmp_path: Path) -> str:
    """A file without `IsDead`."""
    return write(readings.drop(columns="IsDead"), tmp_path, "unlabelled.csv")
