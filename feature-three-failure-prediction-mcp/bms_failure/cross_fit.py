"""Scores and risks of moments by models and calibrations that never saw their group."""

from functools import partial

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID

from bms_failure.baselines import BASELINES, baseline_score
from bms_failure.blocks import AT
from bms_failure.booster import LearningSet, learning_set, log_odds, raw_risks
from bms_failure.calibration import Calibrator, fit_calibrator
from bms_failure.evidence import FoldReport, MethodName, no_report
from bms_failure.fitting import Fit, fit_here

# Of fewer, two numbers per horizon are better learnt from the whole record: from 15 deaths in the later half the
# calibration slope came out at 0.85, from all 24 at 0.93 (measured).
FEWEST_LATER_DEATHS = 40


def out_of_fold_scores(
    moments: pd.DataFrame,
    ahead: np.ndarray,
    watched: np.ndarray,
    edges: tuple[int, ...],
    fold: np.ndarray,
    seed: int,
    report: FoldReport = no_report,
    fit: Fit = fit_here,
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
        fit: What trains the boosters.
    """
    learnt = np.full((len(moments), len(edges)), np.nan)
    numbers = np.unique(fold)
    done: list[int] = []

    def of_others(number: int) -> LearningSet:
        others = fold != number
        return learning_set(moments[others], ahead[others], watched[others], edges)

    def waiting() -> None:
        report(len(done), len(numbers))

    boosters = fit([partial(of_others, number) for number in numbers], seed, waiting)
    for number, booster in zip(numbers, boosters, strict=True):
        test = fold == number
        learnt[test] = log_odds(raw_risks(booster, moments[test], len(edges)))
        done.append(number)
    plain = {
        name: np.repeat(baseline_score(moments, name)[:, None], len(edges), axis=1) for name in BASELINES
    }
    return {"classifier": learnt} | plain


def taught_edges(
    ahead: np.ndarray, watched: np.ndarray, fold: np.ndarray, edges: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the edges that can be learnt without any one fold: the others hold both classes, watched so far.

    Args:
        ahead: Days to death, NaN where there is none, shape (n,).
        watched: From `days_watched`, shape (n,).
        fold: Fold of each moment, shape (n,).
        edges: Ends of the intervals [days].
    """

    def both(days: int, number: int) -> bool:
        rows = (fold != number) & (watched > days)
        return len(np.unique(ahead[rows] <= days)) == 2

    return tuple(days for days in edges if all(both(days, number) for number in np.unique(fold)))


def fit_calibrators(
    scores: np.ndarray, timeline: pd.DataFrame, edges: tuple[int, ...]
) -> tuple[Calibrator, ...]:
    """Fit one curve per edge on the later moments of those that were watched to that edge.

    Args:
        scores: Out of fold, (n, k), so that no booster scored a cell that it had learnt from.
        timeline: From `make_timeline`, same rows.
        edges: Days of the columns, each with a moment that was watched so far; see `taught_edges`.
    """
    found = []
    for number, days in enumerate(edges):
        rows = _later_slice(timeline, days)
        labels = (timeline["ahead"].to_numpy()[rows] <= days).astype(float)
        found.append(fit_calibrator(scores[rows, number], labels))
    return tuple(found)


def _later_slice(timeline: pd.DataFrame, days: float) -> np.ndarray:
    """Return the later half of the moments watched for so many days: a model scores what comes after.

    All of them where fewer than 40 cells die within the later half.
    """
    rows = np.flatnonzero(timeline["watched"].to_numpy() > days)
    at = timeline[AT].to_numpy()[rows].astype("int64")
    later = rows[at >= np.median(at)] if len(rows) else rows
    dying = later[timeline["ahead"].to_numpy()[later] <= days]
    enough = timeline[CELL_ID].iloc[dying].nunique() >= FEWEST_LATER_DEATHS
    return later if enough else rows


def calibrate(scores: np.ndarray, calibrators: tuple[Calibrator, ...]) -> np.ndarray:
    """Return risks at each edge, never falling along a row, (n, k)."""
    risks = np.column_stack([calibrator(scores[:, number]) for number, calibrator in enumerate(calibrators)])
    return np.asarray(np.maximum.accumulate(risks, axis=1))


def cross_fitted_risks(scores: np.ndarray, timeline: pd.DataFrame, edges: tuple[int, ...]) -> np.ndarray:
    """Calibrate each fold's scores on the other folds' scores, (n, k); see `fit_calibrators`."""
    risks = np.full(scores.shape, np.nan)
    fold = timeline["fold"].to_numpy()
    for number in np.unique(fold):
        test = fold == number
        calibrators = fit_calibrators(scores[~test], timeline[~test], edges)
        risks[test] = calibrate(scores[test], calibrators)
    return risks
