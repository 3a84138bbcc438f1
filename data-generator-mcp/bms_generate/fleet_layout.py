"""A table of telemetry as arrays: one grid of time stamps per string, its shared signals, its cells' signals.

Cells of a series string carry one current and stand in one room: such columns belong to the string, the others
to its cells. Columns of few values (labels, alarms, modes) are states; what never changes in a cell is an
attribute.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# A column with no more values than this, and none larger, is a state and no measurement: 0/1 labels, alarm levels,
# modes; a room of 25 to 28 °C is none.
MOST_STATES = 5
# One disagreeing shunt reading in a hundred moments does not make a current the cells' own.
SHARED_AT_LEAST = 0.99
# Entities that seldom report together are no string: each is then modelled by itself.
LEAST_TOGETHER = 0.5


@dataclass(frozen=True)
class FleetColumns:
    """What each column of a telemetry table is.

    Args:
        entity: Columns that name a cell together; the first is the cell's own.
        time: Time stamp.
        string: Columns that name the cell's string together; empty where every cell is one of one string.
        shared: Measurements with one value per string and moment, such as the current.
        own: Measurements of single cells.
        states: Columns of few values that change in time, such as `IsDead`.
        attributes: Columns that are constant in every cell, entity and string columns included.
    """

    entity: list[str]
    time: str
    string: list[str]
    shared: list[str]
    own: list[str]
    states: list[str]
    attributes: list[str]

    @property
    def measured(self) -> list[str]:
        """Shared and own measurements."""
        return [*self.shared, *self.own]


@dataclass(frozen=True)
class StringSeries:
    """One string on its grid of `moments` time stamps.

    Args:
        stamps: Sorted, distinct, datetime64[ns], shape (moments,).
        present: Whether the cell has a row, bool, shape (moments, cells).
        shared: Shared measurements, NaN where missing, shape (moments, shared columns).
        own: Cells' measurements, NaN where missing or no row, shape (moments, cells, own columns).
        states: Codes of the state columns, -1 where missing or no row, shape (moments, cells, state columns).
        attributes: One row per cell.
    """

    stamps: NDArray[np.datetime64]
    present: NDArray[np.bool_]
    shared: NDArray[np.float64]
    own: NDArray[np.float64]
    states: NDArray[np.int16]
    attributes: pd.DataFrame


@dataclass(frozen=True)
class Fleet:
    """All strings of a table, and how its values were spelt.

    Args:
        columns: What each column is.
        strings: In the order of their first rows.
        levels: Values of each state column by their codes.
        order: Columns of the table, in its order.
        by_time: The table's rows ascend in time across cells, not cell by cell.
    """

    columns: FleetColumns
    strings: list[StringSeries]
    levels: dict[str, pd.Index]
    order: list[str]
    by_time: bool


def lay_out(frame: pd.DataFrame, entity: Sequence[str], time: str, string: Sequence[str] = ()) -> Fleet:
    """Sort a table's columns and rows into strings.

    Rows without entity or time stamp are left out; of rows with equal entity and time the last one counts.

    Args:
        frame: A typed table, rows in any order: numbers, bool or text columns, missing as NaN or None.
        entity: Columns that name a cell together.
        time: datetime64[ns] column.
        string: Columns that name a string together; none where the cells share one string.

    Raises:
        KeyError: a named column is not there.
    """
    known = frame.dropna(subset=[*entity, time]).drop_duplicates([*entity, time], keep="last")
    cell = known.groupby(list(entity), sort=False, dropna=False).ngroup().to_numpy()
    series = known.groupby(list(string), sort=False, dropna=False).ngroup().to_numpy() if string else 0 * cell
    if not _report_together(cell, series, known[time]):
        series, string = cell, entity
    columns = _sort_columns(known, cell, series, list(entity), time, list(string))
    levels = {name: pd.Index(known[name].dropna().unique()) for name in columns.states}
    strings = [_one_string(known.iloc[rows], cell[rows], columns, levels) for rows in _rows_of(series)]
    return Fleet(columns, strings, levels, list(frame), bool(known[time].is_monotonic_increasing))


def _rows_of(codes: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _report_together(cell: NDArray[np.intp], series: NDArray[np.intp], time: pd.Series) -> bool:
    """Whether at a string's usual moment at least half of its cells have a row."""
    keys = pd.DataFrame({"cell": cell, "series": series, "time": time.to_numpy()})
    together = keys.groupby(["series", "time"]).size().groupby("series").mean()
    cells = keys.groupby("series")["cell"].nunique()
    return bool((together / cells).median() >= LEAST_TOGETHER)


def _sort_columns(
    frame: pd.DataFrame,
    cell: NDArray[np.intp],
    series: NDArray[np.intp],
    entity: list[str],
    time: str,
    string: list[str],
) -> FleetColumns:
    others = [name for name in frame if name != time]
    distinct = frame[others].groupby(cell).nunique(dropna=False)
    attributes = [name for name in others if name in entity or name in string or distinct[name].max() == 1]
    varied = [name for name in others if name not in attributes]
    states = [name for name in varied if _is_state(frame[name])]
    measured = [name for name in varied if name not in states]
    moment = frame.groupby([series, frame[time].to_numpy()])[measured]
    several = moment.count() >= 2
    one = moment.max() == moment.min()
    shared = [
        name
        for name in measured
        if several[name].any() and one[name][several[name]].mean() >= SHARED_AT_LEAST
    ]
    own = [name for name in measured if name not in shared]
    return FleetColumns(entity, time, string, shared, own, states, attributes)


def _is_state(column: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(column):
        return True
    return column.nunique() <= MOST_STATES and not bool((column.abs() > MOST_STATES).any())


def _one_string(
    rows: pd.DataFrame, cell: NDArray[np.intp], columns: FleetColumns, levels: dict[str, pd.Index]
) -> StringSeries:
    stamps, moment = np.unique(rows[columns.time].to_numpy(), return_inverse=True)
    _, first, place = np.unique(cell, return_index=True, return_inverse=True)
    shape = (len(stamps), len(first))
    present = np.zeros(shape, dtype=bool)
    present[moment, place] = True
    own = np.full((*shape, len(columns.own)), np.nan)
    own[moment, place] = rows[columns.own].to_numpy(dtype=float)
    shared = rows[columns.shared].astype(float).groupby(moment).median().to_numpy()
    states = np.full((*shape, len(columns.states)), -1, dtype=np.int16)
    for number, name in enumerate(columns.states):
        states[moment, place, number] = levels[name].get_indexer(rows[name])
    attributes = rows[columns.attributes].iloc[first].reset_index(drop=True)
    return StringSeries(stamps, present, shared.reshape(len(stamps), -1), own, states, attributes)


def as_table(fleet: Fleet, strings: Sequence[StringSeries]) -> pd.DataFrame:
    """Return strings as a table with the columns of the fleet, in its order and in its order of rows."""
    parts = [_string_table(fleet, string) for string in strings]
    table = pd.concat(parts, ignore_index=True)
    if fleet.by_time:
        table = table.sort_values(fleet.columns.time, kind="stable", ignore_index=True)
    return table[fleet.order]


def renamed(attributes: pd.DataFrame, columns: FleetColumns, round_: int) -> pd.DataFrame:
    """Return a string's attributes with other names for string and cells, for its second twin and later ones.

    `S1/3` becomes `S1-2/3`, and a cell that is a number within its string keeps it.
    """
    if round_ == 0:
        return attributes
    within = [name for name in columns.string if name in columns.entity]
    names = within[:1] or [*columns.string[:1], columns.entity[0]]
    changed = {}
    for name in dict.fromkeys(names):
        head, slash, cell = _parted(attributes[name].astype(str))
        changed[name] = head + f"-{round_ + 1}" + slash + cell
    return attributes.assign(**changed)


def _parted(names: pd.Series) -> tuple[pd.Series, pd.Series, pd.Series]:
    parts = names.str.partition("/")
    return parts[0], parts[1], parts[2]


def _string_table(fleet: Fleet, string: StringSeries) -> pd.DataFrame:
    """Rows by time where the table is, else cell by cell."""
    columns = fleet.columns
    if fleet.by_time:
        moment, place = np.nonzero(string.present)
    else:
        place, moment = np.nonzero(string.present.T)
    table = string.attributes.iloc[place].reset_index(drop=True)
    table[columns.time] = string.stamps[moment]
    for number, name in enumerate(columns.shared):
        table[name] = string.shared[moment, number]
    for number, name in enumerate(columns.own):
        table[name] = string.own[moment, place, number]
    for number, name in enumerate(columns.states):
        codes = string.states[moment, place, number]
        values = pd.Series(fleet.levels[name].take(np.maximum(codes, 0)), index=table.index)
        table[name] = values.where(codes >= 0, None) if (codes < 0).any() else values
    return table
