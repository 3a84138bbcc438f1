"""What a cell should read now, from its string's other cells at this moment and its own readings before.

Everything works on sorted rows of whole cells; where no other cell answers, the reading before is all there is.
"""

import numpy as np
from bms_schema.data.columns import RESOLUTION
from bms_schema.data.moments import CellOrder
from bms_schema.data.trailing import DAY_S, TrailingWindow, sorted_lag

RECENT_S, WEEK_S, MONTH_S = 3 * 3600.0, 7 * DAY_S, 30 * DAY_S
# [U] A cell's response to its string is believed once the string's swings add up to this many resolutions.
SWING = 15.0
# [U] Depths of discharge [%] are compared once they add up to this much: below lies the counter's rounding.
LEAST_DEPTH = 1.0


class Past:
    """The windows that end at each reading of whole cells, found once for all signals.

    Args:
        order: From `order_cells`.
    """

    def __init__(self, order: CellOrder) -> None:
        self.order = order
        self.recent, self.week, self.month = (
            TrailingWindow(order, seconds, across_gaps=True) for seconds in (RECENT_S, WEEK_S, MONTH_S)
        )

    def before(self, values: np.ndarray) -> np.ndarray:
        """Return each cell's value one row before, NaN across a gap, shape (n,)."""
        return sorted_lag(values, self.order, 1)

    def last(self, values: np.ndarray) -> np.ndarray:
        """Return each cell's last known value before each row, never across a gap, shape (n,)."""
        return carried(self.before(values), self.order)


def carried(values: np.ndarray, order: CellOrder) -> np.ndarray:
    """Return the last known value up to each sorted row, never across a gap, shape (n,)."""
    known = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    within = (known >= 0) & (order.segment[known] == order.segment)
    return np.where(within, values[known], np.nan)


def expected_reading(name: str, values: np.ndarray, others: np.ndarray, past: Past) -> np.ndarray:
    """Return others + last deviation + response · change of the others since then, shape (n,).

    The response is the least-squares slope of the cell's deviation on the level of its string over the 30 days
    before, shrunk towards 0 until the string has moved enough: a weak cell falls further than its string on
    load.

    Args:
        name: Column, one of those with a `RESOLUTION`.
        values: Sorted readings, shape (n,), NaN = none.
        others: What the string's other cells say at the same moments, shape (n,).
        past: Windows of the cells.
    """
    deviation = past.before(values - others)
    level = np.where(np.isnan(deviation), np.nan, past.before(others))
    mean_level, mean_deviation = past.month.mean(level), past.month.mean(deviation)
    readings = past.month.total(np.where(np.isnan(deviation), 0.0, 1.0))
    swing = readings * (past.month.mean(level * level) - mean_level**2)
    together = readings * (past.month.mean(level * deviation) - mean_level * mean_deviation)
    response = together / (np.maximum(swing, 0.0) + (SWING * RESOLUTION[name]) ** 2)
    change = others - carried(level, past.order)
    return _or_last(others + carried(deviation, past.order) + response * change, values, past)


def expected_charge(soc: np.ndarray, others: np.ndarray, past: Past) -> np.ndarray:
    """Return the state of charge [%] of a cell that is as much deeper than its string as it was before, (n,).

    In a series string all cells give the same charge, so depths of discharge stand in the inverse ratio of the
    capacities. The ratio is that of the depths summed over the 3 h before, or over the week before where the
    string has hardly left full charge since.

    Args:
        soc: Sorted readings [%], shape (n,), NaN = none.
        others: Median of the string's other cells at the same moments [%], shape (n,).
        past: Windows of the cells.
    """
    both = np.isfinite(soc) & np.isfinite(others)
    own_depth, depth = (past.before(np.where(both, 100.0 - charge, np.nan)) for charge in (soc, others))
    ratio = np.ones(len(soc))
    for window in (past.week, past.recent):
        own, all_cells = np.nan_to_num(window.total(own_depth)), np.nan_to_num(window.total(depth))
        ratio = (own + LEAST_DEPTH * ratio) / (all_cells + LEAST_DEPTH)
    return _or_last(np.clip(100.0 - ratio * (100.0 - others), 0.0, 100.0), soc, past)


def _or_last(expected: np.ndarray, values: np.ndarray, past: Past) -> np.ndarray:
    return np.where(np.isnan(expected), past.last(values), expected)
