"""Which string and which cell a row belongs to.

Chunks only tell which combinations of string, site and cell names occur; what they mean is decided once from all.
"""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from bms_schema.data.columns import (
    CELL_ID,
    CELL_NUMBER_ALIASES,
    SITE_COLUMNS,
    STRING,
    first_of,
    match_columns,
    normalised,
)
from bms_schema.data.text import distinct_text

Key = tuple[str | None, ...]

ONLY_STRING, ONLY_CELL = "string-1", "cell-1"
_CELL_NUMBERS = {normalised(name) for name in CELL_NUMBER_ALIASES}
_WHOLE_FLOAT = re.compile(r"(\d+)\.0+")


def identity_columns(names: Sequence[str]) -> dict[str, str]:
    """Map the columns that may tell strings and cells apart to the file's names for them."""
    matched = match_columns(list(names))
    found = {canonical: matched[canonical] for canonical in (STRING, CELL_ID) if canonical in matched}
    sites = {site: first_of(names, [site]) for site in SITE_COLUMNS}
    taken = set(found.values())
    return found | {site: name for site, name in sites.items() if name and name not in taken}


def identity_codes(chunk: pd.DataFrame, columns: Sequence[str]) -> tuple[np.ndarray, list[Key]]:
    """Return which combination of names each row has.

    Args:
        chunk: Columns as in the file.
        columns: The file's names of the identity columns; none: all rows are one combination.

    Returns:
        int64 codes, one per row, and the combinations; a name is text (`3.0` and `3` are one), None if blank.
    """
    combined = np.zeros(len(chunk), dtype="int64")
    keys: list[Key] = [()] if len(chunk) else []
    for name in columns:
        codes, texts = distinct_text(chunk[name])
        names = [*map(_name, texts), None]  # code -1 takes the last
        combined, pairs = pd.factorize(combined * len(names) + codes % len(names))
        keys = [(*keys[pair // len(names)], names[pair % len(names)]) for pair in pairs]
    return combined, keys


def _name(text: str) -> str:
    """Render an identifier: `3.0` and `3` are the same cell."""
    whole = _WHOLE_FLOAT.fullmatch(text)
    return whole.group(1) if whole else text


def identify_strings(frame: pd.DataFrame) -> tuple[pd.Series, str]:
    """Return the string of every row and how it was found.

    A column that names the string wins. Else the first of site, device and serial number that alone tells
    apart all their combinations, else their combination. A serial number that differs in every cell
    names cells, not strings, and is passed over.

    Args:
        frame: Columns as in the file; `STRING` and `CELL_ID` already renamed where present.
    """
    if STRING in frame and frame[STRING].notna().any():
        return _text(frame[STRING]).fillna(ONLY_STRING), f"strings from '{STRING}'"
    by_name = {normalised(str(name)): name for name in reversed(frame.columns)}
    present = [by_name[key] for key in map(normalised, SITE_COLUMNS) if key in by_name]
    parts = {name: _text(frame[name]) for name in present if frame[name].notna().any()}
    if CELL_ID in frame and len(parts) > 1:
        cells = _text(frame[CELL_ID])
        parts = {name: part for name, part in parts.items() if not _names_cells(part, cells)} or parts
    if not parts:
        return pd.Series(
            ONLY_STRING, index=frame.index, dtype=object
        ), "no column names a string: all rows are one string"
    table = pd.DataFrame({name: part.fillna("") for name, part in parts.items()})
    combinations = len(table.drop_duplicates())
    for name in table:
        if table[name].nunique() == combinations:
            return table[name], f"strings from '{name}'"
    joined = table.agg(":".join, axis=1) if len(table.columns) > 1 else table.iloc[:, 0]
    return joined, f"strings from {' and '.join(repr(name) for name in table)} together"


def identify_cells(frame: pd.DataFrame, strings: pd.Series, cell_column: str | None) -> tuple[pd.Series, str]:
    """Return the canonical `Cell ID` of every row and how it was found.

    Args:
        frame: Canonical names; `CELL_ID` holds the file's own cell name or number.
        strings: From `identify_strings`.
        cell_column: What the file called its cell column; None where it has none.

    Returns:
        `<string>/<cell>` where cells are numbered within strings; unique ids are kept.
    """
    if cell_column is None:
        return strings.copy(), "no column names a cell: one cell per string"
    cells = _text(frame[CELL_ID]).fillna(ONLY_CELL)
    named_string = not (strings == ONLY_STRING).all()
    if normalised(cell_column) in _CELL_NUMBERS:
        prefix = named_string
    else:
        pairs = pd.DataFrame({"cell": cells, "string": strings}).drop_duplicates()
        prefix = bool(pairs["cell"].duplicated().any())
    if not prefix:
        return cells, f"cells from '{cell_column}', kept as they are"
    return (
        strings + "/" + cells,
        f"cells are '<string>/<{cell_column}>', because '{cell_column}' counts within a string",
    )


def _text(column: pd.Series) -> pd.Series:
    """Render identifiers as text: `3.0` and `3` are the same cell."""
    text = column.astype("string").str.strip().astype(object)
    return text.where(text.isna(), text.astype(str).str.replace(r"^(\d+)\.0+$", r"\1", regex=True)).where(
        text.notna()
    )


def _names_cells(part: pd.Series, cells: pd.Series) -> bool:
    """Whether a column changes with the cell although the other columns say one string."""
    pairs = pd.DataFrame({"part": part, "cell": cells}).drop_duplicates()
    several_cells = len(pairs["cell"].drop_duplicates()) > 1
    return several_cells and not pairs["part"].duplicated().any()
