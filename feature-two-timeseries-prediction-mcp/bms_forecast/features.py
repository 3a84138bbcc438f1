"""Features of a (series, origin, horizon): all from readings at or before the origin, relative to its level.

Levels and differences are divided by a trailing robust-enough scale, so that one model serves every series.
Trees take NaN as it is: a missing reading stays missing.
"""

import numpy as np

from bms_forecast.baselines import Baselines
from bms_forecast.grid import DAY_S, Grid
from bms_forecast.windows import TrailingSums, forward_filled, last_known, mean_known

# The covariate that tells how far a cell lies from the median of its string.
DEVIATION = "deviation"
LAGS = (0, 1, 2, 3, 5, 8, 12)
WINDOWS = (3, 6, 12, 24, 48, 168)
SPREAD_WINDOWS = (6, 24, 168)
SEASONS_BACK = (1, 2, 3, 7)
SEASONAL_MEANS = (3, 7, 14)
EXOGENOUS_WINDOWS = (6, 24)
# The level everything is relative to: mean of the last readings, so that one noisy reading does not set it.
LEVEL_STEPS = 3
# The scale looks back this far: two weeks of hours.
SCALE_STEPS = 336
# Smallest scale as a share of the level: below a BMS's resolution differences mean nothing [U].
SMALLEST_SCALE = 1e-4
# An excursion (a discharge, a recharge) leaves the trailing day's mean by this many scales, and by this many of
# that day's standard deviations, which a daily cycle never does [U].
EXCURSION_SCALES, EXCURSION_DEVIATIONS, DAY_STEPS = 8.0, 3.0, 24
# What covariates are compared with: three days of hours.
COVARIATE_STEPS = 72
WEEK_DAYS = 7.0
# A window enters only where the training history holds it so often: on fewer, trees learn the dates by heart.
REPEATS_NEEDED = 6


def longest_look_back(history_steps: int) -> int:
    """Return the longest window [steps] that a training history supports.

    >>> longest_look_back(480)
    80
    """
    return max(history_steps // REPEATS_NEEDED, min(WINDOWS))


class SeriesFeatures:
    """Computes features of any origins of a grid without ever holding them for all.

    Args:
        grid: The series; nothing right of an origin is read for it.
        season: Steps of a day, 0 for none (as the model was trained).
        longest: Longest look back [steps], from `longest_look_back` of the training history.
    """

    def __init__(self, grid: Grid, season: int, longest: int) -> None:
        self.grid, self.season, self.longest = grid, season, longest
        self.baselines = Baselines(grid, season)
        self._windows = [window for window in WINDOWS if window <= longest]
        self._spreads = [window for window in SPREAD_WINDOWS if window <= longest]
        days = longest // season if season else 0
        self._back = [back for back in SEASONS_BACK if back <= max(days, 1)]
        self._means = [count for count in SEASONAL_MEANS if count <= days]
        self._long = longest * grid.step_s >= WEEK_DAYS * DAY_S
        self._starts = grid.starts()
        self._values, self._last = grid.values, last_known(grid.values)
        self._filled = forward_filled(grid.values)
        self._sums = TrailingSums(grid.values)
        change = np.abs(np.diff(self._filled, axis=1, prepend=np.nan))
        self._changes = TrailingSums(np.where(np.isfinite(grid.values), change, np.nan))
        self._exogenous = {name: TrailingSums(values) for name, values in grid.exogenous.items()}
        self._exogenous_changes = {
            name: TrailingSums(np.abs(np.diff(forward_filled(values), axis=1, prepend=np.nan)))
            for name, values in grid.exogenous.items()
        }
        self._exogenous_filled = {name: forward_filled(values) for name, values in grid.exogenous.items()}
        self._future_filled = {name: forward_filled(values) for name, values in grid.future.items()}
        self._lowest = np.fmin.accumulate(grid.values, axis=1)
        self._highest = np.fmax.accumulate(grid.values, axis=1)
        self._padded: np.ndarray | None = None
        self._since = self._steps_since_excursion()

    def names(self) -> list[str]:
        """Return the feature names in column order."""
        names = [f"lag{lag}" for lag in LAGS]
        names += [f"mean{window}" for window in self._windows]
        names += [f"std{window}" for window in self._spreads]
        names += ["since_excursion", "since_reading", "horizon", "log_horizon"]
        if self.season:
            names += [f"season{back}" for back in self._back]
            names += [f"season_mean{count}" for count in self._means]
            names += [f"season_change{count}" for count in self._means]
            names += ["season_around"]
        if self.grid.step_s < DAY_S:
            names += ["target_hour_sin", "target_hour_cos", "origin_hour_sin", "origin_hour_cos"]
        names += ["target_weekday"] if self._long else []
        for name in self._exogenous:
            names += [f"{name}_last"] if self._long else []
            names += [f"{name}_minus_mean{window}" for window in EXOGENOUS_WINDOWS]
        for name in self._future_filled:
            names += [f"{name}_ahead", f"{name}_ahead_minus_now"]
        return names

    def level_and_scale(self, rows: np.ndarray, origins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the level [unit of the series] and scale (> 0, same unit) at each origin, shape (m,) each."""
        near = self._sums.mean(rows, origins, LEVEL_STEPS)
        level = np.where(np.isfinite(near), near, self._filled[rows, origins])
        scale = self._changes.mean(rows, origins, SCALE_STEPS)
        floor = SMALLEST_SCALE * np.maximum(np.abs(level), 1.0)
        return level, np.where(np.isfinite(scale), np.maximum(scale, floor), floor)

    def recent(self, rows: np.ndarray, origins: np.ndarray, steps: int, most: float) -> np.ndarray:
        """Return the newest readings (value - level) / scale within ±most, shape (m, steps), the newest last.

        A missing reading is the one before it; before the first reading there is the level.
        """
        if self._padded is None or self._padded.shape[1] < self.grid.length + steps - 1:
            ahead_of_all = np.full((len(self._filled), steps - 1), np.nan)
            self._padded = np.hstack([ahead_of_all, self._filled])
        first = self._padded.shape[1] - self.grid.length - steps + 1
        windows = np.lib.stride_tricks.sliding_window_view(self._padded, steps, axis=1)
        return self._relative(windows[rows, origins + first], rows, origins, most)

    def following(self, rows: np.ndarray, origins: np.ndarray, steps: int, most: float) -> np.ndarray:
        """Return the readings after the origins in the same way, shape (m, steps): what training aims at."""
        windows = np.lib.stride_tricks.sliding_window_view(self._filled, steps, axis=1)
        return self._relative(windows[rows, origins + 1], rows, origins, most)

    def covariates(self, rows: np.ndarray, origins: np.ndarray, most: float) -> np.ndarray:
        """Return the newest readings of the past covariates, shape (m, 8 per covariate), within ±most.

        Relative to their mean of three days, in their own mean changes; 0 where nothing was read.
        """
        columns = [np.empty((len(rows), 0))]
        for name, sums in self._exogenous.items():
            filled, usual = self._exogenous_filled[name], sums.mean(rows, origins, COVARIATE_STEPS)
            scale = self._exogenous_changes[name].mean(rows, origins, SCALE_STEPS)
            scale = np.maximum(scale, SMALLEST_SCALE * np.maximum(np.abs(usual), 1.0))
            lags = [filled[rows, np.maximum(origins - lag, 0)] for lag in LAGS]
            near = np.column_stack([*lags, sums.mean(rows, origins, DAY_STEPS)])
            change = (near - usual[:, None]) / scale[:, None]
            columns.append(np.where(np.isfinite(change), np.clip(change, -most, most), 0.0))
        return np.hstack(columns, dtype=np.float32)

    def _relative(
        self, readings: np.ndarray, rows: np.ndarray, origins: np.ndarray, most: float
    ) -> np.ndarray:
        """Return (readings - level) / scale within ±most, float32, 0 where one is missing.

        Half the bytes of float64: these are the largest tables of a training.
        """
        level, scale = self.level_and_scale(rows, origins)
        change = np.subtract(readings, level[:, None], dtype=float).astype(np.float32)
        change /= scale[:, None].astype(np.float32)
        np.clip(change, -most, most, out=change)
        return np.asarray(np.nan_to_num(change, copy=False))

    def constant(self, row: int) -> bool:
        """Whether all readings of a series are the same."""
        return bool(self._lowest[row, -1] == self._highest[row, -1])

    def experience(self, rows: np.ndarray, origins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest and highest reading up to each origin, shape (m,) each; NaN before the first."""
        return self._lowest[rows, origins], self._highest[rows, origins]

    def reachable(self, rows: np.ndarray, origins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how low and high a forecast may go, shape (m,) each; NaN before the first reading.

        As far as the series has shown, and on either side as much further as the later half of its history went
        beyond the earlier: a voltage that drifts may drift on, one that a charger holds at 4.2 V every day stays
        there. More room (half the range let that voltage reach 5 V) covers no more on simulated fleets.
        """
        low, high = self.experience(rows, origins)
        half = np.minimum((self._starts[rows] + origins + 1) // 2, origins)
        earlier_low, earlier_high = self.experience(rows, half)
        return 2.0 * low - earlier_low, 2.0 * high - earlier_high

    def table(self, rows: np.ndarray, origins: np.ndarray, horizons: np.ndarray) -> np.ndarray:
        """Return the features, float32 of shape (m, F), NaN where history does not reach.

        Args:
            rows: Series of each sample, shape (m,).
            origins: Column of the last known reading of each sample, shape (m,).
            horizons: Steps ahead, 1 or more, shape (m,).
        """
        length = self.grid.length
        places, which = np.unique(rows * length + origins, return_inverse=True)
        recent, past = self._at_origins(places // length, places % length)
        columns = [recent[which], horizons[:, None], np.log(horizons)[:, None]]
        level, scale = self.level_and_scale(places // length, places % length)
        if self.season:
            columns += [np.column_stack(self._seasonal(rows, origins, horizons, level[which], scale[which]))]
        columns += [item[:, None] for item in self._calendar(rows, origins, horizons)]
        columns += [past[which]]
        for filled in self._future_filled.values():
            ahead = filled[rows, np.minimum(origins + horizons, filled.shape[1] - 1)]
            columns += [np.column_stack([ahead, ahead - filled[rows, origins]])]
        return np.concatenate(columns, axis=1, dtype=np.float32, casting="same_kind")

    def _at_origins(self, rows: np.ndarray, origins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what no horizon changes, float32: of the series itself and of the past covariates."""
        level, scale = self.level_and_scale(rows, origins)
        relative = [self._at(rows, origins - lag) for lag in LAGS]
        relative += [self._sums.mean(rows, origins, window) for window in self._windows]
        own = [(item - level) / scale for item in relative]
        own += [self._sums.std(rows, origins, window) / scale for window in self._spreads]
        own += [self._since[rows, origins], (origins - self._last[rows, origins]).astype(float)]
        past = []
        for name, sums in self._exogenous.items():
            last = self._exogenous_filled[name][rows, origins]
            past += [last] if self._long else []
            past += [last - sums.mean(rows, origins, window) for window in EXOGENOUS_WINDOWS]
        nothing = np.empty((len(rows), 0), dtype=np.float32)
        return np.column_stack(own).astype(np.float32), np.column_stack([nothing, *past]).astype(np.float32)

    def _seasonal(
        self,
        rows: np.ndarray,
        origins: np.ndarray,
        horizons: np.ndarray,
        level: np.ndarray,
        scale: np.ndarray,
    ) -> list[np.ndarray]:
        """Same phase of earlier days, and how the series went on from the origin's phase on those days."""
        first = origins + horizons - self.season * np.ceil(horizons / self.season).astype(int)
        start = first - (origins + horizons) + origins
        most = max([*self._means, *self._back])
        ahead = np.stack([self._at(rows, first - self.season * back) for back in range(most)])
        here = np.stack([self._at(rows, start - self.season * back) for back in range(most)])
        means = [(mean_known(ahead[:count]) - level) / scale for count in self._means]
        changes = [mean_known(ahead[:count] - here[:count]) / scale for count in self._means]
        around = mean_known(np.stack([self._at(rows, np.minimum(first + by, origins)) for by in (-1, 0, 1)]))
        single = [(ahead[back - 1] - level) / scale for back in self._back]
        return [*single, *means, *changes, (around - level) / scale]

    def _calendar(self, rows: np.ndarray, origins: np.ndarray, horizons: np.ndarray) -> list[np.ndarray]:
        target, origin = self.grid.seconds(rows, origins + horizons), self.grid.seconds(rows, origins)
        columns = []
        if self.grid.step_s < DAY_S:
            for when in (target, origin):
                phase = 2.0 * np.pi * (when % DAY_S) / DAY_S
                columns += [np.sin(phase), np.cos(phase)]
        return [*columns, np.floor(target / DAY_S) % WEEK_DAYS] if self._long else columns

    def _at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        inside = columns >= 0
        return np.where(inside, self._values[rows, np.maximum(columns, 0)], np.nan)

    def _steps_since_excursion(self) -> np.ndarray:
        """Steps since the string last left its trailing day: the phase of a duty cycle; NaN before the first.

        The string's median is the series less its deviation from it: a discharge takes all cells along and ends, a
        cell that leaves alone may be dying and does not come back.
        """
        alone = self.grid.exogenous.get(DEVIATION)
        values = self._values if alone is None else self._values - alone
        filled, sums = forward_filled(values), TrailingSums(values)
        changes = TrailingSums(
            np.where(np.isfinite(values), np.abs(np.diff(filled, axis=1, prepend=np.nan)), np.nan)
        )
        n_series, length = values.shape
        rows, columns = (item.ravel() for item in np.indices((n_series, length)))
        before = np.maximum(columns - 1, 0)
        usual, spread = sums.mean(rows, before, DAY_STEPS), sums.std(rows, before, DAY_STEPS)
        scale = np.fmax(changes.mean(rows, before, SCALE_STEPS), SMALLEST_SCALE * np.fmax(np.abs(usual), 1.0))
        far = np.fmax(EXCURSION_SCALES * scale, EXCURSION_DEVIATIONS * spread)
        with np.errstate(invalid="ignore"):
            left = np.abs(values - usual.reshape(n_series, length)) > far.reshape(n_series, length)
        number = np.arange(length)
        last = np.maximum.accumulate(np.where(left, number, -1), axis=1)
        return np.where(last >= 0, number - last, np.nan)
