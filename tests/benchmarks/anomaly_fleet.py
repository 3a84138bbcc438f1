"""How well detect_anomalies finds planted faults: `uv run python tests/benchmarks/anomaly_fleet.py [seeds]`.

Fleets of 96 cells (4 strings of 24), 30 days, hourly. Rows whose cell gave no answer are left out. The
baseline is the largest robust z of voltage, temperature and gravity against the string at the same moment. For a
kind of fault, its rows stand against all normal rows. An event counts as found if a reported event of the
same cell overlaps it; a reported event that overlaps none is false. Thresholds were chosen
on seeds 0-5, with an eye on 11-13.
"""

import sys
import time

import numpy as np
import pandas as pd
from bms_anomaly.features import fleet_features
from bms_anomaly.scoring import fit_detector, has_reading, score_fleet
from bms_generate.simulate import SimulatedFleet, row_truth, simulate_fleet
from bms_schema.data.features import string_deviation
from bms_schema.data.metrics import auroc
from bms_schema.data.moments import moment_codes
from bms_schema.data.table import canonical_table

DAYS = 30
DEFAULT_SEEDS = (21, 22, 23)
SIGMA_FLOORS = {"CellVoltage": 0.002, "CellTemperature": 0.2, "CellSpecificGravity": 0.001}


def baseline_score(frame: pd.DataFrame) -> np.ndarray:
    """Return the largest |robust z| over the three signals, shape (n,)."""
    moments = moment_codes(frame)
    z = [
        np.abs(string_deviation(frame[c].to_numpy(), moments, floor)[1]) for c, floor in SIGMA_FLOORS.items()
    ]
    return np.nan_to_num(np.fmax.reduce(z))


def average_precision(truth: np.ndarray, score: np.ndarray) -> float:
    """Return the average precision; NaN without positives."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(truth, score)) if truth.any() else float("nan")


def kinds_of_rows(readings: pd.DataFrame, truth: pd.DataFrame) -> np.ndarray:
    """Return the kind of the planted event each row lies in, "" for none, shape (n,)."""
    kinds = np.full(len(readings), "", dtype=object)
    for event in truth.itertuples(index=False):
        cell = readings["Cell ID"] == event[0]
        kinds[cell & readings["Timestamp"].between(event.start, event.end)] = event.kind
    return kinds


def match_events(found: pd.DataFrame, truth: pd.DataFrame) -> tuple[pd.Series, int]:
    """Return whether each planted event was found, and how many reported events overlap none."""
    pairs = truth.reset_index().merge(found, on="Cell ID", suffixes=("", "_found"))
    overlap = pairs[(pairs["start_found"] <= pairs["end"]) & (pairs["end_found"] >= pairs["start"])]
    reported = overlap[["Cell ID", "start_found"]].drop_duplicates()
    return truth.index.to_series().isin(overlap["index"]), len(found) - len(reported)


def measure(seed: int) -> pd.DataFrame:
    """Return the figures of one fleet, one row per kind of fault and one for all."""
    fleet: SimulatedFleet = simulate_fleet(
        n_strings=4, cells_per_string=24, days=DAYS, interval_minutes=60, seed=seed
    )
    frame = canonical_table(fleet.readings).frame
    started = time.perf_counter()
    features = fleet_features(frame)
    scores = score_fleet(frame, features, fit_detector(frame, features, seed=0))
    seconds = time.perf_counter() - started
    known, truth = has_reading(frame), row_truth(fleet).to_numpy()
    kinds, flagged = kinds_of_rows(fleet.readings, fleet.truth), scores.rows["anomaly"].to_numpy() == 1
    ours, base = scores.rows["anomaly_score"].to_numpy(), baseline_score(frame)
    found, false = match_events(scores.events, fleet.truth)
    table = []
    for kind in ["all", *sorted(fleet.truth["kind"].unique())]:
        chosen = truth if kind == "all" else truth & (kinds == kind)
        judged = known & (chosen | ~truth)
        table.append(
            {
                "kind": kind,
                "rows": int((known & chosen).sum()),
                "auroc": auroc(chosen[judged], ours[judged]),
                "auroc_base": auroc(chosen[judged], base[judged]),
                "ap": average_precision(chosen[judged], ours[judged]),
                "ap_base": average_precision(chosen[judged], base[judged]),
                "precision": truth[known & flagged].mean() if kind == "all" else np.nan,
                "recall": flagged[known & chosen].mean(),
                "events_found": found[(fleet.truth["kind"] == kind) | (kind == "all")].mean(),
                "false_per_1000_cell_days": false / (frame["Cell ID"].nunique() * DAYS) * 1000
                if kind == "all"
                else np.nan,
                "seconds": seconds if kind == "all" else np.nan,
            }
        )
    return pd.DataFrame(table).assign(seed=seed)


def main() -> None:
    """Print the figures per seed (all kinds together) and the medians over the seeds per kind."""
    seeds = [int(text) for text in sys.argv[1:]] or list(DEFAULT_SEEDS)
    figures = pd.concat([measure(seed) for seed in seeds], ignore_index=True)
    print(figures[figures["kind"] == "all"].set_index("seed").drop(columns="kind").round(3).to_string())
    print(f"\nMedians over seeds {', '.join(map(str, seeds))}:")
    print(figures.drop(columns="seed").groupby("kind").median().round(3).to_string())


if __name__ == "__main__":
    main()
