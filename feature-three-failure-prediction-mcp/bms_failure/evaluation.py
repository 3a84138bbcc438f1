"""Out-of-fold evidence for the classifier and both baselines on the same moments, at every horizon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID
from bms_schema.data.metrics import auroc, brier

from bms_failure.alerts import ALERTS_PER_WEEK, AlertResult, Watch, alert_rows, budget_threshold, judge
from bms_failure.baselines import BASELINES
from bms_failure.blocks import AT, LIFE
from bms_failure.bootstrap import Clusters, auroc_draws, clusters_of, interval
from bms_failure.hazard import risk_between
from bms_failure.risk_metrics import (
    average_precision,
    balanced_accuracy,
    balanced_threshold,
    brier_skill,
    calibration_slope,
    expected_calibration_error,
)

MethodName = Literal["classifier", "deviation_rank", "ohmic_rise"]
METHODS: tuple[MethodName, ...] = ("classifier", *BASELINES)
FoldReport = Callable[[int, int], None]


def no_report(done: int, total: int) -> None:
    """Stand in for a caller that wants no progress."""


@dataclass(frozen=True)
class MethodEvidence:
    """How one method did at one horizon, out of fold.

    Args:
        risk: Calibrated on the other folds, rows of the `HorizonEvidence`, shape (n,).
        auroc: Over moments; `auroc_lo95`, `auroc_hi95` by drawing clusters, as all intervals here.
        average_precision: Over moments.
        brier: Of `risk`.
        brier_skill: 1 - Brier / Brier of the base rate; `brier_skill_lo95`, `brier_skill_hi95`.
        ece: Expected calibration error over ten bins.
        calibration_slope: Of a logistic regression of the labels on the log-odds; 1 is right.
        balanced_accuracy: Over moments, at the threshold that was best on the other folds.
        events: Alerts within the budget, at the threshold that was best on the other folds; `threshold` is
            the one of all folds together.
    """

    risk: np.ndarray
    auroc: float
    auroc_lo95: float
    auroc_hi95: float
    average_precision: float
    brier: float
    brier_skill: float
    brier_skill_lo95: float
    brier_skill_hi95: float
    ece: float
    calibration_slope: float
    balanced_accuracy: float
    events: AlertResult


@dataclass(frozen=True)
class HorizonEvidence:
    """Evidence at one horizon, on the moments whose whole horizon was watched.

    Args:
        days: The horizon; NaN for "by the end of the data".
        rows: Positions in the timeline, shape (n,).
        labels: 0/1, shape (n,).
        methods: By name.
        lead_over_baseline: AUROC of the classifier minus the better baseline's; with its 95 % interval.
    """

    days: float
    rows: np.ndarray
    labels: np.ndarray
    methods: dict[MethodName, MethodEvidence]
    lead_over_baseline: tuple[float, float, float]


@dataclass(frozen=True)
class Evidence:
    """Evidence of all methods at all horizons.

    Args:
        timeline: One row per cell-day: `Cell ID`, `string`, `life`, `at`, `ahead` (days to death), `watched`.
        edges: Ends of the hazard's intervals [days].
        risks: Calibrated out-of-fold risk at each edge, each (n, k).
        horizons: By days; the judged one is among them.
        judged_days: The horizon that was asked for, as far as it can be judged.
        chosen: The method that is used.
        by_end: "Dies by the end of the data", where enough moments lie within the curve's reach.
        watch: The timeline as an alarm system sees it, for `alert_curve`.
    """

    timeline: pd.DataFrame
    edges: tuple[int, ...]
    risks: dict[MethodName, np.ndarray]
    horizons: dict[int, HorizonEvidence]
    judged_days: int
    chosen: MethodName
    by_end: HorizonEvidence | None
    watch: Watch

    @property
    def judged(self) -> HorizonEvidence:
        """Evidence at the horizon that was asked for."""
        return self.horizons[self.judged_days]

    @property
    def methods(self) -> dict[MethodName, MethodEvidence]:
        """Methods at the judged horizon."""
        return self.judged.methods

    @property
    def labels(self) -> np.ndarray:
        """Labels at the judged horizon, shape (n,)."""
        return self.judged.labels

    @property
    def lead_over_baseline(self) -> tuple[float, float, float]:
        """Lead at the judged horizon."""
        return self.judged.lead_over_baseline

    def risk_at(self, method: MethodName, days: np.ndarray) -> np.ndarray:
        """Return the out-of-fold risk within so many days of each row of the timeline, shape (n,)."""
        return risk_between(self.risks[method], self.edges, days)


def make_timeline(moments: pd.DataFrame, ahead: np.ndarray, watched: np.ndarray) -> pd.DataFrame:
    """Return what the evidence needs to know of each moment."""
    kept = moments[[CELL_ID, "string", LIFE, AT]]
    return kept.assign(ahead=ahead, watched=watched).reset_index(drop=True)


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
    fold: np.ndarray,
    risks: dict[MethodName, np.ndarray],
    edges: tuple[int, ...],
    judged_days: int,
    seed: int,
    per_week: float = ALERTS_PER_WEEK,
) -> Evidence:
    """Judge all methods at all horizons and choose one.

    Args:
        timeline: From `make_timeline`, in (cell, time) order.
        fold: Fold of each moment, shape (n,).
        risks: Calibrated out-of-fold risks of each method, (n, k).
        edges: Ends of the intervals [days].
        judged_days: The horizon asked for, at most the last edge.
        seed: Of the bootstrap.
        per_week: Budget of alerts per week and 1,000 cells.
    """
    clusters = clusters_of(timeline, seed)
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
    """Return the classifier, unless a baseline ranks better."""
    return max(METHODS, key=lambda name: found.methods[name].auroc)


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
    part = clusters.of(rows)
    draws = {name: auroc_draws(labels[rows], risks[name][rows], part) for name in METHODS}
    methods = {
        name: _evidence(watch, fold, risks[name], rows, labels[rows], draws[name], clusters, per_week)
        for name in METHODS
    }
    best = max(BASELINES, key=lambda name: methods[name].auroc)
    lead = methods["classifier"].auroc - methods[best].auroc
    low, high = interval(draws["classifier"] - draws[best])
    return HorizonEvidence(days, rows, labels[rows], methods, (lead, low, high))


def _evidence(
    watch: Watch,
    fold: np.ndarray,
    risk: np.ndarray,
    rows: np.ndarray,
    labels: np.ndarray,
    draws: np.ndarray,
    clusters: Clusters,
    per_week: float,
) -> MethodEvidence:
    shown = risk[rows]
    low, high = interval(draws)
    skill_low, skill_high = interval(_skill_draws(labels, shown, clusters.of(rows)))
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
        balanced_accuracy=_balanced_out_of_fold(labels, shown, fold[rows]),
        events=_events_out_of_fold(watch, fold, risk, clusters, per_week),
    )


def _skill_draws(labels: np.ndarray, risk: np.ndarray, clusters: Clusters) -> np.ndarray:
    n, dead, wrong = (clusters.sums(v) for v in (np.ones(len(labels)), labels, (risk - labels) ** 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = dead / n
        return np.asarray(1.0 - wrong / n / (share * (1.0 - share)))


def _balanced_out_of_fold(labels: np.ndarray, risk: np.ndarray, fold: np.ndarray) -> float:
    alarm = np.zeros(len(labels), dtype=bool)
    for number in np.unique(fold):
        test = fold == number
        alarm[test] = risk[test] >= balanced_threshold(labels[~test], risk[~test])
    return balanced_accuracy(labels, alarm)


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
