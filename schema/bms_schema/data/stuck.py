"""Stuck sensors: a value repeated for longer than chance allows, while the neighbours moved.

Every repeat is worth its surprise, -ln of the chance of a repeat: how many of the other cells repeated at that
moment, or how often this cell did before, whichever is more. A whole string that is frozen, at rest or coarsely
resolved repeats everywhere, so nothing in it surprises; a cell that always held still more than half of the time is
not judged. Nothing looks ahead: a run is stuck from the reading at which it became unbelievable, and those before
it stay.
"""

import math

import numpy as np

from bms_schema.data.moments import CellOrder
from bms_schema.data.neighbours import enough_cells
from bms_schema.data.resolution import smallest_step

# A run is stuck once a live sensor would repeat so often by chance less than once in a million readings.
MOST_CHANCE = 1e-6
# Moments at which more of the other cells repeat say nothing, nor does a repeat of a cell that itself repeated at
# more of such moments before: one on a quieter input than its neighbours holds still for long by nature.
MOST_REPEATING = 0.5
# Where the resolution is coarse beside the noise, a value's place between two steps decides who flickers and who
# repeats for hours. There nobody moves by two steps at once, and nothing is judged until a tenth of the others do.
FEWEST_MOVING_FAR = 0.1
_UNITS = 1e6  # surprises are summed as whole micro-nats, so that no rounding depends on the rows before


def find_stuck(values: np.ndarray, moments: np.ndarray, order: CellOrder) -> np.ndarray:
    """Return which readings a stuck sensor repeated, shape (n,), bool.

    A missing reading neither breaks nor lengthens a run, nor does a second row of the same time; a gap breaks
    it. Not judged: moments at which fewer than three cells answered.

    Args:
        values: Readings, shape (n,), NaN = none.
        moments: From `moment_codes`, shape (n,).
        order: From `order_cells`.
    """
    stuck = np.zeros(len(values), dtype=bool)
    known = np.isfinite(values)[order.order]
    rows = order.order[known]
    if not rows.size:
        return stuck
    value, moment, cell = values[rows], moments[rows], order.cell[known]
    follows = np.diff(order.segment[known], prepend=-1) == 0
    step = np.abs(np.diff(value, prepend=np.nan))
    held = follows & (step == 0)
    run_start = _latest(~held)
    judged = follows & ~(np.diff(order.seconds[known], prepend=np.nan) == 0)
    judged &= enough_cells(values, moments)[rows]
    cell_start = _latest(np.diff(cell, prepend=-1) != 0)
    far = judged & (step > 1.5 * smallest_step(value, cell))
    chance = _chance(held, judged, far, moment, run_start, cell_start)
    counts = held & judged & (chance < 1.0)
    surprise = np.where(counts, np.rint(-_UNITS * np.log(chance)), 0.0).astype("int64")
    so_far = _sum_since(surprise, run_start)
    beyond = so_far >= -_UNITS * math.log(MOST_CHANCE)
    stuck[rows] = _sum_since(beyond, run_start) > 0
    return stuck


def _chance(
    held: np.ndarray,
    judged: np.ndarray,
    far: np.ndarray,
    moment: np.ndarray,
    run_start: np.ndarray,
    cell_start: np.ndarray,
) -> np.ndarray:
    """Return the chance that a live sensor repeats its value at each reading, shape (n,); 1 where unknown.

    It is the neighbours' rate at that moment, or the cell's own at telling moments before, whichever is more. The
    cell's own ends before the run began, so that a run cannot excuse itself.
    """
    repeats = held & judged
    others = np.bincount(moment, weights=judged)[moment] - judged
    others_held = np.bincount(moment, weights=repeats)[moment] - repeats
    neighbours = (others_held + 1) / (others + 2)
    others_far = np.bincount(moment, weights=far)[moment] - far
    telling = judged & (neighbours <= MOST_REPEATING) & (others_far >= FEWEST_MOVING_FAR * others)
    own_held, own_all = (_sum_before(rows, run_start, cell_start) for rows in (repeats & telling, telling))
    # A cell without a past counts as one that repeats four times in five.
    own = (own_held + 4) / (own_all + 5)
    quiet = own_held > MOST_REPEATING * own_all
    return np.where(telling & ~quiet, np.maximum(neighbours, own), 1.0)


def _latest(begins: np.ndarray) -> np.ndarray:
    """Return for each row the position of the latest row at which `begins` holds, shape (n,)."""
    return np.asarray(np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0)))


def _sum_since(numbers: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the sum of whole numbers from row `start` to each row, both included, shape (n,)."""
    total = np.concatenate([[0], np.cumsum(numbers, dtype="int64")])
    return np.asarray(total[1:] - total[start])


def _sum_before(numbers: np.ndarray, end: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the sum of whole numbers from row `start` up to, without, row `end`, shape (n,)."""
    total = np.concatenate([[0], np.cumsum(numbers, dtype="int64")])
    return np.asarray(total[end] - total[start[end]])
