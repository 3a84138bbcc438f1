"""The forecaster: one global boosted model over all series, direct for every horizon, with honest intervals."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
from bms_schema.run.errors import InvalidArgument, ModelError
from bms_schema.run.threads import thread_count

from bms_forecast.backtest import Backtest, run_backtest
from bms_forecast.baselines import Baselines, Method
from bms_forecast.features import SeriesFeatures, longest_look_back
from bms_forecast.fitted import MEDIAN, FittedState, model_quantiles, quantile_name
from bms_forecast.grid import ID, VALUE, WHEN, Grid, as_times, make_grid
from bms_forecast.learn import crossed, fit_model, learn_shifts
from bms_forecast.plan import make_plan

DECILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LONGEST_HORIZON = 10_000


class CellForecaster:
    """Probabilistic forecasts of many series with one model; falls back to a naive one where that is better.

    Args:
        horizon: Steps ahead, 1 to 10,000.
        quantiles: Levels in (0, 1) to return.
        random_state: Seed of sampling and training.
        step_s: Step of the grid [s]; None takes the series' usual one.
        threads: Trainings at one time; None takes `BMS_THREADS`.

    `fit(frame)` takes a tidy frame `unique_id, ds, y`; every other numeric column is a covariate known up to
    the forecast's origin. `predict()` returns `unique_id, ds, mean, q…` for every series, continuing from its
    own last reading. `mean` is the point forecast: the median, because outages make the average a value that
    hardly ever occurs. Missing readings (NaN, absent rows) are left missing.
    """

    def __init__(
        self,
        horizon: int = 24,
        quantiles: Sequence[float] = DECILES,
        random_state: int = 0,
        *,
        step_s: float | None = None,
        threads: int | None = None,
    ) -> None:
        self.horizon, self.quantiles, self.random_state = horizon, tuple(quantiles), random_state
        self.step_s, self.threads = step_s, threads
        self.state_: FittedState | None = None
        self._frame: pd.DataFrame | None = None

    def fit(self, frame: pd.DataFrame) -> CellForecaster:
        """Train the backtest's model on the earlier part, calibrate it on the later, then train on everything.

        Raises:
            InvalidArgument: horizon, quantiles or columns are out of their range.
            NotEnoughData: no series has two readings at different times.
        """
        self._check_arguments()
        exogenous = _numeric_covariates(frame)
        grid = make_grid(frame, step_s=self.step_s, exogenous=exogenous)
        plan = make_plan(grid.length, self.horizon)
        longest = longest_look_back(plan.calibrate_from)
        features = SeriesFeatures(grid, grid.season, longest)
        levels = np.array(sorted({*self.quantiles, MEDIAN}))
        newest = int(np.argmax(grid.ends))
        cut_s = float(grid.seconds(np.array([newest]), np.array([plan.calibrate_from]))[0])
        state = FittedState(grid.step_s, grid.season, longest, exogenous, cut_s, plan.window, levels)
        with ThreadPoolExecutor(max_workers=max(self.threads or thread_count(), 1)) as pool:
            checked, final = (
                pool.submit(fit_model, features, until, plan.window, levels, seed=self.random_state)
                for until in (plan.calibrate_from, plan.end)
            )
            state.checked = checked.result()
            if state.checked is not None:
                state.checked_shifts = learn_shifts(features, state.checked, plan, plan.report_from, levels)
                state.final_shifts = learn_shifts(features, state.checked, plan, plan.end, levels)
                state.final = final.result()
        self.state_, self._frame = state, frame
        return self

    @property
    def fitted(self) -> FittedState:
        """The fitted state.

        Raises:
            ModelError: `fit` has not been called.
        """
        if self.state_ is None:
            raise ModelError("The forecaster is not fitted.", expected="fit(frame) first", fix="Fit it.")
        return self.state_

    @classmethod
    def from_state(cls, state: FittedState, horizon: int, quantiles: Sequence[float]) -> CellForecaster:
        """Return a fitted forecaster without data: pass a frame to `predict` and `backtest`."""
        forecaster = cls(horizon, quantiles)
        forecaster._check_arguments()
        forecaster.state_ = state
        return forecaster

    def predict(
        self, frame: pd.DataFrame | None = None, *, methods: dict[str, Method] | None = None
    ) -> pd.DataFrame:
        """Forecast every series of `frame`, or of the frame fitted on; nothing is trained.

        Args:
            frame: Tidy frame with the columns fitted on.
            methods: {series: method}; None chooses by backtest.

        Returns:
            `unique_id`, `ds`, `mean` and one column `q<level>` per asked quantile, in the unit of `y`.
        """
        grid, features, state = self._bind(frame)
        chosen = methods or {name: test.method for name, test in self.backtest(frame).items()}
        parts = [
            self._forecast_series(features, state, row, chosen[name])
            for row, name in enumerate(grid.ids)
            if name in chosen
        ]
        return pd.concat(parts, ignore_index=True)

    def backtest(
        self, frame: pd.DataFrame | None = None, ids: Sequence[str] | None = None
    ) -> dict[str, Backtest]:
        """Return {series: rolling-origin backtest} on data the backtest's model has not seen."""
        grid, features, state = self._bind(frame)
        newest = int(np.argmax(grid.ends))
        cut = round((state.cut_s - grid.end_s[newest]) / state.step_s) + int(grid.ends[newest])
        plan = make_plan(grid.length, min(self.horizon, state.window)).after(max(cut, 0))
        rows = [row for row, name in enumerate(grid.ids) if ids is None or name in set(ids)]
        return run_backtest(features, Baselines(grid, state.season), plan, state, rows)

    def _bind(self, frame: pd.DataFrame | None) -> tuple[Grid, SeriesFeatures, FittedState]:
        state = self.fitted
        data = self._frame if frame is None else frame
        if data is None:
            raise ModelError(
                "A loaded forecaster has no data.", expected="a frame", fix="Pass predict(frame)."
            )
        absent = {name: np.nan for name in state.exogenous if name not in data}
        grid = make_grid(data.assign(**absent), step_s=state.step_s, exogenous=state.exogenous)
        return grid, SeriesFeatures(grid, state.season, state.longest), state

    def _forecast_series(
        self, features: SeriesFeatures, state: FittedState, row: int, method: Method
    ) -> pd.DataFrame:
        grid, baselines = features.grid, Baselines(features.grid, state.season)
        horizons, origin = np.arange(1, self.horizon + 1), int(grid.ends[row])
        quantiles = np.full((self.horizon, len(state.levels)), np.nan)
        known = min(state.window, self.horizon) if method == "model" else 0
        if known:
            samples = crossed(np.array([row]), np.array([origin]), horizons[:known])
            quantiles[:known] = model_quantiles(
                features, state.final, state.final_shifts, state.levels, samples
            )
        if known < self.horizon:
            beyond = baselines.best(row, origin + 1, self.horizon) if method == "model" else method
            rest = horizons[known:]
            quantiles[known:] = baselines.intervals(beyond, row, origin, rest, state.levels, origin + 1)
        seconds = grid.seconds(np.full(self.horizon, row), origin + horizons)
        table = pd.DataFrame({ID: grid.ids[row], WHEN: as_times(seconds)})
        table["mean"] = quantiles[:, state.middle]
        for index, level in enumerate(state.levels):
            if level in self.quantiles:
                table[quantile_name(level)] = quantiles[:, index]
        return table

    def _check_arguments(self) -> None:
        if not 1 <= self.horizon <= LONGEST_HORIZON:
            raise InvalidArgument(
                f"horizon is {self.horizon}.", expected=f"1 to {LONGEST_HORIZON}", fix="Pass horizon=24."
            )
        if not self.quantiles or not all(0.0 < level < 1.0 for level in self.quantiles):
            raise InvalidArgument(
                f"quantiles are {self.quantiles}.",
                expected="levels between 0 and 1",
                fix="Pass (0.05, 0.5, 0.95).",
            )


def _numeric_covariates(frame: pd.DataFrame) -> list[str]:
    return sorted(
        str(name)
        for name in frame.columns
        if name not in (ID, WHEN, VALUE)
        and pd.api.types.is_numeric_dtype(frame[name])
        and not pd.api.types.is_bool_dtype(frame[name])
        and frame[name].notna().any()
    )
