"""What a column may be of others: the rules by which derived columns are looked for, cheapest first."""

import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from bms_generate.derived import LEAST_ROWS, Candidates, Derived, Rule

Times = pd.Series
_LEAST_RANK_CORRELATION = 0.99
# Share of tried rows that must agree before the whole table is looked at.
_LEAST_SHARE = 0.99

TIME_PARTS: dict[str, Callable[[Times], pd.Series]] = {
    "the year": lambda times: times.dt.year,
    "the quarter": lambda times: times.dt.quarter,
    "the month": lambda times: times.dt.month,
    "the ISO week": lambda times: times.dt.isocalendar().week,
    "the day of the month": lambda times: times.dt.day,
    "the day of the year": lambda times: times.dt.dayofyear,
    "the weekday (Monday 0)": lambda times: times.dt.weekday,
    "the weekday (Monday 1)": lambda times: times.dt.weekday + 1,
    "the weekday (Sunday 0)": lambda times: (times.dt.weekday + 1) % 7,
    "the hour": lambda times: times.dt.hour,
    "the minute": lambda times: times.dt.minute,
    "the second": lambda times: times.dt.second,
    "the seconds since 1970": lambda times: _since_1970(times, "s"),
    "the milliseconds since 1970": lambda times: _since_1970(times, "ms"),
}
TIME_FLOORS: dict[str, Callable[[Times], Times]] = {
    "the same time as": lambda times: times,
    "the minute of": lambda times: times.dt.floor("min"),
    "the hour of": lambda times: times.dt.floor("h"),
    "the day of": lambda times: times.dt.normalize(),
    # A format without a date parses to the first day of 1900.
    "the time of day of": lambda times: pd.Timestamp("1900-01-01") + (times - times.dt.normalize()),
}
TIME_SPELLINGS = (
    *("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d", "%d/%m/%y", "%Y-%m"),
    *("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H%M%S", "%A", "%a", "%B", "%b"),
    *(
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S",
        "%d/%m/%Y %H:%M:%S",
        "%m/%d/%Y %H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
    ),
)
GROUP_TOTALS = ("sum", "mean", "min", "max")


def parts_of_a_time(candidates: Candidates, target: str) -> Iterator[Derived]:
    """Propose year, hour, weekday and their kin for a number; day or time of day for a time."""
    column = candidates.frame[target]
    if pd.api.types.is_datetime64_any_dtype(column):
        rules = {f"{target} is {words}": rule for words, rule in TIME_FLOORS.items()}
    elif pd.api.types.is_numeric_dtype(column):
        rules = {f"{target} is {words} of": rule for words, rule in TIME_PARTS.items()}
    else:
        return
    for source in candidates.times:
        for words, rule in rules.items():
            yield Derived(target, (source,), f"{words} {source}", _of(source, rule))


def spellings_of_a_time(candidates: Candidates, target: str) -> Iterator[Derived]:
    """Propose the formats in which exports write dates and times for a text."""
    column = candidates.frame[target]
    first = column.first_valid_index()
    if first is None or not isinstance(column[first], str):
        return
    for source in candidates.times:
        moment = candidates.frame.loc[first, source]
        for style in TIME_SPELLINGS:
            if pd.notna(moment) and moment.strftime(style) == column[first]:
                words = f"{target} is {source} as '{style}'"
                yield Derived(target, (source,), words, _of(source, _spelt(style)))


def lines_through_another(candidates: Candidates, target: str) -> Iterator[Derived]:
    """Propose another number times a constant plus a constant, both short decimals: a copy, mV for V, °F for °C."""
    if target not in candidates.numbers:
        return
    tried, alike = candidates.tried, candidates.rank_correlations[target].drop(target)
    for source in alike.index[alike > _LEAST_RANK_CORRELATION]:
        factor, offset = _line(
            tried[source], tried[target], candidates.steps[source], candidates.steps[target]
        )
        words = f"{target} is {source}" + (f" × {factor:g}" if factor != 1 else "")
        words += f" + {offset:g}" if offset else ""
        # Of equal decimals a copy is exact: sensors that agree but for the last digit are two.
        exact = abs(factor) == 1 and not offset and candidates.steps[source] == candidates.steps[target]
        slack = 0.0 if exact else abs(factor) * candidates.steps[source] / 2
        yield Derived(target, (source,), words, _linear(source, factor, offset), slack)


def sums_and_products(candidates: Candidates, target: str) -> Iterator[Derived]:
    """Propose the sum, difference or product (by a power of ten: kW for V × A) of two other numbers."""
    if target not in candidates.numbers:
        return
    others = [name for name in candidates.numbers if name != target]
    tried = candidates.tried
    y, x = tried[target].to_numpy()[:, None, None], tried[others].to_numpy()
    steps = np.array([candidates.steps[name] for name in others])
    rounding = (steps[:, None] + steps) / 2
    for first, second in _pairs_near(y, x[:, :, None] + x[:, None, :], rounding + candidates.steps[target]):
        if first < second:
            names = others[first], others[second]
            words = f"{target} is {names[0]} + {names[1]}"
            yield Derived(target, names, words, _sum(*names, 1.0), rounding[first, second])
    for first, second in _pairs_near(y, x[:, :, None] - x[:, None, :], rounding + candidates.steps[target]):
        names = others[first], others[second]
        yield Derived(
            target, names, f"{target} is {names[0]} − {names[1]}", _sum(*names, -1.0), rounding[first, second]
        )
    product = x[:, :, None] * x[:, None, :]
    factor = _power_of_ten(y, product)
    size = np.nan_to_num(np.abs(x)).max(axis=0)
    rounding = factor * (size[:, None] * steps + steps[:, None] * size) / 2
    for first, second in _pairs_near(y, factor * product, rounding + candidates.steps[target]):
        if first < second:
            names, scale = (others[first], others[second]), float(factor[first, second])
            words = f"{target} is {names[0]} × {names[1]}" + (f" × {scale:g}" if scale != 1 else "")
            yield Derived(target, names, words, _product(*names, scale), rounding[first, second])


def totals_of_a_string(candidates: Candidates, target: str) -> Iterator[Derived]:
    """Propose the sum, mean, least or greatest of a cell's number over the cells of its string at its time."""
    if candidates.moments is None or target not in candidates.numbers:
        return
    if target not in candidates.steady:
        return
    moments = candidates.moment_codes
    cells = moments.map(moments.value_counts())
    for source in [name for name in candidates.numbers if name not in candidates.steady]:
        complete = candidates.frame[source].groupby(moments).transform("count") == cells
        for kind in GROUP_TOTALS:
            words = f"{target} is the {kind} of {source} over the string at each time stamp"
            slack = candidates.steps[source] / 2 * (float(cells.max()) if kind == "sum" else 1.0)
            rule = _total(source, kind, candidates.moments)
            yield Derived(target, (source,), words, rule, slack, judged=complete)


RULES: tuple[Rule, ...] = (
    parts_of_a_time,
    spellings_of_a_time,
    lines_through_another,
    sums_and_products,
    totals_of_a_string,
)


def _of(source: str, rule: Callable[[Times], pd.Series]) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda frame: rule(frame[source])


def _since_1970(times: Times, unit: str) -> pd.Series:
    return (times - pd.Timestamp(0)) / pd.Timedelta(1, unit)


def _spelt(style: str) -> Callable[[Times], pd.Series]:
    return lambda times: times.dt.strftime(style).astype(object).where(times.notna(), None)


def _linear(source: str, factor: float, offset: float) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda frame: frame[source] * factor + offset


def _sum(first: str, second: str, sign: float) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda frame: frame[first] + sign * frame[second]


def _product(first: str, second: str, factor: float) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda frame: frame[first] * frame[second] * factor


def _total(
    source: str, kind: str, moments: Callable[[pd.DataFrame], pd.Series]
) -> Callable[[pd.DataFrame], pd.Series]:
    """Return the total of the cells that answered; a sum counts the others as the mean of these."""

    def compute(frame: pd.DataFrame) -> pd.Series:
        codes = moments(frame)
        cells = frame[source].groupby(codes)
        if kind == "sum":
            return cells.transform("mean") * codes.map(codes.value_counts())
        return cells.transform(kind)

    return compute


def _line(x: pd.Series, y: pd.Series, x_step: float, y_step: float) -> tuple[float, float]:
    """Return the shortest factor and offset that the rounding of both columns allows.

    The factor is the median slope of distant pairs: few exceptions do not move it.
    """
    known = x.notna() & y.notna()
    x, y = x[known].to_numpy(), y[known].to_numpy()
    runs = np.subtract.outer(x, x)
    far = runs > x.std()
    low, slope, high = np.quantile(np.subtract.outer(y, y)[far] / runs[far], [0.4, 0.5, 0.6])
    factor = _shortest(low, high, slope)
    offset, play = float(np.median(y - factor * x)), (y_step + abs(factor) * x_step) / 2
    return factor, _shortest(offset - play, offset + play, offset)


def _shortest(low: float, high: float, best: float) -> float:
    """Return the number of fewest significant digits between two limits, nearest to `best`.

    >>> _shortest(1.7996, 1.8003, 1.79998), _shortest(-0.01, 0.02, 0.004)
    (1.8, 0.0)
    """
    tiny = 1e-9 * max(abs(low), abs(high))
    if low - tiny <= 0 <= high + tiny:
        return 0.0
    for digits in range(1, 16):
        short = float(f"{best:.{digits - 1}e}")
        if low - tiny <= short <= high + tiny:
            return short
    return best


def _pairs_near(y: np.ndarray, guesses: np.ndarray, play: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs whose guess is within `play` of the target in nearly all tried rows; shape (rows, n, n)."""
    misses = np.abs(guesses - y)
    known = np.isfinite(misses).sum(axis=0)
    near = (misses <= play * (1 + 1e-6) + 1e-9 * np.abs(y)).sum(axis=0)
    alike = (near >= _LEAST_SHARE * known) & (known >= LEAST_ROWS)
    return [(int(first), int(second)) for first, second in np.argwhere(alike) if first != second]


def _power_of_ten(y: np.ndarray, product: np.ndarray) -> np.ndarray:
    """Return, per pair, the power of ten nearest to target / product where neither is zero; NaN without any."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where((product != 0) & (y != 0), np.abs(y / product), np.nan)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # all-NaN pairs
            return 10.0 ** np.round(np.log10(np.nanmedian(ratios, axis=0)))
