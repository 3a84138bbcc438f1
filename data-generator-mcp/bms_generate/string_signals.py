"""What the cells of a string share over time: its current, its room, the median of its cells.

Two models, by what the data show. A string that rests and is now and then called upon (`QuietStrings`) has a
level, a daily course, a wander and events. One that is always at work (`ShuffledDays`), as in a vehicle or on
solar panels, has no rest to speak of: its real days follow one another in another order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bms_generate.daily_course import DailyCourse
from bms_generate.episodes import STRENGTH, place, spans_away
from bms_generate.shuffled_days import ShuffledDays
from bms_generate.string_levels import Drawn, Levels, Signals, robust_spread
from bms_generate.wander import Wander

_DAY_NS = 86_400 * 10**9
# A daily course needs days to be averaged over, and readings a day to have a shape.
_LEAST_DAYS, _LEAST_PER_DAY = 3.0, 8
# It is kept where it explains this share of a signal's variance.
_COURSE_WORTH = 0.05
# An event changes a signal whose mean square exceeds that of any equally long stretch at rest by this factor.
_INVOLVED = 1.5
# A signal that is constant at rest counts as spread over this share of its largest excursion.
_STILL = 0.002
# Events drive a signal that leaves its rest by this many standard deviations.
_DRIVEN = 10.0
# Strings that are on an event for longer than this have no rest.
_MOST_EVENTFUL = 0.4
# Kolmogorov-Smirnov distance beyond which rest is drawn wrongly, in steps of this share of a signal's range.
_UNLIKE, _FINEST = 0.2, 0.01
# Fleets drawn for that judgement.
_TRIALS = 4


def model_strings(strings: Sequence[Signals], waves: int) -> "QuietStrings | ShuffledDays":
    """Fit the model that suits the strings."""
    quiet = QuietStrings().fit(strings, waves)
    return quiet if quiet.suits else ShuffledDays().fit(strings)


class QuietStrings:
    """Level + daily course + wander + events.

    Attributes:
        excursions: Real series less their levels, shape (moments, signals) each.
        suits: The strings do rest, and what they do at rest can be drawn.
    """

    words = "strings rest and have events, which come at other times"

    def fit(self, strings: Sequence[Signals], waves: int) -> "QuietStrings":
        """Take the parts from one another, the events first."""
        self.levels = Levels().fit(strings)
        self.excursions = [
            string.values - level for string, level in zip(strings, self.levels.real, strict=True)
        ]
        spread = robust_spread(np.concatenate(self.excursions))
        eventful = _find_events(self.excursions, spread)
        self.course = DailyCourse().fit(strings, self.excursions, eventful)
        left = [
            values - self.course.at(string.stamps)
            for string, values in zip(strings, self.excursions, strict=True)
        ]
        spread = robust_spread(np.concatenate([v[~away] for v, away in zip(left, eventful, strict=True)]))
        eventful = _find_events(left, spread)
        self.events = [_cut_out(values, away) for values, away in zip(left, eventful, strict=True)]
        self.lengths = [len(values) for values in left]
        calm = [_calm(values, events) for values, events in zip(left, self.events, strict=True)]
        quiet = [np.zeros(len(values), dtype=bool) for values in calm]
        self.wander = Wander().fit([values[:, None] for values in calm], quiet, waves)
        drawn = self.wander.sample(quiet * _TRIALS, [1] * len(quiet) * _TRIALS, np.random.default_rng(0))
        alike = _are_alike(_steps(calm), _steps([values[:, 0] for values in drawn]))
        self.suits = bool(np.concatenate(eventful).mean() <= _MOST_EVENTFUL) and alike
        return self

    def sample(self, grids: Sequence[NDArray[np.datetime64]], random: np.random.Generator) -> list[Drawn]:
        """Draw one string per grid of time stamps."""
        turns = np.concatenate(
            [random.permutation(len(self.events)) for _ in range(-(-len(grids) // len(self.events)))]
        )
        calm = [np.zeros(len(stamps), dtype=bool) for stamps in grids]
        wander = self.wander.sample(calm, [1] * len(grids), random)
        levels = self.levels.sample(len(grids), random)
        drawn = []
        for stamps, level, series, donor in zip(grids, levels, wander, turns, strict=False):
            moments = len(stamps)
            excursions = series[:, 0]
            for start, values, involved in self._draw_events(donor, moments, random):
                here = np.ix_(np.arange(start, start + len(values)), np.flatnonzero(involved))
                excursions[here] += values[:, involved]
            excursions = excursions + self.course.at(stamps)
            drawn.append(Drawn(excursions + level, excursions))
        return drawn

    def _draw_events(
        self, donor: int, moments: int, random: np.random.Generator
    ) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.bool_]]]:
        """The events of one real string at other times: start, values and changed signals."""
        taken = np.zeros(moments, dtype=bool)
        expected = moments / self.lengths[donor]
        for event in self.events[donor]:
            values = event.values[:moments]
            for _ in range(int(expected) + (random.random() < expected % 1)):
                start = place(taken, len(values), event.edge, random)
                if start is not None:
                    yield start, values * random.uniform(1 - STRENGTH, 1 + STRENGTH), event.involved


def _find_events(
    series: Sequence[NDArray[np.float64]], spread: NDArray[np.float64]
) -> list[NDArray[np.bool_]]:
    """Whether each string is on an event at each moment, judged by the signals that events drive."""
    largest = np.max([np.abs(values).max(axis=0) for values in series], axis=0)
    spread = np.maximum(spread, _STILL * largest)
    scale = np.where(largest > _DRIVEN * spread, spread, np.inf)[None]
    return [
        spans_away(values[:, None], scale, np.zeros((len(values), 1, 0), dtype=bool))[:, 0]
        for values in series
    ]


@dataclass(frozen=True)
class Event:
    """One event: when it began, the series over it, which signals it changed, which end of the log cut it off."""

    start: int
    values: NDArray[np.float64]
    involved: NDArray[np.bool_]
    edge: str


def _cut_out(values: NDArray[np.float64], away: NDArray[np.bool_]) -> list[Event]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], away.astype(np.int8), [0]]))).reshape(-1, 2)
    events = []
    for a, b in edges:
        calm = pd.DataFrame(np.where(away[:, None], np.nan, values**2))
        at_rest = calm.rolling(b - a, min_periods=(b - a + 1) // 2).mean().max().to_numpy()
        involved = (values[a:b] ** 2).mean(axis=0) > _INVOLVED * np.nan_to_num(at_rest)
        events.append(
            Event(
                int(a),
                _bump(values, a, b),
                involved,
                "start" if a == 0 else "end" if b == len(values) else "",
            )
        )
    return events


def _bump(values: NDArray[np.float64], start: int, stop: int) -> NDArray[np.float64]:
    """The stretch above a straight line between its neighbours, which is where the wander was without it."""
    before = values[start - 1] if start > 0 else values[min(stop, len(values) - 1)]
    after = values[stop] if stop < len(values) else before
    line = np.linspace(0.0, 1.0, stop - start + 2)[1:-1, None]
    return (
        (values[start:stop] - (before + line * (after - before)))
        if (start, stop) != (0, len(values))
        else values
    )


def _calm(values: NDArray[np.float64], events: list[Event]) -> NDArray[np.float64]:
    """The series with the changed signals of its events missing."""
    calm = values.copy()
    for event in events:
        calm[event.start : event.start + len(event.values), event.involved] = np.nan
    return calm


def _steps(series: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Changes from reading to reading: slow drifts, of which a log shows only one course, count for nothing."""
    return np.concatenate([np.diff(values, axis=0) for values in series])


def _are_alike(real: NDArray[np.float64], drawn: NDArray[np.float64]) -> bool:
    """Whether every signal is drawn with about the distribution it has; both of shape (n, signals)."""
    from scipy.stats import ks_2samp

    for found, made in zip(real.T, drawn.T, strict=True):
        known = found[np.isfinite(found)]
        if not len(known):
            continue
        # What is constant at rest, but for a step of the logger's now and then, is drawn almost so.
        logged = np.abs(known[known != 0])
        step = max(float(np.ptp(known)) * _FINEST, logged.min() if len(logged) else 1e-12)
        if ks_2samp(np.round(known / step), np.round(made / step)).statistic > _UNLIKE:
            return False
    return True
