"""One simulated fleet for all tests of failure prediction."""

import pandas as pd
import pytest
from bms_generate.simulate import SimulatedFleet, simulate_fleet


@pytest.fixture(scope="session")
def fleet() -> SimulatedFleet:
    """4 strings × 12 cells × 30 days at 3 h, with deaths in several strings."""
    return simulate_fleet(
        n_strings=4, cells_per_string=12, days=30, interval_minutes=180, seed=1, death_fraction=0.2
    )


@pytest.fixture(scope="session")
def readings(fleet: SimulatedFleet) -> pd.DataFrame:
    return fleet.readings
