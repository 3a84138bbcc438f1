"""Spikes: lone readings far off both the cell's own recent past and its string, that nothing explains.

A Hampel filter (Hampel 1974; Pearson 2002) on the residual to the string's median, never on the raw value. A dying
cell must survive it, so it has three ways out: the string itself or its current moved (a weak cell falls
further than its string on load), all cells scatter at that moment, or the reading before was off to the same
side already (a step or a collapse, of which only the first reading is lost). Nothing looks ahead.
"""

from dataclasses import dataclass

import numpy as np

from bms_schema.data.deviation import MAD_TO_SIGMA, row_medians
from bms_schema.data.moments import CellOrder
from bms_schema.data.neighbours import string_median
from bms_schema.data.resolution import smallest_step

# A cell's past is its last 12 readings, of the 72 h before: older ones say little about the residual [U].
WINDOW_READINGS, FEWEST_READINGS, MEMORY_S = 12, 5, 72 * 3600.0
# Robust sigmas of the cell's own past; twice the textbook's 3, because real residuals have heavy tails.
SIGMAS = 6.0
# No less than 2.4 steps of the cell's own resolution: a value on the edge between two flips by one, rarely by two.
STEPS_PER_SIGMA = 0.4
# The reading before confirms a displacement if it went this share of the way to the threshold.
CONFIRMING_SHARE = 0.5
# A dead cell's resistance is up to tenfold, about 10 mΩ at 200 Ah: on load it moves up to ten times as far as its
# string [U]. What the string moves by less than three resolutions is noise.
STRING_FACTOR, STRING_STILL, WORST_RESISTANCE_OHM = 10.0, 3.0, 0.010
_BLOCK_ROWS = 1 << 18  # bounds the memory of the windows


@dataclass(frozen=True)
class _Readings:
    """Known readings in (cell, time) order, every array of shape (k,)."""

    residual: np.ndarray
    cell: np.ndarray
    seconds: np.ndarray

    def take(self, chosen: np.ndarray) -> "_Readings":
        return _Readings(self.residual[chosen], self.cell[chosen], self.seconds[chosen])


def find_spikes(
    values: np.ndarray,
    moments: np.ndarray,
    order: CellOrder,
    smallest_sigma: float,
    current_a: np.ndarray | None = None,
) -> np.ndarray:
    """Return which readings are spikes, shape (n,), bool.

    Each is judged by readings at or before its moment. Not judged: moments at which fewer than three cells
    answered, and a cell's first five readings (or those after a silence of 72 h).

    Args:
        values: Readings, shape (n,), NaN = none.
        moments: From `moment_codes`, shape (n,).
        order: From `order_cells`.
        smallest_sigma: Floor of every robust sigma, in the unit of `values`.
        current_a: For voltages [V]: the string's current [A], shape (n,), NaN = unknown.
    """
    spike = np.zeros(len(values), dtype=bool)
    string = string_median(values, moments)
    residual = values - string
    if not np.nan_to_num(residual).any():  # one value shared by all cells
        return spike
    known = np.isfinite(residual)[order.order]
    rows = order.order[known]
    readings = _Readings(residual[rows], order.cell[known], order.seconds[known])
    follows = np.diff(readings.cell, prepend=-1) == 0
    changed = ~follows | (np.diff(values[rows], prepend=np.nan) != 0)
    excursion = readings.residual - _own_level(readings)

    # Where an excursion is small beside the least sigma, no sigma needs to be worked out.
    near = np.flatnonzero(np.abs(excursion) >= CONFIRMING_SHARE * SIGMAS * smallest_sigma)
    sigmas = (
        _own_sigma(readings, changed, near),
        # A load step, or a median that flickers, displaces all cells and is no fault of any.
        MAD_TO_SIGMA * _string_median_at(near, np.abs(excursion), moments[rows]),
        STEPS_PER_SIGMA * _resolution(near, values[rows], readings.cell, moments[rows]),
        np.full(len(near), smallest_sigma),
    )
    threshold = np.full(len(rows), np.inf)
    threshold[near] = SIGMAS * np.fmax.reduce(sigmas)
    share = np.nan_to_num(excursion / threshold)  # of the way to the threshold, with its sign
    before = np.where(follows, np.concatenate([[0.0], share])[:-1], 0.0)

    earlier = _measured_before(changed, follows)
    moved = np.abs(string[rows] - string[rows[earlier]])
    explained = STRING_FACTOR * np.maximum(moved - STRING_STILL * smallest_sigma, 0.0)
    if current_a is not None:
        stepped_a = np.abs(current_a[rows] - current_a[rows[earlier]])
        explained = np.fmax(explained, WORST_RESISTANCE_OHM * stepped_a)
    confirmed = (np.abs(before) >= CONFIRMING_SHARE) & (np.sign(before) == np.sign(share))
    spike[rows] = (np.abs(excursion) > threshold + explained) & ~confirmed
    return spike


def _measured_before(changed: np.ndarray, follows: np.ndarray) -> np.ndarray:
    """Return where the cell's value before each reading was first read, shape (k,); a first reading's own place.

    A value held until the next poll was measured back then, so what happened since may explain the next one.
    """
    place = np.arange(len(changed))
    since = np.maximum.accumulate(np.where(changed, place, 0))
    return np.where(follows, np.concatenate([[0], since])[:-1], place)


def _own_level(readings: _Readings) -> np.ndarray:
    """Return the median of each cell's past residuals, shape (k,), NaN where the past is too short."""
    level = np.full(len(readings.cell), np.nan)
    for begin in range(0, len(level), _BLOCK_ROWS):
        place = np.arange(begin, min(begin + _BLOCK_ROWS, len(level)))
        level[place] = row_medians(_past(readings, place - 1, readings.take(place)))
    return level


def _own_sigma(readings: _Readings, changed: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return the robust sigma of the past residuals of the cells at the rows `asked`, shape (len(asked),).

    The larger one of the last readings' and of the last changed readings': where a value is held until the next
    poll, or resolved coarsely, most readings repeat the last one, and how they scatter shows in the changes.
    """
    changes, changes_before = readings.take(np.flatnonzero(changed)), np.cumsum(changed) - changed
    sigma = np.full(len(asked), np.nan)
    for begin in range(0, len(asked), _BLOCK_ROWS):
        block = slice(begin, begin + _BLOCK_ROWS)
        place = asked[block]
        now = readings.take(place)
        last = _past(readings, place - 1, now)
        last_changed = _past(changes, changes_before[place] - 1, now)
        sigma[block] = np.fmax(_row_mad(last), _row_mad(last_changed))
    return MAD_TO_SIGMA * sigma


def _past(readings: _Readings, newest: np.ndarray, now: _Readings) -> np.ndarray:
    """Return the residuals of the cell's readings from position `newest` back, shape (k, 12).

    NaN where they are too old or of another cell; all NaN where fewer than five are left.
    """
    position = newest[:, None] - np.arange(WINDOW_READINGS)
    usable = position >= 0
    position = np.maximum(position, 0)
    usable &= readings.cell[position] == now.cell[:, None]
    # Without a time stamp the difference is NaN, and the reading stays usable.
    usable &= ~(now.seconds[:, None] - readings.seconds[position] > MEMORY_S)
    usable &= usable.sum(axis=1, keepdims=True) >= FEWEST_READINGS
    return np.where(usable, readings.residual[position], np.nan)


def _row_mad(window: np.ndarray) -> np.ndarray:
    return row_medians(np.abs(window - row_medians(window)[:, None]))


def _resolution(asked: np.ndarray, values: np.ndarray, cell: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Return the smallest step the cells made before the rows `asked`; the string's usual where there is none."""
    before = np.concatenate([[np.inf], smallest_step(values, cell)[:-1]])
    before[(np.diff(cell, prepend=-1) != 0) | np.isinf(before)] = np.nan
    return np.where(np.isnan(before[asked]), _string_median_at(asked, before, moments), before[asked])


def _string_median_at(asked: np.ndarray, numbers: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Return `string_median` of the numbers at the rows `asked`; only their moments are looked at."""
    wanted = np.zeros(moments.max() + 1, dtype=bool)
    wanted[moments[asked]] = True
    together = wanted[moments]
    median = np.full(len(numbers), np.nan)
    median[together] = string_median(numbers[together], moments[together])
    return np.asarray(median[asked])
