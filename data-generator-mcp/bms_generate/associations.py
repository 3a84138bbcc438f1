"""How strongly two columns hang together, by what they are: 0 not at all, 1 (or -1) entirely."""

import numpy as np
import pandas as pd


def as_numbers(column: pd.Series) -> np.ndarray:
    """Return float64, or int64 nanoseconds of times; no value may be missing."""
    times = pd.api.types.is_datetime64_any_dtype(column)
    return column.astype("int64" if times else "float64").to_numpy()


def correlation(x: pd.Series, y: pd.Series) -> float:
    """Return Pearson's r of numbers or times; NaN where one does not vary.

    >>> round(correlation(pd.Series([1.0, 2.0, 3.0]), pd.Series([2.0, 4.0, 6.0])), 6)
    1.0
    """
    first, second = (as_numbers(column).astype("float64") for column in (x, y))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def correlation_ratio(labels: pd.Series, numbers: pd.Series) -> float:
    """Return η: the root of the share of the numbers' variance between the labels.

    NaN where the numbers do not vary.

    >>> correlation_ratio(pd.Series(["a", "a", "b", "b"]), pd.Series([1.0, 1.0, 3.0, 3.0]))
    1.0
    """
    total = numbers.var(ddof=0)
    if not total > 0:
        return float("nan")
    means = numbers.groupby(labels).transform("mean")
    return float(np.sqrt(means.var(ddof=0) / total))


def cramers_v(x: pd.Series, y: pd.Series) -> float:
    """Return Cramér's V: the root of chi-square against its largest possible value.

    NaN where one has a single label.

    >>> cramers_v(pd.Series(["a", "a", "b", "b"]), pd.Series(["x", "y", "x", "y"]))
    0.0
    """
    counts = pd.crosstab(x, y).to_numpy("float64")
    least = min(counts.shape) - 1
    if least < 1:
        return float("nan")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    return float(np.sqrt(((counts - expected) ** 2 / expected).sum() / counts.sum() / least))
