"""Strings that are always at work: real days of all strings in a new order, joined where they fit.

A handful of strings teaches no model of a vehicle's trips or a site's sun, but their days can follow one another
in other orders: a matched block bootstrap (Carlstein et al. 1998, doi:10.2307/3318719).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bms_generate.string_levels import Drawn, Levels, Signals

_DAY_NS = 86_400 * 10**9
# Fewer days are too few to be put in another order: then the span is cut into ten, whatever the clock says.
_LEAST_DAYS = 3
_PIECES = 10
# A gap at a join fades as the signal forgets, at the slowest in this share of a block.
_FADED_IN = 0.05
# A string's load against that of the real one.
_LOAD_SPREAD = 0.1


@dataclass(frozen=True)
class _Block:
    string: int
    start: int
    stop: int
    clock: int


class ShuffledDays:
    """Learns the shared series of busy strings and draws new ones.

    Attributes:
        excursions: Real series less their levels, shape (moments, signals) each.
    """

    words = "strings are always at work: their shared signals are stretches of the real ones in another order"

    def fit(self, strings: Sequence[Signals]) -> "ShuffledDays":
        """Take the strings' levels, their days and how long each signal remembers."""
        self.levels = Levels().fit(strings)
        self.excursions = [
            string.values - level for string, level in zip(strings, self.levels.real, strict=True)
        ]
        spread = np.concatenate(self.excursions).std(axis=0)
        self.scale = np.where(spread > 0, spread, 1.0)
        self.block_ns = _block_length([string.stamps for string in strings])
        self.blocks = [
            block for k, string in enumerate(strings) for block in _cut(k, string.stamps, self.block_ns)
        ]
        usual = float(np.median([block.stop - block.start for block in self.blocks]))
        slowest = np.exp(-1.0 / max(_FADED_IN * usual, 1.0))
        self.memory = np.clip(_lag1(self.excursions), 0.0, slowest)
        return self

    def sample(self, grids: Sequence[NDArray[np.datetime64]], random: np.random.Generator) -> list[Drawn]:
        """Draw one string per grid of time stamps."""
        unused: list[_Block] = []
        drawn = []
        for stamps, level in zip(grids, self.levels.sample(len(grids), random), strict=True):
            load = random.uniform(1.0 - _LOAD_SPREAD, 1.0 + _LOAD_SPREAD)
            excursions = load * self._join(stamps, unused, random)
            drawn.append(Drawn(excursions + level, excursions))
        return drawn

    def _join(
        self, stamps: NDArray[np.datetime64], unused: list[_Block], random: np.random.Generator
    ) -> NDArray[np.float64]:
        excursions = np.empty((len(stamps), len(self.scale)))
        state: NDArray[np.float64] | None = None
        for place in _cut(0, stamps, self.block_ns):
            block = self._next_block(place, state, unused, random)
            donor = self.excursions[block.string]
            source = np.minimum(block.start + np.arange(place.stop - place.start), len(donor) - 1)
            taken = donor[source]
            if state is not None:
                gap = state - donor[max(block.start - 1, 0)]
                taken = taken + gap * self.memory ** np.arange(1, len(taken) + 1)[:, None]
            excursions[place.start : place.stop] = taken
            state = taken[-1]
        return excursions

    def _next_block(
        self,
        place: _Block,
        state: NDArray[np.float64] | None,
        unused: list[_Block],
        random: np.random.Generator,
    ) -> _Block:
        """Of the blocks of this hour not yet used take the one whose past is most like the present."""
        if not any(block.clock == place.clock for block in unused):
            unused.extend(block for block in self.blocks if block.clock == place.clock)
        fitting = [block for block in unused if block.clock == place.clock] or self.blocks
        if state is None:
            chosen = fitting[random.integers(len(fitting))]
        else:
            pasts = np.array([self.excursions[b.string][max(b.start - 1, 0)] for b in fitting])
            chosen = fitting[int(np.argmin((np.abs(pasts - state) / self.scale).sum(axis=1)))]
        if chosen in unused:
            unused.remove(chosen)
        return chosen


def _block_length(grids: Sequence[NDArray[np.datetime64]]) -> int:
    """Nanoseconds: a tenth of the span, in whole days where there are at least three."""
    span = max(int((stamps[-1] - stamps[0]).astype("int64")) for stamps in grids)
    days = span / _DAY_NS
    if days < _LEAST_DAYS:
        return max(1, span // _PIECES)
    return max(1, round(days / _PIECES)) * _DAY_NS


def _cut(string: int, stamps: NDArray[np.datetime64], length_ns: int) -> list[_Block]:
    """Cut a grid into blocks of equal time; `clock` is the half hour of the day at which one starts."""
    since = (stamps - stamps[0]).astype("int64")
    starts = np.unique(since // length_ns, return_index=True)[1]
    stops = [*starts[1:], len(stamps)]
    half_hours = stamps.astype("datetime64[ns]").astype("int64") % _DAY_NS // (_DAY_NS // 48)
    by_day = length_ns % _DAY_NS == 0
    return [
        _Block(string, int(start), int(stop), int(half_hours[start]) if by_day else 0)
        for start, stop in zip(starts, stops, strict=True)
    ]


def _lag1(series: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    products = np.sum([(values[1:] * values[:-1]).sum(axis=0) for values in series], axis=0)
    squares = np.sum([(values**2).sum(axis=0) for values in series], axis=0)
    return np.divide(products, squares, out=np.zeros_like(products), where=squares > 0)
