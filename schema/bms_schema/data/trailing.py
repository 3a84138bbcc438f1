"""A cell's own past: the readings before, and windows in time that end at a reading.

The bounds of a window are found once and serve every statistic of every signal. pandas' rolling sums start
afresh at each cell and, except where asked, at each gap; so a cell's values do not depend, to the last bit,
on which cells stand beside it.
"""

import numpy as np
import pandas as pd
from pandas.api.indexers import BaseIndexer

from bms_schema.data.moments import CellOrder

DAY_S = 86_400.0
# A slope needs readings spread over half its window: sigma of the times ≥ half that of a uniform spread.
SMALLEST_SPREAD = 0.5 / np.sqrt(12.0)
SLOPE_READINGS = 3  # a line always fits two


class TrailingWindow(BaseIndexer):
    """The window (t - window_s, t] of every reading, for `pandas.Series.rolling`.

    Rows of one time see those that stand before them in the cell's order. A row without a time stamp has an
    empty window.

    Args:
        order: From `order_cells`.
        window_s: Width of the window [s]; in cells without time stamps the unit is one reading.
        across_gaps: True for windows of days, which an outage of hours must not empty.
    """

    def __init__(self, order: CellOrder, window_s: float, *, across_gaps: bool = False) -> None:
        super().__init__()
        timed, index = order.one_axis(window_s, across_gaps=across_gaps)
        places, rows = index.to_numpy().astype("int64"), np.flatnonzero(timed)
        first = np.searchsorted(places, places - round(1e6 * window_s), side="right")
        self.start = np.arange(len(timed))
        self.end = self.start + timed
        self.start[timed] = rows[first]

    def get_window_bounds(
        self,
        num_values: int = 0,
        min_periods: int | None = None,
        center: bool | None = None,
        closed: str | None = None,
        step: int | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return first and one past the last row of each window; the arguments are those of pandas."""
        return self.start, self.end

    def mean(self, values: np.ndarray, *, readings: int = 1) -> np.ndarray:
        """Return the mean of the sorted values (n,) in each window; NaN with fewer than `readings`."""
        return np.asarray(pd.Series(values).rolling(self, min_periods=readings).mean())

    def std(self, values: np.ndarray) -> np.ndarray:
        """Return the standard deviation (n - 1) of the sorted values (n,) in each window; NaN below two."""
        return np.asarray(pd.Series(values).rolling(self, min_periods=2).std())

    def total(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of the sorted values (n,) in each window, NaN where it holds none."""
        return np.asarray(pd.Series(values).rolling(self, min_periods=1).sum())

    def slope(self, values: np.ndarray, day: np.ndarray, days: float) -> np.ndarray:
        """Return the least-squares slope per day of the sorted values (n,) in each window.

        NaN with fewer than `SLOPE_READINGS` readings and where they span less than about half the window.

        Args:
            values: Sorted values, NaN = none.
            day: Time of each [d], from a nearby origin.
            days: Width of this window [d].
        """
        when = np.where(np.isnan(values), np.nan, day)
        mean_t, mean_v = self.mean(when), self.mean(values)
        variance = self.mean(when * when, readings=SLOPE_READINGS) - mean_t * mean_t
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = (self.mean(when * values) - mean_t * mean_v) / variance
            return np.where(variance >= (SMALLEST_SPREAD * days) ** 2, slope, np.nan)


def lag_within(values: np.ndarray, order: CellOrder, lag: int) -> np.ndarray:
    """Return the value `lag` readings before in the same cell and segment, shape (n,), NaN where there is none."""
    return order.restore(sorted_lag(values[order.order], order, lag))


def sorted_lag(values: np.ndarray, order: CellOrder, lag: int) -> np.ndarray:
    """Do what `lag_within` does, for values in the order of `order`."""
    lagged = np.full(len(values), np.nan)
    lagged[lag:] = np.where(order.segment[lag:] == order.segment[:-lag], values[:-lag], np.nan)
    return lagged


def trailing_statistics(
    values: np.ndarray, order: CellOrder, window_s: float, *, across_gaps: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of a cell's readings in (t - window_s, t], each (n,).

    The standard deviation (n - 1) needs two readings. Without time stamps the window counts readings.

    Args:
        values: Readings, shape (n,), NaN = none.
        order: From `order_cells`.
        window_s: Width of the window [s].
        across_gaps: True for windows of days, which an outage of hours must not empty.
    """
    window, ordered = TrailingWindow(order, window_s, across_gaps=across_gaps), values[order.order]
    return order.restore(window.mean(ordered)), order.restore(window.std(ordered))
