"""Exact figures of many groups at once, on codes instead of names."""

from collections.abc import Sequence

import numpy as np


def grouped_quantiles(
    values: np.ndarray, codes: np.ndarray, groups: int, shares: Sequence[float]
) -> np.ndarray:
    """Return quantiles of each group, shape (groups, len(shares)); NaN for a group without a value.

    A quantile is one of the group's own values (the lower one between two), so it never depends on rounding.

    Args:
        values: Shape (n,), NaN = none.
        codes: Group of each value, 0 … groups - 1, shape (n,).
        groups: Number of groups.
        shares: Quantiles asked for, each from 0 to 1.

    >>> grouped_quantiles(np.array([3.0, 1.0, 2.0, np.nan]), np.array([0, 0, 0, 1]), 2, [0.5]).tolist()
    [[2.0], [nan]]
    """
    known = np.isfinite(values)
    values, codes = values[known], codes[known]
    ordered = values[np.lexsort((values, codes))]
    sizes = np.bincount(codes, minlength=groups)
    first = np.cumsum(sizes) - sizes
    table = np.full((groups, len(shares)), np.nan)
    filled = sizes > 0
    for place, share in enumerate(shares):
        at = first + np.floor(share * np.maximum(sizes - 1, 0)).astype("int64")
        table[filled, place] = ordered[at[filled]]
    return table


def runs(marks: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return first and last position (both inclusive) of every run of True within one unit.

    >>> [ends.tolist() for ends in runs(np.array([1, 1, 1, 0, 1], bool), np.array([0, 0, 1, 1, 1]))]
    [[0, 2, 4], [1, 2, 4]]
    """
    padded = np.concatenate(([False], marks, [False]))
    new_unit = np.concatenate(([True], units[1:] != units[:-1], [True])) if len(units) else np.array([True])
    starts = padded[1:-1] & (~padded[:-2] | new_unit[:-1])
    ends = padded[1:-1] & (~padded[2:] | new_unit[1:])
    return np.flatnonzero(starts), np.flatnonzero(ends)
