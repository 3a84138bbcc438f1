"""Strings of live sensors for the tests of spikes and stuck values, and ways to spoil them."""

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import BLANK, FLAG_TYPE, OK

SIGNALS = ("CellVoltage", "CellTemperature", "CellSpecificGravity")


def live_string(cells=8, moments=120, step="10min", seed=0, decimals=(3, 1, 3), name="S0"):
    """One string on float for most of the time, then a discharge of twelve readings at 40 A, then float again."""
    rng = np.random.default_rng(seed)
    shape = (moments, cells)
    current = np.zeros(moments)
    current[80:92] = -40.0
    sag = np.where(current < 0, -0.15, 0.0)[:, None] * rng.uniform(0.8, 1.2, cells)
    warmth = np.cumsum(np.where(current < 0, 0.2, 0.0))[:, None]
    frame = pd.DataFrame(
        {
            "string": name,
            "Cell ID": np.tile([f"{name}/C{cell}" for cell in range(cells)], moments),
            "Timestamp": np.repeat(pd.date_range("2026-01-01", periods=moments, freq=step), cells),
            "CellVoltage": (2.22 + rng.normal(0, 0.01, cells) + rng.normal(0, 0.002, shape) + sag).ravel(),
            "CellTemperature": (22 + rng.normal(0, 0.5, cells) + rng.normal(0, 0.2, shape) + warmth).ravel(),
            "InstantaneousCurrent": np.repeat(current, cells),
            "AmbientTemperature": np.repeat(20 + rng.normal(0, 0.1, moments).round(1), cells),
            "CellSpecificGravity": (
                1.215 + rng.normal(0, 0.003, cells) + rng.normal(0, 0.001, shape)
            ).ravel(),
        }
    )
    for column, places in zip(SIGNALS, decimals, strict=True):
        frame[column] = frame[column].round(places)
    return frame


def canonical(frame):
    """The frame as `canonical_table` gives it, without the reader: a table like this needs no decisions."""
    flags = {
        f"{name}_flag": pd.Series(np.where(frame[name].isna(), BLANK, OK), frame.index).astype(FLAG_TYPE)
        for name in (*SIGNALS, "InstantaneousCurrent", "AmbientTemperature")
    }
    return frame.assign(source_row=np.arange(len(frame)), **flags)


def rows_of(frame, cell, first, last=None):
    """Positions of a cell's readings number `first` to `last`, both included."""
    return np.flatnonzero(frame["Cell ID"] == cell)[first : (first if last is None else last) + 1]
