"""Out-of-fold evidence for the classifier and both baselines on the same moments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID
from bms_schema.data.metrics import auroc, brier

from bms_failure.alerts import AlertResult, Watch, best_threshold, judge
from bms_failure.baselines import BASELINES, baseline_score
from bms_failure.blocks import AT, LIFE
from bms_failure.booster import margins, train_booster
from bms_failure.bootstrap import auroc_draws
from bms_failure.calibration import fit_platt

MethodName = Literal["classifier", "deviation_rank", "ohmic_rise"]
METHODS: tuple[MethodName, ...] = ("classifier", *BASELINES)


@dataclass(frozen=True)
class MethodEvidence:
    """How one method did out of fold.

    Args:
        risk: Calibrated on the other folds, shape (n,).
        auroc: Over moments; `auroc_lo95`, `auroc_hi95` by drawing cells.
        average_precision: Over moments.
        brier: Of `risk`.
        events: At the threshold with the best event F1, which was chosen on these same moments.
    """

    risk: np.ndarray
    auroc: float
    auroc_lo95: float
    auroc_hi95: float
    average_precision: float
    brier: float
    events: AlertResult


@dataclass(frozen=True)
class Evidence:
    """Evidence of all methods on one set of labelled moments.

    Args:
        methods: By name.
        chosen: The method with the highest AUROC.
        scores: Out-of-fold scores before calibration, each (n,).
        labels: 0/1, shape (n,).
        lead_over_baseline: AUROC of the classifier minus the better baseline's; with its 95 % interval.
    """

    methods: dict[MethodName, MethodEvidence]
    chosen: MethodName
    scores: dict[MethodName, np.ndarray]
    labels: np.ndarray
    lead_over_baseline: tuple[float, float, float]


FoldReport = Callable[[int, int], None]


def no_report(done: int, total: int) -> None:
    """Stand in for a caller that wants no progress."""


def out_of_fold_scores(
    moments: pd.DataFrame, labels: np.ndarray, fold: np.ndarray, seed: int, report: FoldReport = no_report
) -> dict[MethodName, np.ndarray]:
    """Score each moment by a classifier that never saw its group, and by the baselines, which learn nothing."""
    learnt = np.full(len(moments), np.nan)
    numbers = np.unique(fold)
    for done, number in enumerate(numbers):
        report(done, len(numbers))
        test = fold == number
        booster = train_booster(moments[~test], labels[~test], seed)
        learnt[test] = margins(booster, moments[test])
    return {"classifier": learnt} | {name: baseline_score(moments, name) for name in BASELINES}


def weigh_evidence(
    moments: pd.DataFrame,
    labels: np.ndarray,
    fold: np.ndarray,
    scores: dict[MethodName, np.ndarray],
    days_ahead: np.ndarray,
    horizon_days: float,
    seed: int,
) -> Evidence:
    """Judge all methods on labelled moments and choose one.

    Args:
        moments: Labelled moments in (cell, time) order.
        labels: 0/1, shape (n,).
        fold: Fold of each moment, shape (n,).
        scores: From `out_of_fold_scores`.
        days_ahead: Days to death, NaN where there is none, shape (n,).
        horizon_days: H.
        seed: Of the bootstrap.
    """
    life = moments[CELL_ID].astype(str) + "\0" + moments[LIFE].astype(str)
    day = (moments[AT] - moments[AT].min()) / pd.Timedelta(days=1)
    watch = Watch(pd.factorize(life)[0], day.to_numpy(dtype=float), labels, days_ahead, horizon_days)
    draws = auroc_draws(labels, scores, moments[CELL_ID].to_numpy().astype(str), seed)  # type: ignore[arg-type]
    methods = {name: _evidence(labels, scores[name], draws[name], fold, watch) for name in METHODS}
    chosen = max(METHODS, key=lambda name: methods[name].auroc)
    best_baseline = max(BASELINES, key=lambda name: methods[name].auroc)
    difference = draws["classifier"] - draws[best_baseline]
    lead = (methods["classifier"].auroc - methods[best_baseline].auroc, *_interval(difference))
    return Evidence(methods, chosen, scores, labels, lead)


def cross_fitted_risk(score: np.ndarray, labels: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Calibrate each fold's scores on the other folds' scores, shape (n,)."""
    risk = np.full(len(score), np.nan)
    for number in np.unique(fold):
        test = fold == number
        risk[test] = fit_platt(score[~test], labels[~test])(score[test])
    return risk


def average_precision(labels: np.ndarray, score: np.ndarray) -> float:
    """Return the area under the precision-recall curve (step sum), ties taken together; NaN without positives.

    >>> average_precision(np.array([0, 1, 1]), np.array([0.1, 0.9, 0.8]))
    1.0
    """
    values, tie = np.unique(-score, return_inverse=True)
    hits, shown = np.bincount(tie, labels, len(values)), np.bincount(tie, minlength=len(values))
    total = hits.sum()
    if not total:
        return float("nan")
    return float(np.sum(hits / total * np.cumsum(hits) / np.cumsum(shown)))


def _evidence(
    labels: np.ndarray, score: np.ndarray, draws: np.ndarray, fold: np.ndarray, watch: Watch
) -> MethodEvidence:
    risk = cross_fitted_risk(score, labels, fold)
    low, high = _interval(draws)
    events = judge(watch, risk, best_threshold(watch, risk))
    return MethodEvidence(
        risk, auroc(labels, score), low, high, average_precision(labels, score), brier(labels, risk), events
    )


def _interval(draws: np.ndarray) -> tuple[float, float]:
    known = draws[np.isfinite(draws)]
    if not len(known):
        return float("nan"), float("nan")
    return float(np.quantile(known, 0.025)), float(np.quantile(known, 0.975))
