"""How the full tool grows: `uv run python tests/benchmarks/preprocess_scale.py [--rows 1000000 10000000 20000000]`.

For each size the tool as a user gets it (in memory while it fits the budget, then Dask), then Dask with one and
with two workers: wall and CPU seconds, per row, and the largest sum of the memory of all its processes. Parquet in
and out by default; CSV tables of 20 million rows take 70 GB of disk.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from measured_process import Cost, installed_environment, run_measured
from preprocess_fleet_file import fleet_file

TOOL = Path(__file__).with_name("preprocess_throughput.py")
WARM_UP_ROWS = 10_000


def measure(path: Path, settings: dict[str, str]) -> Cost:
    """Run the tool on a file in a process of its own, with settings of the environment."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = [sys.executable, str(TOOL), "--part", "tool", "--file", str(path), "--folder", folder]
        return run_measured(
            command, installed_environment(path.parent) | settings, path.parent / "benchmark.log"
        )


def main() -> None:
    """Print a line per size and engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000, 20_000_000])
    parser.add_argument("--format", choices=["csv", "parquet"], default="parquet")
    parser.add_argument(
        "--budget", default="", help="BMS_MEMORY_BUDGET of the runs; empty leaves the default"
    )
    parser.add_argument(
        "--dask-budget", default="4GiB", help="of the runs that are to go to Dask at any size"
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "bms-benchmark")
    parser.add_argument("--messages", action="store_true", help="show where the time goes")
    given = parser.parse_args()
    measure(fleet_file(given.folder, WARM_UP_ROWS, ".parquet"), {})
    print(f"{'rows':>12} {'engine':24}{'wall s':>9}{'CPU s':>9}{'µs/row':>9}{'peak GiB':>10}")
    for rows in given.rows:
        path = fleet_file(given.folder, rows, f".{given.format}")
        on_dask = {"BMS_MEMORY_BUDGET": given.dask_budget, "BENCHMARK_FORCE_DASK": "1"}
        runs = {
            "as a user gets it": {"BMS_MEMORY_BUDGET": given.budget},
            "Dask, 1 worker": on_dask | {"BMS_THREADS": "1"},
            "Dask, 2 workers": on_dask | {"BMS_THREADS": "2"},
        }
        for label, settings in runs.items():
            cost = measure(path, settings)
            print(
                f"{rows:12,} {label:24}{cost.wall_s:9.1f}{cost.cpu_s:9.1f}{cost.wall_s / rows * 1e6:9.1f}"
                f"{cost.peak_bytes / 2**30:10.2f}",
                flush=True,
            )
            if given.messages:
                for message, seconds in json.loads(cost.output).items():
                    print(f"{seconds:24.1f} s after '{message[:80]}'")


if __name__ == "__main__":
    main()
