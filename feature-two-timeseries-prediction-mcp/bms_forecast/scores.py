"""What a backtest is worth: scaled errors beside the naive forecasts', and how often the interval held."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.metrics import coverage, mase, rmse

from bms_forecast.fitted import quantile_name

NAN = float("nan")


@dataclass(frozen=True)
class Scores:
    """Figures of one series on the reported windows; NaN where undefined (constant history, no windows).

    Args:
        mase: Mean absolute error over the in-sample error of the seasonal naive forecast (one day back; one
            step back where there is no daily season). Below 1 is better than that. Hyndman and Koehler 2006.
        naive_mase: The same for the better of last value and seasonal naive on the same windows.
        rmse: In the unit of the series.
        naive_rmse: The same for that naive forecast.
        coverage: Share of readings inside the outermost interval.
        coverage50: Share of readings between the quartiles.
        wql: Weighted quantile loss: twice the mean pinball loss over the levels, over the mean absolute reading.
        naive_wql: The same for that naive forecast, which says one value for all levels.
        skill: 1 - error / error of that naive forecast; above 0 is better than it.
        naive: Which naive forecast that was.
        readings: How many readings were scored.
    """

    mase: float = NAN
    naive_mase: float = NAN
    rmse: float = NAN
    naive_rmse: float = NAN
    coverage: float = NAN
    coverage50: float = NAN
    wql: float = NAN
    naive_wql: float = NAN
    skill: float = NAN
    naive: str = ""
    readings: int = 0


def score(table: pd.DataFrame, history: np.ndarray, season: int, naive: str, levels: np.ndarray) -> Scores:
    """Score a backtest table against what came.

    Args:
        table: Columns `y`, `mean`, the quantiles and the naive forecasts.
        history: Readings before the reported windows, in time order on the grid.
        season: Steps of a day, 0 for none.
        naive: The naive forecast to compare with, a column.
        levels: Quantile levels, ascending.
    """
    truth, mean, other = (table[name].to_numpy(dtype=float) for name in ("y", "mean", naive))
    quantiles = table[[quantile_name(level) for level in levels]].to_numpy(dtype=float)
    first, third = np.searchsorted(levels, (0.25, 0.75))
    error, naive_error = (float(np.nanmean(np.abs(truth - guess))) for guess in (mean, other))
    lag = season or 1
    return Scores(
        mase=mase(truth, mean, history, season=lag),
        naive_mase=mase(truth, other, history, season=lag),
        rmse=rmse(truth, mean),
        naive_rmse=rmse(truth, other),
        coverage=coverage(truth, quantiles[:, 0], quantiles[:, -1]),
        coverage50=coverage(truth, quantiles[:, first], quantiles[:, third]),
        wql=weighted_quantile_loss(truth, quantiles, levels),
        naive_wql=weighted_quantile_loss(truth, np.repeat(other[:, None], len(levels), axis=1), levels),
        skill=1.0 - error / naive_error if naive_error > 0 else NAN,
        naive=naive,
        readings=int(np.isfinite(truth).sum()),
    )


def weighted_quantile_loss(truth: np.ndarray, quantiles: np.ndarray, levels: np.ndarray) -> float:
    """Return twice the mean pinball loss over the mean absolute reading; NaN where nothing was read or all is zero.

    Args:
        truth: Shape (m,), NaN = not read.
        quantiles: Shape (m, Q).
        levels: Shape (Q,).

    >>> weighted_quantile_loss(np.array([2.0]), np.array([[1.0]]), np.array([0.5]))
    0.5
    """
    known = np.isfinite(truth) & np.isfinite(quantiles).all(axis=1)
    error = truth[known, None] - quantiles[known]
    total = float(np.abs(truth[known]).sum()) * len(levels)
    loss = float(2.0 * np.maximum(levels * error, (levels - 1.0) * error).sum())
    return loss / total if total > 0 else NAN
