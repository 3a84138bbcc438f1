"""When a fault began: the faint start of a slow one, found backwards from where it has become clear.

A cell that sinks over two weeks is within its own noise for days. Row by row nothing can be said about those
days; but once the fault is clear, the whole course before it tells where its line leaves the level of before.
"""

import numpy as np
from bms_schema.data.moments import CellOrder

from bms_anomaly.events import CONTINUE_SCORE, NO_EVENT, OPEN_SCORE, event_codes

# All chosen on simulated fleets (seeds 0-9).
FEWEST_READINGS = 24  # of an event: shorter ones have no slow start
# A fault is clear where its daily median stands 8 sigmas out, or at this share of its utmost; half a window later
# the median is all of the fault's. One that never stands out by 6 has no line to follow.
CLEAR_SIGMAS, CLEAR_SHARE, READINGS_AFTER, LEAST_SIGMAS = 8.0, 0.8, 12, 6.0
LOOK_BACK_S = 90 * 86_400.0  # slow deaths announce themselves 21-60 days before [U]
READINGS_PER_BIN, FEWEST_BINS, MOST_BINS = 3, 4, 120
GROWTH_EXPONENT = 1.5  # deviation ~ (time since onset)^1.5: between a steady drift and one that speeds up
MOST_SIGMAS = 15.0  # a few wild readings must not bend the line
# Deviations wander for days, so neighbouring bins say much the same: each counts as a tenth of a new reading.
NEWS_PER_BIN = 0.1
SMALLEST_SIGMA = 0.15  # of a bin's mean [sigmas]
SMALLEST_GAIN = 10.0  # log-likelihood that a broken line must gain over a level one to be believed
SMALLEST_CHANCE = 1e-9


def onset_chance(seconds: np.ndarray, deviations: np.ndarray) -> np.ndarray | None:
    """Return the chance that a fault, clear at the last reading, had begun at each reading, shape (n,), rising.

    A broken line, level up to an onset and a power of the time since then after it, is fitted by least squares
    to every signal for every possible onset; the fits' likelihoods are multiplied over the signals. None where
    there are 24 readings or fewer, or where no broken line is much better than a level one.

    Args:
        seconds: Times [s], ascending, shape (n,).
        deviations: From the cell's own level [sigmas], shape (n, signals), NaN = none.
    """
    span = seconds[-1] - seconds[0]
    if len(seconds) <= FEWEST_READINGS or span <= 0:
        return None
    bins = int(np.clip(len(seconds) // READINGS_PER_BIN, FEWEST_BINS, MOST_BINS))
    bin_of = np.minimum(((seconds - seconds[0]) / span * bins).astype(int), bins - 1)
    middle, onset = np.arange(bins) + 0.5, np.arange(bins)
    course = np.maximum(middle - onset[:, None], 0.0) ** GROWTH_EXPONENT  # (onsets, bins)
    loss = np.zeros(bins)
    for signal in np.clip(deviations, -MOST_SIGMAS, MOST_SIGMAS).T:
        known = np.isfinite(signal)
        count = np.bincount(bin_of[known], minlength=bins)
        filled = count > 0
        if filled.sum() >= FEWEST_BINS:
            mean = np.bincount(bin_of[known], signal[known], minlength=bins)[filled] / count[filled]
            loss += _misfit(course[:, filled], mean)
    belief = NEWS_PER_BIN * (loss.min() - loss)
    if -belief[-1] < SMALLEST_GAIN:
        return None
    weight = np.exp(belief)
    return np.asarray((np.cumsum(weight) / weight.sum())[bin_of])


def _misfit(course: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return half the chi-squared of `level + slope * course` against bin means, shape (onsets,)."""
    bent, flat = course - course.mean(axis=1, keepdims=True), mean - mean.mean()
    size = (bent**2).sum(axis=1)
    slope = np.where(size > 0, bent @ flat / np.where(size > 0, size, 1.0), 0.0)
    squares = ((flat - slope[:, None] * bent) ** 2).sum(axis=1)
    variance = max(float(squares.min()) / max(len(mean) - 2, 1), SMALLEST_SIGMA**2)
    return np.asarray(squares / (2.0 * variance))


def from_onset(
    score: np.ndarray,
    lone_score: np.ndarray,
    codes: np.ndarray,
    own: np.ndarray,
    slow: np.ndarray,
    order: CellOrder,
) -> tuple[np.ndarray, np.ndarray]:
    """Let every event of 24 readings or more begin where its fault most likely did; return (score, codes), (n,).

    Up to where the fault is clear, the score becomes 2 + log10 of the odds that it had begun, so that the event
    begins at even odds; a reading that counts by itself keeps its score. Nothing before the cell's previous event
    is touched.

    Args:
        score: From `persistent_score`, shape (n,), NaN = no reading.
        lone_score: What each row counts by itself, shape (n,).
        codes: From `find_events`, shape (n,).
        own: Deviations from the cell's own level [sigmas], shape (n, signals), NaN = none.
        slow: The same, median over a day.
        order: From `order_cells`.
    """
    rows = order.order
    refined, lone, own, slow = score[rows], lone_score[rows], own[rows], slow[rows]
    known = np.isfinite(refined)
    inside = codes[rows] != NO_EVENT
    for earliest, start, end in _long_events(codes[rows], order):
        distance = np.nan_to_num(np.abs(slow[start : end + 1])).max(axis=1, initial=0.0)
        if distance.max() < LEAST_SIGMAS:
            continue
        clear = start + int(np.argmax(distance >= min(CLEAR_SIGMAS, CLEAR_SHARE * distance.max())))
        part = slice(earliest, min(clear + READINGS_AFTER, end) + 1)
        chance = onset_chance(order.seconds[part], own[part])
        if chance is None:
            continue
        odds = np.log10(np.maximum(chance, SMALLEST_CHANCE) / np.maximum(1.0 - chance, SMALLEST_CHANCE))
        peak = np.nanmax(refined[start : end + 1])
        refined[part] = np.fmax(np.clip(CONTINUE_SCORE + odds, 0.0, peak), lone[part])
        inside[part] = (odds >= 0.0) | (lone[part] >= OPEN_SCORE)
    flagged = order.restore(inside & known)
    score = order.restore(np.where(known, refined, np.nan))
    return score, event_codes(flagged, flagged, np.isfinite(score), order)


def _long_events(codes: np.ndarray, order: CellOrder) -> list[tuple[int, int, int]]:
    """Return (earliest, first, last) sorted row of each long event; earliest is where its onset may lie."""
    inside = np.flatnonzero(codes != NO_EVENT)
    begins = np.flatnonzero(np.diff(codes[inside], prepend=NO_EVENT))
    readings = np.diff(np.append(begins, len(inside)))
    events, previous = [], -1
    for begin, count in zip(begins, readings, strict=True):
        first, last = int(inside[begin]), int(inside[begin + count - 1])
        earliest = max(int(np.searchsorted(order.cell, order.cell[first])), previous + 1)
        within = order.seconds[earliest : first + 1]
        earliest += int(np.searchsorted(within, within[-1] - LOOK_BACK_S))
        if count >= FEWEST_READINGS:
            events.append((earliest, first, last))
        previous = last
    return events
