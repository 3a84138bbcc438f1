"""What HybridDetector costs beside IsolationForest: `uv run python tests/benchmarks/anomaly_speed.py`.

Rows of 20 correlated columns with 1 % far out; fit and score by each detector, in turn, each in a process of its
own; medians. Growth to more rows and the peak memory (which includes the rows themselves, 0.15 GiB per million,
and the libraries) tell whether it stays linear.
"""

import argparse
import multiprocessing
import resource
import time

import numpy as np
import pandas as pd

COLUMNS = 20


def rows(count: int, seed: int) -> np.ndarray:
    """Return correlated rows, one in a hundred far out, shape (count, 20)."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, COLUMNS)) @ (
        np.eye(COLUMNS) + 0.3 * rng.standard_normal((COLUMNS, COLUMNS))
    )
    x[rng.permutation(count)[: count // 100]] *= 4.0
    return x


def run(detector: str, count: int, seed: int, answer: "multiprocessing.Queue[tuple[float, float]]") -> None:
    """Fit and score; put (seconds, peak memory in GiB)."""
    x = rows(count, seed)
    if detector == "forest":
        from sklearn.ensemble import IsolationForest as Detector
    else:
        from bms_anomaly import HybridDetector as Detector
    Detector(random_state=seed).fit(x[:100]).score_samples(x[:100])  # loads the libraries
    started = time.perf_counter()
    Detector(random_state=seed).fit(x).score_samples(x)
    seconds = time.perf_counter() - started
    answer.put((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20))


def measure(detector: str, count: int, seed: int) -> tuple[float, float]:
    """Return seconds and peak memory of one run in a process of its own."""
    context = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[tuple[float, float]] = context.Queue()
    process = context.Process(target=run, args=(detector, count, seed, answer))
    process.start()
    found = answer.get()
    process.join()
    return found


def main() -> None:
    """Print seconds, their ratio and peak memory per number of rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 5_000_000])
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    lines = []
    for count in asked.rows:
        found = {name: [] for name in ("forest", "hybrid")}
        for seed in range(asked.runs):
            for name, of_runs in found.items():
                of_runs.append(measure(name, count, seed))
        medians = {name: np.median(of_runs, axis=0) for name, of_runs in found.items()}
        lines.append(
            {
                "rows": count,
                "forest_s": medians["forest"][0],
                "hybrid_s": medians["hybrid"][0],
                "times_forest": medians["hybrid"][0] / medians["forest"][0],
                "hybrid_us_per_row": 1e6 * medians["hybrid"][0] / count,
                "forest_gib": medians["forest"][1],
                "hybrid_gib": medians["hybrid"][1],
            }
        )
    print(pd.DataFrame(lines).round(2).to_string(index=False))


if __name__ == "__main__":
    main()
