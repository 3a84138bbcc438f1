"""From text to readings: numbers, sentinels and implausible values, each with the reason why it went.

No row is ever dropped. A reading that is no reading becomes missing, and `<column>_flag` says why.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bms_schema.data.columns import COLUMNS, MEASURED_NAMES, Column, flag_of

OK, BLANK, NOT_A_NUMBER, SENTINEL, OUT_OF_RANGE, IMPUTED = (
    "",
    "blank",
    "not_a_number",
    "sentinel",
    "out_of_range",
    "imputed",
)
FLAGS = (OK, BLANK, NOT_A_NUMBER, SENTINEL, OUT_OF_RANGE, IMPUTED)
FLAG_TYPE = pd.CategoricalDtype(list(FLAGS))
_SENTINEL_RELATIVE_TOLERANCE = 1e-6  # float32 exports: 65.535 is written 65.53500366


def to_numbers(column: pd.Series, *, decimal_comma: bool = False) -> tuple[pd.Series, np.ndarray]:
    """Parse a column of text (or numbers) to float64.

    Returns:
        The numbers, NaN where there is none (±inf counts as none), and a boolean mask of the values that
        were there but are no numbers.
    """
    if pd.api.types.is_bool_dtype(column):
        column = column.astype("float64")
    if not pd.api.types.is_numeric_dtype(column):
        text = column.astype("string").str.strip()
        if decimal_comma:
            text = text.str.replace(",", ".", regex=False)
        present = (text.notna() & ~text.str.lower().isin(["", "nan"])).to_numpy(dtype=bool)
        objects = pd.Series(text.to_numpy(dtype=object, na_value=np.nan), index=column.index)
        numbers = pd.to_numeric(objects, errors="coerce").to_numpy(dtype="float64")
    else:
        numbers = column.to_numpy(dtype="float64", na_value=np.nan)
        present = ~np.isnan(numbers)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    return pd.Series(numbers, index=column.index, name=column.name), present & np.isnan(numbers)


def is_sentinel(values: np.ndarray, column: Column) -> np.ndarray:
    """Return where `values` (1-d float) equal one of the column's sentinels.

    >>> is_sentinel(np.array([2.2, 65.535, np.nan]), COLUMNS["CellVoltage"]).tolist()
    [False, True, False]
    """
    found = np.zeros(values.shape, dtype=bool)
    for sentinel in column.sentinels:
        found |= np.isclose(values, sentinel, rtol=_SENTINEL_RELATIVE_TOLERANCE, atol=0.0)
    return found


def clean_numbers(frame: pd.DataFrame, names: Sequence[str], *, decimal_comma: bool = False) -> pd.DataFrame:
    """Return a copy whose `names` are float64 with sentinels missing, and a flag column for each.

    A flag column that the frame already carries (a file cleaned before) keeps its reasons for what is
    missing now.
    """
    result = frame.copy()
    for name in names:
        numbers, no_number = to_numbers(frame[name], decimal_comma=decimal_comma)
        values = numbers.to_numpy()
        sentinel = is_sentinel(values, COLUMNS[name])
        flags = np.select(
            [no_number, sentinel, np.isnan(values)], [NOT_A_NUMBER, SENTINEL, BLANK], OK
        ).astype(object)
        if flag_of(name) in frame:
            earlier = frame[flag_of(name)].astype("string").fillna(OK).to_numpy(dtype=object)
            known = np.isin(earlier, FLAGS) & (earlier != OK)
            flags = np.where((flags == BLANK) & known | (flags == OK) & (earlier == IMPUTED), earlier, flags)
        result[name] = np.where(sentinel, np.nan, values)
        result[flag_of(name)] = pd.Series(flags, index=frame.index).astype(FLAG_TYPE)
    return result


def gate_range(frame: pd.DataFrame, ranges: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """Return a copy in which values outside their plausible range are missing and flagged `out_of_range`."""
    result = frame.copy()
    for name, (low, high) in ranges.items():
        values = frame[name].to_numpy(dtype="float64")
        with np.errstate(invalid="ignore"):
            outside = (values < low) | (values > high)
        result[name] = np.where(outside, np.nan, values)
        flags = frame[flag_of(name)].to_numpy(dtype=object)
        result[flag_of(name)] = pd.Series(np.where(outside, OUT_OF_RANGE, flags), index=frame.index).astype(
            FLAG_TYPE
        )
    return result


def without_imputed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with filled-in values taken out again: what nobody measured is no evidence."""
    measured = [name for name in MEASURED_NAMES if name in frame and flag_of(name) in frame]
    imputed = {name: frame[flag_of(name)].astype(str).eq(IMPUTED) for name in measured}
    return frame.assign(**{name: frame[name].mask(where) for name, where in imputed.items() if where.any()})


def count_flags(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return {column: {reason: readings}} of everything that is not a plain reading."""
    counts = {name: frame[flag_of(name)].value_counts() for name in names}
    return {
        name: {str(flag): int(n) for flag, n in found.items() if flag != OK and n}
        for name, found in counts.items()
    }
