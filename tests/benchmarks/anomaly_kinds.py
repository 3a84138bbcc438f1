"""Whether events are called what they are: `uv run python tests/benchmarks/anomaly_kinds.py [seeds]`.

Fleets of 96 cells (4 strings of 24), 30 days, hourly, as in anomaly_fleet.py; the rules were written on seeds 0-9.
Of every event that the default call reports, the kind is set against that of the planted fault which it
overlaps longest; deaths are "failing". Reported events that overlap none are counted as "none".
"""

import sys

import pandas as pd
from bms_anomaly.features import fleet_features
from bms_anomaly.kind_rules import CELL_KINDS
from bms_anomaly.scoring import fit_detector, score_fleet
from bms_generate.simulate import simulate_fleet
from bms_schema.data.table import canonical_table

DEFAULT_SEEDS = (31, 32, 33)
NONE = "none"


def true_kind(event: pd.Series, truth: pd.DataFrame) -> str:
    """Return the kind of the planted fault that the event overlaps longest, "none" if it overlaps none."""
    same = truth[
        (truth["Cell ID"] == event["Cell ID"])
        & (truth["start"] <= event["end"])
        & (truth["end"] >= event["start"])
    ]
    if same.empty:
        return NONE
    overlap = same["end"].clip(upper=event["end"]) - same["start"].clip(lower=event["start"])
    kind = str(same.loc[overlap.idxmax(), "kind"])
    return "failing" if kind.startswith("death") else kind


def named_events(seed: int) -> pd.DataFrame:
    """Return the events of one fleet with the kind that was planted in `planted`."""
    fleet = simulate_fleet(n_strings=4, cells_per_string=24, days=30, interval_minutes=60, seed=seed)
    frame = canonical_table(fleet.readings).frame
    features = fleet_features(frame)
    events = score_fleet(frame, features, fit_detector(frame, features, seed=0)).events
    return events.assign(planted=[true_kind(event, fleet.truth) for _, event in events.iterrows()], seed=seed)


def main() -> None:
    """Print the confusion matrix and the share of events named right."""
    seeds = [int(text) for text in sys.argv[1:]] or list(DEFAULT_SEEDS)
    events = pd.concat([named_events(seed) for seed in seeds], ignore_index=True)
    print(pd.crosstab(events["planted"], events["kind"]).to_string())
    real = events[events["planted"] != NONE]
    right = real["kind"] == real["planted"]
    of_cell = real["planted"].isin(CELL_KINDS)
    print(f"\n{right.mean():.1%} of {len(real)} events on planted faults named right")
    print(
        f"{(of_cell == (real['about'] == 'cell')).mean():.1%} put down rightly to the cell or to its sensor"
    )
    wrong = real.loc[~right, ["seed", "Cell ID", "planted", "kind", "evidence"]]
    print(wrong.to_string(index=False) if len(wrong) else "none wrong")


if __name__ == "__main__":
    main()
