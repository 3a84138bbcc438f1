"""Out-of-fold evidence for the classifier and both baselines on the same moments, at every horizon."""

from dataclasses import replace

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID
from bms_schema.data.metrics import auroc, brier

from bms_failure.alerts import (
    ALERTS_PER_WEEK,
    ELEVATED,
    AlertResult,
    Watch,
    alert_rows,
    budget_threshold,
    judge,
)
from bms_failure.baselines import BASELINES
from bms_failure.blocks import AT, LIFE
from bms_failure.bootstrap import Clusters, auroc_draws, clusters_of, interval
from bms_failure.evidence import METHODS, Evidence, HorizonEvidence, MethodEvidence, MethodName
from bms_failure.hazard import risk_between
from bms_failure.risk_metrics import (
    average_precision,
    balanced_accuracy,
    brier_skill,
    calibration_slope,
    expected_calibration_error,
)

__all__ = ["METHODS", "Evidence", "HorizonEvidence", "MethodEvidence", "MethodName", "weigh_evidence"]


def make_timeline(
    moments: pd.DataFrame, ahead: np.ndarray, watched: np.ndarray, fold: np.ndarray
) -> pd.DataFrame:
    """Return what the evidence needs to know of each moment."""
    kept = moments[[CELL_ID, "string", LIFE, AT]]
    return kept.assign(ahead=ahead, watched=watched, fold=fold).reset_index(drop=True)


def make_watch(timeline: pd.DataFrame, horizon_days: float) -> Watch:
    """Return the timeline as an alarm system sees it."""
    life = timeline[CELL_ID].astype(str) + "\0" + timeline[LIFE].astype(str)
    day = (timeline[AT] - timeline[AT].min()) / pd.Timedelta(days=1)
    return Watch(
        pd.factorize(life)[0],
        day.to_numpy(dtype=float),
        timeline["ahead"].to_numpy(),
        timeline["watched"].to_numpy(),
        horizon_days,
    )


def weigh_evidence(
    timeline: pd.DataFrame,
    risks: dict[MethodName, np.ndarray],
    edges: tuple[int, ...],
    judged_days: int,
    seed: int,
    per_week: float = ALERTS_PER_WEEK,
) -> Evidence:
    """Judge all methods at all horizons and choose one.

    Args:
        timeline: From `make_timeline`, in (cell, time) order.
        risks: Calibrated out-of-fold risks of each method, (n, k).
        edges: Ends of the intervals [days].
        judged_days: The horizon asked for, at most the last edge.
        seed: Of the bootstrap.
        per_week: Budget of alerts per week and 1,000 cells.
    """
    clusters, fold = clusters_of(timeline, seed), timeline["fold"].to_numpy()
    horizons = {}
    for days in sorted({*edges, judged_days}):
        ahead, watched = timeline["ahead"].to_numpy(), timeline["watched"].to_numpy()
        rows = np.flatnonzero(watched > days)
        horizons[days] = _judge_horizon(
            timeline, fold, {m: risk_between(r, edges, np.full(len(r), float(days))) for m, r in risks.items()},
            rows, (ahead <= days).astype(float), days, clusters, per_week,
        )  # fmt: skip
    chosen = _choose(horizons[judged_days])
    watch = make_watch(timeline, judged_days)
    by_end = _judge_end(timeline, fold, risks, edges, clusters, per_week)
    return Evidence(timeline, edges, risks, horizons, judged_days, chosen, by_end, watch)


def _choose(found: HorizonEvidence) -> MethodName:
    """Return the method whose risks are worth most: Brier skill asks for ranking and for honest numbers."""
    return max(METHODS, key=lambda name: np.nan_to_num(found.methods[name].brier_skill, nan=-np.inf))


def _judge_end(
    timeline: pd.DataFrame,
    fold: np.ndarray,
    risks: dict[MethodName, np.ndarray],
    edges: tuple[int, ...],
    clusters: Clusters,
    per_week: float,
) -> HorizonEvidence | None:
    """Judge "dies by the end of the data" at the moments from which the curve reaches it."""
    left = timeline["watched"].to_numpy()
    rows = np.flatnonzero((left > 0) & (left <= edges[-1]))
    labels = (timeline["ahead"].to_numpy() <= left).astype(float)
    if len(np.unique(labels[rows])) < 2:
        return None
    found = {method: risk_between(values, edges, left) for method, values in risks.items()}
    return _judge_horizon(timeline, fold, found, rows, labels, float("nan"), clusters, per_week)


def _judge_horizon(
    timeline: pd.DataFrame,
    fold: np.ndarray,
    risks: dict[MethodName, np.ndarray],
    rows: np.ndarray,
    labels: np.ndarray,
    days: float,
    clusters: Clusters,
    per_week: float,
) -> HorizonEvidence:
    watch = make_watch(timeline, days)
    part, known = clusters.of(rows), labels[rows]
    ranks = {name: auroc_draws(known, risks[name][rows], part) for name in METHODS}
    skills = {name: _skill_draws(known, risks[name][rows], part) for name in METHODS}
    methods = {
        name: _evidence(watch, fold, risks[name], rows, known, ranks[name], skills[name], clusters, per_week)
        for name in METHODS
    }
    auroc_of = {name: found.auroc for name, found in methods.items()}
    skill_of = {name: found.brier_skill for name, found in methods.items()}
    return HorizonEvidence(days, rows, known, methods, _lead(auroc_of, ranks), _lead(skill_of, skills))


def _lead(value: dict[MethodName, float], draws: dict[MethodName, np.ndarray]) -> tuple[float, float, float]:
    """Return what the classifier has over the better baseline, with its 95 % interval."""
    best = max(BASELINES, key=lambda name: np.nan_to_num(value[name], nan=-np.inf))
    with np.errstate(invalid="ignore"):
        low, high = interval(draws["classifier"] - draws[best])
    return value["classifier"] - value[best], low, high


def _evidence(
    watch: Watch,
    fold: np.ndarray,
    risk: np.ndarray,
    rows: np.ndarray,
    labels: np.ndarray,
    ranks: np.ndarray,
    skills: np.ndarray,
    clusters: Clusters,
    per_week: float,
) -> MethodEvidence:
    shown = risk[rows]
    low, high = interval(ranks)
    skill_low, skill_high = interval(skills)
    return MethodEvidence(
        risk=shown,
        auroc=auroc(labels, shown),
        auroc_lo95=low,
        auroc_hi95=high,
        average_precision=average_precision(labels, shown),
        brier=brier(labels, shown),
        brier_skill=brier_skill(labels, shown),
        brier_skill_lo95=skill_low,
        brier_skill_hi95=skill_high,
        ece=expected_calibration_error(labels, shown),
        calibration_slope=calibration_slope(labels, shown),
        balanced_accuracy=balanced_accuracy(labels, elevated(labels, shown, fold[rows])),
        events=_events_out_of_fold(watch, fold, risk, clusters, per_week),
    )


def _skill_draws(labels: np.ndarray, risk: np.ndarray, clusters: Clusters) -> np.ndarray:
    n, dead, wrong = (clusters.sums(v) for v in (np.ones(len(labels)), labels, (risk - labels) ** 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = dead / n
        return np.asarray(1.0 - wrong / n / (share * (1.0 - share)))


def elevated(labels: np.ndarray, risk: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return whether a risk is at least twice the base rate of the other folds, shape (n,).

    Of calibrated risks the base rate itself would balance both errors, were all deaths foreseeable. Those that
    are not lift everybody's risk a little, so "elevated" begins above it.
    """
    alarm = np.zeros(len(labels), dtype=bool)
    for number in np.unique(fold):
        test = fold == number
        if not test.all():
            alarm[test] = risk[test] >= ELEVATED * labels[~test].mean()
    return alarm


def _events_out_of_fold(
    watch: Watch, fold: np.ndarray, risk: np.ndarray, clusters: Clusters, per_week: float
) -> AlertResult:
    """Alert in each fold at the threshold that the other folds chose; figures of all folds together."""
    if not np.isfinite(watch.horizon_days):
        return judge(watch, np.zeros(len(risk)), np.inf)
    above = np.zeros(len(risk))
    for number in np.unique(fold):
        test = fold == number
        above[test] = risk[test] >= budget_threshold(watch.part(~test), risk[~test], per_week)
    found = judge(watch, above, 1.0)
    raised = alert_rows(watch, above, 1.0)
    recall, precision = _event_intervals(watch, raised, clusters)
    return replace(
        found,
        threshold=budget_threshold(watch, risk, per_week),
        recall_lo95=recall[0],
        recall_hi95=recall[1],
        precision_lo95=precision[0],
        precision_hi95=precision[1],
    )


def _event_intervals(
    watch: Watch, raised: np.ndarray, clusters: Clusters
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the intervals of recall and precision by drawing clusters."""
    n = len(watch.cell)
    hits = raised[watch.dying[raised]]
    resolved = raised[watch.watched[raised] > watch.horizon_days]
    deaths = np.unique(np.where(watch.dying, watch.cell, -1), return_index=True)
    marks = {
        "deaths": deaths[1][deaths[0] >= 0],
        "caught": hits[np.unique(watch.cell[hits], return_index=True)[1]],
        "resolved": resolved,
        "right": resolved[watch.dying[resolved]],
    }
    sums = {name: clusters.sums(np.bincount(rows, minlength=n).astype(float)) for name, rows in marks.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        return interval(sums["caught"] / sums["deaths"]), interval(sums["right"] / sums["resolved"])
