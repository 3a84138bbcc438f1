"""A string's cells told apart from the string: what each is like, and what is left of its readings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bms_generate.cell_traits import Traits, measure
from bms_generate.centres import mean_is_steadier, means
from bms_generate.episodes import spans_away
from bms_generate.fleet_layout import StringSeries
from bms_generate.usual_states import UsualStates, lasting_from


@dataclass(frozen=True)
class CellsApart:
    """The cells of one string.

    Args:
        traits: Of every cell; those of one that has been in a lasting state from the start are 0.
        lasting: Moment from which a state holds to the end, else the number of moments, shape (cells,).
        residual: What the traits leave unexplained, NaN where missing, shape (moments, cells, signals).
    """

    traits: Traits
    lasting: NDArray[np.intp]
    residual: NDArray[np.float64]


def set_apart(
    string: StringSeries, middle: NDArray[np.float64], excursion: NDArray[np.float64], states: UsualStates
) -> CellsApart:
    """Measure the cells of a string.

    Args:
        string: Its readings.
        middle: Median of its cells, shape (moments, own columns).
        excursion: How far the string is from its level, shape (moments, own columns).
        states: What is usual.
    """
    unusual = states.events_of(string.states) != states.usual
    lasting = lasting_from(unusual)
    moments = len(middle)
    # A cell that is to end is itself only in the first half of its way there.
    early = np.arange(moments)[:, None] < np.where(lasting < moments, lasting / 2, moments)
    deviation = string.own - middle[:, None, :]
    found = measure(deviation, excursion, early & ~unusual.any(axis=2))
    # A cell that has been so from the start has no usual self; all it does is part of its course.
    found = Traits(*(part * (lasting > 0)[:, None] for part in (found.offset, found.slope, found.spread)))
    return CellsApart(found, lasting, deviation - found.expected(excursion))


def steady_centres(
    strings: Sequence[StringSeries], middles: Sequence[NDArray[np.float64]], states: UsualStates
) -> tuple[list[NDArray[np.float64]], NDArray[np.bool_]]:
    """Return what the strings hold steady, the median of their cells or the mean.

    Returns:
        The centre of each string, (moments, own columns); and whether it is the mean, (own columns,).
    """
    by_mean = []
    for string, middle in zip(strings, middles, strict=True):
        cells = set_apart(string, middle, middle - np.median(middle, axis=0), states)
        no_event = np.zeros((*string.present.shape, 0), dtype=bool)
        away = spans_away(cells.residual, cells.traits.spread, no_event)
        usual = ~away | (cells.lasting < len(middle))
        # Of deviations: a cell that is away in an outage still took part in it.
        by_mean.append(middle + means(string.own - middle[:, None, :], usual))
    is_mean = mean_is_steadier(middles, by_mean)
    return [np.where(is_mean, mean, median) for mean, median in zip(by_mean, middles, strict=True)], is_mean
