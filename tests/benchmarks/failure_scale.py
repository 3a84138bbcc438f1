"""How `predict_cell_failure` grows: `uv run python tests/benchmarks/failure_scale.py [--strings 10 48]`.

Simulated strings of 24 cells over 180 days, hourly (103,680 rows each): 10 are 1 million rows, 48 are 5 million.
For each size the tool as a user gets it, on CSV and on Parquet, with labels, so that it trains and judges itself;
then on Dask workers of its own. Wall and CPU seconds and the largest sum of the memory of all processes, medians of
the repeats, each run in a process of its own, imports included; last how far the risks are from the first run's.
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

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from bms_generate.simulate import simulate_string
from measured_process import Cost, installed_environment, run_measured

CELLS, DAYS, MINUTES = 24, 180, 60
FORCE_DASK = "BENCHMARK_FORCE_DASK"
ENGINES = {"in memory": {}, "Dask, 2 workers": {FORCE_DASK: "1", "BMS_THREADS": "2"}}


def fleet_files(folder: Path, strings: int) -> dict[str, Path]:
    """Return the fleet as `.csv` and `.parquet`, written string after string; kept for the next run."""
    paths = {suffix: folder / f"ageing-{strings}.{suffix}" for suffix in ("csv", "parquet")}
    if all(path.is_file() for path in paths.values()):
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    kinds = {"csv": pyarrow.csv.CSVWriter, "parquet": pq.ParquetWriter}
    drafts = {suffix: path.with_name(f".{path.name}") for suffix, path in paths.items()}
    writers: dict[str, pyarrow.csv.CSVWriter | pq.ParquetWriter] = {}
    for index in range(strings):
        readings = simulate_string(
            index, cells_per_string=CELLS, days=DAYS, interval_minutes=MINUTES, seed=5, sentinel_fraction=0.01
        ).readings
        table = pa.Table.from_pandas(readings, preserve_index=False).replace_schema_metadata(None)
        writers = writers or {suffix: kinds[suffix](draft, table.schema) for suffix, draft in drafts.items()}
        for writer in writers.values():
            writer.write_table(table)
    for suffix, writer in writers.items():
        writer.close()
        drafts[suffix].rename(paths[suffix])
    return paths


def tool(path: Path, folder: Path) -> None:
    """Run the tool on a file; print its answer and what took how long."""
    os.environ |= {"BMS_HOME": str(folder), "BMS_DATA_ROOTS": str(path.parent)}
    from bms_failure import whole_file
    from bms_failure.tools import predict_cell_failure
    from bms_schema.run.jobs import execute
    from bms_schema.run.run_folder import Run

    if FORCE_DASK in os.environ:
        whole_file.rows_in_memory = lambda: 0
    told: list[tuple[float, str]] = []
    run = Run("bms-failure", "predict_cell_failure", {})
    run.report = lambda done, total, message: told.append((time.perf_counter(), message or ""))
    envelope, _ = execute(lambda run: predict_cell_failure(run, str(path)), run)
    told.append((time.perf_counter(), "end"))
    if envelope.data is None:
        sys.exit(envelope.message)
    spent: dict[str, float] = {}
    for (start, message), (end, _) in pairwise(told):
        step = re.sub(r"[\d,]+( of [\d,]+)? ?", "", message)
        spent[step] = round(spent.get(step, 0.0) + end - start, 2)
    risks = pd.read_csv(envelope.data.risk_csv).sort_values("Cell ID")["risk"].tolist()
    print(json.dumps({"engine": envelope.data.engine, "spent": spent, "risks": risks}))


def measure(path: Path, settings: dict[str, str]) -> Cost:
    """Run the tool on a file in a process of its own, with settings of the environment."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = [sys.executable, __file__, "--file", str(path), "--into", folder]
        environment = installed_environment(path.parent) | settings
        return run_measured(command, environment, path.parent / "benchmark.log")


def main() -> None:
    """Print a line per size, format and engine."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--strings", type=int, nargs="+", default=[10, 48])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "bms-benchmark")
    parser.add_argument("--messages", action="store_true", help="show where the time goes")
    parser.add_argument("--file", type=Path, help="run the tool here (used by the benchmark itself)")
    parser.add_argument("--into", type=Path)
    given = parser.parse_args()
    if given.file:
        tool(given.file, given.into)
        return
    measure(fleet_files(given.folder, 2)["csv"], {})  # compiles what is imported
    heads = f"{'wall s':>8}{'CPU s':>8}{'µs/row':>8}{'peak GiB':>9}{'apart':>9}"
    print(f"{'rows':>10} {'format':8} {'engine':16}{heads}")
    for strings in given.strings:
        rows = strings * CELLS * DAYS * 24 * 60 // MINUTES
        first: list[float] | None = None
        for suffix, path in fleet_files(given.folder, strings).items():
            for engine, settings in ENGINES.items():
                costs = [measure(path, settings) for _ in range(given.repeats)]
                wall, cpu, peak = np.median([(c.wall_s, c.cpu_s, c.peak_bytes) for c in costs], axis=0)
                answer = json.loads(costs[-1].output)
                first = first or answer["risks"]
                apart = np.abs(np.subtract(answer["risks"], first)).max()
                print(
                    f"{rows:10,} {suffix:8} {engine:16}{wall:8.1f}{cpu:8.1f}{wall / rows * 1e6:8.1f}"
                    f"{peak / 2**30:9.2f}{apart:9.1e}",
                    flush=True,
                )
                if given.messages:
                    for step, seconds in answer["spent"].items():
                        print(f"{seconds:26.1f} s  {step[:80]}")


if __name__ == "__main__":
    main()
