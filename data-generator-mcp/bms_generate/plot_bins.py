"""Bins that two columns share: wide enough for most values, narrow enough to tell them apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bms_generate.associations import as_numbers

_FEWEST_BINS, _MOST_BINS = 10, 80
_MOST_STEPS = 10_000  # values in finer steps are as good as continuous
_HALF_DAY_NS = 12 * 3600 * 10**9  # a lone time stamp stands in a day
# Bins span the middle 99.5 % of both sides together where all would need this many times the room.
_MIDDLE, _LONG_TAIL = (0.0025, 0.9975), 1.5
_QUANTILES = np.linspace(0.0, 1.0, 2001)  # of each side, so that both weigh the same


def count_bins(real: pd.Series, synthetic: pd.Series) -> pd.DataFrame:
    """Return `left`, `right`, `real`, `synthetic`: the share of each side's present values in common bins.

    The shares sum to less than 1 where a long tail is left out.

    Args:
        real: Numbers or times, one present at least.
        synthetic: Likewise.
    """
    times = pd.api.types.is_datetime64_any_dtype(real)
    values = [as_numbers(column.dropna()) for column in (real, synthetic)]
    bins = int(np.clip(np.sqrt(min(map(len, values))), _FEWEST_BINS, _MOST_BINS))
    low = min(value.min() for value in values)
    offsets = [(value - low).astype("float64") for value in values]  # nanoseconds since 1970 outgrow a float
    start, end = _frame(offsets)
    distinct = np.unique(np.concatenate(offsets))
    shown = distinct[(distinct >= start) & (distinct <= end)]
    edges = _edges(shown - shown[0], bins, _HALF_DAY_NS if times else 0.5) + shown[0]
    shares = [np.histogram(offset, edges)[0] / len(offset) for offset in offsets]
    places = pd.to_datetime(low + edges.astype("int64")) if times else low + edges
    return pd.DataFrame({"left": places[:-1], "right": places[1:], "real": shares[0], "synthetic": shares[1]})


def _frame(offsets: list[np.ndarray]) -> tuple[float, float]:
    """Return where the bins begin and end: the middle of both sides where the rest would squeeze it, else all."""
    both = np.concatenate([np.quantile(side, _QUANTILES) for side in offsets])
    start, end = np.quantile(both, _MIDDLE)
    whole = float(both.max())
    return (float(start), float(end)) if 0 < _LONG_TAIL * (end - start) < whole else (0.0, whole)


def _edges(distinct: np.ndarray, bins: int, half: float) -> np.ndarray:
    """Return the edges of about `bins` bins; of values in steps each bin holds as many steps, lest it look combed.

    Args:
        distinct: Sorted different values, the first 0.
        bins: Bins wanted.
        half: Half the width of the frame around a single value.
    """
    high = distinct[-1]
    if high == 0:
        return np.linspace(-half, half, bins + 1)
    step = np.diff(distinct).min()
    steps = np.rint(high / step)
    if steps > _MOST_STEPS:
        return np.linspace(0.0, high, bins + 1)
    width = np.ceil((steps + 1) / bins)
    return (np.arange(np.ceil((steps + 1) / width) + 1) * width - 0.5) * step
