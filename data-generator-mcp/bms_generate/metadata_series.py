"""Which tables of a folder without metadata are series: cells, times, and why SDV is told of them or not."""

import re
from typing import Any

import pandas as pd
from bms_schema.data.columns import CELL_ID, match_columns

from bms_generate.time_grid import SeriesColumns, find_series

# Loggers send a packet twice now and then, so a few repeated (cell, time) pairs are no other kind of table.
_LEAST_DISTINCT_STAMPS = 0.99
# A cell known by its name has readings; one that counts within strings has a stamp as often as there are strings.
_LEAST_DISTINCT_STAMPS_BY_NAME = 0.75
# Such a date is that of a thing, not of a reading.
_ONCE = re.compile(
    "install|commission|manufactur|built|birth|purchas|deliver|warrant|expir|replace|regist", re.I
)


def set_sequence(
    table: dict[str, Any], frame: pd.DataFrame, identifiers: list[str], *, is_parent: bool
) -> list[str]:
    """Name a table's cell and time in its metadata if its rows are series.

    Args:
        table: The table's metadata, which gets sequence_key and sequence_index.
        frame: Its text columns.
        identifiers: The columns that identify something.
        is_parent: Whether other tables refer to its rows, so that a row is a thing and no reading.

    Returns:
        What was assumed, in words.
    """
    series, least = find_series(table, frame), _LEAST_DISTINCT_STAMPS_BY_NAME
    if series is None and not is_parent:
        series, least = _series_by_values(table, frame, identifiers), _LEAST_DISTINCT_STAMPS
    if series is None:
        return []
    cell, *within = series.entity
    told = f"rows are series: one for each {cell}{' within ' + ', '.join(within) if within else ''}"
    told += f", in the order of {series.time}"
    if within:
        return [f"{told} (no sequence_key, which takes one column)"]
    if cell not in identifiers:
        return [f"{told} (no sequence_key: {cell} is no identifier)"]
    if not _tells_rows_apart(frame, cell, series.time, least):
        return [f"{told} (no sequence_key: {cell} alone does not tell the rows of a moment apart)"]
    table |= {"sequence_key": cell, "sequence_index": series.time}
    return [told]


def _series_by_values(
    table: dict[str, Any], frame: pd.DataFrame, identifiers: list[str]
) -> SeriesColumns | None:
    """Find an identifier that has several rows and, in all but a few, no time stamp twice."""
    times = [name for name, spec in table["columns"].items() if spec["sdtype"] == "datetime"]
    cell = match_columns(list(frame)).get(CELL_ID)
    a_row_per_cell = cell is not None and frame[cell].is_unique
    if len(times) != 1 or _ONCE.search(times[0]) or a_row_per_cell:
        return None
    for name in identifiers:
        if 2 * frame[name].nunique() <= len(frame) and _tells_rows_apart(
            frame, name, times[0], _LEAST_DISTINCT_STAMPS
        ):
            return SeriesColumns([name], times[0])
    return None


def _tells_rows_apart(frame: pd.DataFrame, cell: str, time: str, least: float) -> bool:
    pairs = frame[[cell, time]].dropna()
    return len(pairs.drop_duplicates()) >= least * len(pairs)
