"""Restlessness with a memory, of strings and of their cells: random mixtures of real series, moved in time.

A mixture of many series, each moved by another time and added or subtracted, divided by the root of their number,
has their covariance at every lag and between all signals, and is the copy of none. Only what wanders like
a bell curve may be mixed so; events and faults are kept whole elsewhere (`string_signals`, `episodes`).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bms_generate.string_levels import robust_spread

# So many that none of them can be made out in the mixture.
_MIXED = 16
_DAY_NS, _LEAST_WAVES = 86_400 * 10**9, 3


class Wander:
    """Learns series about zero and draws new ones."""

    def fit(
        self, strings: Sequence[NDArray[np.float64]], active: Sequence[NDArray[np.bool_]], waves: int
    ) -> "Wander":
        """Take what all series share, the straight line through each, and the rest.

        Args:
            strings: Series about zero, NaN where missing or not to be learnt from, (moments, series, signals) each.
            active: Whether the string is far from rest, shape (moments,) each: cells are more restless there.
            waves: Half waves that what all series share, such as the weather, may have over the log.
        """
        self.excitement = _excitement(strings, active)
        longest = max(map(len, strings))
        filled = [
            _filled(np.where(a[:, None, None], np.nan, v)) for v, a in zip(strings, active, strict=True)
        ]
        total = np.zeros((longest, strings[0].shape[2]))
        for values in filled:
            total += values[_to_and_fro(longest, len(values))].sum(axis=1)
        self.common = _slow_part(total / sum(values.shape[1] for values in filled), waves)
        left = [values - self.common[: len(values), None] for values in filled]
        self.slopes = np.concatenate([_slopes(values) for values in left])
        self.rest = [values - _line(len(values))[:, None, None] * _slopes(values) for values in left]
        self.owners = np.array([(k, j) for k, values in enumerate(self.rest) for j in range(values.shape[1])])
        return self

    def sample(
        self, active: Sequence[NDArray[np.bool_]], series: Sequence[int], random: np.random.Generator
    ) -> list[NDArray[np.float64]]:
        """Draw series for strings.

        Args:
            active: Whether each string is far from rest, shape (moments,) each.
            series: How many series each has.
            random: Source of chance.

        Returns:
            Shape (moments, series, signals) each.
        """
        queue = self._donors(sum(series) * _MIXED, random)
        drawn, first = [], 0
        for flags, count in zip(active, series, strict=True):
            values = np.empty((len(flags), count, len(self.excitement)))
            for number in range(count):
                values[:, number] = self._mixture(len(flags), queue[first : first + _MIXED], random)
                first += _MIXED
            values[flags] *= self.excitement
            drawn.append(self.common[_to_and_fro(len(flags), len(self.common)), None] + values)
        return drawn

    def _donors(self, count: int, random: np.random.Generator) -> NDArray[np.intp]:
        """Numbers of real series, each as often as the next one."""
        rounds = -(-count // len(self.owners))
        return np.concatenate([random.permutation(len(self.owners)) for _ in range(rounds)])[:count]

    def _mixture(
        self, moments: int, donors: NDArray[np.intp], random: np.random.Generator
    ) -> NDArray[np.float64]:
        weights = random.choice([-1.0, 1.0], size=len(donors)) / np.sqrt(len(donors))
        mixed = _line(moments)[:, None] * (weights @ self.slopes[donors])
        for weight, (string, number) in zip(weights, self.owners[donors], strict=True):
            rest = self.rest[string]
            mixed += weight * rest[(np.arange(moments) + random.integers(len(rest))) % len(rest), number]
        return mixed


def _excitement(
    strings: Sequence[NDArray[np.float64]], active: Sequence[NDArray[np.bool_]]
) -> NDArray[np.float64]:
    """How much larger the spread is far from rest, per signal; 1 where that cannot be told."""
    signals = strings[0].shape[2]
    spreads = []
    for busy in (True, False):
        rows = np.concatenate(
            [v[a == busy].reshape(-1, signals) for v, a in zip(strings, active, strict=True)]
        )
        rows = rows[np.isfinite(rows).all(axis=1)]
        spreads.append(robust_spread(rows) if len(rows) >= 2 else np.zeros(signals))
    told = (spreads[0] > 0) & (spreads[1] > 0)
    return np.where(told, np.divide(spreads[0], spreads[1], out=np.ones(signals), where=told), 1.0)


def slow_waves(grids: Sequence[NDArray[np.datetime64]]) -> int:
    """Return how many half waves of two days and longer fit into the longest log; in a short log at least a few."""
    span = max(int((stamps[-1] - stamps[0]).astype("int64")) for stamps in grids)
    return max(_LEAST_WAVES, round(span / _DAY_NS))


def _slow_part(values: NDArray[np.float64], waves: int) -> NDArray[np.float64]:
    """Projection on the slowest cosines: at right angles to the rest, so that variances add up."""
    from scipy.fft import dct, idct

    spectrum = dct(values, axis=0, norm="ortho")
    spectrum[waves + 1 :] = 0.0
    return idct(spectrum, axis=0, norm="ortho")


def _to_and_fro(length: int, period: int) -> NDArray[np.intp]:
    """Places of a series that goes on beyond its end by going back, and on again."""
    place = np.arange(length) % (2 * period)
    return np.where(place < period, place, 2 * period - 1 - place)


def _filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bridge gaps by straight lines; a series without values is 0."""
    flat = pd.DataFrame(values.reshape(len(values), -1))
    return flat.interpolate(limit_direction="both").fillna(0.0).to_numpy().reshape(values.shape)


def _line(moments: int) -> NDArray[np.float64]:
    return np.linspace(-1.0, 1.0, moments)


def _slopes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares slope of every series along `_line`, shape (series, signals)."""
    line = _line(len(values))
    return np.tensordot(line, values, axes=1) / (line @ line)
