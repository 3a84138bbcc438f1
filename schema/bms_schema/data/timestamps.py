"""Time stamps: ISO 8601, epoch seconds to nanoseconds, day-first or month-first dates, one rule per table.

Facts of the chunks are counted and merged, the rule is decided once from the sum, and each chunk is parsed by it.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bms_schema.data.columns import TIMESTAMP
from bms_schema.data.text import distinct_text
from bms_schema.data.time_text import (
    DAY_MONTH,
    ELAPSED,
    EPOCH,
    FORMS,
    ISO,
    NAT,
    NO_TIME,
    TimeForms,
    read_forms,
)
from bms_schema.run.errors import UnreadableTable

_NOTHING = (np.iinfo("int64").max, np.iinfo("int64").min)


@dataclass(frozen=True)
class TimeFacts:
    """Mergeable counts of a time column.

    Args:
        forms: {form: values of it}.
        bounds: {"sure" | "day first" | "month first": (earliest, latest) in ns}.
        only_day: Dates that make sense day first only.
        only_month: Dates that make sense month first only.
        zoned: Values that name their zone.
        example: Alphabetically first value that names no instant; empty where there is none.
    """

    forms: dict[str, int] = field(default_factory=dict)
    bounds: dict[str, tuple[int, int]] = field(default_factory=dict)
    only_day: int = 0
    only_month: int = 0
    zoned: int = 0
    example: str = ""

    @classmethod
    def of(cls, column: pd.Series) -> "TimeFacts":
        """Count one chunk."""
        if pd.api.types.is_datetime64_any_dtype(column):
            instants = _native(column)
            known = instants != NAT
            return cls({ISO: int(known.sum())}, {"sure": _bounds(instants)})
        codes, texts = distinct_text(column)
        weights = np.bincount(codes[codes >= 0], minlength=len(texts))
        read = read_forms(texts)
        counts = np.bincount(read.form, weights=weights, minlength=len(FORMS)).astype(int)
        two = read.form == FORMS.index(DAY_MONTH)
        no_instant = np.isin(read.form, [FORMS.index(NO_TIME), FORMS.index(ELAPSED)])
        none = sorted(texts[no_instant & (weights > 0)])
        return cls(
            {form: int(n) for form, n in zip(FORMS, counts, strict=True) if n},
            {
                "sure": _bounds(read.instant),
                "day first": _bounds(read.day_first),
                "month first": _bounds(read.month_first),
            },
            only_day=int(weights[two & (read.month_first == NAT)].sum()),
            only_month=int(weights[two & (read.day_first == NAT)].sum()),
            zoned=int(weights[read.zoned].sum()),
            example=none[0] if none else "",
        )

    def merge(self, other: "TimeFacts") -> "TimeFacts":
        """Return the facts of both."""
        names = {**self.forms, **other.forms}
        return TimeFacts(
            {form: self.forms.get(form, 0) + other.forms.get(form, 0) for form in names},
            {
                name: _wider(self.bounds.get(name, _NOTHING), other.bounds.get(name, _NOTHING))
                for name in {**self.bounds, **other.bounds}
            },
            self.only_day + other.only_day,
            self.only_month + other.only_month,
            self.zoned + other.zoned,
            min(filter(None, (self.example, other.example)), default=""),
        )

    @property
    def given(self) -> int:
        """Values that are not blank."""
        return sum(self.forms.values())

    @property
    def has_elapsed(self) -> bool:
        """Whether some values are too small for instants."""
        return ELAPSED in self.forms

    @property
    def is_elapsed(self) -> bool:
        """Whether the column counts seconds from some start instead of naming instants."""
        return self.forms.get(ELAPSED, 0) * 2 > self.given


@dataclass(frozen=True)
class TimeRule:
    """How a table's time stamps are read.

    Args:
        day_first: Order of dates that may be read either way.
    """

    day_first: bool = True

    def instants(self, read: TimeForms) -> np.ndarray:
        """Return the instants meant, int64 ns, `NAT` where there is none."""
        preferred, other = (
            (read.day_first, read.month_first) if self.day_first else (read.month_first, read.day_first)
        )
        date = np.where(preferred == NAT, other, preferred)
        return np.where(read.form == FORMS.index(DAY_MONTH), date, read.instant)

    def parse(self, column: pd.Series) -> pd.Series:
        """Parse a column to `datetime64[ns]` without a zone (UTC where one is given); NaT where it is no time."""
        if pd.api.types.is_datetime64_any_dtype(column):
            instants = _native(column)
        else:
            codes, texts = distinct_text(column)
            distinct = np.append(self.instants(read_forms(texts)), NAT)  # code -1 takes the last
            instants = distinct[codes]
        return pd.Series(instants.view("datetime64[ns]"), index=column.index, name=column.name)


def parse_timestamps(column: pd.Series) -> tuple[pd.Series, list[str]]:
    """Parse time stamps to `datetime64[ns]` without a zone (UTC where a zone is given).

    Args:
        column: Text, numbers or datetimes; blank values stay missing.

    Returns:
        The parsed column (NaT where a value is no time) and notes on what was assumed.

    Raises:
        UnreadableTable: fewer than half of the values are times.
    """
    rule, notes = time_rule(TimeFacts.of(column))
    return rule.parse(column), notes


def time_rule(facts: TimeFacts) -> tuple[TimeRule, list[str]]:
    """Decide how a column of instants is read, and say what was assumed.

    Raises:
        UnreadableTable: fewer than half of the values are times.
    """
    if not facts.given:
        return TimeRule(), ["no time stamps given"]
    unread = facts.forms.get(NO_TIME, 0) + facts.forms.get(ELAPSED, 0)
    if unread * 2 > facts.given:
        raise UnreadableTable(
            f"{unread} of {facts.given} values of the time column are no times, e.g. '{facts.example}'.",
            expected="ISO 8601, epoch seconds/milliseconds, or day-month-year dates",
            fix=f"Export '{TIMESTAMP}' as ISO 8601, e.g. 2026-01-31T12:00:00.",
        )
    kinds = [form for form in (ISO, DAY_MONTH, *EPOCH.values()) if facts.forms.get(form)]
    notes = [f"time stamps are {form}" for form in kinds if form in EPOCH.values()] if len(kinds) == 1 else []
    if len(kinds) > 1:
        counted = ", ".join(f"{form} {facts.forms[form]:,}" for form in kinds)
        notes.append(f"time stamps come in several forms, each read by its own: {counted}")
    day_first, order_notes = _order(facts)
    notes += order_notes
    if 0 < facts.zoned < facts.given - unread:
        notes.append(f"{facts.zoned:,} time stamps name a zone and became UTC; the others are taken as UTC")
    if unread:
        notes.append(f"{unread} time stamps are unreadable and count as missing")
    return TimeRule(day_first), notes


def _order(facts: TimeFacts) -> tuple[bool, list[str]]:
    """Tell dd/mm from mm/dd by numbers above 12, else by the order that gives the shorter span."""
    if not facts.forms.get(DAY_MONTH):
        return True, []
    if facts.only_day or facts.only_month:
        day_first = facts.only_day >= facts.only_month
        notes = [f"dates are {_called(day_first)}"]
        if facts.only_day and facts.only_month:
            few = min(facts.only_day, facts.only_month)
            notes.append(f"{few:,} dates make sense {_called(not day_first)} only and are read so")
        return day_first, notes
    sure = facts.bounds.get("sure", _NOTHING)
    spans = {}
    for day_first in (True, False):
        first, last = _wider(sure, facts.bounds[_called(day_first)])
        spans[day_first] = last - first
    day_first = spans[True] <= spans[False]
    order = _called(day_first)
    return day_first, [f"dates could be day first or month first; read as {order}, which spans less time"]


def _called(day_first: bool) -> str:
    return "day first" if day_first else "month first"


def _native(column: pd.Series) -> np.ndarray:
    if getattr(column.dt, "tz", None) is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return column.astype("datetime64[ns]").to_numpy().astype("int64")


def _bounds(instants: np.ndarray) -> tuple[int, int]:
    known = instants[instants != NAT]
    return (int(known.min()), int(known.max())) if known.size else _NOTHING


def _wider(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return min(one[0], other[0]), max(one[1], other[1])
