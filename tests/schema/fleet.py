"""Small canonical-looking frames for the schema's tests."""

import numpy as np
import pandas as pd


def small_fleet(
    n_strings: int = 2, cells: int = 4, moments: int = 30, step: str = "1h", seed: int = 0
) -> pd.DataFrame:
    """Return a plain fleet: every string logs all its cells at every moment."""
    rng = np.random.default_rng(seed)
    rows = pd.MultiIndex.from_product(
        [
            pd.date_range("2026-01-01", periods=moments, freq=step),
            [f"S{s}" for s in range(n_strings)],
            range(1, cells + 1),
        ],
        names=["Timestamp", "string", "cell"],
    ).to_frame(index=False)
    n = len(rows)
    current = rng.normal(0, 20, (moments, n_strings)).repeat(cells, axis=1).ravel()
    return pd.DataFrame(
        {
            "string": rows["string"],
            "Cell ID": rows["string"] + "/" + rows["cell"].astype(str),
            "Timestamp": rows["Timestamp"],
            "CellVoltage": 2.23 + 0.001 * current + rng.normal(0, 0.003, n),
            "CellTemperature": 25 + rng.normal(0, 0.3, n),
            "InstantaneousCurrent": current,
            "AmbientTemperature": 22 + rng.normal(0, 0.1, n),
            "CellSpecificGravity": 1.24 + rng.normal(0, 0.001, n),
        }
    )
