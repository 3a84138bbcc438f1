"""Readings condensed to quarter days per cell: the median of a block shrugs off spikes, and is small."""

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, SOURCE_ROW, STRING, TIMESTAMP

from bms_failure.signals import SHARES, SIGNALS

BLOCK_S = 6 * 3600  # aligned to the clock, so that data that comes later never moves a block
LIFE = "life"
AT = "at"


def condense(frame: pd.DataFrame, signals: pd.DataFrame, life: np.ndarray) -> pd.DataFrame:
    """Return one row per cell, life and quarter day, sorted by cell and time.

    Args:
        frame: Canonical frame.
        signals: From `reading_signals`, same rows.
        life: From `cell_lives`, shape (n,); rows below 0 (the cell is dead) are left out.

    Returns:
        `Cell ID`, `string`, `life`, `Timestamp` (the block's start), `at` (its last reading: the moment of
        prediction), the medians of the signals (means of the shares), `voltage_noise_mv`
        (spread of the voltage deviation inside the block), `source_row` = 0…n-1.
    """
    stamps = frame[TIMESTAMP].to_numpy(dtype="datetime64[ns]")
    kept = ~np.isnat(stamps) & (life >= 0)
    seconds = stamps[kept].astype("int64") // 1_000_000_000
    keyed = signals.loc[kept, list(SIGNALS)].assign(
        **{
            CELL_ID: frame[CELL_ID].to_numpy()[kept],
            STRING: frame[STRING].to_numpy()[kept],
            LIFE: life[kept],
            TIMESTAMP: pd.to_datetime(seconds // BLOCK_S * BLOCK_S, unit="s"),
            AT: stamps[kept],
        }
    )
    grouped = keyed.groupby([CELL_ID, LIFE, TIMESTAMP], sort=True, observed=True)
    blocks = grouped[[name for name in SIGNALS if name not in SHARES]].median()
    blocks["voltage_noise_mv"] = grouped["voltage_mv"].std()
    blocks[list(SHARES)] = grouped[list(SHARES)].mean()
    blocks[STRING] = grouped[STRING].first()
    blocks[AT] = grouped[AT].max()
    blocks = blocks.reset_index()
    blocks[SOURCE_ROW] = np.arange(len(blocks))
    return blocks
