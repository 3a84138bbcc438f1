"""Readings that a live sensor would not give: spikes and stuck values become missing, with the reason why.

Whether a reading is masked depends on its own string alone, and on nothing after its moment: partitions, row order
and the end of a file change nothing, and what reads the result may forecast from it.
"""

import numpy as np
import pandas as pd

from bms_schema.data.cleaning import FLAG_TYPE, SPIKE, STUCK
from bms_schema.data.columns import AMBIENT, CURRENT, GRAVITY, RESOLUTION, TEMPERATURE, VOLTAGE, flag_of
from bms_schema.data.moments import CellOrder, moment_codes, order_cells
from bms_schema.data.neighbours import string_median
from bms_schema.data.spikes import find_spikes
from bms_schema.data.stuck import find_stuck

# A shared signal frozen for all cells, or a counted one like the state of charge, repeats by nature.
SENSORS_OF_A_CELL = (VOLTAGE, TEMPERATURE, GRAVITY)
# Below these sigmas, in the column's unit, no excursion is believed; those of the shared signals are [U].
SMALLEST_SIGMA = RESOLUTION | {CURRENT: 1.0, AMBIENT: 0.2}


def mask_suspects(
    frame: pd.DataFrame, moments: np.ndarray | None = None, order: CellOrder | None = None
) -> pd.DataFrame:
    """Return the frame with spikes and stuck readings missing and flagged so; nothing else is changed.

    Voltage, temperature and gravity are judged against the other cells of the string, current and ambient
    temperature against the value that the cells share. Strings of one or two cells have nobody to compare with
    and stay as they are. To be called once: without the readings it masked, the result would be judged anew.

    Args:
        frame: Whole strings of a canonical, cleaned frame.
        moments: Its `moment_codes`, where at hand.
        order: Its `order_cells`, where at hand.
    """
    order = order or order_cells(frame)
    moments = moment_codes(frame, order) if moments is None else moments
    masked: dict[str, pd.Series] = {}
    current_a = None
    for name in (CURRENT, AMBIENT, *SENSORS_OF_A_CELL):
        if name not in frame or not frame[name].notna().any():
            continue
        values = frame[name].to_numpy(dtype=float)
        stuck = np.zeros(len(values), dtype=bool)
        if name in SENSORS_OF_A_CELL:
            stuck = find_stuck(values, moments, order)
            values = np.where(stuck, np.nan, values)
        load_a = current_a if name == VOLTAGE else None
        spike = find_spikes(values, moments, order, SMALLEST_SIGMA[name], load_a)
        values = np.where(spike, np.nan, values)
        if name == CURRENT:
            current_a = string_median(values, moments)
        if stuck.any() or spike.any():
            masked |= _columns(frame, name, values, spike, stuck)
    return frame.assign(**masked) if masked else frame


def _columns(
    frame: pd.DataFrame, name: str, values: np.ndarray, spike: np.ndarray, stuck: np.ndarray
) -> dict[str, pd.Series]:
    """Return the column and its flags with suspects masked."""
    flags = frame[flag_of(name)].astype(FLAG_TYPE).mask(spike, SPIKE).mask(stuck, STUCK)
    return {name: pd.Series(values, index=frame.index), flag_of(name): flags}
