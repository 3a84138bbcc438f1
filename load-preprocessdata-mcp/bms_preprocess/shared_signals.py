"""Signals that all cells of a string have in common at one moment, and what its other cells say of one cell."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from bms_schema.data.columns import AMBIENT, CURRENT, SOC, STRING

# Current and room are one for a series string; state of charge is logged per string by many systems.
MAYBE_SHARED = (CURRENT, AMBIENT, SOC)
# [U] A column counts as shared where 90 % of the moments agree to within 2 % of its usual spread.
AGREEING_MOMENTS = 0.9
AGREEMENT = 0.02


def fill_shared(
    frame: pd.DataFrame, moments: np.ndarray, names: Sequence[str] = MAYBE_SHARED
) -> dict[str, np.ndarray]:
    """Return {column: values (n,)} with missing readings taken from the string's other cells at that moment.

    A string whose cells disagree (cells cycled one by one, logged in one file) keeps its gaps: there the
    column belongs to the cell.

    Args:
        frame: A canonical frame; `names` that it lacks are left out.
        moments: From `moment_codes`, shape (n,).
        names: Columns to fill.
    """
    filled = {}
    for name in names:
        if name in frame:
            values = frame[name].astype(float)
            usable = _is_shared(values, frame[STRING], moments)
            common = values.groupby(moments).transform("median").where(usable)
            filled[name] = values.fillna(common).to_numpy()
    return filled


def _is_shared(values: pd.Series, strings: pd.Series, moments: np.ndarray) -> np.ndarray:
    """Return for each row whether the cells of its string agree on this column, shape (n,)."""
    by_moment = values.groupby(moments)
    spread = by_moment.max() - by_moment.min()
    several = by_moment.count() > 1
    string_of_moment = strings.groupby(moments).first()
    usual = values.groupby(strings).quantile(0.95) - values.groupby(strings).quantile(0.05)
    tolerance = AGREEMENT * string_of_moment.map(usual).fillna(0.0)
    agrees = (spread <= tolerance)[several].astype(float).groupby(string_of_moment[several]).mean()
    return strings.isin(agrees.index[agrees >= AGREEING_MOMENTS]).to_numpy()


def median_of_others(values: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Return for each row the median of the string's other cells at that moment, shape (n,).

    Leaving the cell itself out keeps a predictor from containing what it predicts. NaN where no other cell
    answered.

    Args:
        values: Readings, shape (n,), NaN = none.
        moments: From `moment_codes`, shape (n,).

    >>> median_of_others(np.array([1.0, 2.0, 9.0, np.nan]), np.zeros(4, dtype=int)).tolist()
    [5.5, 5.0, 1.5, 2.0]
    """
    n = len(values)
    order = np.lexsort((values, moments))  # NaN sorts last within its moment
    codes, ordered = moments[order], values[order]
    present = np.isfinite(ordered)
    starts = np.flatnonzero(np.diff(codes, prepend=codes[0] - 1) != 0)
    sizes = np.diff(np.append(starts, n))
    start = np.repeat(starts, sizes)
    rank = np.arange(n) - start
    others = np.repeat(np.add.reduceat(present.astype(int), starts), sizes) - present

    def kth_other(k: np.ndarray) -> np.ndarray:
        return np.asarray(ordered[np.clip(start + k + (present & (k >= rank)), 0, n - 1)])

    middle = (kth_other((np.maximum(others, 1) - 1) // 2) + kth_other(others // 2)) / 2
    result = np.empty(n)
    result[order] = np.where(others > 0, middle, np.nan)
    return result
