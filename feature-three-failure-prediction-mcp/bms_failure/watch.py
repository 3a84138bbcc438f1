"""What is known about a fleet before anyone judges it: lives, features by the day, the living cells now."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from bms_schema.data.chemistry import Chemistry
from bms_schema.data.columns import CELL_ID, IS_DEAD
from bms_schema.data.features import SMALLEST_CELLS
from bms_schema.data.table import BatteryTable
from bms_schema.run.errors import NotEnoughData

from bms_failure.condensing import Condensed, condense_strings, put_together
from bms_failure.labels import Lives
from bms_failure.moments import is_latest
from bms_failure.results import Engine


@dataclass(frozen=True)
class Source:
    """What is known of the table that a fleet was read from.

    Args:
        chemistry: The profile in force and why.
        columns: Its canonical columns.
        measured: The measured columns that hold at least one reading.
        labelled: Whether `IsDead` holds a value.
        rows: Rows of it.
        notes: What was found and decided when it was read.
        engine: What condensed it: "pandas" in this process, "dask" on workers.
    """

    chemistry: Chemistry
    columns: Sequence[str]
    measured: list[str]
    labelled: bool
    rows: int
    notes: list[str]
    engine: Engine = "pandas"


@dataclass(frozen=True)
class Watched:
    """A fleet as the tool and the live service both see it; its readings are gone.

    Args:
        source: The table it was read from.
        lives: Deaths and lives of every cell; `of_row` is empty.
        moments: The last moment of every day of a cell's life, with features.
        course: `Cell ID`, `at` and `voltage_mv` of every quarter day, for pictures.
        living: The last moment of every cell that is not dead, one row per cell.
    """

    source: Source
    lives: Lives
    moments: pd.DataFrame
    course: pd.DataFrame
    living: pd.DataFrame

    @property
    def cells(self) -> int:
        """Cells of the table, dead ones included."""
        return int(self.lives.table[CELL_ID].nunique())


def watch(table: BatteryTable) -> Watched:
    """Build lives and features of a fleet in memory.

    Args:
        table: A canonical table with `Timestamp`.

    Raises:
        NotEnoughData: no string is large enough to judge a cell against, or no cell is alive.
    """
    frame = table.frame
    labelled = IS_DEAD in frame and bool(frame[IS_DEAD].notna().any())
    columns = [str(name) for name in frame]
    source = Source(table.chemistry, columns, table.measured, labelled, len(frame), table.notes)
    return look_at(source, [condense_strings(frame, table.chemistry)])


def look_at(source: Source, parts: Sequence[Condensed]) -> Watched:
    """Return the fleet of which these are the strings.

    Args:
        source: The table.
        parts: From `condense_strings`, together all strings.

    Raises:
        NotEnoughData: no string is large enough to judge a cell against, or no cell is alive.
    """
    whole = put_together(parts)
    if whole.largest < SMALLEST_CELLS:
        raise NotEnoughData(
            f"The largest string has {whole.largest} cell(s) and the table {source.rows} row(s).",
            expected=f"a string of at least {SMALLEST_CELLS} cells, as a cell is judged against its string",
            fix="Pass the readings of whole strings; check the string and cell columns.",
        )
    dead = whole.lives.dead_at_end
    living = whole.moments[is_latest(whole.moments) & ~whole.moments[CELL_ID].isin(dead)]
    if living.empty:
        raise NotEnoughData(
            f"All {len(dead)} cells are dead (IsDead = 1) at the end of the data.",
            expected="at least one living cell",
            fix="Check IsDead: 1 means dead.",
        )
    return Watched(source, whole.lives, whole.moments, whole.course, living.reset_index(drop=True))
