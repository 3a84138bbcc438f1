"""Which tables hold time series, and the time stamps of their synthetic cells.

Time stamps are a grid and no random variable: a copula that samples them gives no two cells a common
moment and no cell an order. Synthetic cells take the real ones' grids, gaps included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import (
    CELL_ID,
    CELL_NUMBER_ALIASES,
    SITE_COLUMNS,
    STRING,
    TIMESTAMP,
    match_columns,
    normalised,
)

_ONE_HOUR = np.timedelta64(3600, "s")


@dataclass(frozen=True)
class SeriesColumns:
    """The columns that make a table a set of series.

    Args:
        entity: Columns that name the cell together; the first is the cell's own.
        time: The time stamp.
    """

    entity: list[str]
    time: str


@dataclass(frozen=True)
class Grid:
    """The time stamps of one real cell.

    Args:
        entity: Its values in the entity columns.
        stamps: Sorted `datetime64[ns]`, shape (readings,).
    """

    entity: tuple[Any, ...]
    stamps: np.ndarray


def find_series(spec: dict[str, Any], frame: pd.DataFrame) -> SeriesColumns | None:
    """Find cell and time in a table: its sequence key and index, else `Cell ID` and `Timestamp` by any alias.

    Args:
        spec: The table's metadata.
        frame: The typed table.

    Returns:
        None where either is missing, the time is no datetime, or no cell has two readings.
    """
    times = [name for name, column in spec["columns"].items() if column["sdtype"] == "datetime"]
    if spec.get("sequence_key") and spec.get("sequence_index") in times:
        keys = spec["sequence_key"]
        found = SeriesColumns([keys] if isinstance(keys, str) else list(keys), spec["sequence_index"])
    else:
        time = match_columns(times).get(TIMESTAMP)
        entity = _cell_columns(list(frame))
        if time is None or not entity:
            return None
        found = SeriesColumns(entity, time)
    sizes = frame.dropna(subset=[found.time]).groupby(found.entity, dropna=True).size()
    return found if len(sizes) and sizes.max() >= 2 else None


def _cell_columns(names: list[str]) -> list[str]:
    """Return the cell's column; a number that counts within a string needs the string's columns too."""
    matched = match_columns(names)
    cell = matched.get(CELL_ID)
    if cell is None:
        return []
    if normalised(cell) not in {normalised(alias) for alias in CELL_NUMBER_ALIASES}:
        return [cell]
    wanted = {normalised(name) for name in SITE_COLUMNS}
    string = [matched[STRING]] if STRING in matched else []
    return [cell, *string, *(name for name in names if normalised(name) in wanted and name not in string)]


def real_grids(frame: pd.DataFrame, series: SeriesColumns) -> list[Grid]:
    """Return the grid of each real cell, in the order in which the cells first appear."""
    known = frame.dropna(subset=[*series.entity, series.time])
    groups = known.groupby(series.entity, sort=False)[series.time]
    return [Grid(key, np.sort(stamps.to_numpy(dtype="datetime64[ns]"))) for key, stamps in groups]


def stretch(stamps: np.ndarray, length: int, step: np.timedelta64) -> np.ndarray:
    """Return the first `length` stamps; a longer grid goes on with its own steps, over and over.

    Args:
        stamps: Sorted, at least one.
        length: Stamps wanted, at least 1.
        step: Used where there is only one stamp to learn a step from.

    >>> hours = np.array(["2026-01-01T00", "2026-01-01T01", "2026-01-01T03"], dtype="datetime64[ns]")
    >>> stretch(hours, 5, np.timedelta64(1, "h")).astype("datetime64[h]").astype(str).tolist()[3:]
    ['2026-01-01T04', '2026-01-01T06']
    """
    if length <= len(stamps):
        return stamps[:length]
    steps = np.diff(stamps) if len(stamps) > 1 else np.array([step])
    return stamps[0] + np.concatenate([[np.timedelta64(0, "ns")], np.resize(steps, length - 1).cumsum()])


def usual_step(grids: Sequence[Grid]) -> np.timedelta64:
    """Return the median positive step of all cells, one hour where there is none."""
    steps = np.concatenate([np.diff(grid.stamps) for grid in grids])
    steps = steps[steps > np.timedelta64(0, "ns")]
    return (
        np.median(steps.astype("int64")).astype("int64").astype("timedelta64[ns]")
        if len(steps)
        else _ONE_HOUR
    )


def share_rows(sizes: Sequence[int], total: int) -> list[int]:
    """Split `total` rows over the cells in proportion to their readings, by largest remainder.

    >>> share_rows([50, 50, 25], 10)
    [4, 4, 2]
    """
    exact = np.asarray(sizes, dtype=float) * total / sum(sizes)
    whole = np.floor(exact).astype(int)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return [int(count) for count in whole]
