"""Uncertainty when moments come in clusters: whole strings (or cells) are drawn with replacement."""

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

    def rows_of_each(self, rows: np.ndarray) -> list[np.ndarray]:
        """Return those of some rows that lie in each cluster, a list as long as there are clusters."""
        code = self._code[rows]
        ends = np.cumsum(np.bincount(code, minlength=self._counts.shape[1]))
        return np.split(rows[np.argsort(code, kind="stable")], ends[:-1])

    def pair_sums(self, worth: np.ndarray) -> np.ndarray:
        """Return the sum over pairs of drawn clusters in each draw, shape (200,).

        Args:
            worth: What a cluster is worth with another one, (clusters, clusters).
        """
        return np.asarray(((self._counts @ worth) * self._counts).sum(axis=1))


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


def auroc_draws(labels: np.ndarray, score: np.ndarray, clusters: Clusters) -> np.ndarray:
    """Return the AUROC in each draw of the clusters, shape (200,), NaN where a draw lacks a class.

    The pairs that the dying of one cluster win against the living of another are counted once, not in each draw.

    Args:
        labels: 0/1, shape (n,).
        score: Higher = worse, shape (n,).
        clusters: Of the same rows.
    """
    dying = clusters.rows_of_each(np.flatnonzero(labels == 1.0))
    of_dying = np.concatenate(dying)
    owner = np.repeat(np.arange(len(dying)), [len(rows) for rows in dying])
    won = []
    for rows in clusters.rows_of_each(np.flatnonzero(labels == 0.0)):
        living = np.sort(score[rows])
        both = np.searchsorted(living, score[of_dying], "left") + np.searchsorted(
            living, score[of_dying], "right"
        )
        won.append(np.bincount(owner, both / 2.0, len(dying)))
    pairs = clusters.sums(labels) * clusters.sums(1.0 - labels)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pairs > 0, clusters.pair_sums(np.column_stack(won)) / pairs, np.nan)
