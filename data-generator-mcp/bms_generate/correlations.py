"""Memory in time and signals that move together, cell by cell; shuffled rows leave SDV's scores as they were."""

from itertools import pairwise

import numpy as np
import pandas as pd

from bms_generate.telemetry import Telemetry, lagged_pairs

# Neighbours, the next but one, a quarter of a day and a day of hourly readings.
LAGS = (1, 2, 6, 24)
# A correlation of fewer pairs is mostly chance.
_LEAST_PAIRS = 8
# Relative to the sum of squares: what rounding leaves of the variance of a constant.
_NO_VARIANCE = 1e-10
ByLag = dict[int, tuple[np.ndarray, np.ndarray]]


def compare_correlations(real: Telemetry, synthetic: Telemetry) -> ByLag:
    """Return, for lags of 0, 1, 2, 6 and 24 grid steps, Pearson's r of each signal now with each one later.

    Pairs lie exactly so many of the real table's usual steps apart; a gap makes no pair. Mean over the cells with
    at least 8 pairs and variation in both signals.

    Args:
        real: Real series.
        synthetic: Synthetic series of the same signals.

    Returns:
        Lag -> (real, synthetic), each of shape (signals, signals), earlier signal first; NaN where no cell counts.
    """
    step = real.usual_step()
    deviations = [_deviations(side) for side in (real, synthetic)]
    found = {}
    for lag in (0, *LAGS) if step > 0 else (0,):
        before, after = (
            _mean_over_cells(side, values, lag, step)
            for side, values in zip((real, synthetic), deviations, strict=True)
        )
        found[lag] = before, after
    return found


def autocorrelations(by_lag: ByLag, signals: list[str]) -> pd.DataFrame:
    """Return the autocorrelation of every signal by lag.

    Args:
        by_lag: From `compare_correlations`.
        signals: Names of the signals.

    Returns:
        `signal`, `lag`, `real`, `synthetic`: where the real table has a figure; `synthetic` may be NaN.
    """
    rows = [
        (signal, lag, before[place, place], after[place, place])
        for lag, (before, after) in by_lag.items()
        for place, signal in enumerate(signals)
        if lag > 0 and np.isfinite(before[place, place])
    ]
    return pd.DataFrame(rows, columns=["signal", "lag", "real", "synthetic"])


def cross_correlations(by_lag: ByLag, signals: list[str]) -> pd.DataFrame:
    """Return the correlation of every two signals at the same moment and one step either way.

    Args:
        by_lag: From `compare_correlations`.
        signals: Names of the signals.

    Returns:
        `signal`, `other` (read `lag` steps later), `lag`, `real`, `synthetic`: where the real table has a figure;
        pairs without a synthetic one first, then largest error first.
    """
    rows = []
    for lag in (lag for lag in (0, 1) if lag in by_lag):
        before, after = by_lag[lag]
        for first, second in np.argwhere(np.isfinite(before)):
            if second > first or (lag and second != first):
                rows.append(
                    (signals[first], signals[second], lag, before[first, second], after[first, second])
                )
    table = pd.DataFrame(rows, columns=["signal", "other", "lag", "real", "synthetic"])
    error = (table["real"] - table["synthetic"]).abs()
    order = error.sort_values(ascending=False, kind="stable", na_position="first").index
    return table.loc[order].reset_index(drop=True)


def _deviations(telemetry: Telemetry) -> np.ndarray:
    """Return values less the middle of the cell's range, which leaves a constant exactly 0."""
    cells = pd.DataFrame(telemetry.values).groupby(telemetry.entity)
    middle = cells.transform("min") / 2 + cells.transform("max") / 2
    return telemetry.values - middle.to_numpy()


def _mean_over_cells(telemetry: Telemetry, values: np.ndarray, lag: int, step: int) -> np.ndarray:
    now, later = lagged_pairs(telemetry, lag, step)
    cell = telemetry.entity[now]
    edges = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1], True]) if len(cell) else np.array([0])
    size = values.shape[1]
    total, count = np.zeros((size, size)), np.zeros((size, size))
    for start, end in pairwise(edges):
        found = _correlation(values[now[start:end]], values[later[start:end]])
        known = np.isfinite(found)
        total[known] += found[known]
        count += known
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _correlation(now: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Return r of every column of `now` with every one of `later` over the rows where both are present."""
    m, w = np.isfinite(now).astype(float), np.isfinite(later).astype(float)
    x, y = np.where(m > 0, now, 0.0), np.where(w > 0, later, 0.0)
    n, sx, sy = m.T @ w, x.T @ w, m.T @ y
    sxx, syy = (x**2).T @ w, m.T @ y**2
    with np.errstate(divide="ignore", invalid="ignore"):
        vx, vy, cov = sxx - sx**2 / n, syy - sy**2 / n, x.T @ y - sx * sy / n
        usable = (n >= _LEAST_PAIRS) & (vx > _NO_VARIANCE * sxx) & (vy > _NO_VARIANCE * syy)
        return np.where(usable, cov / np.sqrt(vx * vy), np.nan)
