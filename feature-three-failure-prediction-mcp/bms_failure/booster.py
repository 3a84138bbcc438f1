"""The classifier proper: shallow, strongly regularised, monotone trees on cell features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bms_schema.run.threads import thread_count

from bms_failure.feature_set import FEATURE_NAMES, FEATURES

if TYPE_CHECKING:
    import xgboost

ROUNDS = 200
# Below this many moments a second thread costs more than it brings; on busy cores ten times as much (measured).
ROWS_WORTH_THREADS = 100_000
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
    "monotone_constraints": "(" + ",".join(str(feature.worse) for feature in FEATURES) + ")",
}


def train_booster(moments: pd.DataFrame, labels: np.ndarray, seed: int) -> xgboost.Booster:
    """Train on labelled moments.

    Args:
        moments: Rows with `FEATURE_NAMES`.
        labels: 0/1, shape (n,), both present.
        seed: Of row and column sampling.
    """
    import xgboost

    parameters = _PARAMETERS | {"seed": seed, "nthread": _threads(moments)}
    return xgboost.train(parameters, _matrix(moments, labels), num_boost_round=ROUNDS)


def margins(booster: xgboost.Booster, moments: pd.DataFrame) -> np.ndarray:
    """Return the uncalibrated log-odds of each moment, shape (n,)."""
    return booster.predict(_matrix(moments), output_margin=True).astype(float)


def contributions(booster: xgboost.Booster, moments: pd.DataFrame) -> np.ndarray:
    """Return each feature's share of the log-odds (exact tree SHAP, Lundberg 2018), shape (n, features)."""
    return booster.predict(_matrix(moments), pred_contribs=True)[:, :-1].astype(float)


def _matrix(moments: pd.DataFrame, labels: np.ndarray | None = None) -> xgboost.DMatrix:
    import xgboost

    values = moments[list(FEATURE_NAMES)].to_numpy(dtype=np.float32)
    return xgboost.DMatrix(values, label=labels, feature_names=list(FEATURE_NAMES), nthread=_threads(moments))


def _threads(moments: pd.DataFrame) -> int:
    return thread_count() if len(moments) >= ROWS_WORTH_THREADS else 1
