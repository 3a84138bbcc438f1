"""What retrospective detection adds to the shared windows: centred medians and runs of repeated values."""

from typing import Literal

import numpy as np
import pandas as pd
from bms_schema.data.moments import CellOrder


def centred_median(values: np.ndarray, order: CellOrder, width_s: float) -> np.ndarray:
    """Return the median of a cell's readings within a window of `width_s` around each of its readings, shape (n,).

    Half of the window lies later than the reading. The window stays within the cell; it counts time, so a
    gap simply leaves fewer readings. Rows without a time stamp get NaN.

    Args:
        values: Readings, shape (n,), NaN = none.
        order: From `order_cells`.
        width_s: Width of the window [s]; without time stamps the unit is one reading.
    """
    return _centred(values, order, width_s, "median")


def centred_mean(values: np.ndarray, order: CellOrder, width_s: float) -> np.ndarray:
    """Return the mean over the window of `centred_median`, shape (n,)."""
    return _centred(values, order, width_s, "mean")


def _centred(
    values: np.ndarray, order: CellOrder, width_s: float, statistic: Literal["mean", "median"]
) -> np.ndarray:
    ordered = values[order.order]
    timed, index = order.one_axis(width_s, across_gaps=True)
    result = np.full(len(ordered), np.nan)
    if timed.any():
        series = pd.Series(ordered[timed], index=index)
        rolling = series.rolling(pd.Timedelta(seconds=width_s), center=True, closed="both", min_periods=1)
        result[timed] = (rolling.mean() if statistic == "mean" else rolling.median()).to_numpy()
    return order.restore(result)


def window_s(order: CellOrder, hours: float, readings: float) -> float:
    """Return a window of `hours` that spans at least `readings` usual steps of the file [s].

    Without time stamps (pass `hours=0`) the unit is one reading.
    """
    step = float(np.median(order.step_s)) if len(order.step_s) else 1.0
    return max(hours * 3600.0, readings * step)


def repeat_runs(values: np.ndarray, order: CellOrder) -> np.ndarray:
    """Return how often in a row the reading's value was repeated exactly, before or after it, shape (n,).

    0 for a value that differs from both neighbours. A missing reading neither breaks nor lengthens a run and
    has none itself (NaN); a gap breaks it.
    """
    ordered = values[order.order]
    known = np.flatnonzero(np.isfinite(ordered))
    result = np.full(len(ordered), np.nan)
    if known.size:
        value, segment = ordered[known], order.segment[known]
        begins = np.r_[True, (value[1:] != value[:-1]) | (segment[1:] != segment[:-1])]
        run = np.cumsum(begins) - 1
        result[known] = (np.bincount(run) - 1)[run]
    return order.restore(result)
