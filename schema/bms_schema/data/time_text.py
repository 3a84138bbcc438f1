"""Time stamps in text: which form each value has and which instants it may mean, a whole array at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

NO_TIME, ISO, DAY_MONTH, ELAPSED = "no time", "ISO", "day and month", "elapsed"
# Epoch units by magnitude: 1973 to 2286 in seconds, and the same instants in finer units.
EPOCH_UNITS = (("s", 1e8, 1e10), ("ms", 1e11, 1e13), ("us", 1e14, 1e16), ("ns", 1e17, 1e19))
EPOCH = {unit: f"epoch {unit}" for unit, _, _ in EPOCH_UNITS}
FORMS = (NO_TIME, ISO, DAY_MONTH, ELAPSED, *EPOCH.values())

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_NO_ANSWER = (2147483647.0, 4294967295.0)  # 32-bit registers at full scale: 2038 and 2106 in seconds
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_ISO = r"^\d{4}-?\d{2}-?\d{2}([T ]|$)"
_DATE = (
    r"^(?:[A-Za-z]{3},?\s+)?(?P<a>\d{1,4}|[A-Za-z]{3,9})[/.\-\s,]+(?P<b>\d{1,2}|[A-Za-z]{3,9})[/.\-\s,]+(?P<c>\d{1,4})"
    r"(?:[T\s,]+(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{1,2})(?:[.,](?P<f>\d{1,9}))?)?)?"
    r"\s*(?P<p>[AaPp]\.?[Mm]\.?)?\s*(?P<z>Z|UTC|GMT|[+-]\d{2}:?\d{2})?$"
)
_ZONE = r":\d{2}[\d.]*\s*(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)$"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NAT = np.iinfo("int64").min  # how numpy writes "not a time" in nanoseconds


@dataclass(frozen=True)
class TimeForms:
    """The forms of some texts: arrays of one length; instants in int64 ns since 1970 (UTC), `NAT` for none.

    Args:
        form: Index into `FORMS`.
        instant: Where the text has one meaning.
        day_first: Where it is day and month in either order: read as day first.
        month_first: Read as month first.
        elapsed_s: Numbers too small for an epoch, in seconds; NaN elsewhere.
        zoned: Whether a zone is given.
    """

    form: np.ndarray
    instant: np.ndarray
    day_first: np.ndarray
    month_first: np.ndarray
    elapsed_s: np.ndarray
    zoned: np.ndarray


def read_forms(texts: np.ndarray) -> TimeForms:
    """Tell the form of every text (1-d objects, stripped, none missing).

    >>> forms = read_forms(np.array(["2026-01-31T18:30:00+01:00", "03/04/2026", "12.5", "soon"], dtype=object))
    >>> [FORMS[form] for form in forms.form]
    ['ISO', 'day and month', 'elapsed', 'no time']
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    array = pa.array(texts, type=pa.string())
    n = len(texts)
    forms = TimeForms(
        form=np.zeros(n, dtype="int8"),
        instant=np.full(n, NAT, dtype="int64"),
        day_first=np.full(n, NAT, dtype="int64"),
        month_first=np.full(n, NAT, dtype="int64"),
        elapsed_s=np.full(n, np.nan),
        zoned=pc.match_substring_regex(array, _ZONE).to_numpy(zero_copy_only=False),
    )
    is_number = pc.match_substring_regex(array, _NUMBER).to_numpy(zero_copy_only=False)
    _read_numbers(array, np.flatnonzero(is_number), forms)
    # Apart, because pandas reads some plain times that follow a zoned one in that one's zone.
    is_iso = ~is_number & pc.match_substring_regex(array, _ISO).to_numpy(zero_copy_only=False)
    for places in (np.flatnonzero(is_iso & forms.zoned), np.flatnonzero(is_iso & ~forms.zoned)):
        iso = pd.to_datetime(pd.Series(texts[places]), format="ISO8601", errors="coerce", utc=True)
        instants = iso.dt.tz_localize(None).to_numpy().astype("datetime64[ns]").astype("int64")
        forms.instant[places] = instants
        forms.form[places[instants != NAT]] = FORMS.index(ISO)
    _read_dates(array, np.flatnonzero(~is_number & (forms.instant == NAT)), forms)
    return forms


def _read_numbers(array: Any, places: np.ndarray, forms: TimeForms) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = array.take(pa.array(places))
    numbers = pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False)
    for unit, low, high in EPOCH_UNITS:
        mine = (numbers >= low) & (numbers < high) & ~np.isin(numbers, _NO_ANSWER)
        forms.form[places[mine]] = FORMS.index(EPOCH[unit])
        forms.instant[places[mine]] = _epoch_ns(numbers[mine], texts.filter(pa.array(mine)), unit)
    small = (numbers >= 0) & (numbers < EPOCH_UNITS[0][1])
    forms.form[places[small]] = FORMS.index(ELAPSED)
    forms.elapsed_s[places[small]] = numbers[small]


def _epoch_ns(numbers: np.ndarray, texts: Any, unit: str) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:  # whole numbers exactly: nanoseconds have more digits than a double
        return np.asarray(pc.cast(texts, pa.int64())) * (10**9 // _PER_SECOND[unit])
    except pa.ArrowInvalid:
        whole = np.floor(numbers)
        # A double holds a second of our time to 0.2 µs, so a fraction is meant to the microsecond.
        micros = np.rint((numbers - whole) * (10**6 / _PER_SECOND[unit])).astype("int64")
        instants: np.ndarray = whole.astype("int64") * (10**9 // _PER_SECOND[unit]) + micros * 1000
        return instants


def _read_dates(array: Any, places: np.ndarray, forms: TimeForms) -> None:
    """Read dates in other orders than ISO: `31/01/2026 18:30`, `01-31-26 6:30 PM`, `31-Jan-2026`, `2026/1/31`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not places.size:
        return
    parts = pc.extract_regex(array.take(pa.array(places)), _DATE)
    matched = parts.is_valid()
    places, parts = places[matched.to_numpy(zero_copy_only=False)], parts.filter(matched)
    field = {name: parts.field(i) for i, name in enumerate("abchmsfpz")}
    clock = _clock_ns(field)
    a, a_word = _number_or_month(field["a"])
    b, b_word = _number_or_month(field["b"])
    c = _numbers(field["c"])
    year_first = ~a_word & (pc.utf8_length(field["a"]).to_numpy() == 4)
    year = np.where(year_first, a, _full_year(c))
    sure = year_first | a_word | b_word
    month = np.where(year_first | b_word, b, a)
    day = np.where(year_first, c, np.where(a_word, b, a))
    instant = _instants(year, month, day, clock)
    forms.instant[places[sure]] = instant[sure]
    forms.form[places[sure & (instant != NAT)]] = FORMS.index(ISO)
    day_first, month_first = _instants(year, b, a, clock), _instants(year, a, b, clock)
    forms.day_first[places[~sure]] = day_first[~sure]
    forms.month_first[places[~sure]] = month_first[~sure]
    either = ~sure & ((day_first != NAT) | (month_first != NAT))
    forms.form[places[either]] = FORMS.index(DAY_MONTH)


def _instants(year: np.ndarray, month: np.ndarray, day: np.ndarray, clock_ns: np.ndarray) -> np.ndarray:
    possible = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1900) & (year < 2200)
    months = np.where(possible, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + np.where(possible, day - 1, 0)
    possible &= (dates.astype("datetime64[M]") == months) & (clock_ns != NAT)  # no 31st of April
    return np.where(possible, dates.astype("datetime64[ns]").astype("int64") + clock_ns, NAT)


def _clock_ns(field: dict[str, Any]) -> np.ndarray:
    """Return the time of day less its zone, in nanoseconds; `NAT` where there is no such time."""
    import pyarrow.compute as pc

    hour, minute, second = (_numbers(field[name]) for name in "hms")
    twelve = pc.not_equal(field["p"], "").to_numpy(zero_copy_only=False)
    afternoon = pc.starts_with(field["p"], "p", ignore_case=True).to_numpy(zero_copy_only=False)
    possible = (minute < 60) & (second < 60) & np.where(twelve, (hour >= 1) & (hour <= 12), hour < 24)
    hour = np.where(twelve, hour % 12 + 12 * afternoon, hour)
    fraction = _numbers(pc.utf8_rpad(field["f"], 9, "0"))
    zone = pc.replace_substring(field["z"], ":", "")
    signed = pc.if_else(pc.equal(pc.utf8_length(zone), 5), zone, "+0000")
    hours, minutes = (_numbers(pc.utf8_slice_codeunits(signed, at, at + 2)) for at in (1, 3))
    offset_s = (hours * 60 + minutes) * 60
    offset_s[pc.starts_with(signed, "-").to_numpy(zero_copy_only=False)] *= -1
    return np.where(possible, (hour * 3600 + minute * 60 + second - offset_s) * 10**9 + fraction, NAT)


def _number_or_month(texts: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers, and where the text is a word: a month's number, or 0 where it names none."""
    import pyarrow.compute as pc

    word = pc.utf8_is_alpha(texts)
    numbers = _numbers(pc.if_else(word, "0", texts)).copy()
    is_word = word.to_numpy(zero_copy_only=False)
    for number, name in enumerate(_MONTHS if is_word.any() else (), start=1):
        numbers[pc.starts_with(texts, name, ignore_case=True).to_numpy(zero_copy_only=False)] = number
    return numbers, is_word


def _full_year(years: np.ndarray) -> np.ndarray:
    """Return four digits for two: 69 to 99 lie in the last century, as POSIX has it."""
    return np.where(years < 69, years + 2000, np.where(years < 100, years + 1900, years))


def _numbers(texts: Any) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.compute as pc

    return np.asarray(pc.cast(pc.if_else(pc.equal(texts, ""), "0", texts), pa.int64()))
