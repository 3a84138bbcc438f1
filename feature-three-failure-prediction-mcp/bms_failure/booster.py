"""The classifier proper: a discrete-time hazard of shallow, strongly regularised, monotone trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bms_schema.run.threads import thread_count
from scipy.special import expit, logit

from bms_failure.feature_set import FEATURE_NAMES, FEATURES
from bms_failure.hazard import person_periods, risk_of_hazards
from bms_failure.thinning import learning_rows

if TYPE_CHECKING:
    import xgboost

ROUNDS = 200
INTERVAL = "interval"
LEARNT_NAMES = (*FEATURE_NAMES, INTERVAL)
# Below this many rows a second thread costs more than it brings; on busy cores ten times as much (measured).
ROWS_WORTH_THREADS = 100_000
_SMALLEST_RISK = 1e-7
# Few deaths, many correlated cell-days: depth 3, strong shrinkage and column sampling keep single cells from
# being learnt by heart. No class weights and no resampling: they would bend the probabilities.
PARAMETERS = {
    "objective": "binary:logistic",
    "max_depth": 3,
    "eta": 0.05,
    "subsample": 0.7,
    "colsample_bytree": 0.5,
    "min_child_weight": 3.0,
    "reg_lambda": 10.0,
    "tree_method": "hist",
    "max_bin": 128,
    "monotone_constraints": "(" + ",".join(str(feature.worse) for feature in FEATURES) + ",0)",
}


@dataclass(frozen=True)
class LearningSet:
    """Rows of the hazard to learn from.

    Args:
        values: Features and the number of the interval, float32, (m, features + 1).
        event: 1.0 where the cell died inside the interval, else 0.0, shape (m,).
        weight: Of each row, shape (m,).
    """

    values: np.ndarray
    event: np.ndarray
    weight: np.ndarray


def learning_set(
    moments: pd.DataFrame, ahead: np.ndarray, watched: np.ndarray, edges: tuple[int, ...]
) -> LearningSet:
    """Return what moments teach, each as far as its fate is known; see `learning_rows` for large fleets.

    Args:
        moments: Rows with `FEATURE_NAMES`.
        ahead: Days to death, NaN where there is none, shape (n,).
        watched: From `days_watched`, shape (n,).
        edges: Ends of the intervals [days].
    """
    rows, weight = learning_rows(moments, ahead, edges[-1])
    periods = person_periods(ahead[rows], watched[rows], edges)
    values = _with_interval(_values(moments.iloc[rows])[periods.row], periods.interval)
    return LearningSet(values, periods.event, weight[periods.row])


def fit_booster(learnt: LearningSet, seed: int) -> xgboost.Booster:
    """Train the hazard.

    Args:
        learnt: From `learning_set`.
        seed: Of row and column sampling.
    """
    import xgboost

    matrix = _matrix(learnt.values, learnt.event, learnt.weight)
    parameters = PARAMETERS | {"seed": seed, "nthread": _threads(len(learnt.values))}
    return xgboost.train(parameters, matrix, num_boost_round=ROUNDS)


def raw_risks(booster: xgboost.Booster, moments: pd.DataFrame, n_edges: int) -> np.ndarray:
    """Return the uncalibrated probability of a death by each edge, (n, k)."""
    values = _values(moments)
    hazards = [
        expit(
            booster.predict(_matrix(_with_interval(values, np.full(len(values), number))), output_margin=True)
        )
        for number in range(n_edges)
    ]
    return risk_of_hazards(np.column_stack(hazards).astype(float))


def log_odds(risks: np.ndarray) -> np.ndarray:
    """Return the log-odds of risks, finite."""
    return np.asarray(logit(np.clip(risks, _SMALLEST_RISK, 1 - _SMALLEST_RISK)))


def contributions(booster: xgboost.Booster, moments: pd.DataFrame, n_edges: int) -> np.ndarray:
    """Return each feature's share of the log-odds (exact tree SHAP, Lundberg 2018), shape (n, features).

    Mean over the first intervals, each weighted by the part of the risk that falls into it.
    """
    values = _values(moments)
    risks = raw_risks(booster, moments, n_edges)
    parts = np.diff(risks, axis=1, prepend=0.0)
    parts /= np.maximum(parts.sum(axis=1, keepdims=True), _SMALLEST_RISK)
    total = np.zeros((len(values), len(FEATURE_NAMES)))
    for number in range(n_edges):
        matrix = _matrix(_with_interval(values, np.full(len(values), number)))
        shares = booster.predict(matrix, pred_contribs=True)[:, : len(FEATURE_NAMES)]
        total += parts[:, [number]] * shares
    return total


def _values(moments: pd.DataFrame) -> np.ndarray:
    return moments[list(FEATURE_NAMES)].to_numpy(dtype=np.float32)


def _with_interval(values: np.ndarray, interval: np.ndarray) -> np.ndarray:
    return np.column_stack([values, interval.astype(np.float32)])


def _matrix(
    values: np.ndarray, event: np.ndarray | None = None, weight: np.ndarray | None = None
) -> xgboost.DMatrix:
    import xgboost

    return xgboost.DMatrix(
        values, label=event, weight=weight, feature_names=list(LEARNT_NAMES), nthread=_threads(len(values))
    )


def _threads(rows: int) -> int:
    return thread_count() if rows >= ROWS_WORTH_THREADS else 1
