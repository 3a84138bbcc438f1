"""Split-conformal correction of quantile forecasts, per horizon, on data later than the training.

Source: Romano, Patterson and Candès 2019 (conformalised quantile regression), each quantile on its own side.
"""

import numpy as np

from bms_forecast.baselines import FEWEST_ERRORS, POOLED_HORIZONS, conformal_quantiles, keep_median

# A corrected quantile moves at most this many widths of the interval [U].
MOST_WIDTHS = 5.0


def fit_shifts(
    truth: np.ndarray, forecast: np.ndarray, horizons: np.ndarray, reach: int, quantiles: np.ndarray
) -> np.ndarray:
    """Return by how many interval widths each quantile must move, shape (reach, Q); the median stays.

    Args:
        truth: Scaled changes that came, shape (m,), NaN = not read.
        forecast: Their forecast quantiles, shape (m, Q).
        horizons: Steps ahead of each, shape (m,).
        reach: Longest horizon.
        quantiles: Levels, ascending, shape (Q,).
    """
    shifts = np.zeros((reach, len(quantiles)))
    known = np.isfinite(truth)
    score = ((truth[:, None] - forecast) / widths(forecast)[:, None])[known]
    ahead = horizons[known]
    for horizon in range(1, reach + 1):
        near = np.abs(ahead - horizon) <= POOLED_HORIZONS
        if near.sum() < FEWEST_ERRORS:
            continue
        for index, level in enumerate(quantiles):
            if not np.isclose(level, 0.5):
                ordered = np.sort(score[near, index])
                shifts[horizon - 1, index] = conformal_quantiles(ordered, quantiles[[index]])[0]
    return np.clip(shifts, -MOST_WIDTHS, MOST_WIDTHS)


def apply_shifts(
    forecast: np.ndarray, horizons: np.ndarray, shifts: np.ndarray, quantiles: np.ndarray
) -> np.ndarray:
    """Return the corrected quantiles, shape (m, Q), ascending in every row, the median untouched."""
    moved = forecast + shifts[horizons - 1] * widths(forecast)[:, None]
    median = forecast[:, int(np.argmin(np.abs(quantiles - 0.5)))]
    return np.sort(keep_median(moved, median, quantiles), axis=1)


def widths(forecast: np.ndarray) -> np.ndarray:
    """Return the width of the widest interval of each row, shape (m,), at least a thousandth of the scale."""
    return np.maximum(forecast[:, -1] - forecast[:, 0], 1e-3)
