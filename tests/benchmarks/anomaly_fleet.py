"""How well detect_anomalies finds planted faults: `uv run python tests/benchmarks/anomaly_fleet.py [duty] [seeds]`.

Fleets of 96 cells (4 strings of 24), 30 days, hourly, unless the duty says otherwise (`DUTIES`). Rows whose cell
gave no answer are left out. The baseline is the largest robust z of voltage, temperature and gravity against the
string at the same moment. For a kind of fault, its rows stand against all normal rows. An event counts as found if
a reported event of the same cell overlaps it; a reported event that overlaps none is false. Its start is off by the
hours between the first reported event that overlaps it and the truth. A death is flagged from the first reported
event that overlaps its precursor, at most from the precursor's onset. The false-alarm rate is the share of normal
rows flagged where 1, 2 and 5 % are asked for: on the file trained on, and on a further fleet that the model never
saw. Thresholds were chosen on seeds 0-9 of the default duty; seed 71 of `voltage_only` and `ten_minutes` was looked
at when the features of repeats and levels were mended, so these two are quoted for seeds 81 and 82. The simulator
draws float offsets from a t distribution with 4 degrees of freedom, the tails that the level feature assumes.
"""

import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from bms_anomaly.features import fleet_features
from bms_anomaly.scoring import FleetDetector, fit_detector, has_reading, score_fleet
from bms_generate.simulate import SimulatedFleet, row_truth, simulate_fleet
from bms_schema.data.features import string_deviation
from bms_schema.data.metrics import auroc
from bms_schema.data.moments import moment_codes
from bms_schema.data.table import canonical_table

DAYS = 30
DEFAULT_SEEDS = (21, 22, 23, 24, 25)
DUTIES: dict[str, dict[str, Any]] = {
    "hourly": {},
    "ten_minutes": {"interval_minutes": 10, "n_strings": 2},
    "six_hourly": {"interval_minutes": 360, "days": 120},
    "vrla": {"chemistry": "vrla"},
    "li_ion": {"chemistry": "li_ion"},
    "small_strings": {"n_strings": 12, "cells_per_string": 8},
    "silent": {"sentinel_fraction": 0.15},
    "voltage_only": {},
}
RATES = (0.01, 0.02, 0.05)
FURTHER_SEED = 1000  # a further fleet's seed is this much larger
SIGMA_FLOORS = {"CellVoltage": 0.002, "CellTemperature": 0.2, "CellSpecificGravity": 0.001}


def baseline_score(frame: pd.DataFrame) -> np.ndarray:
    """Return the largest |robust z| over the three signals, shape (n,)."""
    moments = moment_codes(frame)
    z = [
        np.abs(string_deviation(frame[c].to_numpy(), moments, floor)[1])
        for c, floor in SIGMA_FLOORS.items()
        if c in frame
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
    overlap = _overlaps(found, truth)
    reported = overlap[["Cell ID", "start_found"]].drop_duplicates()
    return truth.index.to_series().isin(overlap["index"]), len(found) - len(reported)


def hours_off(found: pd.DataFrame, truth: pd.DataFrame) -> pd.Series:
    """Return by how many hours the start of each planted event that was found is missed."""
    first = _overlaps(found, truth).groupby("index")["start_found"].min()
    return (first - truth["start"].reindex(first.index)).abs() / pd.Timedelta("1h")


def days_before_death(found: pd.DataFrame, truth: pd.DataFrame) -> pd.Series:
    """Return how many days before its death each cell with a precursor was flagged, 0 if not before."""
    heralded = truth[truth["onset_of_precursor"].notna()].assign(end=truth["death"])
    first = _overlaps(found, heralded).groupby("index")["start_found"].min().reindex(heralded.index)
    seen = np.maximum(first.fillna(heralded["death"]), heralded["onset_of_precursor"])
    return ((heralded["death"] - seen) / pd.Timedelta("1D")).clip(lower=0.0)


def _overlaps(found: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    pairs = truth.reset_index().merge(found, on="Cell ID", suffixes=("", "_found"))
    return pairs[(pairs["start_found"] <= pairs["end"]) & (pairs["end_found"] >= pairs["start"])]


def simulated(duty: str, seed: int) -> tuple[SimulatedFleet, pd.DataFrame]:
    """Return a fleet and its canonical frame."""
    size = {"n_strings": 4, "cells_per_string": 24, "days": DAYS, "interval_minutes": 60}
    fleet = simulate_fleet(**(size | DUTIES[duty]), seed=seed)
    readings = fleet.readings
    if duty == "voltage_only":
        readings = readings[["string", "Cell ID", "Timestamp", "CellVoltage"]]
    return fleet, canonical_table(readings, require=("CellVoltage",)).frame


def false_alarms(duty: str, seed: int, detector: FleetDetector) -> dict[str, float]:
    """Return the share of normal rows flagged at each asked rate."""
    fleet, frame = simulated(duty, seed)
    features = fleet_features(frame)
    normal = has_reading(frame) & ~row_truth(fleet).to_numpy()
    return {
        f"{rate:.0%}": float(
            (score_fleet(frame, features, detector, false_alarm_rate=rate).rows["anomaly"] == 1)[
                normal
            ].mean()
        )
        for rate in RATES
    }


def measure(duty: str, seed: int) -> pd.DataFrame:
    """Return the figures of one fleet, one row per kind of fault and one for all."""
    fleet, frame = simulated(duty, seed)
    started = time.perf_counter()
    features = fleet_features(frame)
    detector = fit_detector(frame, features, seed=0)
    scores = score_fleet(frame, features, detector)
    seconds = time.perf_counter() - started
    known, truth = has_reading(frame), row_truth(fleet).to_numpy()
    kinds, flagged = kinds_of_rows(fleet.readings, fleet.truth), scores.rows["anomaly"].to_numpy() == 1
    ours, base = scores.rows["anomaly_score"].to_numpy(), baseline_score(frame)
    found, false = match_events(scores.events, fleet.truth)
    off = hours_off(scores.events, fleet.truth)
    table = []
    for kind in ["all", *sorted(fleet.truth["kind"].unique())]:
        chosen = truth if kind == "all" else truth & (kinds == kind)
        judged = known & (chosen | ~truth)
        of_kind = (fleet.truth["kind"] == kind) | (kind == "all")
        table.append(
            {
                "kind": kind,
                "rows": int((known & chosen).sum()),
                "auroc": auroc(chosen[judged], ours[judged]),
                "auroc_base": auroc(chosen[judged], base[judged]),
                "ap": average_precision(chosen[judged], ours[judged]),
                "ap_base": average_precision(chosen[judged], base[judged]),
                "recall": flagged[known & chosen].mean(),
                "events_found": found[of_kind].mean(),
                "start_off_h": off.reindex(fleet.truth.index[of_kind]).median(),
            }
        )
    detector = replace(detector, healthy=scores.healthy)
    seen, unseen = (false_alarms(duty, seed + further, detector) for further in (0, FURTHER_SEED))
    cell_days = frame["Cell ID"].nunique() * (frame["Timestamp"].max() - frame["Timestamp"].min()).days
    whole = {
        "precision": truth[known & flagged].mean(),
        "false_per_1000_cell_days": 1000 * false / cell_days,
        "days_before_death": days_before_death(scores.events, fleet.truth).median(),
        **{f"flagged_at_{rate}": share for rate, share in seen.items()},
        **{f"unseen_at_{rate}": share for rate, share in unseen.items()},
        "seconds": seconds,
    }
    return pd.DataFrame(table).assign(seed=seed).join(pd.DataFrame(whole, index=[0]))


def main() -> None:
    """Print the figures per seed (all kinds together) and the means over the seeds per kind."""
    arguments = sys.argv[1:]
    duty = arguments.pop(0) if arguments and arguments[0] in DUTIES else "hourly"
    seeds = [int(text) for text in arguments] or list(DEFAULT_SEEDS)
    figures = pd.concat([measure(duty, seed) for seed in seeds], ignore_index=True)
    per_seed = figures[figures["kind"] == "all"].set_index("seed").drop(columns="kind")
    print(f"Duty {duty}, all kinds:")
    print(per_seed.T.assign(mean=per_seed.mean()).round(3).to_string())
    print("\nMeans per kind:")
    per_kind = figures.dropna(axis="columns").drop(columns="seed", errors="ignore")
    print(per_kind.groupby("kind").mean().round(3).to_string())


if __name__ == "__main__":
    main()
