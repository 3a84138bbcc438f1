"""Text columns, vectorised: distinct values once, numbers parsed by one parser whatever the chunk holds."""

import re
from typing import Any

import numpy as np
import pandas as pd

NUMBER, BLANK_TEXT, NO_NUMBER, FULL_SCALE = 0, 1, 2, 3  # what a value was, as `parse_numbers` tells it

_BLANK_WORDS = frozenset({"", "nan", "null", "none", "<na>", "nat"})  # how programs write a missing value
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_FULL_SCALE_HEX = re.compile(r"0x(f{2,8}|7f{1,7}|80{1,7})", re.IGNORECASE)


def is_text(column: pd.Series) -> bool:
    """Whether a column's values must be parsed: text, or objects of any kind."""
    return not (
        pd.api.types.is_numeric_dtype(column)
        or pd.api.types.is_bool_dtype(column)
        or pd.api.types.is_datetime64_any_dtype(column)
    )


def distinct_text(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return a column as codes and the distinct texts they stand for.

    Returns:
        Codes, -1 where the value is missing or blank, and the distinct texts without surrounding spaces
        (objects; two codes may stand for the same text).
    """
    encoded = _arrow_text(column).dictionary_encode()
    values = np.array([value.strip() for value in encoded.dictionary.to_pylist()], dtype=object)
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    codes = np.where(np.isnan(codes), -1, codes).astype("int64") if codes.dtype.kind == "f" else codes
    blank = np.flatnonzero(values == "")
    return (np.where(np.isin(codes, blank), -1, codes) if blank.size else codes), values


def parse_numbers(column: pd.Series, *, decimal_comma: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Parse a column of text (or numbers) to float64.

    Missing are blanks, `nan`, `null`, `none`; no numbers are other words, ±inf, `N/A` and `--`; a hexadecimal
    register at full scale (`0xFFFF`, `0x7FFF`, `0x8000`) is told apart from both.

    Returns:
        Numbers, NaN where there is none, and int8 kinds: NUMBER, BLANK_TEXT, NO_NUMBER or FULL_SCALE.
    """
    if is_text(column):
        return _parse_text(_arrow_text(column), decimal_comma)
    if pd.api.types.is_datetime64_any_dtype(column):
        return np.full(len(column), np.nan), np.where(column.isna(), BLANK_TEXT, NO_NUMBER).astype("int8")
    return _finite(column.to_numpy(dtype="float64", na_value=np.nan))


def _finite(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    finite = np.isfinite(numbers)
    if finite.all():
        return numbers, np.zeros(len(numbers), dtype="int8")
    kinds = np.select([finite, np.isnan(numbers)], [NUMBER, BLANK_TEXT], NO_NUMBER).astype("int8")
    return np.where(finite, numbers, np.nan), kinds


def _parse_text(text: Any, decimal_comma: bool) -> tuple[np.ndarray, np.ndarray]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if decimal_comma:
        text = pc.replace_substring(text, ",", ".")
    try:
        return _finite(_to_numpy(pc.cast(text, pa.float64())))
    except pa.ArrowInvalid:
        text = pc.utf8_trim_whitespace(text)
    # Other words are there. The rest goes through the same parser, so no chunk differs in the last digit.
    is_number = pc.fill_null(pc.match_substring_regex(text, _NUMBER), fill_value=False)
    numbers, kinds = _finite(
        _to_numpy(pc.cast(pc.if_else(is_number, text, pa.scalar(None, text.type)), pa.float64()))
    )
    other = np.flatnonzero(~is_number.to_numpy(zero_copy_only=False) & text.is_valid().to_numpy(False))
    words = text.take(pa.array(other)).dictionary_encode()
    meanings = np.array([_meaning(word) for word in words.dictionary.to_pylist()], dtype="int8")
    kinds[other] = meanings[words.indices.to_numpy()]
    return numbers, kinds


def _meaning(word: str) -> int:
    if word.lower() in _BLANK_WORDS:
        return BLANK_TEXT
    return FULL_SCALE if _FULL_SCALE_HEX.fullmatch(word) else NO_NUMBER


def _to_numpy(numbers: Any) -> np.ndarray:
    values: np.ndarray = numbers.to_numpy(zero_copy_only=False)
    return values if values.flags.writeable else values.copy()


def _arrow_text(column: pd.Series) -> Any:
    """Return a column as one Arrow array of text, null where missing."""
    import pyarrow as pa

    array = pa.array(column.astype("string[pyarrow]").array)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
