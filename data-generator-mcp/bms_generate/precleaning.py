"""Typing text tables by their metadata; sentinels and ±inf become missing before SDV sees them.

A sentinel spike of 20 % makes a copula emit the column's minimum for every healthy cell, and one infinite
value turns a whole synthetic column into NaN; SDV's scores stay high in both cases.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import is_sentinel
from bms_schema.data.columns import COLUMNS, Column
from bms_schema.data.timestamps import parse_timestamps
from bms_schema.run.errors import InputError

from bms_generate.known_names import match_names
from bms_generate.metadata_file import METADATA_NAME, Metadata

ColumnSpecs = dict[str, dict[str, Any]]
MISSING_TEXTS = ("nan", "na", "n/a", "nat", "none", "null", "<na>")
_OPPOSITES = {"true": "false", "1": "0", "1.0": "0.0", "yes": "no", "t": "f", "y": "n"}
TRUE_TEXTS, FALSE_TEXTS = set(_OPPOSITES), set(_OPPOSITES.values())
_PLAIN_INTEGER = r"0|-?[1-9]\d{0,17}"


@dataclass(frozen=True)
class CleanTable:
    """A typed table.

    Args:
        frame: float64 for numerical (sentinels and ±inf missing), datetime64[ns] for datetime, object
            True/False/None for boolean, numbers or text for the rest.
        notes: What became missing, in words.
        truth_words: How each boolean column of the file writes (true, false).
    """

    frame: pd.DataFrame
    notes: list[str]
    truth_words: dict[str, tuple[str, str]]


def clean_table(
    text: pd.DataFrame, specs: ColumnSpecs, *, table: str, decimal_comma: bool = False
) -> CleanTable:
    """Give each column the type its sdtype asks for.

    Args:
        text: Text columns, missing where blank.
        specs: The table's `columns` of the metadata.
        table: Its name, for messages.
        decimal_comma: Numbers are written `2,23`.

    Raises:
        InputError: a value is none of its column's kind; names column, row and value.
    """
    known = known_columns(list(text))
    columns: dict[str, pd.Series] = {}
    notes: list[str] = []
    words: dict[str, tuple[str, str]] = {}
    for name in text:
        column, sdtype, where = without_missing_texts(text[name]), specs[name]["sdtype"], f"{table}.{name}"
        if sdtype == "numerical":
            columns[name], removed = _numbers(column, known.get(name), where, decimal_comma)
            notes += [f"{removed} no-answer values of {name} count as missing"] if removed else []
        elif sdtype == "datetime":
            columns[name] = _times(column, specs[name].get("datetime_format"), where)
        elif sdtype == "boolean":
            columns[name], words[name] = _truths(column, where)
        else:
            columns[name] = _labels(column, numbers_wanted=sdtype in {"categorical", "ordinal"})
    return CleanTable(pd.DataFrame(columns, index=text.index), notes, words)


def known_columns(names: list[str]) -> dict[str, Column]:
    """Return the columns that the column table knows, by the file's own name."""
    return {found: COLUMNS[canonical] for canonical, found in match_names(names).items()}


def unify_keys(tables: dict[str, pd.DataFrame], metadata: Metadata) -> dict[str, pd.DataFrame]:
    """Make a primary key and the foreign keys to it integers where all of them are, else text."""
    groups: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for name, spec in metadata["tables"].items():
        if isinstance(key := spec.get("primary_key"), str):
            groups[name, key] = {(name, key)}
    for link in metadata["relationships"]:
        parent = link["parent_table_name"], link["parent_primary_key"]
        groups.setdefault(parent, {parent}).add((link["child_table_name"], link["child_foreign_key"]))
    for members in groups.values():
        columns = [tables[table][column] for table, column in members]
        if all(
            column.notna().all() and column.astype(str).str.fullmatch(_PLAIN_INTEGER).all()
            for column in columns
        ):
            for table, column in members:
                tables[table][column] = tables[table][column].astype("int64")
    return tables


def _numbers(
    column: pd.Series, known: Column | None, where: str, decimal_comma: bool
) -> tuple[pd.Series, int]:
    if decimal_comma and not pd.api.types.is_numeric_dtype(column):
        column = column.str.replace(",", ".", regex=False)
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    _refuse_other_kinds(column, numbers, where, "a number", "categorical")
    no_answer = np.isinf(numbers)
    if known is not None:
        no_answer |= is_sentinel(numbers.to_numpy(), known)
    return numbers.mask(no_answer), int(no_answer.sum())


def _times(column: pd.Series, style: str | None, where: str) -> pd.Series:
    if style and not pd.api.types.is_datetime64_any_dtype(column):
        parsed = pd.to_datetime(column.astype(object), format=style, errors="coerce", utc="%z" in style)
        times = parsed.dt.tz_localize(None) if parsed.dt.tz is not None else parsed
        times = times.astype("datetime64[ns]")
    else:
        times, _ = parse_timestamps(column)
    kind = f"a time like '{style}'" if style else "a time"
    _refuse_other_kinds(column, times, where, kind, "categorical")
    return times


def without_missing_texts(column: pd.Series) -> pd.Series:
    """Return a text column in which words like `NaN` and `null` are missing; other columns as they are."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return column
    return column.mask(column.astype(str).str.lower().isin(MISSING_TEXTS))


def _truths(column: pd.Series, where: str) -> tuple[pd.Series, tuple[str, str]]:
    lowered = column.astype(str).str.lower()
    truths = pd.Series(None, index=column.index, dtype=object)
    truths[lowered.isin(TRUE_TEXTS)] = True
    truths[lowered.isin(FALSE_TEXTS)] = False
    truths[column.isna()] = None
    _refuse_other_kinds(column, truths, where, "true or false", "categorical")
    return truths, _spelling(column, lowered)


def spelt(truths: pd.Series, words: tuple[str, str]) -> pd.Series:
    """Return truth values as the file writes them; missing stays missing.

    Args:
        truths: True, False or missing.
        words: How the file writes (true, false).
    """
    true, false = words
    return truths.map({True: true, False: false}).astype(object).where(truths.notna(), None)


def _spelling(column: pd.Series, lowered: pd.Series) -> tuple[str, str]:
    """Return how the file mostly writes true and false; a word it lacks is made after the other."""
    true, false = (
        next(iter(column[lowered.isin(texts)].astype(str).value_counts().index), None)
        for texts in (TRUE_TEXTS, FALSE_TEXTS)
    )
    if true is None and false is None:
        return "True", "False"
    to_false, to_true = _OPPOSITES, {no: yes for yes, no in _OPPOSITES.items()}
    return (
        true or _as_written(to_true[str(false).lower()], str(false)),
        false or _as_written(to_false[str(true).lower()], str(true)),
    )


def _as_written(word: str, like: str) -> str:
    return word.upper() if like.isupper() else word.capitalize() if like[:1].isupper() else word


def _labels(column: pd.Series, *, numbers_wanted: bool) -> pd.Series:
    """Return numbers where every label is one and none has a leading zero, else text; missing is None."""
    present = column.dropna().astype(str)
    if numbers_wanted and len(present) and not present.str.match(r"-?0\d").any():
        numbers = pd.to_numeric(present, errors="coerce")
        if numbers.notna().all() and np.isfinite(numbers).all():
            whole = (
                len(present) == len(column)
                and (numbers == numbers.round()).all()
                and numbers.abs().max() < 2**53
            )
            return numbers.astype("int64" if whole else "float64").reindex(column.index)
    return column.astype(object).where(column.notna(), None)


def _refuse_other_kinds(column: pd.Series, typed: pd.Series, where: str, kind: str, instead: str) -> None:
    bad = column.notna() & typed.isna()
    if not bad.any():
        return
    row = int(np.flatnonzero(bad.to_numpy())[0])
    first = f"{str(column.iloc[row])[:60]!r} in data row {row + 1}"
    raise InputError(
        f"{where} holds {int(bad.sum())} value(s) of another kind, first {first}.",
        expected=f"{kind}, or blank",
        fix=f"Correct the CSV (preprocessing does), or declare the column {instead} in {METADATA_NAME}.",
    )
