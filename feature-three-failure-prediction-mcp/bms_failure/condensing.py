"""Readings condensed, whole strings at a time, to what failure prediction needs of them: lives and cell-days.

A day of a cell takes about 0.6 kB here, whatever the number of its readings: 1,000 cells over a year are 0.2 GiB,
so that only the readings can outgrow a machine, never what is left of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.chemistry import Chemistry
from bms_schema.data.columns import (
    AMBIENT,
    CELL_ID,
    CURRENT,
    GRAVITY,
    IS_DEAD,
    SOURCE_ROW,
    STRING,
    TEMPERATURE,
    TIMESTAMP,
    VOLTAGE,
    flag_of,
)

from bms_failure.blocks import AT, LIFE
from bms_failure.labels import Lives, cell_lives
from bms_failure.moments import cell_moments, is_daily

_MEASURED = (VOLTAGE, TEMPERATURE, CURRENT, AMBIENT, GRAVITY)
NEEDED = (
    SOURCE_ROW, CELL_ID, STRING, TIMESTAMP, *_MEASURED, *(flag_of(name) for name in _MEASURED), IS_DEAD,
)  # fmt: skip


@dataclass(frozen=True)
class Condensed:
    """What is left of the readings of whole strings.

    Args:
        lives: Of every cell; `of_row` is empty, the rows are gone.
        moments: The last moment of every day of a cell's life with all features, see `cell_moments`.
        course: `Cell ID`, `at` and `voltage_mv` of every quarter day, for pictures.
        largest: Cells of the largest string.
    """

    lives: Lives
    moments: pd.DataFrame
    course: pd.DataFrame
    largest: int


def condense_strings(frame: pd.DataFrame, chemistry: Chemistry) -> Condensed:
    """Return what failure prediction needs of the readings.

    Args:
        frame: Whole strings of a canonical frame with `Timestamp`; columns beyond `NEEDED` are not looked at.
        chemistry: Its profile.
    """
    lives = cell_lives(frame)
    moments = cell_moments(frame, chemistry, lives.of_row)
    return Condensed(
        _without_rows(lives.table, lives.dead_at_end),
        moments[is_daily(moments)].reset_index(drop=True),
        moments[[CELL_ID, AT, "voltage_mv"]],
        int(frame.groupby(STRING, observed=True)[CELL_ID].nunique().max()),
    )


def put_together(parts: Sequence[Condensed]) -> Condensed:
    """Return the parts of a fleet as one, sorted by cell and time whichever way it was divided."""
    lives = pd.concat([part.lives.table for part in parts], ignore_index=True)
    moments = pd.concat([part.moments for part in parts], ignore_index=True)
    course = pd.concat([part.course for part in parts], ignore_index=True)
    return Condensed(
        _without_rows(
            lives.sort_values([CELL_ID, LIFE], kind="stable", ignore_index=True),
            sorted(name for part in parts for name in part.lives.dead_at_end),
        ),
        moments.sort_values([CELL_ID, LIFE, AT], kind="stable", ignore_index=True),
        course.sort_values([CELL_ID, AT], kind="stable", ignore_index=True),
        max(part.largest for part in parts),
    )


def _without_rows(table: pd.DataFrame, dead_at_end: list[str]) -> Lives:
    return Lives(np.empty(0, dtype=int), table, dead_at_end)
