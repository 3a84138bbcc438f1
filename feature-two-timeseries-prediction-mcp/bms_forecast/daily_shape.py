"""The level of the newest hours carried on by the usual shape of a day: both medians, which an outage hardly moves.

A mean of the days would carry the recharges of the past two weeks into every forecast.
"""

import numpy as np

from bms_forecast.windows import quantiles_known

SHAPE_DAYS = 14
# Readings looked at in one go: bounds the memory.
MOST_READINGS = 4_000_000
_MEDIAN = np.array([0.5])


def shaped_level(
    values: np.ndarray, rows: np.ndarray, origins: np.ndarray, horizons: np.ndarray, season: int, recent: int
) -> np.ndarray:
    """Return the level that holds now, times of day allowed for, plus the shape at the target's time of day.

    The level is the middle one of the last reading, the median of the newest steps and the usual one of 14 days: an
    outage that has begun leaves the latter two where they were, one that has just ended the first and the third,
    and where a level changed for good the first two tell it. The shape is the median over 14 days of what sets a
    reading apart from the median of its own day; 0 where no day has one. Days count back from the origin, so
    nothing after it is read.

    Args:
        values: Series, shape (n, T), NaN = no reading.
        rows: Which series, shape (m,).
        origins: Last known column, shape (m,).
        horizons: Steps ahead, shape (m,).
        season: Steps of a day.
        recent: How many of the newest steps give the level.

    Returns:
        Shape (m,), NaN where none of the newest steps holds a reading.
    """
    places, back = np.unique(np.stack([rows, origins]), axis=1, return_inverse=True)
    size = max(MOST_READINGS // (SHAPE_DAYS * season), 1)
    levels, shapes = np.empty(places.shape[1]), np.empty((places.shape[1], season))
    for start in range(0, places.shape[1], size):
        piece = slice(start, start + size)
        levels[piece], shapes[piece] = _level_and_shape(values, *places[:, piece], season, recent)
    place = back.reshape(-1)
    return np.asarray(levels[place] + shapes[place, -horizons % season])


def _level_and_shape(
    values: np.ndarray, rows: np.ndarray, origins: np.ndarray, season: int, recent: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the level (p,) and the shape (p, season), whose column j belongs to j steps before the origin."""
    columns = origins[:, None] - np.arange(SHAPE_DAYS * season)
    known = np.where(columns >= 0, values[rows[:, None], np.maximum(columns, 0)], np.nan)
    days = known.reshape(len(rows), SHAPE_DAYS, season)
    apart = days - _median(days)[:, :, None]
    shape = np.nan_to_num(_median(apart.swapaxes(1, 2)))
    newest = np.arange(min(recent, known.shape[1]))
    level = known[:, newest] - shape[:, newest % season]
    first = np.isfinite(level).argmax(axis=1)
    return middle_of_three(level[np.arange(len(rows)), first], _median(level), _median(_median(days))), shape


def middle_of_three(one: np.ndarray, two: np.ndarray, three: np.ndarray) -> np.ndarray:
    """Return the middle one of each place, shape (m,); of two known ones the mean.

    >>> middle_of_three(np.array([1.9]), np.array([2.2]), np.array([2.3])).tolist()
    [2.2]
    """
    return _median(np.stack([one, two, three], axis=-1))


def _median(values: np.ndarray) -> np.ndarray:
    """Return the median over the last axis without NaN, NaN where there is no reading."""
    return quantiles_known(values.reshape(-1, values.shape[-1]), _MEDIAN).reshape(values.shape[:-1])
