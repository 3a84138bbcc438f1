"""What befalls single cells: faults, alarms and deaths, kept whole so that a label comes with what announces it.

An episode is a run of readings in which a cell leaves its usual self or a state column its usual value; it is
drawn at another time and a little stronger or weaker. A state that never ends, such as a death, keeps its whole
history: the course of the cell up to it, stretched or shortened from the end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bms_generate.cell_traits import OUTLYING
from bms_generate.courses import Course, shared_burden
from bms_generate.string_levels import MAD_TO_SD

# An episode reaches as far as smoothed readings stay this many of their own standard deviations away.
_STILL_AWAY = 2.5
_SMOOTH = 3
# What counts as a smoothed reading's own standard deviation at least, in those of single readings.
_LEAST_SMOOTH = 0.2
# How far an episode's strength, and the length of a course, may differ from the real one.
STRENGTH, _STRETCH = 0.15, 0.15
_TRIES = 20


@dataclass(frozen=True)
class Episode:
    """A stretch of a cell's life: residuals (moments, signals) and state codes (moments, state columns)."""

    residual: NDArray[np.float64]
    states: NDArray[np.int16]


@dataclass(frozen=True)
class Fate:
    """What befalls one synthetic cell.

    Args:
        episodes: At any time.
        of_moments: Length of the log they were found in.
        course: Instead of episodes, the whole history of a cell whose last state never ends.
        stretch: How much longer the course takes than the real one.
        strength: How much farther it leads.
    """

    episodes: list[Episode] = field(default_factory=list)
    of_moments: int = 1
    course: Course | None = None
    stretch: float = 1.0
    strength: float = 1.0


class Fates:
    """What befell the real cells, to be drawn from."""

    def __init__(self) -> None:
        self.lived: list[Fate] = []
        self.courses: list[Course] = []
        self.ending: list[float] = []

    def add_string(
        self,
        residual: NDArray[np.float64],
        spread: NDArray[np.float64],
        states: NDArray[np.int16],
        usual: NDArray[np.int16],
        excursion: NDArray[np.float64],
        calm: NDArray[np.bool_],
        lasting: NDArray[np.intp],
    ) -> NDArray[np.bool_]:
        """Take the episodes and courses of one string's cells.

        Args:
            residual: Distance from what the cell's traits say, NaN where missing, (moments, cells, signals).
            spread: Standard deviation of the usual residual, (cells, signals).
            states: Codes, -1 where missing, (moments, cells, state columns).
            usual: Usual code of each state column.
            excursion: Of the string, (moments, signals).
            calm: Moments in which the string is near rest, (moments,).
            lasting: Result of `lasting_from`, (cells,).

        Returns:
            Whether a reading belongs to a cell's usual self, (moments, cells).
        """
        self.ending.append(float((lasting < len(residual)).mean()))
        unusual = (states != usual) & (states >= 0)
        spans = spans_away(residual, spread, unusual)
        moments = len(residual)
        usually = ~spans
        for cell in range(residual.shape[1]):
            if lasting[cell] < moments:
                known = np.where(states[:, cell] < 0, usual, states[:, cell])
                self.courses.append(Course.of(residual[:, cell], known, int(lasting[cell]), excursion, calm))
                usually[:, cell] &= np.arange(moments) < lasting[cell] / 2
                continue
            edges = np.flatnonzero(np.diff(np.concatenate([[0], spans[:, cell].astype(np.int8), [0]])))
            episodes = [
                Episode(
                    np.nan_to_num(residual[a:b, cell]),
                    np.where(states[a:b, cell] < 0, usual, states[a:b, cell]),
                )
                for a, b in edges.reshape(-1, 2)
            ]
            self.lived.append(Fate(episodes, moments))
        return usually

    def draw(self, cells: Sequence[int], random: np.random.Generator) -> list[list[Fate]]:
        """Draw what befalls the cells of each string: every real fate as often as the next one.

        As many cells of a string end as of a real one: deaths in a string change what its other cells bear.
        """
        lived = self._in_turn(self.lived, random)
        ending = self._in_turn(self.ending, random)
        courses = self._endings(random)
        drawn, owed = [], 0.0
        for count in cells:
            owed += count * next(ending)
            ends = int(np.clip(round(owed), 0, count))
            owed -= ends
            fates = [next(courses) for _ in range(ends)] + [next(lived) for _ in range(count - ends)]
            drawn.append([fates[k] for k in random.permutation(count)])
        return drawn

    @staticmethod
    def _in_turn(things: Sequence[Any], random: np.random.Generator) -> Iterator[Any]:
        """Things for ever, each as often as the next one, in an order that changes."""
        while True:
            for number in random.permutation(len(things)):
                yield things[number]
            if not things:
                yield Fate()

    def _endings(self, random: np.random.Generator) -> Iterator[Fate]:
        """Courses in turn; stretches come in pairs of opposite sign, so that the label keeps its rate."""
        if not self.courses:
            return
        burden = shared_burden(self.courses)
        whole = [replace(c, burden=np.where(np.isnan(c.burden), burden, c.burden)) for c in self.courses]
        courses = self._in_turn(whole, random)
        while True:
            stretch = random.uniform(-_STRETCH, _STRETCH)
            for sign in (1.0, -1.0):
                strength = random.uniform(1 - STRENGTH, 1 + STRENGTH)
                yield Fate(course=next(courses), stretch=1.0 + sign * stretch, strength=strength)


def spans_away(
    residual: NDArray[np.float64],
    spread: NDArray[np.float64],
    unusual: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Runs of readings away from the usual self that hold an outlier or an unusual state, (moments, cells).

    A run goes on until its smoothed readings are back among the usual smoothed readings.
    """
    scaled = np.nan_to_num(residual) / np.where(spread > 0, spread, np.inf)
    hot = (np.abs(scaled) > OUTLYING).any(axis=2) | unusual.any(axis=2)
    if not hot.any():
        return hot
    smooth = np.abs(sum(np.roll(scaled, k, axis=0) for k in (-1, 0, 1)) / _SMOOTH)
    usually = np.maximum(MAD_TO_SD * np.median(smooth, axis=0), _LEAST_SMOOTH)
    warm = hot | (smooth > _STILL_AWAY * usually).any(axis=2)
    starts = np.zeros_like(warm)
    starts[0], starts[1:] = warm[0], warm[1:] & ~warm[:-1]
    run = starts.cumsum(axis=0)
    kept = np.zeros_like(warm)
    for cell in np.flatnonzero(hot.any(axis=0)):
        kept[:, cell] = warm[:, cell] & np.isin(run[:, cell], run[hot[:, cell], cell])
    return kept


def befall(
    fate: Fate,
    excursion: NDArray[np.float64],
    active: NDArray[np.bool_],
    usual: NDArray[np.int16],
    random: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.int16], NDArray[np.bool_]]:
    """Lay a fate over a cell of a string.

    Args:
        fate: Drawn by `Fates`.
        excursion: Of the string, (moments, signals).
        active: Whether the string is far from rest, (moments,).
        usual: Usual code of each state column.
        random: Source of chance.

    Returns:
        What is added to the cell, (moments, signals); its states, (moments, state columns); and whether the
        cell's own wander is silent, because the episode brings its own, (moments,).
    """
    moments = len(excursion)
    silent = np.zeros(moments, dtype=bool)
    if fate.course is not None:
        added, states, born = fate.course.over(excursion, active, fate.stretch, fate.strength)
        return added, np.where(born[:, None], states, usual), silent
    added, states = np.zeros_like(excursion), np.tile(usual, (moments, 1))
    expected = moments / fate.of_moments
    for episode in fate.episodes:
        for _ in range(int(expected) + (random.random() < expected % 1)):
            length = min(len(episode.residual), moments)
            start = place(silent, length, "", random)
            if start is not None:
                here = slice(start, start + length)
                added[here] = episode.residual[:length] * random.uniform(1 - STRENGTH, 1 + STRENGTH)
                states[here] = episode.states[:length]
    return added, states, silent


def place(taken: NDArray[np.bool_], length: int, edge: str, random: np.random.Generator) -> int | None:
    """Find a free stretch and mark it as taken; None where chance finds none.

    Args:
        taken: Moments in use, shape (moments,); changed in place.
        length: Moments wanted, at most all.
        edge: "start" or "end" where the real one was cut off by the log's start or end.
        random: Source of chance.
    """
    last = len(taken) - length
    for _ in range(_TRIES):
        start = {"start": 0, "end": last}.get(edge, int(random.integers(0, last + 1)))
        if not taken[start : start + length].any():
            taken[start : start + length] = True
            return start
    return None
