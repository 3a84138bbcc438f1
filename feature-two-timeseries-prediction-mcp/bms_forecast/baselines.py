"""The forecasts that any model must beat, with the errors they made in the past as their intervals."""

from typing import Literal

import numpy as np

from bms_forecast.daily_shape import middle_of_three, shaped_level
from bms_forecast.grid import Grid
from bms_forecast.windows import TrailingSums, forward_filled, quantiles_known

Method = Literal[
    "last value",
    "recent median",
    "daily shape",
    "seasonal naive",
    "daily profile",
    "usual day",
    "historical mean",
]
LAST_VALUE: Method = "last value"
USUAL_DAY: Method = "usual day"
# The recent median outlasts a short outage and keeps to a level that changed for good: of so many hours, but of 3
# to 60 readings.
RECENT_H, FEWEST_RECENT, MOST_RECENT = 9.0, 3, 60
NAIVES: tuple[Method, ...] = ("last value", "seasonal naive")
# The historical mean is that of the newest week of hours, or of all there is.
MEAN_STEPS = 168
# The daily profile is the mean of so many days; what sets the newest readings apart from it is carried on.
PROFILE_DAYS, OFFSET_READINGS = 10, 3
# The usual day is the distribution of the readings at the same time of so many days, as they were.
USUAL_DAYS = 14
# Errors of this many neighbouring horizons on either side are pooled; most (origin, horizon) pairs looked at.
POOLED_HORIZONS = 2
MOST_ERRORS = 100_000
MOST_ORIGINS = 300
# An error at a horizon counts only where the history holds that horizon three times over.
REACH_PARTS = 3
# Fewest past errors an interval is read from.
FEWEST_ERRORS = 5


def points_of(season: int) -> tuple[Method, ...]:
    """Return the baselines that are blended; what the others say, these say better (measured)."""
    if season:
        return ("last value", "daily shape", "daily profile", USUAL_DAY)
    return ("last value", "recent median", "historical mean")


def methods_of(season: int) -> tuple[Method, ...]:
    """Return the baselines there are: the seasonal ones need a season."""
    if season:
        return (
            "last value",
            "recent median",
            "daily shape",
            "seasonal naive",
            "daily profile",
            USUAL_DAY,
            "historical mean",
        )
    return ("last value", "recent median", "historical mean")


class Baselines:
    """Last value, seasonal naive, daily profile and mean of a grid, at any origin; nothing after it is read.

    Args:
        grid: The series.
        season: Steps of a day, 0 for none.
    """

    def __init__(self, grid: Grid, season: int) -> None:
        self.grid, self.season = grid, season
        self._filled, self._sums = forward_filled(grid.values), TrailingSums(grid.values)
        self._starts = grid.starts()

    @property
    def methods(self) -> tuple[Method, ...]:
        """The baselines there are."""
        return methods_of(self.season)

    def point(
        self, method: Method, rows: np.ndarray, origins: np.ndarray, horizons: np.ndarray
    ) -> np.ndarray:
        """Return the forecasts of (series, origin column, steps ahead) triples, each of shape (m,)."""
        last = self._filled[rows, origins]
        if method == "last value":
            return last
        if method == "recent median":
            return self._recent_median(rows, origins)
        if method == "daily shape":
            shaped = shaped_level(
                self.grid.values, rows, origins, horizons, self.season, self._recent_steps()
            )
            return np.where(np.isfinite(shaped), shaped, last)
        if method == "historical mean":
            mean = self._sums.mean(rows, origins, MEAN_STEPS)
            return np.where(np.isfinite(mean), mean, last)
        if method == USUAL_DAY:
            return self.usual_day(rows, origins, horizons, np.array([0.5]))[0][:, 0]
        if method == "daily profile":
            profile = self._profile(rows, origins + horizons, origins) + self._offset(rows, origins)
            return np.where(np.isfinite(profile), profile, last)
        same = np.full(len(rows), np.nan)
        for back in (0, 1):  # a day older where the reading of the newest day is missing
            column = origins + horizons - self.season * (np.ceil(horizons / self.season).astype(int) + back)
            found = np.where(column >= 0, self.grid.values[rows, np.maximum(column, 0)], np.nan)
            same = np.where(np.isfinite(same), same, found)
        return np.where(np.isfinite(same), same, last)

    def usual_day(
        self, rows: np.ndarray, origins: np.ndarray, horizons: np.ndarray, quantiles: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return quantiles over the newest days' readings at the same time of day, (m, Q), and their number, (m,).

        The last reading where no earlier day has one.
        """
        columns = origins + horizons - self.season * np.ceil(horizons / self.season).astype(int)
        earlier = columns[:, None] - self.season * np.arange(USUAL_DAYS)
        found = np.where(earlier >= 0, self.grid.values[rows[:, None], np.maximum(earlier, 0)], np.nan)
        answer = quantiles_known(found, quantiles)
        last = self._filled[rows, origins][:, None]
        return np.where(np.isfinite(answer), answer, last), np.isfinite(found).sum(axis=1)

    def _recent_median(self, rows: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Return the middle one of the last value, the median of the newest hours and that of 168 readings."""
        columns = origins[:, None] - np.arange(MEAN_STEPS)
        found = np.where(columns >= 0, self.grid.values[rows[:, None], np.maximum(columns, 0)], np.nan)
        median = np.array([0.5])
        newest, week = (
            quantiles_known(part, median)[:, 0] for part in (found[:, : self._recent_steps()], found)
        )
        last = self._filled[rows, origins]
        return middle_of_three(last, np.where(np.isfinite(newest), newest, last), week)

    def _recent_steps(self) -> int:
        return int(np.clip(round(RECENT_H * 3600.0 / self.grid.step_s), FEWEST_RECENT, MOST_RECENT))

    def _profile(self, rows: np.ndarray, columns: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Return the mean of the readings at the same time of the days up to the origins, shape (m,)."""
        days = np.maximum(np.ceil((columns - origins) / self.season).astype(int), 0)
        total, count = np.zeros(len(rows)), np.zeros(len(rows))
        for back in range(PROFILE_DAYS):
            column = columns - self.season * (days + back)
            found = np.where(column >= 0, self.grid.values[rows, np.maximum(column, 0)], np.nan)
            known = np.isfinite(found)
            total[known] += found[known]
            count += known
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def _offset(self, rows: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Return how far the newest readings lie from their daily profile, shape (m,)."""
        total, count = np.zeros(len(rows)), np.zeros(len(rows))
        for back in range(OFFSET_READINGS):
            column = np.maximum(origins - back, 0)
            apart = self.grid.values[rows, column] - self._profile(rows, column, origins)
            known = np.isfinite(apart)
            total[known] += apart[known]
            count += known
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def past_errors(self, method: Method, row: int, until: int, horizon: int) -> np.ndarray:
        """Return the errors made before column `until`, shape (origins, reach), NaN where nothing was read.

        Args:
            method: Which baseline.
            row: Which series.
            until: First column that must not be read.
            horizon: Steps ahead wanted; `reach` is that, or a third of the history where it is shorter.
        """
        start = int(self._starts[row])
        reach = min(horizon, max((until - start) // REACH_PARTS, 1))
        # The newest origins whose errors are known at the longest horizon, thinned to a bounded number.
        first = max(start + reach // 2, until - 1 - reach - MOST_ORIGINS)
        stride = max((until - 1 - first) * reach // MOST_ERRORS, 1)
        origins = np.arange(until - 2, min(first, until - 2) - 1, -stride)[::-1]
        origin, ahead = (
            item.ravel() for item in np.meshgrid(origins, np.arange(1, reach + 1), indexing="ij")
        )
        inside = origin + ahead < until
        errors = np.full(len(origin), np.nan)
        rows = np.full(int(inside.sum()), row)
        truth = self.grid.values[rows, (origin + ahead)[inside]]
        errors[inside] = truth - self.point(method, rows, origin[inside], ahead[inside])
        return errors.reshape(len(origins), reach)

    def mean_error(self, method: Method, row: int, until: int, horizon: int) -> float:
        """Return the mean absolute error made before column `until`; infinite where there is none."""
        errors = self.past_errors(method, row, until, horizon)
        return float(np.nanmean(np.abs(errors))) if np.isfinite(errors).any() else float("inf")

    def best(self, row: int, until: int, horizon: int) -> Method:
        """Return the baseline of least error before column `until`."""
        return min(self.methods, key=lambda name: self.mean_error(name, row, until, horizon))

    def intervals(
        self, method: Method, row: int, origin: int, horizons: np.ndarray, quantiles: np.ndarray, until: int
    ) -> np.ndarray:
        """Return forecast quantiles from errors made before `until`, shape (h, Q).

        Beyond the horizons seen, errors grow with the square root of the time, as a random walk's do.
        """
        errors = self.past_errors(method, row, until, int(horizons.max()))
        known = widening(error_quantiles(errors, quantiles), quantiles)
        reach = known.shape[0]
        spread = known[np.minimum(horizons, reach) - 1]
        spread = spread * np.sqrt(np.maximum(horizons / reach, 1.0))[:, None]
        rows, origins = np.full(len(horizons), row), np.full(len(horizons), origin)
        return self.point(method, rows, origins, horizons)[:, None] + spread


def error_quantiles(errors: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return quantiles of past errors per horizon, shape (h, Q), around 0 at the median.

    Neighbouring horizons are pooled. Ranks are those of split-conformal prediction, (n + 1)q rounded outwards.

    Args:
        errors: Shape (origins, h), NaN = not known.
        quantiles: Shape (Q,), each in (0, 1).

    >>> error_quantiles(np.arange(-9.0, 10.0)[:, None], np.array([0.05, 0.5, 0.95])).tolist()
    [[-9.0, 0.0, 9.0]]
    """
    answer = np.full((errors.shape[1], len(quantiles)), np.nan)
    everything = errors[np.isfinite(errors)]
    for horizon in range(errors.shape[1]):
        near = errors[:, max(horizon - POOLED_HORIZONS, 0) : horizon + POOLED_HORIZONS + 1]
        pooled = np.sort(near[np.isfinite(near)])
        pooled = pooled if pooled.size >= FEWEST_ERRORS else np.sort(everything)
        if pooled.size:
            answer[horizon] = conformal_quantiles(pooled, quantiles)
    return np.sort(keep_median(answer, np.zeros(len(answer)), quantiles), axis=1)


def widening(spread: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return error quantiles (h, Q) that never narrow with the horizon: few past errors are no certainty."""
    lower = np.minimum.accumulate(spread, axis=0)
    upper = np.maximum.accumulate(spread, axis=0)
    return np.where(quantiles < 0.5, lower, upper)


def keep_median(forecast: np.ndarray, median: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return quantiles (m, Q) that stay on their side of the point forecast (m,), which is the 0.5 one."""
    side = np.sign(np.round(quantiles - 0.5, 9))
    bounded = np.where(side < 0, np.minimum(forecast, median[:, None]), np.maximum(forecast, median[:, None]))
    return np.where(side == 0, np.where(np.isfinite(median), median, np.nan)[:, None], bounded)


def conformal_quantiles(ordered: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return order statistics of rank (n + 1)q, rounded away from the median and kept within the sample."""
    rank = (ordered.size + 1) * quantiles
    outwards = np.where(quantiles < 0.5, np.floor(rank + 1e-9), np.ceil(rank - 1e-9)).astype(int)
    return ordered[np.clip(outwards, 1, ordered.size) - 1]
