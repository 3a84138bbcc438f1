"""What forecasting costs: `uv run python tests/benchmarks/forecast_speed.py [--only cell|fleet]`.

One cell: 10,000 hourly readings of 7 targets, 24 steps; per target fit, backtest and forecast by `CellForecaster`,
beside a recursive XGBoost of 500 trees per target, one fit and 24 predictions fed back, without backtest or
intervals; once with 27 lags, once with every hour of a week, which is as far as `CellForecaster` looks back at the
least. All on one thread, each run in a process of its own, libraries loaded before; medians of the runs. The share
is CellForecaster's processor time over the row's.

A fleet: 1,000 cells (40 strings x 25), 5 targets, 720 hours, through `forecast_fleet_table`: one model per target
trained, all cells tested and forecast; threads as `BMS_THREADS` or the cores allow. Reading the file is left out.
Memory is the process's largest resident size, with the readings and the libraries.
"""

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from bms_generate.simulate import simulate_fleet
from bms_schema.data.columns import (
    AMBIENT,
    CELL_ID,
    CURRENT,
    GRAVITY,
    SOC,
    STRING_VOLTAGE,
    TEMPERATURE,
    TIMESTAMP,
    VOLTAGE,
)
from bms_schema.data.table import canonical_table

TARGETS = (VOLTAGE, TEMPERATURE, CURRENT, AMBIENT, GRAVITY, SOC, STRING_VOLTAGE)
POINTS, STEPS = 10_000, 24
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
FEW_LAGS, WEEK_OF_LAGS = (*range(1, 25), 48, 72, 168), tuple(range(1, 169))
TREES = 500
# Read by a new process as its libraries load: their own threads would spin beside ours.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
FLEET = {"n_strings": 40, "cells_per_string": 25, "days": 30, "interval_minutes": 60}
FLEET_TARGETS = 5


def one_cell(seed: int) -> pd.DataFrame:
    """Return the readings of one cell of a string of 24 and the string's voltage, a row per hour."""
    string = simulate_fleet(
        n_strings=1, days=POINTS / 24, interval_minutes=60, sentinel_fraction=0.0, seed=seed
    )
    readings = string.readings
    total = readings.groupby(TIMESTAMP)[VOLTAGE].sum()
    cell = readings[readings[CELL_ID] == readings[CELL_ID].iloc[0]].set_index(TIMESTAMP)
    return cell.assign(**{STRING_VOLTAGE: total})[list(TARGETS)]


def forecast_directly(cell: pd.DataFrame, target: str) -> np.ndarray:
    """Fit, backtest and forecast as the tool does, the other targets as covariates; return the medians."""
    from bms_forecast.forecaster import CellForecaster

    tidy = cell.rename(columns={target: "y"}).rename_axis("ds").reset_index().assign(unique_id="cell")
    forecaster = CellForecaster(STEPS, LEVELS, random_state=0).fit(tidy)
    forecaster.backtest()
    return forecaster.predict()["mean"].to_numpy()


def forecast_recursively(lags: tuple[int, ...], cell: pd.DataFrame, target: str) -> np.ndarray:
    """Fit 500 trees on lags, hour and weekday one step ahead, and feed each prediction back."""
    import xgboost

    values, times = cell[target].to_numpy(dtype=float), pd.DatetimeIndex(cell.index)
    longest = max(lags)

    def row(known: np.ndarray, when: pd.Timestamp) -> list[float]:
        return [*known[-np.array(lags)], when.hour, when.dayofweek]

    rows = [values[longest - lag : len(values) - lag] for lag in lags]
    calendar = [times[longest:].hour, times[longest:].dayofweek]
    model = xgboost.XGBRegressor(n_estimators=TREES, n_jobs=1, random_state=0)
    model.fit(np.column_stack(rows + calendar), values[longest:])
    known = values
    for step in range(1, STEPS + 1):
        ahead = np.array([row(known, times[-1] + pd.Timedelta(hours=step))])
        known = np.append(known, model.predict(ahead))
    return known[-STEPS:]


METHODS: dict[str, Callable[[pd.DataFrame, str], np.ndarray]] = {
    "CellForecaster": forecast_directly,
    "recursive XGBoost, 27 lags": partial(forecast_recursively, FEW_LAGS),
    "recursive XGBoost, 168 lags": partial(forecast_recursively, WEEK_OF_LAGS),
}


def time_cell(method: str, seed: int) -> dict[str, float]:
    """Return seconds and peak memory of all targets of one cell."""
    cell, work = one_cell(seed), METHODS[method]
    work(cell.tail(400), VOLTAGE)  # loads the libraries
    started, cpu = time.perf_counter(), time.process_time()
    for target in TARGETS:
        if not np.isfinite(work(cell, target)).all():
            raise RuntimeError(f"{method} did not forecast {target}")
    return {
        "seconds": time.perf_counter() - started,
        "cpu seconds": time.process_time() - cpu,
        "peak GiB": peak_gib(),
    }


def time_fleet(seed: int) -> dict[str, float]:
    """Return seconds and peak memory of a fleet's training, testing and forecasts."""
    from bms_forecast.fleet import forecast_fleet_table

    readings = simulate_fleet(**FLEET, seed=seed).readings.drop(columns=SOC)
    table = canonical_table(readings)
    few = canonical_table(readings[readings[CELL_ID].isin(readings[CELL_ID].unique()[:2])])
    forecast_fleet_table(few, STEPS)  # loads the libraries
    before = peak_gib()
    started, cpu = time.perf_counter(), time.process_time()
    forecast = forecast_fleet_table(table, STEPS, seed=seed)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    cells = len(forecast.cells)
    if cells != FLEET["n_strings"] * FLEET["cells_per_string"] or len(forecast.targets) != FLEET_TARGETS:
        raise RuntimeError(f"{cells} cells of {len(forecast.targets)} targets were forecast")
    return {"seconds": seconds, "cpu seconds": cpu, "peak GiB": peak_gib(), "before GiB": before}


def peak_gib() -> float:
    """Return the largest resident size this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def apart(work: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """Return what a function returns in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=("cell", "fleet"))
    options = parser.parse_args()
    if options.only != "fleet":
        os.environ.update(ONE_THREAD)
        runs = [(name, apart(time_cell, name, seed)) for seed in range(options.runs) for name in METHODS]
        table = pd.DataFrame([{"method": name, **cost} for name, cost in runs]).groupby("method").median()
        table["share"] = table["cpu seconds"].loc["CellForecaster"] / table["cpu seconds"]
        print(
            f"One cell, {POINTS} points, {len(TARGETS)} targets, {STEPS} steps; medians of {options.runs} runs"
        )
        print(table.round(2).to_string())
        for name in ONE_THREAD:
            del os.environ[name]
    if options.only != "cell":
        table = pd.DataFrame([apart(time_fleet, seed) for seed in range(options.runs)])
        print(f"\n{FLEET}, {FLEET_TARGETS} targets, {STEPS} steps; a row per run")
        print(table.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
