"""Split-conformal correction of quantile forecasts, per horizon, on data later than the training.

Source: Romano, Patterson and Candès 2019 (conformalised quantile regression), each quantile on its own side.
"""

import numpy as np

from bms_forecast.baselines import FEWEST_ERRORS, POOLED_HORIZONS, conformal_quantiles, keep_median

# Of long horizons so many neighbours count as one: a 50th of the way on either side.
POOLED_SHARE = 50
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
    score = (truth[:, None] - forecast) / widths(forecast)[:, None]
    shifts = np.zeros((reach, len(quantiles)))
    for index, level in enumerate(quantiles):
        if not np.isclose(level, 0.5):
            shifts[:, index] = quantiles_by_horizon(score[:, index], horizons, reach, quantiles[[index]])[
                :, 0
            ]
    return np.clip(shifts, -MOST_WIDTHS, MOST_WIDTHS)


def quantiles_by_horizon(
    errors: np.ndarray, horizons: np.ndarray, reach: int, quantiles: np.ndarray
) -> np.ndarray:
    """Return conformal quantiles of the errors at each horizon and its neighbours, shape (reach, Q).

    Zero where too few errors are known.

    Args:
        errors: Shape (m,), NaN = not known.
        horizons: Steps ahead of each, shape (m,).
        reach: Longest horizon.
        quantiles: Levels, ascending, shape (Q,).
    """
    known = np.isfinite(errors)
    order = np.argsort(horizons[known], kind="stable")
    ahead, ordered = horizons[known][order], errors[known][order]
    pooled = max(POOLED_HORIZONS, reach // POOLED_SHARE)
    answer = np.zeros((reach, len(quantiles)))
    for horizon in range(1, reach + 1):
        near = slice(*np.searchsorted(ahead, (horizon - pooled, horizon + pooled + 1)))
        if near.stop - near.start >= FEWEST_ERRORS:
            answer[horizon - 1] = conformal_quantiles(np.sort(ordered[near]), quantiles)
    return answer


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
