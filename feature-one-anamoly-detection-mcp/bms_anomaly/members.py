"""The two scikit-learn members of the hybrid; both score higher = more anomalous."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from bms_schema.run.threads import thread_count

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

EXACT_SVM_ROWS = 5_000  # the exact solver is quadratic in the rows
LANDMARKS = 300
SVM_NU = 0.05  # share of training rows that may lie outside
TREES, ROWS_PER_TREE = 150, 256  # Liu, Ting and Zhou 2008: 256 rows a tree


def fit_svm(x: np.ndarray, seed: int) -> BaseEstimator:
    """Fit a One-Class SVM (Schölkopf 2001): exact for few rows, Nystroem features and SGD for many."""
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import SGDOneClassSVM
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import OneClassSVM

    gamma = 1.0 / max(x.shape[1] * float(x.var()), 1e-12)
    if len(x) < EXACT_SVM_ROWS:
        return OneClassSVM(kernel="rbf", gamma=gamma, nu=SVM_NU).fit(x)
    landmarks = Nystroem(gamma=gamma, n_components=LANDMARKS, random_state=seed)
    return make_pipeline(landmarks, SGDOneClassSVM(nu=SVM_NU, random_state=seed)).fit(x)


def fit_forest(x: np.ndarray, seed: int) -> BaseEstimator:
    """Fit an Isolation Forest."""
    from sklearn.ensemble import IsolationForest

    size = min(ROWS_PER_TREE, len(x))
    return IsolationForest(
        n_estimators=TREES, max_samples=size, random_state=seed, n_jobs=thread_count()
    ).fit(x)


def score_member(member: BaseEstimator, x: np.ndarray) -> np.ndarray:
    """Return the score of rows (n, d), shape (n,)."""
    scored: np.ndarray = -member.score_samples(x)
    return scored
