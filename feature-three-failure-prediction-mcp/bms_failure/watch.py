"""What is known about a fleet before anyone judges it: lives, features by the day, the living cells now."""

from dataclasses import dataclass

import pandas as pd
from bms_schema.data.columns import CELL_ID, STRING
from bms_schema.data.features import SMALLEST_CELLS
from bms_schema.data.table import BatteryTable
from bms_schema.run.errors import NotEnoughData

from bms_failure.labels import Lives, cell_lives
from bms_failure.moments import cell_moments, is_latest


@dataclass(frozen=True)
class Watched:
    """A fleet as the tool and the live service both see it.

    Args:
        lives: Deaths and lives of every cell.
        moments: One row per cell, life and quarter day, with features.
        living: The last moment of every cell that is not dead, one row per cell.
    """

    lives: Lives
    moments: pd.DataFrame
    living: pd.DataFrame


def watch(table: BatteryTable) -> Watched:
    """Build lives and features of a fleet.

    Args:
        table: A canonical table with `Timestamp`.

    Raises:
        NotEnoughData: no string is large enough to judge a cell against, or no cell is alive.
    """
    frame = table.frame
    largest = int(frame.groupby(STRING)[CELL_ID].nunique().max())
    if largest < SMALLEST_CELLS:
        raise NotEnoughData(
            f"The largest string has {largest} cell(s) and the table {len(frame)} row(s).",
            expected=f"a string of at least {SMALLEST_CELLS} cells, as a cell is judged against its string",
            fix="Pass the readings of whole strings; check the string and cell columns.",
        )
    lives = cell_lives(frame)
    moments = cell_moments(frame, table.chemistry, lives.of_row)
    living = moments[is_latest(moments) & ~moments[CELL_ID].isin(lives.dead_at_end)].reset_index(drop=True)
    if living.empty:
        raise NotEnoughData(
            f"All {len(lives.dead_at_end)} cells are dead (IsDead = 1) at the end of the data.",
            expected="at least one living cell",
            fix="Check IsDead: 1 means dead.",
        )
    return Watched(lives, moments, living)
