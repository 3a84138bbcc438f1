"""Scores and risks of moments by models and calibrations that never saw their group."""

import numpy as np
import pandas as pd

from bms_failure.baselines import BASELINES, baseline_score
from bms_failure.booster import log_odds, raw_risks, train_booster
from bms_failure.calibration import Platt, fit_platt
from bms_failure.evaluation import FoldReport, MethodName, no_report


def out_of_fold_scores(
    moments: pd.DataFrame,
    ahead: np.ndarray,
    watched: np.ndarray,
    edges: tuple[int, ...],
    fold: np.ndarray,
    seed: int,
    report: FoldReport = no_report,
) -> dict[MethodName, np.ndarray]:
    """Score each moment at each edge, higher = worse, each (n, k); the baselines learn nothing.

    Args:
        moments: Rows with features.
        ahead: Days to death, NaN where there is none, shape (n,).
        watched: From `days_watched`, shape (n,).
        edges: Ends of the intervals [days].
        fold: Fold of each moment, shape (n,).
        seed: Of the trees.
        report: Called with (done, total) before each fold.
    """
    learnt = np.full((len(moments), len(edges)), np.nan)
    numbers = np.unique(fold)
    for done, number in enumerate(numbers):
        report(done, len(numbers))
        test = fold == number
        booster = train_booster(moments[~test], ahead[~test], watched[~test], edges, seed)
        learnt[test] = log_odds(raw_risks(booster, moments[test], len(edges)))
    plain = {
        name: np.repeat(baseline_score(moments, name)[:, None], len(edges), axis=1) for name in BASELINES
    }
    return {"classifier": learnt} | plain


def fit_calibrators(
    scores: np.ndarray, ahead: np.ndarray, watched: np.ndarray, edges: tuple[int, ...]
) -> tuple[Platt, ...]:
    """Fit one logistic curve per edge on the moments watched to that edge.

    Args:
        scores: Out of fold, (n, k).
        ahead: Days to death, NaN where there is none, shape (n,).
        watched: From `days_watched`, shape (n,).
        edges: Days of the columns.
    """
    found = []
    for number, days in enumerate(edges):
        rows = watched > days
        found.append(fit_platt(scores[rows, number], (ahead[rows] <= days).astype(float)))
    return tuple(found)


def calibrate(scores: np.ndarray, platts: tuple[Platt, ...]) -> np.ndarray:
    """Return risks at each edge, never falling along a row, (n, k)."""
    risks = np.column_stack([platt(scores[:, number]) for number, platt in enumerate(platts)])
    return np.asarray(np.maximum.accumulate(risks, axis=1))


def cross_fitted_risks(
    scores: np.ndarray, ahead: np.ndarray, watched: np.ndarray, edges: tuple[int, ...], fold: np.ndarray
) -> np.ndarray:
    """Calibrate each fold's scores on the other folds' scores, (n, k)."""
    risks = np.full(scores.shape, np.nan)
    for number in np.unique(fold):
        test = fold == number
        platts = fit_calibrators(scores[~test], ahead[~test], watched[~test], edges)
        risks[test] = calibrate(scores[test], platts)
    return risks
