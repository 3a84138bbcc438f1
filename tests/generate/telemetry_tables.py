"""Tables of series for the tests of the evaluation: a simulated fleet, and copies of it spoilt in one way each."""

from functools import cache

import numpy as np
import pandas as pd
from bms_generate.precleaning import clean_table
from bms_generate.simulate import simulate_fleet
from bms_generate.telemetry_roles import TelemetryRoles, find_roles
from bms_generate.telemetry_scores import TelemetryScores, score_table

SHARED = ["InstantaneousCurrent", "AmbientTemperature"]


@cache
def fleet(seed: int, strings: int = 4, cells: int = 8) -> pd.DataFrame:
    """Return five simulated days, hourly, sentinels missing; do not change it."""
    table = simulate_fleet(
        n_strings=strings, cells_per_string=cells, days=5, seed=seed, death_fraction=0.2
    ).readings
    kinds = {"string": "categorical", "Cell ID": "id", "Timestamp": "datetime"}
    specs = {name: {"sdtype": kinds.get(name, "numerical")} for name in table}
    return clean_table(table, specs, table="fleet").frame


def shuffled(table: pd.DataFrame, roles: TelemetryRoles) -> pd.DataFrame:
    """Return the table with its readings dealt anew to cells and moments."""
    order = np.random.default_rng(5).permutation(len(table))
    return table.assign(**{name: table[name].to_numpy()[order] for name in [*roles.signals, roles.label]})


def noisy(table: pd.DataFrame, roles: TelemetryRoles) -> pd.DataFrame:
    """Return the table with noise of a third of its deviation on every signal."""
    random = np.random.default_rng(6)
    noise = {name: random.normal(0, table[name].std() / 3, len(table)) for name in roles.signals}
    return table.assign(**{name: table[name] + noise[name] for name in roles.signals})


@cache
def scores(kind: str) -> TelemetryScores:
    """Return the scores of a `copy`, a `shuffled` or `noisy` copy, or a `sibling` of the fleet."""
    real = fleet(0)
    roles = find_roles(real)
    made = {"copy": real, "sibling": fleet(1)}
    synthetic = made[kind] if kind in made else {"shuffled": shuffled, "noisy": noisy}[kind](real, roles)
    return score_table(real, synthetic, roles)


def series(cells: int = 4, readings: int = 40, strings: int = 2, seed: int = 3) -> pd.DataFrame:
    """Return cells that wander, numbered within strings that share a current; every half an hour."""
    random = np.random.default_rng(seed)
    current = np.round(random.normal(size=(strings, readings)), 3)
    parts = [
        pd.DataFrame(
            {
                "Cell ID": f"S{string}/C{cell}",
                "Timestamp": pd.date_range("2026-01-01", periods=readings, freq="30min"),
                "current": current[string],
                "voltage": np.cumsum(random.normal(size=readings)) * 0.1 + 2,
            }
        )
        for string in range(strings)
        for cell in range(cells)
    ]
    return pd.concat(parts, ignore_index=True)
