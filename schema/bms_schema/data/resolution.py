"""How finely a cell's readings are resolved, as far as it has shown."""

import numpy as np
import pandas as pd


def smallest_step(values: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return the smallest change between two readings of the cell so far, shape (n,); inf before the first one.

    Args:
        values: Known readings in (cell, time) order, shape (n,).
        cell: Their cell codes, shape (n,).

    >>> smallest_step(np.array([22.0, 22.0, 24.0, 23.0, 26.0]), np.zeros(5)).tolist()
    [inf, inf, 2.0, 1.0, 1.0]
    """
    step = np.abs(np.diff(values, prepend=np.nan))
    step[(np.diff(cell, prepend=np.nan) != 0) | (step == 0)] = np.inf
    return pd.Series(step).groupby(cell).cummin().to_numpy()
