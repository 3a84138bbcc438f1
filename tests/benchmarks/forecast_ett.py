"""Forecasts of ETTh1 or ETTh2, scored as fev does: `python tests/benchmarks/forecast_ett.py path/to/ETTh1.csv`.

The file (date and seven hourly channels; github.com/zhouhaoyi/ETDataset) is no part of this repository. For the
row of the recursive LightGBM run it as

    uv run --with mlforecast --with lightgbm python tests/benchmarks/forecast_ett.py path/to/ETTh1.csv

Horizon 168 in 20 windows (fev-bench's ETT_1H), horizon 24 in 20 windows and in the last one alone (Chronos'
zero-shot benchmark). Windows follow one another and the last ends with the file. Seven series share one model.
A method is fitted on what lies before the first window and then only told the newer readings; `--refit` fits it
before each. Metrics as in github.com/autogluon/fev (metrics.py), deciles: MASE of the median and SQL scaled by the
seasonal error (24 h) of the history before the window, mean over channels and windows; WQL pooled over channels,
mean over windows.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bms_forecast.forecaster import CellForecaster

DAY = 24
DECILES = np.round(np.arange(0.1, 1.0, 0.1), 1)
MIDDLE = 4
SETTINGS = ((168, 20), (24, 20), (24, 1))
LAGS = (1, 2, 3, 24, 48, 168)
# A forecast: (last known count of readings, steps) -> deciles of every channel, shape (steps, channels, 9).
Forecast = Callable[[int, int], np.ndarray]


@dataclass(frozen=True)
class Series:
    """The file.

    Args:
        times: Shape (T,).
        values: Shape (T, channels).
        names: The channels.
    """

    times: pd.DatetimeIndex
    values: np.ndarray
    names: list[str]

    @classmethod
    def read(cls, path: Path) -> "Series":
        """Read the csv."""
        table = pd.read_csv(path, parse_dates=["date"], index_col="date")
        return cls(pd.DatetimeIndex(table.index), table.to_numpy(dtype=float), list(table.columns))

    def origins(self, horizon: int, windows: int) -> list[int]:
        """Return how many readings are known at each window's beginning."""
        return [len(self.times) - horizon * left for left in range(windows, 0, -1)]

    def tidy(self, until: int) -> pd.DataFrame:
        """Return `unique_id, ds, y` of the first `until` readings of every channel."""
        table = pd.DataFrame(self.values[:until], index=self.times[:until].rename("ds"), columns=self.names)
        return table.reset_index().melt("ds", var_name="unique_id", value_name="y")


def seasonal_naive(series: Series, origin: int, steps: int) -> np.ndarray:
    """Repeat the last day."""
    ahead = np.arange(steps) % DAY
    return np.repeat(series.values[origin - DAY + ahead][..., None], len(DECILES), axis=2)


def hour_of_day(series: Series, days: int, origin: int, steps: int) -> np.ndarray:
    """Take the deciles of the same hour of the last days."""
    past = series.values[origin - DAY * days : origin].reshape(days, DAY, -1)
    deciles = np.moveaxis(np.quantile(past, DECILES, axis=0), 0, 2)
    return deciles[np.arange(steps) % DAY]


class FittedOnce:
    """`CellForecaster` fitted before the first window, or before each."""

    def __init__(self, series: Series, first: int, steps: int, *, refit: bool) -> None:
        self._series, self._refit = series, refit
        self._forecaster = self._fit(first, steps)

    def _fit(self, origin: int, steps: int) -> CellForecaster:
        return CellForecaster(steps, DECILES.tolist(), random_state=0).fit(self._series.tidy(origin))

    def __call__(self, origin: int, steps: int) -> np.ndarray:
        """Return the deciles from an origin on."""
        if self._refit:
            self._forecaster = self._fit(origin, steps)
        forecast = self._forecaster.predict(self._series.tidy(origin))
        return _as_array(forecast, self._series.names, [f"q{level:g}" for level in DECILES])


class RecursiveLightGBM:
    """mlforecast with its usual lags and calendar, LightGBM as it comes; one step, fed back; no quantiles."""

    def __init__(self, series: Series, first: int, steps: int, *, refit: bool) -> None:
        self._series, self._refit = series, refit
        self._model = self._fit(first)

    def _fit(self, origin: int) -> Any:
        import lightgbm
        import mlforecast

        learner = lightgbm.LGBMRegressor(random_state=0, n_jobs=1, verbosity=-1)
        calendar = ["hour", "dayofweek"]
        model = mlforecast.MLForecast({"point": learner}, freq="h", lags=list(LAGS), date_features=calendar)
        return model.fit(self._series.tidy(origin), static_features=[])

    def __call__(self, origin: int, steps: int) -> np.ndarray:
        """Return the point forecast from an origin on, as every decile."""
        if self._refit:
            self._model = self._fit(origin)
        forecast = self._model.predict(steps, new_df=self._series.tidy(origin))
        return _as_array(forecast, self._series.names, ["point"] * len(DECILES))


def _as_array(forecast: pd.DataFrame, names: list[str], columns: list[str]) -> np.ndarray:
    ordered = forecast.sort_values(["unique_id", "ds"])
    parts = [ordered.loc[ordered["unique_id"] == name, columns].to_numpy() for name in names]
    return np.stack(parts, axis=1)


def scores(series: Series, origin: int, deciles: np.ndarray) -> dict[str, float]:
    """Score one window."""
    truth, history = series.values[origin : origin + len(deciles)], series.values[:origin]
    seasonal_error = np.abs(history[DAY:] - history[:-DAY]).mean(axis=0)
    error = truth[..., None] - deciles
    loss = 2.0 * np.maximum(DECILES * error, (DECILES - 1.0) * error)
    inside = (truth >= deciles[..., 0]) & (truth <= deciles[..., -1])
    return {
        "MASE": float((np.abs(error[..., MIDDLE]) / seasonal_error).mean()),
        "SQL": float((loss.mean(axis=2) / seasonal_error).mean()),
        "WQL": float(loss.mean() / np.abs(truth).mean()),
        "in 80 %": float(inside.mean()),
    }


def run_horizon(series: Series, steps: int, windows: int, *, refit: bool) -> dict[str, pd.DataFrame]:
    """Return {method: a row of scores and seconds per window}; a missing library leaves no rows."""
    origins = series.origins(steps, windows)
    makers: dict[str, Callable[[], Forecast]] = {
        "seasonal naive": lambda: partial(seasonal_naive, series),
        "hour of day, 7 days": lambda: partial(hour_of_day, series, 7),
        "hour of day, 14 days": lambda: partial(hour_of_day, series, 14),
        "recursive LightGBM": lambda: RecursiveLightGBM(series, origins[0], steps, refit=refit),
        "CellForecaster": lambda: FittedOnce(series, origins[0], steps, refit=refit),
    }
    tables = {}
    for name, make in makers.items():
        started = time.perf_counter()
        try:
            forecast = make()
        except ImportError as error:
            tables[f"{name}: {error.name} is not installed"] = pd.DataFrame()
            continue
        rows = [scores(series, origin, forecast(origin, steps)) for origin in origins]
        tables[name] = pd.DataFrame(rows).assign(seconds=time.perf_counter() - started)
    return tables


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--refit", action="store_true", help="fit before every window")
    options = parser.parse_args()
    series = Series.read(options.file)
    print(f"{options.file.name}, {'fitted before every window' if options.refit else 'fitted once'}")
    for steps, windows in SETTINGS:
        tables = run_horizon(series, steps, windows, refit=options.refit)
        means = pd.DataFrame({name: table.mean() for name, table in tables.items()}).T
        print(f"\nHorizon {steps}, mean of {windows} windows; seconds for all of them")
        print(means.reindex(columns=["MASE", "SQL", "WQL", "in 80 %", "seconds"]).round(4).to_string())


if __name__ == "__main__":
    main()
