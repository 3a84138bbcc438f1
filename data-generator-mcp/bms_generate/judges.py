"""The boosted trees that judge a twin: one setting for all questions, quick and the same every time."""

from __future__ import annotations

from typing import Any

import numpy as np
from bms_schema.run.threads import thread_count

SEED = 0
# Below so many values a second thread costs more than it brings, on busy cores many times as much.
_VALUES_WORTH_THREADS = 1_000_000
# Moderate trees: deep enough to see that signals do not fit together, too few to learn single rows by heart.
_SETTINGS: dict[str, Any] = {
    "n_estimators": 100,
    "max_depth": 5,
    "learning_rate": 0.1,
    "subsample": 0.8,
    "colsample_bytree": 0.5,
    "min_child_weight": 3.0,
    "tree_method": "hist",
    "max_bin": 64,
    "random_state": SEED,
}


def class_scores(values: np.ndarray, truth: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Train on `values` (n, d) with `truth` 0/1 and return the chance of 1 for `asked` (m, d).

    Where the truth knows one class alone the answer is that class everywhere. NaN values are allowed.
    """
    import xgboost

    if truth.min() == truth.max():
        return np.full(len(asked), float(truth[0]))
    model = xgboost.XGBClassifier(n_jobs=_threads(values), **_SETTINGS)
    return np.asarray(model.fit(values, truth).predict_proba(asked)[:, 1], dtype=float)


def number_guesses(values: np.ndarray, truth: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Train on `values` (n, d) with numbers `truth` and return the guess for `asked` (m, d)."""
    import xgboost

    model = xgboost.XGBRegressor(n_jobs=_threads(values), **_SETTINGS)
    return np.asarray(model.fit(values, truth).predict(asked), dtype=float)


def _threads(values: np.ndarray) -> int:
    return thread_count() if values.size >= _VALUES_WORTH_THREADS else 1
