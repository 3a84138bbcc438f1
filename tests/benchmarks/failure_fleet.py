"""Failure prediction on simulated fleets, out of fold by string, against the truth that only a simulator knows.

Run from the checkout's root: `uv run python tests/benchmarks/failure_fleet.py [--seeds 0 1 2] [--horizon 56]`.

Each fleet has 20 strings of 24 cells over 180 days, read every 6 hours; 5 to 15 % of the cells die, of slow,
sudden and unheralded causes. "Heralded" are slow and sudden deaths; a precursor "has begun" from its onset on.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_failure.alerts import alert_rows, budget_threshold
from bms_failure.baselines import BASELINES
from bms_failure.blocks import AT
from bms_failure.bootstrap import Clusters, auroc_draws, interval
from bms_failure.evaluation import METHODS, elevated, make_watch
from bms_failure.folds import fold_groups
from bms_failure.labels import cell_lives
from bms_failure.model import Training, train
from bms_failure.moments import cell_moments, is_daily
from bms_generate.simulate import SimulatedFleet, simulate_fleet
from bms_schema.data.metrics import auroc
from bms_schema.data.table import canonical_table

SHARES_OF_DEATHS = (0.05, 0.10, 0.15)  # by seed in turn
HERALDED = ("death_slow", "death_sudden")
TARGETS = {
    "balanced accuracy, heralded, begun": ">= 0.85",
    "balanced accuracy, last day": ">= 0.92",
    "recall of heralded deaths": ">= 0.8",
    "precision of alerts": ">= 0.5",
    "alerts / week / 1,000 cells": "<= 10",
    "median lead / precursor": ">= 0.5",
    "ECE": "<= 0.02",
    "calibration slope": "0.8-1.25",
    "Brier skill": "> 0",
    "AUROC begun, lead, low 95 %": "> 0",
    "AUROC all, lead, low 95 %": "> 0",
    "skill lead, low 95 %": "> 0",
}


@dataclass(frozen=True)
class Judged:
    """A training on one fleet and what only the simulator knows about its timeline.

    Args:
        training: From `train`.
        kind: Kind of death that the cell dies of, "" for none, shape (n,).
        begun: Whether the precursor has begun, shape (n,).
        precursor_days: Its length, NaN without, shape (n,).
        seconds: From readings to the trained model.
    """

    training: Training
    kind: np.ndarray
    begun: np.ndarray
    precursor_days: np.ndarray
    seconds: float


def fleet_of(seed: int) -> SimulatedFleet:
    """Simulate the fleet of a seed."""
    share = SHARES_OF_DEATHS[seed % len(SHARES_OF_DEATHS)]
    return simulate_fleet(
        n_strings=20, cells_per_string=24, days=180, interval_minutes=360, seed=seed, death_fraction=share
    )


def learn(fleet: SimulatedFleet, seed: int, horizon: int) -> Judged:
    """Train as the tool does."""
    started = time.perf_counter()
    table = canonical_table(fleet.readings)
    lives = cell_lives(table.frame)
    moments = cell_moments(table.frame, table.chemistry, lives.of_row)
    daily = moments[is_daily(moments)].reset_index(drop=True)
    groups, _ = fold_groups(daily["string"].to_numpy(), daily["Cell ID"].to_numpy())
    training = train(daily, groups, lives, horizon, table.chemistry.profile.name, seed)
    seconds = time.perf_counter() - started
    timeline = training.evidence.timeline
    deaths = fleet.truth[fleet.truth["kind"].str.startswith("death_")].set_index("Cell ID")
    known = deaths.reindex(timeline["Cell ID"])
    length = (known["death"] - known["onset_of_precursor"]).to_numpy() / np.timedelta64(1, "D")
    begun = timeline[AT].to_numpy() >= known["onset_of_precursor"].to_numpy()
    return Judged(training, known["kind"].fillna("").to_numpy().astype(str), begun, length, seconds)


def heralded_accuracy(judged: Judged, days: int, *, last_day: bool = False) -> float:
    """Return the balanced accuracy at a horizon: begun heralded deaths against cells that live beyond it.

    A cell-day is called at risk where its risk is twice the base rate of the other folds.

    Args:
        judged: The training and the truth.
        days: The horizon.
        last_day: Of the dying cells only their last day.
    """
    evidence = judged.training.evidence
    timeline = evidence.timeline
    ahead, watched = timeline["ahead"].to_numpy(), timeline["watched"].to_numpy()
    risk = evidence.risk_at(evidence.chosen, np.full(len(timeline), float(days)))
    followed = watched > days
    labels = np.where(followed, (ahead <= days).astype(float), np.nan)
    called = _called(labels, risk, timeline["fold"].to_numpy())
    positive = np.isin(judged.kind, HERALDED) & judged.begun & (ahead <= days)
    if last_day:
        positive &= (timeline.groupby(["Cell ID", "life"])[AT].transform("max") == timeline[AT]).to_numpy()
    return float((called[positive].mean() + (~called[labels == 0.0]).mean()) / 2)


def leads(judged: Sequence[Judged], days: int, *, begun: bool) -> dict[str, float]:
    """Return the AUROC of all methods within a fleet, mean over fleets, and how surely the classifier leads.

    Args:
        judged: One or more fleets; strings are drawn within each.
        days: The horizon.
        begun: Against cells that live on only heralded deaths whose precursor has begun. Nobody can foresee the
            others, which are most of the dying cell-days and leave the AUROC over all of them to chance.
    """
    values, draws = {name: [] for name in METHODS}, {name: [] for name in METHODS}
    for number, one in enumerate(judged):
        table = _ranked(one, days, begun)
        labels, clusters = table["label"].to_numpy(), Clusters(table["string"].to_numpy(), seed=number)
        for name in METHODS:
            values[name].append(auroc(labels, table[name]))
            draws[name].append(auroc_draws(labels, table[name].to_numpy(), clusters))
    mean = {name: np.mean(draws[name], axis=0) for name in METHODS}
    mark = "begun" if begun else "all"
    return {
        **{f"AUROC {mark}, {name}": float(np.mean(values[name])) for name in METHODS},
        f"AUROC {mark}, lead, low 95 %": min(
            interval(mean["classifier"] - mean[name])[0] for name in BASELINES
        ),
    }


def _ranked(judged: Judged, days: int, begun: bool) -> pd.DataFrame:
    """Return `string`, `label` and the risk of each method of the cell-days that count."""
    evidence = judged.training.evidence
    timeline = evidence.timeline
    ahead, watched = timeline["ahead"].to_numpy(), timeline["watched"].to_numpy()
    dying = ahead <= days
    counted = dying & np.isin(judged.kind, HERALDED) & judged.begun if begun else dying
    at = np.full(len(timeline), float(days))
    table = timeline[["string"]].assign(
        label=dying.astype(float), **{name: evidence.risk_at(name, at) for name in METHODS}
    )
    return table[(watched > days) & (counted | ~dying)]


def _called(labels: np.ndarray, risk: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Call days whose own fate is unknown by the base rate of the days whose fate is known."""
    called = np.zeros(len(labels), dtype=bool)
    for number in np.unique(fold):
        others = (fold != number) & np.isfinite(labels)
        rows = np.r_[np.flatnonzero(others), np.flatnonzero(fold == number)]
        group = np.r_[np.zeros(int(others.sum())), np.ones(int((fold == number).sum()))]
        known = np.nan_to_num(labels[rows])
        called[fold == number] = elevated(known, risk[rows], group)[group == 1]
    return called


def alert_figures(judged: Judged, days: int) -> dict[str, float]:
    """Return the figures of the alerts, each fold alerted at the threshold that the others chose."""
    evidence = judged.training.evidence
    timeline, fold = evidence.timeline, evidence.timeline["fold"].to_numpy()
    watch = make_watch(timeline, days)
    risk = evidence.risk_at(evidence.chosen, np.full(len(timeline), float(days)))
    above = np.zeros(len(risk))
    for number in np.unique(fold):
        test = fold == number
        above[test] = risk[test] >= budget_threshold(watch.part(~test), risk[~test])
    raised = alert_rows(watch, above, 1.0)
    hits = raised[watch.dying[raised]]
    first = hits[np.unique(watch.cell[hits], return_index=True)[1]]
    found = {}
    for name, kinds in {"heralded": HERALDED, "slow": HERALDED[:1], "sudden": HERALDED[1:]}.items():
        dying = np.unique(watch.cell[watch.dying & np.isin(judged.kind, kinds)])
        found[f"recall of {name} deaths"] = float(np.isin(dying, watch.cell[first]).mean())
    heralded = first[np.isin(judged.kind[first], HERALDED)]
    return {
        **found,
        # The simulator lets nobody die after the end, so that every alert can be judged.
        "precision of alerts": float(watch.dying[raised].mean()),
        "alerts / week / 1,000 cells": 1000.0 * len(raised) / watch.cell_weeks,
        "median lead / precursor": float(np.median(watch.ahead[heralded] / judged.precursor_days[heralded])),
        "median lead [d]": float(np.median(watch.ahead[heralded])),
    }


def row_of(judged: Judged, days: int) -> dict[str, object]:
    """Return all figures of one fleet."""
    evidence = judged.training.evidence
    used = evidence.methods[evidence.chosen]
    return {
        "deaths": len(np.unique(evidence.timeline["Cell ID"][np.isfinite(evidence.timeline["ahead"])])),
        "used": evidence.chosen,
        "balanced accuracy, heralded, begun": heralded_accuracy(judged, days),
        "balanced accuracy, last day": heralded_accuracy(judged, evidence.edges[0], last_day=True),
        **alert_figures(judged, days),
        "ECE": used.ece,
        "calibration slope": used.calibration_slope,
        "Brier skill": used.brier_skill,
        **leads([judged], days, begun=True),
        **leads([judged], days, begun=False),
        **{f"AP {name}": evidence.methods[name].average_precision for name in METHODS},
        "skill lead, low 95 %": evidence.judged.skill_over_baseline[1],
        "seconds": judged.seconds,
    }


def _shown(value: object) -> object:
    if not isinstance(value, float):
        return value
    return "" if np.isnan(value) else round(value, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--horizon", type=int, default=56, help="days; the longest that the precursors allow")
    asked = parser.parse_args()
    judged = {seed: learn(fleet_of(seed), seed, asked.horizon) for seed in asked.seeds}
    rows = {f"seed {seed}": row_of(one, asked.horizon) for seed, one in judged.items()}
    fleets = list(judged.values())
    rows["together"] = leads(fleets, asked.horizon, begun=True) | leads(fleets, asked.horizon, begun=False)
    table = pd.DataFrame(rows).map(_shown)
    table["target"] = table.index.map(TARGETS).fillna("")
    print(table.to_string())


if __name__ == "__main__":
    main()
