"""Made-up identifiers in the place of real ones."""

from typing import Any

import pandas as pd


def fresh_ids(example: Any, count: int) -> list[Any]:
    """Return `count` new identifiers of the kind of the example: numbers, or `synthetic-1`, `synthetic-2`, …"""
    as_numbers = str(example).isdigit()
    return [number if as_numbers else f"synthetic-{number}" for number in range(1, count + 1)]


class Pseudonyms:
    """One made-up name per real one, the same in every column of a table.

    A cell named `<string>/<cell>` keeps its last part, so that cells of a string stay together.

    >>> Pseudonyms().of(pd.Series(["SITE-7/1", "SITE-7/2", "SITE-9/1", None])).tolist()
    ['synthetic-1/1', 'synthetic-1/2', 'synthetic-2/1', None]
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def of(self, column: pd.Series) -> pd.Series:
        """Return the column with made-up names; missing stays missing."""
        distinct = column.dropna().unique()
        renamed = {value: self._rename(str(value)) for value in distinct}
        return column.map(renamed).astype(object).where(column.notna(), None)

    def _rename(self, value: str) -> str:
        head, slash, cell = value.rpartition("/")
        key = head if slash else value
        name = self._names.setdefault(key, f"synthetic-{len(self._names) + 1}")
        return f"{name}/{cell}" if slash else name
