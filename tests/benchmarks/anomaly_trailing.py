"""How much the trailing score sees without hindsight: `uv run python tests/benchmarks/anomaly_trailing.py [seeds]`.

Fleets of 48 cells (2 strings of 24), 30 days, hourly, scored by a detector that was fitted on another fleet. From
the fourth day on, every fourth hour the newest reading of every cell is given its trailing score; beside it the
score that the same row has in the whole file, and the largest robust z against the string at that moment (the
baseline, which flags as many normal rows as the trailing score). False alarms are normal rows with `anomaly` 1, per
1,000. A planted fault is seen at the first of these moments that finds its cell flagged, a death before the cell is
dead; the delay is that moment less the start, and what is left then lasts to the fault's end or the death. Faults
that none of the moments falls into are left out.
"""

import sys

import numpy as np
import pandas as pd
from anomaly_fleet import average_precision, baseline_score
from bms_anomaly.features import fleet_features
from bms_anomaly.scoring import FleetDetector, fit_detector, has_reading, score_frame
from bms_anomaly.trailing import trailing_scores
from bms_generate.simulate import SimulatedFleet, row_truth, simulate_fleet
from bms_schema.data.metrics import auroc
from bms_schema.data.table import canonical_table

SEEDS = (41, 42, 43)
TRAINING_SEED = 1000  # the seed of the fleet fitted on is so much larger
WARM_UP, EVERY_H = pd.Timedelta("72h"), 4
PROMPT_H = 24.0
SCORES = ("trailing", "retrospective", "baseline")


def simulated(seed: int) -> tuple[SimulatedFleet, pd.DataFrame]:
    """Return a fleet and its canonical frame."""
    fleet = simulate_fleet(n_strings=2, cells_per_string=24, days=30, interval_minutes=60, seed=seed)
    return fleet, canonical_table(fleet.readings).frame


def asked_rows(frame: pd.DataFrame, detector: FleetDetector) -> pd.DataFrame:
    """Return the trailing scores of every cell at every asked moment, indexed as the frame."""
    moments = np.sort(frame["Timestamp"].unique())
    asked = moments[moments >= moments[0] + WARM_UP][::EVERY_H]
    return pd.concat([trailing_scores(frame[frame["Timestamp"] <= moment], detector) for moment in asked])


def beside_others(fleet: SimulatedFleet, trailing: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """Return cell, time and truth of the asked rows with a reading, and their value and flag by each score."""
    asked = whole.loc[trailing.index]
    rows = asked[["Cell ID", "Timestamp"]].assign(truth=row_truth(fleet).to_numpy()[trailing.index])
    rows["trailing"], rows["trailing_flag"] = trailing["trailing_score"], trailing["anomaly"] == 1
    rows["retrospective"], rows["retrospective_flag"] = asked["anomaly_score"], asked["anomaly"] == 1
    rows["baseline"] = baseline_score(whole)[trailing.index]
    rows = rows[has_reading(asked)].reset_index(drop=True)
    normal = ~rows["truth"]
    allowed = rows.loc[normal, "trailing_flag"].mean()
    rows["baseline_flag"] = rows["baseline"] > rows.loc[normal, "baseline"].quantile(1.0 - allowed)
    return rows


def figures(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how well each score tells the rows of faults, one row per score."""
    truth = rows["truth"].to_numpy()
    table = [
        {
            "score": name,
            "auroc": auroc(truth, rows[name].to_numpy()),
            "ap": average_precision(truth, rows[name].to_numpy()),
            "false_per_1000": 1000 * rows.loc[~truth, f"{name}_flag"].mean(),
            "recall": rows.loc[truth, f"{name}_flag"].mean(),
        }
        for name in SCORES
    ]
    return pd.DataFrame(table)


def delays(rows: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return score, kind, delay and time left [h] of every planted fault, NaN where it is not seen."""
    last = truth["death"].where(truth["onset_of_precursor"].notna(), truth["end"])
    pairs = truth.assign(last=last).reset_index().merge(rows, on="Cell ID")
    pairs = pairs[pairs["Timestamp"].between(pairs["start"], pairs["last"])]
    hours = (pairs["Timestamp"] - pairs["start"]) / pd.Timedelta("1h")
    pairs["whole_h"] = (pairs["last"] - pairs["start"]) / pd.Timedelta("1h")
    seen = [
        pairs.assign(score=name, delay_h=hours.where(pairs[f"{name}_flag"]))
        .groupby(["score", "kind", "index", "whole_h"], as_index=False)["delay_h"]
        .min()
        for name in SCORES
    ]
    table = pd.concat(seen)
    return table.assign(left_h=table["whole_h"] - table["delay_h"])


def measure(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the `figures` and the `delays` of one fleet."""
    _, other = simulated(seed + TRAINING_SEED)
    detector = fit_detector(other, fleet_features(other))
    fleet, frame = simulated(seed)
    rows = beside_others(fleet, asked_rows(frame, detector), score_frame(frame, detector))
    return figures(rows).assign(seed=seed), delays(rows, fleet.truth)


def main() -> None:
    """Print the figures per seed, and for all and per kind of fault what is seen, and when."""
    seeds = [int(text) for text in sys.argv[1:]] or list(SEEDS)
    per_seed, seen = (pd.concat(tables) for tables in zip(*map(measure, seeds), strict=True))
    print(per_seed.set_index(["score", "seed"]).round(3).to_string())
    seen["prompt"] = seen["delay_h"] <= PROMPT_H
    for by in (["score"], ["kind", "score"]):
        table = seen.groupby(by).agg(
            faults=("delay_h", "size"),
            seen_in_24_h=("prompt", "mean"),
            seen=("delay_h", lambda delay: delay.notna().mean()),
            median_delay_h=("delay_h", "median"),
            median_left_h=("left_h", "median"),
        )
        print(f"\n{table.round(2).to_string()}")


if __name__ == "__main__":
    main()
