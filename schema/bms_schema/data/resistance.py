"""The ohmic resistance that a load step shows: ΔV/ΔI with charge positive, never V/I.

Whether both sides of a step had settled cannot be told at a BMS's sampling, so a single step is a rough value:
at 5 A, a resolution of 1 mV is 0.2 mΩ. Hence the second figure, over all steps of a month.
"""

import numpy as np
import pandas as pd

from bms_schema.data.columns import CURRENT, VOLTAGE
from bms_schema.data.moments import CellOrder
from bms_schema.data.trailing import TrailingWindow, sorted_lag

LOAD_STEP_A = 5.0  # [U] smallest current step that lifts the ohmic drop above a BMS's 1 mV resolution
RESISTANCE_DAYS = 30
RESISTANCE_STEPS = 3  # at least three steps, Albér [B]


def load_step_resistance(frame: pd.DataFrame, order: CellOrder) -> np.ndarray:
    """Return the resistance seen at the cell's last load step [Ω], shape (n,).

    With charge positive, R = ΔV/ΔI between neighbouring readings; a step that gives no positive resistance is
    not one. The value holds until the next step and is forgotten at a gap. All NaN without either column.
    """
    if VOLTAGE not in frame or CURRENT not in frame:
        return np.full(len(frame), np.nan)
    voltage, current = (frame[name].to_numpy(dtype=float)[order.order] for name in (VOLTAGE, CURRENT))
    return order.restore(last_step_resistance(*load_steps(voltage, current, order), order))


def load_steps(voltage: np.ndarray, current: np.ndarray, order: CellOrder) -> tuple[np.ndarray, np.ndarray]:
    """Return ΔV [V] and ΔI [A] of sorted readings against the ones before, each (n,), NaN where no load step is."""
    dv, di = voltage - sorted_lag(voltage, order, 1), current - sorted_lag(current, order, 1)
    is_step = (np.abs(di) >= LOAD_STEP_A) & np.isfinite(dv)
    return np.where(is_step, dv, np.nan), np.where(is_step, di, np.nan)


def last_step_resistance(dv: np.ndarray, di: np.ndarray, order: CellOrder) -> np.ndarray:
    """Return the resistance at the last load step with a positive one [Ω], held within its segment, shape (n,)."""
    ratio = dv / di
    ratio = np.where(ratio > 0, ratio, np.nan)
    return np.asarray(pd.Series(ratio).groupby(order.segment).ffill())


def mean_step_resistance(dv: np.ndarray, di: np.ndarray, window: TrailingWindow) -> np.ndarray:
    """Return the least-squares resistance over the load steps in each window [Ω], shape (n,).

    NaN with fewer than three steps and where the steps show no positive resistance.
    """
    products = window.mean(dv * di, readings=RESISTANCE_STEPS)
    resistance = products / window.mean(di * di, readings=RESISTANCE_STEPS)
    return np.where(resistance > 0, resistance, np.nan)
