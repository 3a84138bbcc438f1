"""What a probability is worth: does it hold, does it rank, does it say more than the base rate."""

import numpy as np
from scipy.special import logit

from bms_failure.calibration import fit_logistic

BINS = 10
_CLIP = 1e-6


def average_precision(labels: np.ndarray, score: np.ndarray) -> float:
    """Return the area under the precision-recall curve (step sum), ties taken together; NaN without positives.

    >>> average_precision(np.array([0, 1, 1]), np.array([0.1, 0.9, 0.8]))
    1.0
    """
    values, tie = np.unique(-score, return_inverse=True)
    hits, shown = np.bincount(tie, labels, len(values)), np.bincount(tie, minlength=len(values))
    total = hits.sum()
    if not total:
        return float("nan")
    return float(np.sum(hits / total * np.cumsum(hits) / np.cumsum(shown)))


def expected_calibration_error(labels: np.ndarray, risk: np.ndarray) -> float:
    """Return the mean distance of risk and observed share over ten equally wide bins, weighted by their rows.

    Source: Naeini et al. 2015. NaN without rows or where a risk is unknown.

    >>> round(expected_calibration_error(np.array([0, 0, 0, 1]), np.array([0.2, 0.2, 0.2, 0.2])), 3)
    0.05
    """
    if not len(labels) or np.isnan(risk).any():
        return float("nan")
    bins = np.minimum((risk * BINS).astype(int), BINS - 1)
    gap = np.bincount(bins, risk, BINS) - np.bincount(bins, labels, BINS)
    return float(np.abs(gap).sum() / len(labels))


def calibration_slope(labels: np.ndarray, risk: np.ndarray) -> float:
    """Return the slope of a logistic regression of the labels on the risk's log-odds (Cox 1958).

    1 is right; below 1 the risks are too extreme, above 1 too timid. NaN where one class is missing or all
    risks are equal.
    """
    odds = logit(np.clip(risk, _CLIP, 1 - _CLIP))
    if np.ptp(labels) == 0 or np.ptp(odds) == 0:
        return float("nan")
    slopes, _ = fit_logistic(odds[:, None], labels, slope_penalty=0.0, lowest_slope=-np.inf)
    return float(slopes[0])


def brier_skill(labels: np.ndarray, risk: np.ndarray) -> float:
    """Return 1 - Brier / Brier of the base rate: above 0 the risk says more than the base rate does.

    >>> brier_skill(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    1.0
    """
    spread = float(np.var(labels)) if len(labels) else 0.0
    return 1.0 - float(np.mean((risk - labels) ** 2)) / spread if spread else float("nan")


def balanced_accuracy(labels: np.ndarray, alarm: np.ndarray) -> float:
    """Return the mean of the shares of positives alarmed and of negatives left alone; NaN where one is missing.

    >>> balanced_accuracy(np.array([1, 1, 0, 0]), np.array([True, False, False, False]))
    0.75
    """
    positive = labels > 0.5
    if positive.all() or not positive.any():
        return float("nan")
    return float((alarm[positive].mean() + (~alarm[~positive]).mean()) / 2)
