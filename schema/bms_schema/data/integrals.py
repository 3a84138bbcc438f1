"""Integrals over a cell's time: charge and thermal age. Nothing is integrated across a gap."""

import numpy as np
import pandas as pd

from bms_schema.data.moments import GAP_STEPS, CellOrder

REFERENCE_C = 25.0  # reference of stationary practice for gravity and life [B]
AGE_DOUBLES_PER_C = 10.0  # life halves per 10 °C, C&D [B]
# A trapezoid may span as many steps as a pause may that is no gap: the readings missing in between
# are taken to lie on a line. Longer silences add nothing.
BRIDGED_READINGS = int(GAP_STEPS)


def steps_integrated(rate: np.ndarray, order: CellOrder) -> tuple[np.ndarray, np.ndarray]:
    """Return what each reading adds to the integral of `rate` over the hours, and those hours, sorted, each (n,).

    Trapezoids between neighbouring readings of a segment, over at most `BRIDGED_READINGS` steps; 0 where no
    reading before is near enough, and NaN in rows without a reading or a time stamp.

    Args:
        rate: Sorted readings, shape (n,), NaN = none.
        order: From `order_cells`.
    """
    row = np.arange(len(rate))
    known = np.isfinite(rate) & np.isfinite(order.seconds)
    latest = np.maximum.accumulate(np.where(known, row, -1))
    before = np.append(-1, latest[:-1])[: len(rate)]
    near = known & (before >= 0) & (row - before <= BRIDGED_READINGS)
    near &= order.segment[before] == order.segment
    hours = np.where(near, (order.seconds - order.seconds[before]) / 3600.0, 0.0)
    area = np.where(near, hours * (rate + rate[before]) / 2.0, 0.0)
    return np.where(known, area, np.nan), np.where(known, hours, np.nan)


def since_first_reading(steps: np.ndarray, order: CellOrder) -> np.ndarray:
    """Return the running total of a cell's steps, sorted, shape (n,), NaN where the step is."""
    return np.asarray(pd.Series(steps).groupby(order.cell).cumsum())


def ageing_rate(temperature_c: np.ndarray) -> np.ndarray:
    """Return how many hours at 25 °C one hour at this temperature counts for.

    >>> ageing_rate(np.array([25.0, 35.0, 15.0])).tolist()
    [1.0, 2.0, 0.5]
    """
    return np.asarray(2.0 ** ((temperature_c - REFERENCE_C) / AGE_DOUBLES_PER_C))
