"""Few forecast quantiles as a whole distribution: values at other levels, and the chance to lie below a value.

Between the known levels, and beyond the outermost, the quantile function is straight over the normal score of the
level: a normal distribution is reproduced exactly.
"""

import numpy as np

SMALLEST_CHANCE = 1e-6


def normal_scores(levels: np.ndarray) -> np.ndarray:
    """Return the standard normal quantile of levels in (0, 1), same shape.

    >>> normal_scores(np.array([0.05, 0.5])).round(3).tolist()
    [-1.645, 0.0]
    """
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(levels, SMALLEST_CHANCE, 1.0 - SMALLEST_CHANCE)))


def at_levels(quantiles: np.ndarray, levels: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the values at other levels, shape (m, W) like `wanted`.

    Args:
        quantiles: Ascending in every row, shape (m, Q), Q >= 2.
        levels: Of the quantiles, ascending in (0, 1), shape (Q,).
        wanted: Levels in (0, 1), shape (W,), the same for all rows, or (m, W).

    >>> at_levels(np.array([[-1.0, 0.0, 2.0]]), np.array([0.1, 0.5, 0.9]), np.array([0.1, 0.5, 0.9])).tolist()
    [[-1.0, 0.0, 2.0]]
    """
    known, asked = normal_scores(levels), normal_scores(wanted)
    asked = np.broadcast_to(asked, (len(quantiles), asked.shape[-1]))
    piece = np.clip(np.searchsorted(known, asked) - 1, 0, len(known) - 2)
    row = np.arange(len(quantiles))[:, None]
    share = (asked - known[piece]) / (known[piece + 1] - known[piece])
    low = quantiles[row, piece]
    return np.asarray(low + share * (quantiles[row, piece + 1] - low))


def chance_below(quantiles: np.ndarray, levels: np.ndarray, value: float) -> np.ndarray:
    """Return the chance to lie below a value, shape (m,), of forecasts with the quantiles (m, Q).

    A forecast without any spread is below or it is not.

    >>> chance_below(np.array([[-1.0, 0.0, 1.0]]), np.array([0.1, 0.5, 0.9]), 0.0).round(3).tolist()
    [0.5]
    """
    return level_of(quantiles, levels, np.full(len(quantiles), value))


def level_of(quantiles: np.ndarray, levels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return which level of its forecast each value is, shape (m,), in [0, 1]; NaN where the value is.

    >>> level_of(np.array([[-1.0, 0.0, 1.0]]), np.array([0.1, 0.5, 0.9]), np.array([1.0])).round(3).tolist()
    [0.9]
    """
    from scipy.special import ndtr

    known = normal_scores(levels)
    piece = np.clip((quantiles < values[:, None]).sum(axis=1) - 1, 0, len(known) - 2)
    row = np.arange(len(quantiles))
    low, high = quantiles[row, piece], quantiles[row, piece + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(high > low, (values - low) / (high - low), np.where(values > low, np.inf, -np.inf))
        level = np.asarray(ndtr(known[piece] + share * (known[piece + 1] - known[piece])))
    return np.where(np.isfinite(values), level, np.nan)
