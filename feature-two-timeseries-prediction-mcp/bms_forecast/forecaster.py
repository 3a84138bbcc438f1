"""The forecaster: one global model over all series, direct for every horizon, with honest intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from bms_schema.data.columns import STRING
from bms_schema.run.errors import InvalidArgument, ModelError

from bms_forecast.backtest import Backtest, run_backtest
from bms_forecast.candidates import LEVELS, MIDDLE
from bms_forecast.features import SeriesFeatures, longest_look_back
from bms_forecast.fitted import FittedState, blended_quantiles, quantile_name
from bms_forecast.grid import ID, VALUE, WHEN, Grid, as_times, make_grid
from bms_forecast.learn import learn
from bms_forecast.levels import at_levels
from bms_forecast.plan import make_plan
from bms_forecast.samples import Samples

DECILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LONGEST_HORIZON = 10_000


class CellForecaster:
    """Probabilistic forecasts of many series with one model, blended with naive ones as later data advise.

    Args:
        horizon: Steps ahead, 1 to 10,000.
        quantiles: Levels in (0, 1) to return.
        random_state: Seed of sampling and training.
        step_s: Step of the grid [s]; None takes the series' usual one.
        known_ahead: Columns of the frame that are known for the future too, such as a planned current.

    `fit(frame)` takes a tidy frame `unique_id, ds, y`; a column `string` says which series stand in one string, so
    that weights are tried out on strings that taught nothing; every other numeric column is a covariate known up to
    the forecast's origin. `predict()` returns `unique_id, ds, mean, q…` for every series, continuing from its
    own last reading. `mean` is the point forecast: the median, because outages make the average a value that
    hardly ever occurs. Missing readings (NaN, absent rows) are left missing. Rows after a series' last reading
    may hold what is known ahead.
    """

    def __init__(
        self,
        horizon: int = 24,
        quantiles: Sequence[float] = DECILES,
        random_state: int = 0,
        *,
        step_s: float | None = None,
        known_ahead: Sequence[str] = (),
    ) -> None:
        self.horizon, self.quantiles, self.random_state = horizon, tuple(quantiles), random_state
        self.step_s, self.known_ahead = step_s, tuple(known_ahead)
        self.state_: FittedState | None = None
        self._frame: pd.DataFrame | None = None
        self._features: SeriesFeatures | None = None

    def fit(self, frame: pd.DataFrame) -> CellForecaster:
        """Train on the earlier part of the history; blend and calibrate on the later.

        Raises:
            InvalidArgument: horizon, quantiles or columns are out of their range.
            NotEnoughData: no series has two readings at different times.
        """
        self._check_arguments(frame)
        exogenous = [name for name in _numeric_covariates(frame) if name not in self.known_ahead]
        future = list(self.known_ahead)
        grid = make_grid(
            frame, step_s=self.step_s, exogenous=exogenous, future=future, ahead=self.horizon * bool(future)
        )
        plan = make_plan(grid.read, self.horizon)
        longest = longest_look_back(plan.calibrate_from)
        features = SeriesFeatures(grid, grid.season, longest)
        newest = int(np.argmax(grid.ends))
        cut_s = float(grid.seconds(np.array([newest]), np.array([plan.calibrate_from]))[0])
        state = FittedState(grid.step_s, grid.season, longest, exogenous, future, cut_s, plan.window)
        learn(state, features, plan, self.random_state)
        self.state_, self._frame, self._features = state, frame, features
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
        forecaster = cls(horizon, quantiles, known_ahead=state.future)
        forecaster._check_arguments()
        forecaster.state_ = state
        return forecaster

    def predict(self, frame: pd.DataFrame | None = None, ids: Sequence[str] | None = None) -> pd.DataFrame:
        """Forecast the series of `frame`, or of the frame fitted on; nothing is trained.

        Args:
            frame: Tidy frame with the columns fitted on.
            ids: The series wanted; None for all.

        Returns:
            `unique_id`, `ds`, `mean` and one column `q<level>` per asked quantile, in the unit of `y`.
        """
        features, state = self._bind(frame)
        grid, rows = features.grid, _rows_of(features.grid, ids)
        origins, steps = grid.ends[rows], np.arange(1, self.horizon + 1)
        quantiles = np.full((len(rows), self.horizon, len(LEVELS)), np.nan)
        known = min(state.window, self.horizon) if state.candidates is not None else 0
        if state.candidates is not None and state.final is not None:
            samples = Samples(
                np.repeat(rows, known), np.repeat(origins, known), np.tile(steps[:known], len(rows))
            )
            answer = blended_quantiles(features, state.candidates, state.final, samples)
            quantiles[:, :known] = answer.reshape(len(rows), known, -1)
        for place, row in enumerate(rows):
            flat = features.constant(int(row))
            if flat or known < self.horizon:
                begin = 0 if flat else known
                quantiles[place, begin:] = _of_baseline(features, int(row), steps[begin:], self.horizon)
        return self._as_table(grid, rows, quantiles)

    def backtest(
        self, frame: pd.DataFrame | None = None, ids: Sequence[str] | None = None
    ) -> dict[str, Backtest]:
        """Return {series: rolling-origin backtest} on data that nothing was trained or calibrated on."""
        features, state = self._bind(frame)
        grid = features.grid
        newest = int(np.argmax(grid.ends))
        cut = round((state.cut_s - grid.end_s[newest]) / state.step_s) + int(grid.ends[newest])
        plan = make_plan(grid.read, min(self.horizon, state.window)).after(max(cut, 0))
        return run_backtest(features, plan, state, _rows_of(grid, ids))

    def _bind(self, frame: pd.DataFrame | None) -> tuple[SeriesFeatures, FittedState]:
        state = self.fitted
        if frame is None and self._features is not None:
            return self._features, state
        data = self._frame if frame is None else frame
        if data is None:
            raise ModelError(
                "A loaded forecaster has no data.", expected="a frame", fix="Pass predict(frame)."
            )
        absent = {name: np.nan for name in (*state.exogenous, *state.future) if name not in data}
        grid = make_grid(
            data.assign(**absent),
            step_s=state.step_s,
            exogenous=state.exogenous,
            future=state.future,
            ahead=self.horizon * bool(state.future),
        )
        return SeriesFeatures(grid, state.season, state.longest), state

    def _as_table(self, grid: Grid, rows: np.ndarray, quantiles: np.ndarray) -> pd.DataFrame:
        """Return the forecasts (n, horizon, Q) as one row per series and step."""
        series, steps = np.repeat(rows, self.horizon), np.tile(np.arange(1, self.horizon + 1), len(rows))
        flat = quantiles.reshape(-1, len(LEVELS))
        table = pd.DataFrame(
            {
                ID: np.asarray(grid.ids, dtype=object)[series],
                WHEN: as_times(grid.seconds(series, grid.ends[series] + steps)),
                "mean": flat[:, MIDDLE],
            }
        )
        asked = at_levels(flat, LEVELS, np.array(self.quantiles))
        for index, level in enumerate(self.quantiles):
            table[quantile_name(level)] = asked[:, index]
        return table

    def _check_arguments(self, frame: pd.DataFrame | None = None) -> None:
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
        missing = [name for name in self.known_ahead if frame is not None and name not in frame]
        if missing:
            raise InvalidArgument(
                f"The frame lacks {', '.join(missing)}.",
                expected="every column of known_ahead",
                fix="Add it, or leave it out of known_ahead.",
            )


def _of_baseline(features: SeriesFeatures, row: int, steps: np.ndarray, horizon: int) -> np.ndarray:
    """Return quantiles (h, Q) of the baseline that the series' own history favours."""
    baselines, origin = features.baselines, int(features.grid.ends[row])
    method = baselines.best(row, origin + 1, horizon)
    return baselines.intervals(method, row, origin, steps, LEVELS, origin + 1)


def _rows_of(grid: Grid, ids: Sequence[str] | None) -> np.ndarray:
    wanted = None if ids is None else set(ids)
    return np.array([row for row, name in enumerate(grid.ids) if wanted is None or name in wanted], dtype=int)


def _numeric_covariates(frame: pd.DataFrame) -> list[str]:
    return sorted(
        str(name)
        for name in frame.columns
        if name not in (ID, WHEN, VALUE, STRING)
        and pd.api.types.is_numeric_dtype(frame[name])
        and not pd.api.types.is_bool_dtype(frame[name])
        and frame[name].notna().any()
    )
