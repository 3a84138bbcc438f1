"""Folds that keep a group whole and give every fold its share of the groups in which cells died."""

import numpy as np
from bms_schema.data.columns import CELL_ID, STRING
from bms_schema.data.splits import grouped_folds

MOST_FOLDS = 5


def fold_groups(strings: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, str]:
    """Return the group of each moment and its kind: the string, or the cell where there is one string."""
    if len(np.unique(strings)) > 1:
        return np.asarray(strings).astype(str), STRING
    return np.asarray(cells).astype(str), CELL_ID


def assign_folds(groups: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Return the fold of each moment, shape (n,); at most five, never more than groups with a positive.

    Groups with and without positives are dealt separately, so that no training part lacks a death.

    Args:
        groups: Group of each moment, shape (n,).
        labels: 1.0, 0.0 or NaN, shape (n,); at least two groups hold a 1.
        seed: Order of dealing.
    """
    with_deaths = np.isin(groups, np.unique(groups[labels == 1.0]))
    n_folds = min(MOST_FOLDS, len(np.unique(groups[with_deaths])))
    fold = np.zeros(len(groups), dtype=int)
    for part in (with_deaths, ~with_deaths):
        rows = np.flatnonzero(part)
        possible = min(n_folds, len(np.unique(groups[rows])))
        if possible < 2:
            continue
        for number, (_, test) in enumerate(grouped_folds(groups[rows], possible, seed)):
            fold[rows[test]] = number
    return fold
