"""Forecast skill on simulated fleets: `uv run python tests/benchmarks/forecast_fleet.py [--seeds 3]`.

For every seed a fleet of 4 x 24 cells, 30 days, hourly; per target one model, all cells backtested at 24 steps.
The table gives medians over cells: MASE of what the tool uses, of the model alone and of the naive forecasts.
"""

import argparse
import time

import numpy as np
import pandas as pd
from bms_forecast.cell import LEVELS
from bms_forecast.forecaster import CellForecaster
from bms_forecast.targets import TargetFrames
from bms_generate.simulate import simulate_fleet
from bms_schema.data.columns import AMBIENT, CURRENT, GRAVITY, SOC, TEMPERATURE, VOLTAGE
from bms_schema.data.table import canonical_table

TARGETS = (VOLTAGE, TEMPERATURE, CURRENT, AMBIENT, GRAVITY, SOC)
FLEET = {"n_strings": 4, "cells_per_string": 24, "days": 30, "interval_minutes": 60}


def run_seed(seed: int, steps: int) -> pd.DataFrame:
    """Return one row per target and cell."""
    fleet = simulate_fleet(**FLEET, seed=seed)
    fate = fleet.cells.set_index("Cell ID")["fate"]
    frames = TargetFrames(canonical_table(fleet.readings).frame)
    rows = []
    for target in TARGETS:
        started = time.perf_counter()
        forecaster = CellForecaster(steps, LEVELS, random_state=seed, threads=1).fit(frames.tidy(target))
        tests = forecaster.backtest()
        seconds = time.perf_counter() - started
        for cell, test in tests.items():
            scores = test.scores
            if test.table.empty:
                continue
            rows.append(
                {
                    "seed": seed,
                    "target": target,
                    "cell": cell,
                    "healthy": fate[cell] == "healthy",
                    "method": test.method,
                    "mase": scores.mase,
                    "naive_mase": scores.naive_mase,
                    "skill": scores.skill,
                    "coverage": scores.coverage,
                    "seconds": seconds,
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=24)
    options = parser.parse_args()
    table = pd.concat([run_seed(seed, options.steps) for seed in range(options.seeds)], ignore_index=True)
    grouped = table.groupby("target", sort=False)
    summary = grouped[["mase", "naive_mase", "skill", "coverage", "seconds"]].median()
    summary["mean_coverage"] = grouped["coverage"].mean()
    summary["mase<1"] = grouped["mase"].apply(lambda values: float(np.mean(values < 1)))
    summary["healthy_mase"] = table[table["healthy"]].groupby("target")["mase"].median()
    summary["faulty_mase"] = table[~table["healthy"]].groupby("target")["mase"].median()
    summary["model_used"] = grouped["method"].apply(lambda names: float(np.mean(names == "model")))
    print(f"{FLEET}, {options.seeds} seeds, {options.steps} steps; medians over cells")
    print(summary.round(3).to_string())
    print("\nMedian MASE per seed")
    print(
        table.pivot_table(index="target", columns="seed", values="mase", aggfunc="median")
        .round(3)
        .to_string()
    )


if __name__ == "__main__":
    main()
