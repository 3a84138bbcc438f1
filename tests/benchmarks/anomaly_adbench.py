"""How HybridDetector ranks anomalies of public tables: `uv run python tests/benchmarks/anomaly_adbench.py FOLDER`.

FOLDER holds ADBench sets (Han et al. 2022; `.npz` with `X`, and `y` = 1 for anomalies; not part of this
repository). Two protocols (Livernoche et al. 2024): "normals" trains on a random half of the normal rows and
scores the other half and all anomalies; "unsupervised" trains on all rows and scores them. Beside it, on the same
split: the mean distance to five nearest neighbours of standardised columns, scikit-learn's IsolationForest, and
the minimum covariance determinant. One configuration for all sets; mean over the seeds. `flagged` is the share of
the scored normal rows that `predict` flags when asked for 1 % false alarms. With `--published FOLDER` of result
tables (one line per set, one column per detector, percent, deviation in brackets) their figures for the same sets
are printed as well; they upsample sets of fewer than 1,000 rows.
"""

import argparse
import re
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from bms_anomaly import HybridDetector
from sklearn.covariance import MinCovDet
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

NEIGHBOURS = 5
FALSE_ALARM_RATE = 0.01
# As ADBench does it: larger sets are cut to this many rows.
MOST_ROWS = 50_000
PROTOCOLS = {"normals": "semi", "unsupervised": "unsup"}


def split(
    x: np.ndarray, y: np.ndarray, protocol: str, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows to train on, rows to score and the truth of the latter."""
    if protocol == "unsupervised":
        return x, x, y
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(y == 0))
    half = len(normal) // 2
    scored = np.r_[normal[half:], np.flatnonzero(y == 1)]
    return x[normal[:half]], x[scored], y[scored]


def nearest(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the mean distance to the five nearest training rows; a row is no neighbour of itself."""
    scaler = StandardScaler().fit(train)
    found = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(scaler.transform(train))
    rows = None if test is train else scaler.transform(test)
    return found.kneighbors(rows)[0].mean(axis=1)


def scores(train: np.ndarray, test: np.ndarray, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray, float]:
    """Return each detector's scores, the hybrid's verdicts and the seconds it took."""
    started = time.perf_counter()
    hybrid = HybridDetector(false_alarm_rate=FALSE_ALARM_RATE, random_state=seed).fit(train)
    ours = hybrid.score_samples(test)
    seconds = time.perf_counter() - started
    scaler = StandardScaler().fit(train)
    found = {
        "hybrid": ours,
        "nearest": nearest(train, test),
        "forest": -IsolationForest(random_state=seed).fit(train).score_samples(test),
        "mcd": MinCovDet(random_state=seed).fit(scaler.transform(train)).mahalanobis(scaler.transform(test)),
    }
    return found, ours > hybrid.threshold_, seconds


def measure(path: Path, protocol: str, seed: int) -> list[dict]:
    """Return one line per detector for a set, a protocol and a seed."""
    with np.load(path, allow_pickle=False) as stored:
        x, y = stored["X"].astype(float), stored["y"].astype(int)
    if len(x) > MOST_ROWS:
        chosen = np.random.default_rng(seed).permutation(len(x))[:MOST_ROWS]
        x, y = x[chosen], y[chosen]
    train, test, truth = split(x, y, protocol, seed)
    found, flagged, seconds = scores(train, test, seed)
    told = {"flagged": 100 * flagged[truth == 0].mean(), "seconds": seconds}
    return [
        {
            "set": path.stem.split("_", 1)[-1].lower(),
            "protocol": protocol,
            "detector": name,
            "auroc": 100 * roc_auc_score(truth, score),
            "aupr": 100 * average_precision_score(truth, score),
            **(told if name == "hybrid" else {}),
        }
        for name, score in found.items()
    ]


def published(folder: Path, protocol: str, metric: str, sets: pd.Index) -> pd.DataFrame:
    """Return the published figures of the sets, one column per detector."""
    (path,) = folder.glob(f"*_{PROTOCOLS[protocol]}_{metric}.csv")
    table = pd.read_csv(path, index_col=0).map(lambda text: float(re.sub(r"\(.*", "", str(text))))
    return table.set_axis(table.index.str.lower()).reindex(sets)


def main() -> None:
    """Print, per protocol, AUROC and AUPR of every set and their means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of .npz files")
    parser.add_argument("--published", type=Path, help="folder of published result tables")
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    warnings.filterwarnings(
        "ignore", module="sklearn.covariance"
    )  # the baseline's determinants on grids of values
    paths = sorted(asked.folder.glob("*.npz"))
    if not paths:
        parser.error(f"there is no .npz file in {asked.folder}")
    for protocol in PROTOCOLS:
        lines = [
            line for path in paths for seed in range(asked.seeds) for line in measure(path, protocol, seed)
        ]
        table = pd.DataFrame(lines).groupby(["set", "detector"]).mean(numeric_only=True)
        for metric, name in (("auroc", "aucroc"), ("aupr", "aucpr")):
            shown = table[metric].unstack()  # noqa: PD010 (a Series has no pivot)
            if metric == "auroc":
                shown = shown.join(table.xs("hybrid", level="detector")[["flagged", "seconds"]])
            if asked.published:
                theirs = published(asked.published, protocol, name, shown.index)
                best = theirs.mean().nlargest(3).index
                shown = shown.join(
                    theirs[list(dict.fromkeys([*best, "kNN", "MCD", "IForest"]))].add_prefix("pub ")
                )
            print(f"\n{metric.upper()}, {protocol}, {asked.seeds} seeds")
            print(pd.concat([shown, shown.mean().rename("mean").to_frame().T]).round(1).to_string())


if __name__ == "__main__":
    main()
