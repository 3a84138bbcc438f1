"""How fast the full tool is: `uv run python tests/benchmarks/preprocess_throughput.py [--rows 1000000]`.

The tool (reading, cleaning, features, imputation, scaling, report, SDV folder, model, hashes) with CSV and with
Parquet in and out; beside it the same steps in plain pandas and scikit-learn with `to_csv`, and pandas reading and
writing the input once (the floor). Each in a process of its own, one after the other, imports included.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from measured_process import Cost, installed_environment, run_measured
from preprocess_fleet_file import fleet_file

MEASURED = [
    "CellVoltage",
    "CellTemperature",
    "InstantaneousCurrent",
    "AmbientTemperature",
    "CellSpecificGravity",
    "StateOfCharge",
]
SIGNALS = ("CellVoltage", "CellTemperature", "CellSpecificGravity")
NO_ANSWER = [65.535, 65535.0, 59.749, 32767.0, -32768.0]
RANGES = {"CellVoltage": (-0.5, 3.0), "CellTemperature": (-40, 100), "CellSpecificGravity": (1.0, 1.4)}
WINDOWS = ("1h", "24h")
FORCE_DASK = "BENCHMARK_FORCE_DASK"
WARM_UP_ROWS = 10_000
DEVIATION_WINDOWS = ("1D", "7D", "30D", "90D")


def tool(path: Path, folder: Path) -> None:
    """Run the full tool on a file; print what took how long."""
    os.environ |= {"BMS_HOME": str(folder), "BMS_DATA_ROOTS": str(path.parent)}
    from bms_preprocess import whole_table
    from bms_preprocess.tools import preprocess_battery_data_tool
    from bms_schema.run.jobs import execute
    from bms_schema.run.run_folder import Run

    if FORCE_DASK in os.environ:
        whole_table.rows_in_memory = lambda: 0
    told: list[tuple[float, str]] = []
    run = Run("bms-preprocess", "preprocess_battery_data_tool", {})
    run.report = lambda done, total, message: told.append((time.perf_counter(), message or ""))
    suffix = path.suffix.removeprefix(".")
    envelope, _ = execute(lambda run: preprocess_battery_data_tool(run, str(path), output_format=suffix), run)
    told.append((time.perf_counter(), "end"))
    if envelope.status == "error":
        sys.exit(envelope.message)
    spent: dict[str, float] = {}
    for (start, message), (end, _) in pairwise(told):
        step = re.sub(r"^[\d,]+( of [\d,]+)? ", "", message)
        spent[step] = spent.get(step, 0.0) + end - start
    print(json.dumps(spent))


def plain(path: Path, folder: Path) -> None:
    """Do the same steps as one would write them down: grouped lags and rolling windows, all rows fitted on."""
    import numpy as np
    import pandas as pd
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer
    from sklearn.preprocessing import RobustScaler

    frame = pd.read_csv(path, parse_dates=["Timestamp"])
    frame[MEASURED] = frame[MEASURED].replace(NO_ANSWER, np.nan)
    for name, (low, high) in RANGES.items():
        frame[name] = frame[name].where(frame[name].between(low, high))
    frame = frame.sort_values(["Cell ID", "Timestamp"], ignore_index=True)
    cleaned = frame.copy()
    cells, moments = frame.groupby("Cell ID"), frame.groupby(["string", "Timestamp"])
    rise_c = frame["CellTemperature"] - frame["AmbientTemperature"]
    new = {"power": frame["CellVoltage"] * frame["InstantaneousCurrent"], "rise": rise_c}
    for name in SIGNALS:
        deviation = frame[name] - moments[name].transform("median")
        spread = deviation.abs().groupby([frame["string"], frame["Timestamp"]]).transform("median")
        new[f"{name}_deviation"], new[f"{name}_z"] = deviation, deviation / (1.4826 * spread).clip(lower=1e-3)
        for lag in (1, 2, 3):
            new[f"{name}_lag{lag}"] = cells[name].shift(lag)
        new[f"{name}_diff"] = frame[name] - new[f"{name}_lag1"]
        for values, windows in ((frame[name], WINDOWS), (deviation, DEVIATION_WINDOWS)):
            by_cell = values.set_axis(frame["Timestamp"]).groupby(frame["Cell ID"].to_numpy())
            for window in windows:
                rolling = by_cell.rolling(window)
                new[f"{values.name}_{window}_mean"] = rolling.mean().to_numpy()
                new[f"{values.name}_{window}_std"] = rolling.std().to_numpy()
    features = frame.assign(**new)
    imputed = frame.copy()
    imputed[MEASURED] = IterativeImputer(max_iter=5, random_state=0).fit_transform(frame[MEASURED])
    numbers = [*MEASURED, *new]
    filled = features.assign(**imputed[MEASURED])[numbers]
    scaled = frame[["Cell ID", "string", "Timestamp"]].copy()
    scaled[numbers] = RobustScaler().fit_transform(filled.fillna(filled.mean()))
    for name, table in (
        ("cleaned", cleaned),
        ("features", features),
        ("imputed", imputed),
        ("scaled", scaled),
    ):
        table.to_csv(folder / f"{name}.csv", index=False)


def floor(path: Path, folder: Path) -> None:
    """Let pandas read and write the file once."""
    import pandas as pd

    text = path.suffix == ".csv"
    write(pd.read_csv(path, parse_dates=["Timestamp"]) if text else pd.read_parquet(path), folder / path.name)


def write(table, path: Path) -> None:
    """Write a table as pandas does."""
    table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path, index=False)


PARTS = {"tool": tool, "plain": plain, "floor": floor}


def measure(part: str, path: Path) -> Cost:
    """Run one part in a process of its own."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = [sys.executable, __file__, "--part", part, "--file", str(path), "--folder", folder]
        return run_measured(command, installed_environment(path.parent), path.parent / "benchmark.log")


def main() -> None:
    """Print seconds, rows per second, CPU seconds and memory of each part, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "bms-benchmark")
    parser.add_argument("--part", choices=PARTS, help="run one part here (used by the benchmark itself)")
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    if given.part:
        PARTS[given.part](given.file, given.folder)
        return
    measure("tool", fleet_file(given.folder, WARM_UP_ROWS, ".csv"))  # compiles what is imported
    files = {form: fleet_file(given.folder, given.rows, f".{form}") for form in ("csv", "parquet")}
    parts = {
        "tool, CSV": ("tool", "csv"),
        "tool, Parquet": ("tool", "parquet"),
        "plain, CSV": ("plain", "csv"),
        "floor, CSV": ("floor", "csv"),
        "floor, Parquet": ("floor", "parquet"),
    }
    costs = {label: measure(part, files[form]) for label, (part, form) in parts.items()}
    print(f"{given.rows:,} rows, {files['csv'].stat().st_size / 1e6:,.0f} MB as CSV")
    print(f"{'':16}{'wall s':>8}{'CPU s':>8}{'rows/s':>10}{'GiB':>7}{'plain is':>10}{'floors':>8}")
    for label, cost in costs.items():
        slower = costs["plain, CSV"].wall_s / cost.wall_s
        floors = cost.wall_s / costs[f"floor, {label.split(', ')[1]}"].wall_s
        print(
            f"{label:16}{cost.wall_s:8.1f}{cost.cpu_s:8.1f}{given.rows / cost.wall_s:10,.0f}"
            f"{cost.peak_bytes / 2**30:7.2f}{slower:9.1f}x{floors:8.1f}"
        )
    for label in ("tool, CSV", "tool, Parquet"):
        print(f"\n{label}, seconds after each message:")
        for step, seconds in json.loads(costs[label].output).items():
            print(f"  {seconds:6.1f}  {step[:90]}")


if __name__ == "__main__":
    main()
