"""A cell's forecast held against its limits: which are likely to be crossed, and the words for it."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from bms_schema.data.columns import COLUMNS, RESOLUTION

from bms_forecast.blend import Courses
from bms_forecast.crossing import chances_beyond
from bms_forecast.limits import Limit, Limits

# Below it a chance is said to be "< 0.01", above its mirror "> 0.99": no backtest can tell such chances.
SMALLEST_SAID = 0.005
MINUTE_S, HOUR_S, DAY_S = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True)
class Ahead:
    """What is known of one target of one cell.

    Args:
        quantiles: Its forecast, ascending in every row, shape (H, Q).
        levels: Of the quantiles, ascending, with the median, shape (Q,).
        step_s: Time between steps [s].
        last: Its last reading.
        courses: Of past windows; None where there is no model.
    """

    quantiles: np.ndarray
    levels: np.ndarray
    step_s: float
    last: float
    courses: Courses | None = None

    @property
    def median(self) -> np.ndarray:
        """The forecast's median, shape (H,)."""
        return np.asarray(self.quantiles[:, int(np.argmin(np.abs(self.levels - 0.5)))])


@dataclass(frozen=True)
class Crossing:
    """One limit held against one cell's forecast.

    Args:
        limit: The limit.
        within: Chance that it is crossed at or before each step, shape (H,).
        is_bound: Whether the last of them is a lower bound.
        now: Whether the last reading lies beyond the limit already.
        step_s: Time between steps [s].
        last: The last reading.
        line: Where the limit lies at each step, in the target's unit, shape (H,).
        depth: How far the forecast's median comes beyond the limit, in steps of a usual sensor; below 0: short.
    """

    limit: Limit
    within: np.ndarray = field(repr=False)
    is_bound: bool
    now: bool
    step_s: float
    last: float
    line: np.ndarray = field(repr=False)
    depth: float

    @property
    def probability(self) -> float:
        """Chance that the limit is crossed within the forecast."""
        return float(self.within[-1])

    @property
    def seconds(self) -> float:
        """How far the forecast reaches [s]."""
        return len(self.within) * self.step_s

    @property
    def words(self) -> str:
        """The chance in words, and whether the limit is crossed already."""
        sign = ">=" if self.is_bound else "="
        chance = f"{sign} {self.probability:.2f}"
        if not self.is_bound and self.probability < SMALLEST_SAID:
            chance = "< 0.01"
        if not self.is_bound and 1.0 - SMALLEST_SAID < self.probability < 1.0:
            chance = "> 0.99"
        text = f"P({self.limit.words} within {span_words(self.seconds)}) {chance}"
        unit = COLUMNS[self.limit.target].unit
        return f"{text} (it is now, at {self.last:.4g} {unit})" if self.now else text


def span_words(seconds: float) -> str:
    """Return a time span in its natural unit.

    >>> span_words(86_400.0), span_words(7 * 86_400.0), span_words(120.0), span_words(5.0)
    ('24 h', '7 d', '2 min', '5 s')
    """
    if seconds > 2 * DAY_S:
        return f"{seconds / DAY_S:.3g} d"
    if seconds >= 2 * HOUR_S:
        return f"{seconds / HOUR_S:.3g} h"
    return f"{seconds / MINUTE_S:.3g} min" if seconds >= 2 * MINUTE_S else f"{seconds:.3g} s"


def find_crossings(limits: Limits, ahead: dict[str, Ahead]) -> list[Crossing]:
    """Hold each limit against a cell's forecast: alarms before settings, crossed ones first, then the likeliest.

    A limit that counts from another column's reading counts from the median of that column's forecast; without
    it the limit is left out.

    Args:
        limits: Of the table.
        ahead: {target: what is known of it}.
    """
    found = [
        _crossing(limit, ahead)
        for limit in limits.items
        if {limit.target, limit.over or limit.target} <= set(ahead)
    ]
    return sorted(
        found, key=lambda item: (item.limit.alarm, item.now, item.probability, item.depth), reverse=True
    )


def _crossing(limit: Limit, ahead: dict[str, Ahead]) -> Crossing:
    own = ahead[limit.target]
    base = ahead[limit.over].median if limit.over else np.zeros(len(own.quantiles))
    line = limit.value + base
    above = limit.side == "above"
    chances = chances_beyond(own.quantiles, own.levels, line, above=above, courses=own.courses)
    beyond = (own.median - line) * (1.0 if above else -1.0)
    now = limit.beyond(np.array([own.last]), ahead[limit.over].last if limit.over else 0.0)
    return Crossing(
        limit,
        chances.within,
        bool(chances.is_bound[-1]),
        bool(now[0]),
        own.step_s,
        own.last,
        line,
        float(np.max(beyond)) / RESOLUTION.get(limit.target, 1.0),
    )


def quantile_table(forecast: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return (quantiles, shape (m, Q); their levels, shape (Q,)) of a forecast with columns `q<level>`."""
    names = [str(name) for name in forecast if str(name).startswith("q")]
    return forecast[names].to_numpy(dtype=float), np.array([float(name[1:]) for name in names])
