"""Columns that the column table knows by name, where the table may be of anything.

Preprocessing is given battery logs, in which `T` is a temperature. Here `t` and `a` may be columns of any table.
"""

from collections.abc import Iterable

from bms_schema.data.columns import (
    CELL_ID,
    COLUMNS,
    STRING_VOLTAGE,
    TIMESTAMP,
    VOLTAGE,
    match_columns,
    normalised,
)

_LETTERS = set("vuiat")
_LETTERS_OF_A_LOG = 2


def match_names(names: Iterable[str]) -> dict[str, str]:
    """Map canonical names to columns as `match_columns` does, one-letter names only in what must be a battery log.

    That is a table with a voltage of a longer name, or with cell, time and two of V, U, I, A, T.

    >>> match_names(["id", "t", "a"]), match_names(["Cell", "Time", "V", "T"])["CellTemperature"]
    ({}, 'T')
    """
    names = list(names)
    found = match_columns(names)
    long = {known: name for known, name in found.items() if len(normalised(name)) > 1}
    letters = {normalised(name) for name in names} & _LETTERS
    is_log = {CELL_ID, TIMESTAMP} <= set(long) and len(letters) >= _LETTERS_OF_A_LOG
    return found if is_log or {VOLTAGE, STRING_VOLTAGE} & set(long) else long


def unit_of(name: str) -> str:
    """Return the unit of a column that the column table knows, else nothing.

    >>> unit_of("CellVoltage"), unit_of("Remark")
    ('V', '')
    """
    known = next(iter(match_names([name])), "")
    return COLUMNS[known].unit if known else ""
