"""Signals that all cells of a string have in common at one moment, and what its other cells say of one cell."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from bms_schema.data.columns import AMBIENT, CURRENT, SOC, STRING

# Current and room are one for a series string; state of charge is logged per string by many systems.
MAYBE_SHARED = (CURRENT, AMBIENT, SOC)
# [U] A column counts as shared where, of the moments that tell, 90 % agree to within 2 % of its usual spread.
AGREEING_MOMENTS = 0.9
AGREEMENT = 0.02


def fill_shared(
    frame: pd.DataFrame, moments: np.ndarray, names: Sequence[str] = MAYBE_SHARED
) -> dict[str, np.ndarray]:
    """Return {column: values (n,)} with missing readings taken from the string's other cells at that moment.

    A string whose cells disagree (cells cycled one by one, or each with a state of charge of its own) keeps its
    gaps: there the column belongs to the cell.

    Args:
        frame: A canonical frame of whole strings; `names` that it lacks are left out.
        moments: From `moment_codes`, shape (n,).
        names: Columns to fill.
    """
    _, first, moment = np.unique(moments, return_index=True, return_inverse=True)
    strings = pd.factorize(frame[STRING], sort=True)[0][first]
    filled = {}
    for name in (name for name in names if name in frame):
        values = frame[name].to_numpy(dtype=float, copy=True)
        said = pd.Series(values).groupby(moment).agg(["min", "max", "median", "count"])
        common = said["median"].where(_is_shared(said, strings)).to_numpy()
        gaps = np.isnan(values)
        values[gaps] = common[moment[gaps]]
        filled[name] = values
    return filled


def _is_shared(said: pd.DataFrame, strings: np.ndarray) -> np.ndarray:
    """Return for each moment whether the cells of its string agree on a column, shape (moments,).

    A moment tells something where several cells answered and either they disagree or the column is away from
    its usual value: cells that all rest at 100 % have not agreed on anything.

    Args:
        said: min, max, median and count of the column at each moment.
        strings: String of each moment, shape (moments,).
    """
    median = said["median"]
    by_string = median.groupby(strings)
    tolerance = (
        AGREEMENT * (by_string.quantile(0.95) - by_string.quantile(0.05)).fillna(0.0)[strings].to_numpy()
    )
    disagree = said["max"] - said["min"] > tolerance
    away = (median - by_string.transform("median")).abs() > tolerance
    tells = (said["count"] > 1) & (disagree | away)
    share = (~disagree[tells]).groupby(strings[tells]).mean()
    return ~np.isin(strings, share.index[share < AGREEING_MOMENTS])


def median_of_others(values: np.ndarray, matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Return for each row the median of the string's other cells at that moment, shape (n,).

    Leaving the cell itself out keeps a predictor from containing what it predicts. NaN where no other cell
    answered.

    Args:
        values: Readings, shape (n,), NaN = none.
        matrices: From `moment_matrices`, from two rows on.

    >>> from bms_schema.data.deviation import moment_matrices
    >>> rows = moment_matrices(np.zeros(4, dtype=int), smallest=2)
    >>> median_of_others(np.array([1.0, 2.0, 9.0, np.nan]), rows).tolist()
    [5.5, 5.0, 1.5, 2.0]
    """
    result = np.full(len(values), np.nan)
    for rows in matrices:
        readings = values[rows]
        ascending = np.sort(readings, axis=1)  # NaN last
        answered = ~np.isnan(readings)
        others = answered.sum(axis=1, keepdims=True) - answered
        middle = (
            _nth_other(ascending, readings, np.maximum(others - 1, 0) // 2)
            + _nth_other(ascending, readings, others // 2)
        ) / 2
        result[rows] = np.where(others > 0, middle, np.nan)
    return result


def _nth_other(ascending: np.ndarray, readings: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return for each reading the n-th smallest of the others in its row; all arrays (moments, rows)."""
    last = ascending.shape[1] - 1
    nth = np.take_along_axis(ascending, np.minimum(n, last), axis=1)
    following = np.take_along_axis(ascending, np.minimum(n + 1, last), axis=1)
    # A reading that is not above the n-th stands before or at it: without it, the next one is the n-th.
    return np.where(readings <= nth, following, nth)
