"""What the cells of a string say at one moment, where enough of them answered to tell which one deviates."""

import numpy as np
import pandas as pd

from bms_schema.data.deviation import SMALLEST_CELLS


def enough_cells(values: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Return whether at least three cells answered at each row's moment, shape (n,), bool.

    Args:
        values: Readings, shape (n,), NaN = none.
        moments: From `moment_codes`, shape (n,).
    """
    return np.asarray(np.bincount(moments, weights=np.isfinite(values))[moments] >= SMALLEST_CELLS)


def string_median(values: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Return the median of all readings at each row's moment, shape (n,), NaN where there are fewer than three."""
    median = pd.Series(values).groupby(moments).transform("median").to_numpy()
    return np.where(enough_cells(values, moments), median, np.nan)
