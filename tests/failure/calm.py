"""A fleet in which nothing happens, for tests that let one thing happen."""

import numpy as np
import pandas as pd
from bms_failure.feature_set import FEATURES
from bms_failure.moments import HISTORY_DAYS


def calm_fleet(cells: int = 30, seed: int = 0) -> pd.DataFrame:
    """Latest moments of cells that differ by noise of the sensors' size only."""
    rng = np.random.default_rng(seed)
    columns = {item.name: 0.7 * item.floor * rng.normal(size=cells) for item in FEATURES}
    head = {"Cell ID": [f"A/{number:02d}" for number in range(cells)], "string": "A", HISTORY_DAYS: 20.0}
    return pd.DataFrame(head | columns | {"at": pd.Timestamp("2026-01-30")})
