"""Time stamps: ISO 8601, epoch seconds to nanoseconds, day-first or month-first dates."""

import re

import numpy as np
import pandas as pd

from bms_schema.data.columns import TIMESTAMP
from bms_schema.run.errors import UnreadableTable

# Epoch units by magnitude: 1973 to 2286 in seconds, and the same instants in finer units.
_EPOCH_UNITS = (("s", 1e8, 1e10), ("ms", 1e11, 1e13), ("us", 1e14, 1e16), ("ns", 1e17, 1e19))
_NO_ANSWER = (2147483647.0, 4294967295.0)  # 32-bit registers at full scale: 2038 and 2106 in seconds
_TIME_ONLY = r"^\s*\d{1,2}:\d{2}"
_DAY_MONTH = re.compile(r"^\s*(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{2,4})")


def parse_timestamps(column: pd.Series) -> tuple[pd.Series, list[str]]:
    """Parse time stamps to `datetime64[ns]` without a zone (UTC where a zone is given).

    Args:
        column: Text, numbers or datetimes; blank values stay missing.

    Returns:
        The parsed column (NaT where a value is no time) and notes on what was assumed.

    Raises:
        UnreadableTable: fewer than half of the values are times.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        return _without_zone(column), []
    present = column.notna()
    if not present.any():
        return pd.Series(pd.NaT, index=column.index, dtype="datetime64[ns]"), ["no time stamps given"]
    # Readings of one moment share their text: parse each distinct value once.
    values = column[present].astype(str)
    codes, distinct = pd.factorize(values)
    parsed, notes = _parse_distinct(pd.Series(distinct, dtype=object))
    result = pd.Series(np.datetime64("NaT"), index=column.index, dtype="datetime64[ns]")
    result[present] = parsed.to_numpy()[codes]
    bad = int(present.sum() - result.notna().sum())
    if bad * 2 > present.sum():
        example = values[result[present].isna()].iloc[0]
        raise UnreadableTable(
            f"{bad} of {int(present.sum())} values of the time column are no times, e.g. '{example}'.",
            expected="ISO 8601, epoch seconds/milliseconds, or day-month-year dates",
            fix=f"Export '{TIMESTAMP}' as ISO 8601, e.g. 2026-01-31T12:00:00.",
        )
    if bad:
        notes.append(f"{bad} time stamps are unreadable and count as missing")
    return result, notes


def _parse_distinct(values: pd.Series) -> tuple[pd.Series, list[str]]:
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().mean() > 0.5:
        size = float(numbers.abs().median())
        for unit, low, high in _EPOCH_UNITS:
            if low <= size < high:
                whole = (numbers * {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}[unit]).round()
                # A clock that was never set says 0, a register without an answer its full scale.
                whole = whole.where(numbers.between(low, high) & ~numbers.isin(_NO_ANSWER))
                return pd.to_datetime(whole, unit="ns", errors="coerce"), [f"time stamps are epoch {unit}"]
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[ns]"), []
    values = values.mask(values.str.match(_TIME_ONLY))  # pandas would add today's date
    iso = _without_zone(pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True))
    rest = iso.isna()
    if not rest.any():
        return iso, []
    day_first, note = _is_day_first(values[rest])
    other = pd.to_datetime(values[rest], format="mixed", dayfirst=day_first, errors="coerce", utc=True)
    iso[rest] = _without_zone(other)
    return iso, [note] if note else []


def _is_day_first(values: pd.Series) -> tuple[bool, str]:
    """Tell dd/mm from mm/dd by a number above 12, else by the order that gives the shorter span."""
    matches = values.str.extract(_DAY_MONTH).dropna()
    if matches.empty:
        return False, ""
    first, second = matches[0].astype(int), matches[1].astype(int)
    if (first > 12).any():
        return True, "dates are day first"
    if (second > 12).any():
        return False, "dates are month first"
    spans = {
        day_first: pd.to_datetime(values, format="mixed", dayfirst=day_first, errors="coerce", utc=True)
        for day_first in (True, False)
    }
    lengths = {key: parsed.max() - parsed.min() for key, parsed in spans.items()}
    day_first = bool(lengths[True] <= lengths[False])
    order = "day" if day_first else "month"
    return day_first, f"dates could be day first or month first; read as {order} first, which spans less time"


def _without_zone(column: pd.Series) -> pd.Series:
    if getattr(column.dt, "tz", None) is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return column.astype("datetime64[ns]")
