"""Uncertainty when moments come in clusters: whole strings (or cells) are drawn with replacement."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, STRING

DRAWS = 200
FEWEST_STRINGS = 8  # [U] of fewer clusters a bootstrap says too little; then cells are drawn
_LOW, _HIGH = 0.025, 0.975

Interval = tuple[float, float]


class Clusters:
    """The same 200 draws of clusters for every figure, so that differences of methods can be drawn too.

    Args:
        names: Cluster of each row, shape (n,).
        seed: Of the draws.
    """

    def __init__(self, names: np.ndarray, seed: int) -> None:
        unique, self._code = np.unique(np.asarray(names).astype(str), return_inverse=True)
        n = len(unique)
        draw = np.random.default_rng(seed)
        self._counts = draw.multinomial(n, np.full(n, 1 / max(n, 1)), size=DRAWS).astype(float)

    def of(self, rows: np.ndarray) -> "Clusters":
        """Return the same draws for some of the rows."""
        part = object.__new__(Clusters)
        part._code, part._counts = self._code[rows], self._counts
        return part

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of the values in each draw, shape (200,)."""
        return np.asarray(self._counts @ np.bincount(self._code, values, self._counts.shape[1]))

    def draws(self, statistic: Callable[[np.ndarray], float]) -> np.ndarray:
        """Return a statistic of row weights in each draw, shape (200,)."""
        return np.array([statistic(counts[self._code]) for counts in self._counts])


def clusters_of(moments: pd.DataFrame, seed: int) -> Clusters:
    """Draw strings, or cells where there are fewer than eight strings."""
    by = STRING if moments[STRING].nunique() >= FEWEST_STRINGS else CELL_ID
    return Clusters(moments[by].to_numpy(), seed)


def interval(draws: np.ndarray) -> Interval:
    """Return the 95 % interval of the finite draws, NaN where there is none."""
    known = draws[np.isfinite(draws)]
    if not len(known):
        return float("nan"), float("nan")
    return float(np.quantile(known, _LOW)), float(np.quantile(known, _HIGH))


def weighted_auroc(labels: np.ndarray, score: np.ndarray, weights: np.ndarray) -> float:
    """Return the AUROC with row weights, ties counting half; NaN where one class has no weight.

    >>> weighted_auroc(np.array([0, 1, 1]), np.array([1.0, 2.0, 0.0]), np.array([1.0, 1.0, 0.0]))
    1.0
    """
    return _auroc_of_ties(labels, np.unique(score, return_inverse=True)[1], weights)


def auroc_draws(labels: np.ndarray, score: np.ndarray, clusters: Clusters) -> np.ndarray:
    """Return the AUROC in each draw of the clusters, shape (200,).

    Args:
        labels: 0/1, shape (n,).
        score: Higher = worse, shape (n,).
        clusters: Of the same rows.
    """
    tie = np.unique(score, return_inverse=True)[1]
    return clusters.draws(lambda weights: _auroc_of_ties(labels, tie, weights))


def _auroc_of_ties(labels: np.ndarray, tie: np.ndarray, weights: np.ndarray) -> float:
    positive = np.bincount(tie, weights * labels)
    negative = np.bincount(tie, weights * (1 - labels))
    below = np.cumsum(negative) - negative
    pairs = positive.sum() * negative.sum()
    return float(np.sum(positive * (below + negative / 2)) / pairs) if pairs > 0 else float("nan")
