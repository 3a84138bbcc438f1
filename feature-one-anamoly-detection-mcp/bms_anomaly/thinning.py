"""Fewer points that look like all of them."""

import numpy as np
import pandas as pd

MOST_POINTS = 3000  # of a curve: three in each pixel of a screen


def thinned(values: np.ndarray, odd: np.ndarray, most: int = MOST_POINTS) -> np.ndarray:
    """Return the places of at most so many readings that look like all of them, ascending.

    Of each of equally many neighbours the lowest, the highest and the first odd reading stay.

    >>> thinned(np.array([0.0, 5.0, 0.0, 0.0, 0.0, -3.0]), np.zeros(6, bool), most=3).tolist()
    [0, 1, 5]

    Args:
        values: In time order, shape (n,), NaN = no reading.
        odd: Which are anomalous, shape (n,), bool.
        most: Places returned at most.
    """
    if len(values) <= most:
        return np.arange(len(values))
    block = np.arange(len(values)) * (most // 3) // len(values)
    candidates = {
        "low": np.where(np.isnan(values), np.inf, values),
        "high": -np.where(np.isnan(values), -np.inf, values),
        "odd": np.where(odd, 0.0, 1.0),
    }
    first = pd.DataFrame(candidates).groupby(block).idxmin()
    return np.unique(first.to_numpy())
