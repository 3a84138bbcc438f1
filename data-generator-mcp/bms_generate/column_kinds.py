"""What a text column is, told from its name and its values: the description SDV's metadata wants."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import is_sentinel
from bms_schema.data.columns import (
    CELL_ID,
    CELL_NUMBER_ALIASES,
    CLEANED_NAMES,
    SITE_COLUMNS,
    SOURCE_ROW,
    STRING,
    TIMESTAMP,
    normalised,
)

from bms_generate.time_formats import is_time_column

Kind = Literal["identifier", "free text", "label", "time of day", "code", "truth", "number", "time", "empty"]
SDTYPES: dict[Kind, str] = {
    "identifier": "id",
    "free text": "id",  # SDV's own `text` would need a pattern; as identifiers the words are replaced
    "label": "categorical",
    "time of day": "categorical",
    "code": "ordinal",
    "truth": "boolean",
    "number": "numerical",
    "time": "datetime",
    "empty": "categorical",
}
_LAST_WORDS = {"id", "uid", "uuid", "guid", "key", "imei", "mac"}
_NAMING_WORDS = {"serial", "barcode"}
_PERSONAL_WORDS = {
    *("name", "email", "mail", "phone", "mobile", "telephone", "address", "ip", "operator", "technician"),
    *("customer", "owner", "user", "person", "gps", "latitude", "longitude", "lat", "lon", "lng"),
}
_CELL_NUMBERS = {normalised(alias) for alias in CELL_NUMBER_ALIASES}
_PLACES = {normalised(name) for name in (*SITE_COLUMNS, SOURCE_ROW)}
# Above these a column of labels is a column of names or remarks, of which each says something of its own row.
_MOST_LABELS, _MOST_LABELS_PER_ROW, _FEWEST_FREE = 1000, 0.5, 10
_MOST_CODES, _ROWS_PER_CODE = 10, 10
_LONGEST_WHOLE = 2.0**53  # beyond, a double no longer tells two numbers apart
_LEADING_ZERO = r"-?0\d"
_TIME_OF_DAY = r"\d\d?:\d\d(:\d\d)?( ?[AaPp][Mm])?"


@dataclass(frozen=True)
class ColumnKind:
    """What a column is.

    Args:
        kind: Its kind.
        remark: What about it may surprise, in words; empty where nothing does.
    """

    kind: Kind
    remark: str = ""

    @property
    def spec(self) -> dict[str, Any]:
        """The column's entry in the metadata, without range and format."""
        return {"sdtype": SDTYPES[self.kind]}


def names_something(name: str, canonical: str | None) -> bool:
    """Whether a column's name says that it identifies: a row, a cell, a string, a place, a device or a person.

    A number that counts cells within a string identifies nothing by itself.

    >>> names_something("SiteID", None), names_something("Operator name", None), names_something("Grid", None)
    (True, True, False)
    """
    plain = normalised(name)
    if plain in _CELL_NUMBERS:
        return False
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    return (
        canonical in (CELL_ID, STRING)
        or plain in _PLACES
        or bool(words and words[-1] in _LAST_WORDS)
        or bool(set(words) & (_NAMING_WORDS | _PERSONAL_WORDS))
    )


def tell_kind(column: pd.Series, canonical: str | None, *, decimal_comma: bool = False) -> ColumnKind:
    """Tell what a column is.

    Args:
        column: Text, missing where blank or where a program wrote `nan`, `null` …
        canonical: Its name in the column table; None where the table does not know it.
        decimal_comma: Numbers are written `2,23`.
    """
    name, present = str(column.name), column.dropna().astype(str)
    measured = canonical in CLEANED_NAMES
    if names_something(name, canonical):
        return ColumnKind("identifier")
    if present.empty:
        return ColumnKind("number" if measured else "empty")
    numbers, distinct = numbers_of(present, decimal_comma=decimal_comma), set(present.unique())
    if measured and numbers.notna().all():
        return ColumnKind("number")
    if is_time_column(present, epochs=canonical == TIMESTAMP):
        return ColumnKind("time")
    if distinct == {"0", "1"} or {text.lower() for text in distinct} <= {"true", "false"}:
        return ColumnKind("truth")
    if numbers.notna().all() and not present.str.match(_LEADING_ZERO).any():
        return _plain_number(numbers)
    if present.str.fullmatch(_TIME_OF_DAY).all():
        return ColumnKind("time of day")
    free = len(distinct) > min(_MOST_LABELS, _MOST_LABELS_PER_ROW * len(present))
    kind: Kind = "free text" if free and len(distinct) > _FEWEST_FREE else "label"
    mostly_numbers = 2 * numbers.notna().sum() > len(present) and numbers.isna().any()
    return ColumnKind(kind, _mixed(name, present[numbers.isna()]) if measured or mostly_numbers else "")


def _mixed(name: str, words: pd.Series) -> str:
    return (
        f"{name} is no column of numbers because of {len(words):,} values, the first '{words.iloc[0][:40]}': "
        "clean it, as preprocess_battery_data_tool does for readings"
    )


def numbers_of(column: pd.Series, *, decimal_comma: bool) -> pd.Series:
    """Return the column as float64, NaN where a value is missing or no number."""
    text = column.str.replace(",", ".", regex=False) if decimal_comma else column
    return pd.to_numeric(text, errors="coerce").astype("float64")


def readings_of(column: pd.Series, known: Any, *, decimal_comma: bool) -> np.ndarray:
    """Return the numbers of a measured column that are readings: finite, and no sentinel of the column table."""
    numbers = numbers_of(column.dropna().astype(str), decimal_comma=decimal_comma).to_numpy()
    return numbers[np.isfinite(numbers) & ~is_sentinel(numbers, known)]


def _plain_number(numbers: pd.Series) -> ColumnKind:
    whole = bool((numbers == numbers.round()).all())
    if whole and numbers.abs().max() >= _LONGEST_WHOLE:
        return ColumnKind("identifier")
    count = numbers.nunique()
    coded = whole and 2 <= count <= min(_MOST_CODES, len(numbers) / _ROWS_PER_CODE)
    return ColumnKind("code" if coded else "number")
