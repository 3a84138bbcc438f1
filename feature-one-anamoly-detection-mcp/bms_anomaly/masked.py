"""Readings that cleaning took out as no cell's own: odd beyond doubt, though no longer there.

Reading a file flags what lies outside of the physical range ("impossible": 66.5 V of a lithium cell); a table that
preprocessing cleaned also tells spikes and stuck sensors. All three are faults of the measuring chain. A
reading that was merely not answered says nothing.
"""

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import OUT_OF_RANGE, SPIKE, STUCK
from bms_schema.data.columns import flag_of

from bms_anomaly.features import SIGNALS

IMPOSSIBLE = "impossible"
_KIND_OF_FLAG = {SPIKE: SPIKE, STUCK: STUCK, OUT_OF_RANGE: IMPOSSIBLE}
# In decades of rarity: preprocessing masks what it gives a chance of one in a million, and a row that speaks for
# itself alone counts two decades less (see `persistence`).
MASKED_SCORE = 5.0


def masked_readings(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return what each row's reading was taken out as ("spike", "stuck", "impossible" or ""), and of which signal.

    Both have shape (n,). Of several signals the first in the order of `SIGNALS` speaks for the row.

    Args:
        frame: Canonical frame; one without flags has no such rows.
    """
    kind, signal_name = np.full(len(frame), "", dtype=object), np.full(len(frame), "", dtype=object)
    for signal in reversed(SIGNALS):
        if flag_of(signal.column) in frame:
            flags = frame[flag_of(signal.column)]
            masked = flags.isin(list(_KIND_OF_FLAG)).to_numpy()
            kind[masked], signal_name[masked] = flags[masked].astype(object).map(_KIND_OF_FLAG), signal.name
    return kind, signal_name


def raised(score: np.ndarray, masked: np.ndarray, alarm: float) -> np.ndarray:
    """Return the scores, of masked rows no less than 5 and `alarm`, whatever their other signals say, shape (n,).

    >>> raised(np.array([0.5, np.nan, np.nan, 9.0]), np.array([True, True, False, True]), 3.5).tolist()
    [5.0, 5.0, nan, 9.0]
    """
    return np.where(masked, np.fmax(score, max(alarm, MASKED_SCORE)), score)
