"""Failure prediction on simulated fleets: the classifier against both baselines, out of fold, three seeds.

Run from the checkout's root: `uv run python tests/benchmarks/failure_fleet.py [--quick]`.
"""

import argparse
import time

import numpy as np
import pandas as pd
from bms_failure.evaluation import METHODS
from bms_failure.folds import fold_groups
from bms_failure.labels import cell_lives, choose_horizon
from bms_failure.model import Training, train
from bms_failure.moments import cell_moments, is_daily
from bms_generate.simulate import SimulatedFleet, simulate_fleet
from bms_schema.data.table import canonical_table

FLEETS = {
    "4×24, 30 d, 1 h": {"n_strings": 4, "cells_per_string": 24, "days": 30, "interval_minutes": 60},
    "20×24, 120 d, 6 h": {"n_strings": 20, "cells_per_string": 24, "days": 120, "interval_minutes": 360},
}
SEEDS = (0, 1, 2)
ASKED_DAYS = 30


def judge(fleet: SimulatedFleet, seed: int) -> tuple[Training, float]:
    """Train as the tool does; return the training and the seconds it took."""
    started = time.perf_counter()
    table = canonical_table(fleet.readings)
    lives = cell_lives(table.frame)
    moments = cell_moments(table.frame, table.chemistry, lives.of_row)
    daily = moments[is_daily(moments)].reset_index(drop=True)
    groups, _ = fold_groups(daily["string"].to_numpy(), daily["Cell ID"].to_numpy())
    horizon = choose_horizon(daily, groups, lives, ASKED_DAYS)
    if horizon is None:
        raise SystemExit(f"seed {seed}: the fleet has too few deaths to learn from")
    training = train(daily, groups, lives, horizon, table.chemistry.profile.name, seed)
    return training, time.perf_counter() - started


def row_of(name: str, seed: int, training: Training, seconds: float) -> dict[str, object]:
    methods = training.evidence.methods
    used = methods[training.evidence.chosen]
    lead, low, high = training.evidence.lead_over_baseline
    return {
        "fleet": name,
        "seed": seed,
        "H [d]": training.model.horizon_days,
        "deaths": training.deaths,
        **{method: f"{methods[method].auroc:.3f}" for method in METHODS},
        "lead (95 %)": f"{lead:+.3f} ({low:+.3f} to {high:+.3f})",
        "used": training.evidence.chosen,
        "AP": round(used.average_precision, 3),
        "Brier": round(used.brier, 4),
        "base": round(float(np.var(training.evidence.labels)), 4),
        "recall": round(used.events.recall, 2),
        "precision": round(used.events.precision, 2),
        "lead [d]": round(used.events.lead_days_median, 1),
        "seconds": round(seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the small fleet")
    quick = parser.parse_args().quick
    rows = []
    for name, size in list(FLEETS.items())[: 1 if quick else None]:
        for seed in SEEDS:
            training, seconds = judge(simulate_fleet(**size, seed=seed), seed)
            rows.append(row_of(name, seed, training, seconds))
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
