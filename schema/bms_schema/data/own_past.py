"""The features of a cell that need no other cell: of its row, its load, its ageing and its past.

Everything here works on sorted rows of whole cells and returns {feature: values (n,)} in that order.
"""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from bms_schema.data.columns import AMBIENT, CURRENT, GRAVITY, TEMPERATURE, TIMESTAMP, VOLTAGE
from bms_schema.data.feature_table import (
    AGEING_DAYS,
    DEVIATION_WINDOWS_D,
    DISCHARGE_HOURS,
    GRAVITY_PER_C,
    LAGS,
    SHORT_WINDOWS_H,
    Signal,
)
from bms_schema.data.integrals import REFERENCE_C, ageing_rate, since_first_reading, steps_integrated
from bms_schema.data.moments import CellOrder
from bms_schema.data.resistance import (
    RESISTANCE_DAYS,
    last_step_resistance,
    load_steps,
    mean_step_resistance,
)
from bms_schema.data.trailing import DAY_S, TrailingWindow, sorted_lag

ROUNDING_H = 1e-9  # what a rolling sum may leave of hours that have left the window


class SortedCells:
    """Whole cells in the order of time, and the windows over them.

    Args:
        frame: A canonical frame.
        order: Its `order_cells`.
    """

    def __init__(self, frame: pd.DataFrame, order: CellOrder) -> None:
        self._frame = frame
        # A window of hours means nothing to a cell whose readings are only numbered.
        self.order = replace(order, seconds=np.where(order.timed, order.seconds, np.nan))
        self._windows: dict[tuple[float, bool], TrailingWindow] = {}

    def values(self, name: str) -> np.ndarray:
        """Return a column's sorted readings, shape (n,)."""
        ordered: np.ndarray = self._frame[name].to_numpy(dtype=float)[self.order.order]
        return ordered

    def hours(self, hours: float) -> TrailingWindow:
        """Return the trailing window of some hours, which ends at a gap."""
        return self._window(hours * 3600.0, across_gaps=False)

    def days(self, days: float) -> TrailingWindow:
        """Return the trailing window of some days, which reaches over gaps."""
        return self._window(days * DAY_S, across_gaps=True)

    def _window(self, width_s: float, *, across_gaps: bool) -> TrailingWindow:
        key = (width_s, across_gaps)
        if key not in self._windows:
            self._windows[key] = TrailingWindow(self.order, width_s, across_gaps=across_gaps)
        return self._windows[key]


def row_features(cells: SortedCells, columns: Collection[str]) -> dict[str, np.ndarray]:
    """Return what follows from one row's own readings."""
    found = {}
    if {VOLTAGE, CURRENT} <= set(columns):
        found["power_w"] = cells.values(VOLTAGE) * cells.values(CURRENT)
    if {TEMPERATURE, AMBIENT} <= set(columns):
        found["temperature_rise_c"] = cells.values(TEMPERATURE) - cells.values(AMBIENT)
    if {GRAVITY, TEMPERATURE} <= set(columns):
        warmth_c = cells.values(TEMPERATURE) - REFERENCE_C
        found["gravity_25c"] = cells.values(GRAVITY) + GRAVITY_PER_C * warmth_c
    return found


def load_features(cells: SortedCells, columns: Collection[str]) -> dict[str, np.ndarray]:
    """Return resistance and coulomb counts."""
    found = {}
    timed, order = TIMESTAMP in columns, cells.order
    if {VOLTAGE, CURRENT} <= set(columns):
        dv, di = load_steps(cells.values(VOLTAGE), cells.values(CURRENT), order)
        found["load_step_resistance_ohm"] = last_step_resistance(dv, di, order)
        if timed:
            name = f"load_step_resistance_{RESISTANCE_DAYS}d_ohm"
            found[name] = mean_step_resistance(dv, di, cells.days(RESISTANCE_DAYS))
    if CURRENT in columns and timed:
        current = cells.values(CURRENT)
        found["charge_ah"] = since_first_reading(steps_integrated(current, order)[0], order)
        discharged, _ = steps_integrated(np.maximum(-current, 0.0), order)
        total = cells.hours(DISCHARGE_HOURS).total(discharged)
        found[f"discharged_{DISCHARGE_HOURS}h_ah"] = np.where(
            np.isnan(discharged), np.nan, np.maximum(total, 0.0)
        )
    return found


def ageing_features(cells: SortedCells, columns: Collection[str]) -> dict[str, np.ndarray]:
    """Return thermal age and its pace."""
    if not {TEMPERATURE, TIMESTAMP} <= set(columns):
        return {}
    aged_h, hours = steps_integrated(ageing_rate(cells.values(TEMPERATURE)), cells.order)
    window = cells.days(AGEING_DAYS)
    measured_h = window.total(hours)
    measured_h[~(measured_h > ROUNDING_H)] = np.nan
    return {
        "thermal_age_h": since_first_reading(aged_h, cells.order),
        f"ageing_factor_{AGEING_DAYS}d": window.total(aged_h) / measured_h,
    }


def signal_features(cells: SortedCells, signal: Signal, columns: Collection[str]) -> dict[str, np.ndarray]:
    """Return difference, lags and short windows of one signal."""
    values = cells.values(signal.column)
    lags = {lag: sorted_lag(values, cells.order, lag) for lag in LAGS}
    found = {signal.named("diff"): values - lags[1]}
    found |= {signal.named(f"lag{lag}"): lagged for lag, lagged in lags.items()}
    if TIMESTAMP in columns:
        for hours in SHORT_WINDOWS_H:
            window = cells.hours(hours)
            found[signal.named(f"mean_{hours}h")] = window.mean(values)
            found[signal.named(f"std_{hours}h")] = window.std(values)
    return found


def deviation_features(cells: SortedCells, signal: Signal, robust_z: np.ndarray) -> dict[str, np.ndarray]:
    """Return level, slope and volatility of a signal's robust z over the windows of days.

    Args:
        cells: The sorted cells.
        signal: The signal.
        robust_z: Its deviation from the string in robust sigmas, sorted, shape (n,).
    """
    found = {}
    day = cells.order.elapsed_s / DAY_S
    for days in DEVIATION_WINDOWS_D:
        window = cells.days(days)
        found[f"{signal.short}_z_level_{days}d"] = window.mean(robust_z)
        found[f"{signal.short}_z_slope_{days}d"] = window.slope(robust_z, day, days)
        found[f"{signal.short}_z_volatility_{days}d"] = window.std(robust_z)
    return found
