"""Memory in time and signals that move together, cell by cell; shuffled rows leave SDV's scores as they were."""

from itertools import pairwise

import numpy as np
import pandas as pd

from bms_generate.telemetry import Telemetry, lagged_pairs

# Neighbours, the next but one, a quarter of a day and a day of hourly readings.
LAGS = (1, 2, 6, 24)
_CROSS_LAGS = (0, 1)  # lag -1 of a pair is lag 1 of the pair the other way round
# A correlation of fewer pairs is mostly chance.
_LEAST_PAIRS = 8
# Relative to the sum of squares: what rounding leaves of the variance of a constant.
_NO_VARIANCE = 1e-10


def autocorrelations(real: Telemetry, synthetic: Telemetry, signals: list[str]) -> pd.DataFrame:
    """Return the autocorrelation of every signal at 1, 2, 6 and 24 grid steps, mean over cells.

    Pairs lie exactly so many of the real table's usual steps apart; a gap makes no pair. Cells with fewer than
    8 pairs or without variation do not count.

    Args:
        real: Real series.
        synthetic: Synthetic series of the same signals.
        signals: Their names.

    Returns:
        `signal`, `lag`, `real`, `synthetic`; rows with a real figure alone, `synthetic` NaN where there is none.
    """
    parts = []
    for lag, before, after in _both(real, synthetic, LAGS):
        values = {"real": before.diagonal(), "synthetic": after.diagonal()}
        parts.append(pd.DataFrame({"signal": signals, "lag": lag, **values}))
    columns = ["signal", "lag", "real", "synthetic"]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return table[columns].dropna(subset=["real"]).reset_index(drop=True)


def cross_correlations(real: Telemetry, synthetic: Telemetry, signals: list[str]) -> pd.DataFrame:
    """Return the correlation of every two signals at lag 0 and one step either way, mean over cells.

    Returns:
        `signal`, `other` (the one read `lag` steps later), `lag`, `real`, `synthetic`; largest error first, pairs
        without a synthetic figure before all.
    """
    columns = ["signal", "other", "lag", "real", "synthetic"]
    rows = []
    for lag, before, after in _both(real, synthetic, _CROSS_LAGS):
        for first, one in enumerate(signals):
            for second, other in enumerate(signals):
                if (second > first if lag == 0 else second != first) and np.isfinite(before[first, second]):
                    rows.append((one, other, lag, before[first, second], after[first, second]))
    table = pd.DataFrame(rows, columns=columns)
    error = (table["real"] - table["synthetic"]).abs()
    order = error.sort_values(ascending=False, kind="stable", na_position="first").index
    return table.loc[order].reset_index(drop=True)


def _both(
    real: Telemetry, synthetic: Telemetry, lags: tuple[int, ...]
) -> list[tuple[int, np.ndarray, np.ndarray]]:
    step = real.usual_step()
    return [
        (lag, mean_correlation(real, lag, step), mean_correlation(synthetic, lag, step))
        for lag in lags
        if step > 0 or lag == 0
    ]


def mean_correlation(telemetry: Telemetry, lag: int, step: int) -> np.ndarray:
    """Return Pearson's r of each signal now with each signal `lag` steps later, mean over cells.

    Args:
        telemetry: Series of one table.
        lag: In grid steps.
        step: Of the grid, nanoseconds.

    Returns:
        Shape (signals, signals), earlier signal first; NaN where no cell has 8 pairs and variation.
    """
    now, later = lagged_pairs(telemetry, lag, step)
    cell = telemetry.entity[now]
    edges = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1], True]) if len(cell) else np.array([0])
    size = telemetry.values.shape[1]
    total, count = np.zeros((size, size)), np.zeros((size, size))
    for start, end in pairwise(edges):
        found = _correlation(telemetry.values[now[start:end]], telemetry.values[later[start:end]])
        known = np.isfinite(found)
        total[known] += found[known]
        count += known
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _correlation(now: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Return r of every column of `now` with every one of `later` over the rows where both are present."""
    here, there = np.isfinite(now), np.isfinite(later)
    # The middle of the range is the value itself in a constant column: its deviations are exactly 0.
    x, y = (np.where(mask, values - _centre(values), 0.0) for mask, values in ((here, now), (there, later)))
    m, w = here.astype(float), there.astype(float)
    n, sx, sy = m.T @ w, x.T @ w, m.T @ y
    sxx, syy = (x**2).T @ w, m.T @ y**2
    with np.errstate(divide="ignore", invalid="ignore"):
        vx, vy, cov = sxx - sx**2 / n, syy - sy**2 / n, x.T @ y - sx * sy / n
        usable = (n >= _LEAST_PAIRS) & (vx > _NO_VARIANCE * sxx) & (vy > _NO_VARIANCE * syy)
        return np.where(usable, cov / np.sqrt(vx * vy), np.nan)


def _centre(values: np.ndarray) -> np.ndarray:
    """Return the middle of each column's range, 0 for an empty column."""
    present = np.isfinite(values)
    low = np.where(present, values, np.inf).min(axis=0)
    high = np.where(present, values, -np.inf).max(axis=0)
    return np.where(present.any(axis=0), low / 2 + high / 2, 0.0)
