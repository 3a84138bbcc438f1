"""Basic metrics; every one takes truth first and returns a float, NaN where it is undefined."""

import numpy as np
from numpy.typing import ArrayLike


def _pair(truth: ArrayLike, guess: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return both as float arrays without the positions where either is missing."""
    left, right = np.asarray(truth, dtype=float), np.asarray(guess, dtype=float)
    both = np.isfinite(left) & np.isfinite(right)
    return left[both], right[both]


def rmse(truth: ArrayLike, forecast: ArrayLike) -> float:
    """Root mean squared error.

    >>> rmse([0.0, 0.0], [3.0, 4.0]) == (25 / 2) ** 0.5
    True
    """
    left, right = _pair(truth, forecast)
    return float(np.sqrt(np.mean((left - right) ** 2))) if left.size else float("nan")


def mase(truth: ArrayLike, forecast: ArrayLike, history: ArrayLike, season: int = 1) -> float:
    """Mean absolute scaled error: MAE over the in-sample MAE of the (seasonal) naive forecast.

    Args:
        truth: Actual values, shape (h,).
        forecast: Forecast, shape (h,).
        history: Training part, shape (n,), in time order.
        season: Lag of the naive forecast in readings.

    Returns:
        NaN where the history is constant or too short to scale by.

    Source: Hyndman and Koehler 2006.

    >>> mase([3.0], [5.0], [1.0, 2.0, 3.0])
    2.0
    """
    left, right = _pair(truth, forecast)
    past = np.asarray(history, dtype=float)
    steps = np.abs(past[season:] - past[:-season]) if past.size > season else np.array([])
    scale = float(np.nanmean(steps)) if np.isfinite(steps).any() else 0.0
    return float(np.mean(np.abs(left - right)) / scale) if left.size and scale > 0 else float("nan")


def coverage(truth: ArrayLike, low: ArrayLike, high: ArrayLike) -> float:
    """Share of the truth inside [low, high].

    >>> coverage([1.0, 5.0], [0.0, 0.0], [2.0, 2.0])
    0.5
    """
    actual, lower, upper = (np.asarray(item, dtype=float) for item in (truth, low, high))
    known = np.isfinite(actual) & np.isfinite(lower) & np.isfinite(upper)
    inside = (actual >= lower) & (actual <= upper)
    return float(np.mean(inside[known])) if known.any() else float("nan")


def auroc(truth: ArrayLike, score: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    NaN where only one class is there.

    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    labels, scores = _pair(truth, score)
    positive = labels > 0.5
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def brier(truth: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared difference between outcome (0/1) and probability.

    >>> brier([1, 0], [1.0, 0.5])
    0.125
    """
    left, right = _pair(truth, probability)
    return float(np.mean((left - right) ** 2)) if left.size else float("nan")
