"""The classifier proper: a discrete-time hazard of shallow, strongly regularised, monotone trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bms_schema.run.threads import thread_count
from scipy.special import expit, logit

from bms_failure.feature_set import FEATURE_NAMES, FEATURES
from bms_failure.hazard import person_periods, risk_of_hazards

if TYPE_CHECKING:
    import xgboost

ROUNDS = 200
INTERVAL = "interval"
# Below this many rows a second thread costs more than it brings; on busy cores ten times as much (measured).
ROWS_WORTH_THREADS = 100_000
_SMALLEST_RISK = 1e-7
# Few deaths, many correlated cell-days: depth 3, strong shrinkage and column sampling keep single cells from
# being learnt by heart. No class weights and no resampling: they would bend the probabilities.
_PARAMETERS = {
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


def train_booster(
    moments: pd.DataFrame,
    ahead: np.ndarray,
    watched: np.ndarray,
    edges: tuple[int, ...],
    seed: int,
    weight: np.ndarray | None = None,
) -> xgboost.Booster:
    """Train the hazard on moments whose fate is known as far as it is known.

    Args:
        moments: Rows with `FEATURE_NAMES`.
        ahead: Days to death, NaN where there is none, shape (n,).
        watched: From `days_watched`, shape (n,).
        edges: Ends of the intervals [days].
        seed: Of row and column sampling.
        weight: Weight of each moment, shape (n,); None weighs all alike.
    """
    import xgboost

    periods = person_periods(ahead, watched, edges)
    values = _values(moments)[periods.row]
    matrix = _matrix(values, periods.interval, periods.event, None if weight is None else weight[periods.row])
    parameters = _PARAMETERS | {"seed": seed, "nthread": _threads(len(values))}
    return xgboost.train(parameters, matrix, num_boost_round=ROUNDS)


def raw_risks(booster: xgboost.Booster, moments: pd.DataFrame, n_edges: int) -> np.ndarray:
    """Return the uncalibrated probability of a death by each edge, (n, k)."""
    values = _values(moments)
    hazards = [
        expit(booster.predict(_matrix(values, np.full(len(values), number)), output_margin=True))
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
        matrix = _matrix(values, np.full(len(values), number))
        shares = booster.predict(matrix, pred_contribs=True)[:, : len(FEATURE_NAMES)]
        total += parts[:, [number]] * shares
    return total


def _values(moments: pd.DataFrame) -> np.ndarray:
    return moments[list(FEATURE_NAMES)].to_numpy(dtype=np.float32)


def _matrix(
    values: np.ndarray,
    interval: np.ndarray,
    event: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> xgboost.DMatrix:
    import xgboost

    both = np.column_stack([values, interval.astype(np.float32)])
    return xgboost.DMatrix(
        both,
        label=event,
        weight=weight,
        feature_names=[*FEATURE_NAMES, INTERVAL],
        nthread=_threads(len(both)),
    )


def _threads(rows: int) -> int:
    return thread_count() if rows >= ROWS_WORTH_THREADS else 1
