"""How likely a forecast crosses a limit within so many steps: its quantiles, and how past courses hung together.

The chance at one step is read off the quantiles. The chance within several needs to know whether bad steps come
together (one discharge) or apart (noise); past windows tell: each is a course of ranks, and the forecast's quantile
function at those ranks is one possible future (Schaake shuffle, Clark et al. 2004). Where a past reading lay
outside the quantiles the course goes as far beyond them as it did: a discharge is so many volts deep, not so many
sigmas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bms_forecast.blend import Courses
from bms_forecast.levels import at_levels, chance_below

# A course with fewer of its places known tells too little of what happened [U].
FEWEST_KNOWN_SHARE = 0.5


@dataclass(frozen=True)
class Chances:
    """The chance that a limit is crossed at or before each step.

    Args:
        within: Rising, in [0, 1], shape (H,).
        is_bound: Whether it is a lower bound: no past courses reach so far. Shape (H,).
    """

    within: np.ndarray
    is_bound: np.ndarray


def chances_beyond(
    quantiles: np.ndarray,
    levels: np.ndarray,
    limit: np.ndarray | float,
    *,
    above: bool = False,
    courses: Courses | None = None,
) -> Chances:
    """Return the chance that the target lies beyond the limit at or before each step.

    It is never below the chance at any one step so far. Without courses, and beyond their reach, that is all
    there is: a lower bound.

    Args:
        quantiles: The forecast, ascending in every row, shape (H, Q).
        levels: Ascending, shape (Q,).
        limit: One, or one per step, shape (H,).
        above: Whether beyond means above.
        courses: Of past windows.

    >>> calm, levels = np.tile([1.0, 2.0, 3.0], (2, 1)), np.array([0.1, 0.5, 0.9])
    >>> once = Courses(ranks=np.array([[0.0, 0.5], [0.5, 0.5]]), excess=np.array([[-0.4, 0.0], [0.0, 0.0]]))
    >>> chances_beyond(calm, levels, 1.0, courses=once).within.tolist()
    [0.5, 0.5]
    """
    steps = len(quantiles)
    line = np.broadcast_to(np.asarray(limit, dtype=float), steps)
    apart = quantiles - line[:, None]
    at_once = (
        chance_below(-apart[:, ::-1], 1.0 - levels[::-1], 0.0) if above else chance_below(apart, levels, 0.0)
    )
    within = np.maximum.accumulate(at_once)
    is_bound = within < 1.0
    likely = _usable(courses, steps)
    if len(likely.ranks):
        reach = likely.ranks.shape[1]
        paths = paths_of(quantiles[:reach], levels, likely)
        with np.errstate(invalid="ignore"):
            beyond = paths > line[:reach] if above else paths < line[:reach]
        within[:reach] = np.maximum(within[:reach], np.logical_or.accumulate(beyond, axis=1).mean(axis=0))
        within = np.maximum.accumulate(within)
        is_bound[:reach] = False
    return Chances(within, is_bound)


def paths_of(quantiles: np.ndarray, levels: np.ndarray, courses: Courses) -> np.ndarray:
    """Return what the target does if each course happens again, shape (K, W); NaN where a course is.

    Args:
        quantiles: The forecast of the first W steps, ascending in every row, shape (W, Q).
        levels: Ascending, shape (Q,).
        courses: K of them, W steps each.
    """
    known = np.isfinite(courses.ranks)
    inside = np.clip(np.where(known, courses.ranks, 0.5), levels[0], levels[-1])
    return np.where(known, at_levels(quantiles, levels, inside.T).T + courses.excess, np.nan)


def _usable(courses: Courses | None, steps: int) -> Courses:
    """Return the first so many steps of the courses that are known for half of them."""
    if courses is None or not courses.ranks.size:
        return Courses.none(steps)
    ranks, excess = courses.ranks[:, :steps], courses.excess[:, :steps]
    enough = np.isfinite(ranks).mean(axis=1) >= FEWEST_KNOWN_SHARE
    return Courses(ranks[enough], excess[enough])
