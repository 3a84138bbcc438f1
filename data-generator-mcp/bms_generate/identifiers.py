"""Made-up identifiers in the place of real ones."""

import re
from typing import Any

import pandas as pd

# A string's second twin is named <string>-2, see `fleet_layout.renamed`.
_WHOLE_NUMBER = re.compile(r"(?:0|[1-9]\d{0,17})(?:-\d+)?")
_LEAST_DIGITS = 3
_BY_SDV = "sdv-id-"


def fresh_ids(example: Any, count: int) -> list[Any]:
    """Return `count` new identifiers of the kind of the example: numbers, or `synthetic-1`, `synthetic-2`, …"""
    as_numbers = str(example).isdigit()
    return [number if as_numbers else f"synthetic-{number}" for number in range(1, count + 1)]


class Pseudonyms:
    """One made-up name per real one, the same in every column of a table.

    A cell named `<string>/<cell>` keeps its last part, so that cells of a string stay together. Whole numbers
    become whole numbers with more digits than the largest of their column.

    >>> Pseudonyms().of(pd.Series(["SITE-7/1", "SITE-7/2", "SITE-9/1", None])).tolist()
    ['synthetic-1/1', 'synthetic-1/2', 'synthetic-2/1', None]
    >>> Pseudonyms().of(pd.Series(["7", "1024", None])).tolist()
    [10001, 10002, None]
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._texts, self._largest = 0, 0

    def of(self, column: pd.Series) -> pd.Series:
        """Return the column with made-up names; missing stays missing."""
        distinct = column.dropna().unique()
        parts = {value: str(value).rpartition("/") for value in distinct}
        heads = {value: head if slash else cell for value, (head, slash, cell) in parts.items()}
        self._name(list(dict.fromkeys(heads.values())))
        renamed: dict[Any, Any] = {
            value: self._names[heads[value]] + (f"/{cell}" if slash else "")
            for value, (_, slash, cell) in parts.items()
        }
        if all(name.isdigit() for name in renamed.values()):
            renamed = {value: int(name) for value, name in renamed.items()}
        # A list: mapping would make numbers beside missing values floats.
        return pd.Series(
            [renamed.get(value) for value in column], index=column.index, name=column.name, dtype=object
        )

    def _name(self, heads: list[str]) -> None:
        as_numbers = all(map(_WHOLE_NUMBER.fullmatch, heads)) and any(map(str.isdigit, heads))
        if as_numbers:
            digits = max(len(head.partition("-")[0]) for head in heads)
            self._largest = max(self._largest, 10 ** max(digits, _LEAST_DIGITS))
        for head in heads:
            if head in self._names:
                continue
            if as_numbers:
                self._largest += 1
                self._names[head] = str(self._largest)
            else:
                self._texts += 1
                self._names[head] = f"synthetic-{self._texts}"


def without_sdv_names(tables: dict[str, pd.DataFrame], keys: dict[str, list[str]]) -> dict[str, pd.DataFrame]:
    """Return tables whose keys are named as other identifiers are, where SDV named them `sdv-id-KDRXYe`.

    Args:
        tables: Synthetic tables.
        keys: Per table its primary, alternate and foreign keys.

    >>> cells, log = pd.DataFrame({"id": ["sdv-id-b", "sdv-id-a"]}), pd.DataFrame({"id": ["sdv-id-a"]})
    >>> without_sdv_names({"cells": cells, "log": log}, {"cells": ["id"], "log": ["id"]})["log"]["id"].tolist()
    ['synthetic-2']
    """
    names: dict[Any, str] = {}
    for table, frame in tables.items():
        for name in keys.get(table, []):
            by_sdv = [value for value in frame[name].unique() if str(value).startswith(_BY_SDV)]
            for number, value in enumerate(by_sdv, start=1):
                names.setdefault(value, f"synthetic-{number}")
    renamed = {}
    for table, frame in tables.items():
        columns = {
            name: frame[name].map(lambda value: names.get(value, value)) for name in keys.get(table, [])
        }
        renamed[table] = frame.assign(**columns)
    return renamed
