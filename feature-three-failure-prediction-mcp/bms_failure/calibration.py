"""Scores to probabilities by a logistic curve (Platt 1999): two numbers, as few deaths allow no more."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit

# [U] a light pull of the slope towards 0 keeps a separable handful of deaths from giving risks of 0 and 1.
SLOPE_PENALTY = 0.5


@dataclass(frozen=True)
class Platt:
    """risk = 1 / (1 + exp(-(slope · (score - centre) / spread + intercept))), slope never below 0."""

    slope: float
    intercept: float
    centre: float
    spread: float

    def __call__(self, score: np.ndarray) -> np.ndarray:
        """Return the risk of each score, shape (n,)."""
        standard = (np.asarray(score, dtype=float) - self.centre) / self.spread
        return np.asarray(expit(self.slope * standard + self.intercept))


def fit_platt(score: np.ndarray, labels: np.ndarray) -> Platt:
    """Fit on out-of-fold scores.

    Args:
        score: Higher = worse, shape (n,), finite.
        labels: 0/1, shape (n,), both present.
    """
    centre, spread = float(np.mean(score)), float(np.std(score)) or 1.0
    # A negative slope would turn the ranking round: then the score knows nothing, and the risk is the base rate.
    slope, intercept = fit_line(
        (score - centre) / spread, labels, slope_penalty=SLOPE_PENALTY, lowest_slope=0.0
    )
    return Platt(slope, intercept, centre, spread)


def fit_line(
    score: np.ndarray, labels: np.ndarray, *, slope_penalty: float, lowest_slope: float
) -> tuple[float, float]:
    """Return slope and intercept of a logistic regression on one score.

    Args:
        score: Shape (n,), finite.
        labels: 0/1, shape (n,).
        slope_penalty: Pull of the slope towards 0, as half this times its square.
        lowest_slope: Bound of the slope.
    """

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        line = parameters[0] * score + parameters[1]
        error = expit(line) - labels
        value = -np.sum(labels * log_expit(line) + (1 - labels) * log_expit(-line))
        gradient = np.array([np.sum(error * score) + slope_penalty * parameters[0], np.sum(error)])
        return float(value + slope_penalty * parameters[0] ** 2 / 2), gradient

    prior = np.clip(labels.mean(), 1e-6, 1 - 1e-6)
    start = np.array([1.0, np.log(prior / (1 - prior))])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(lowest_slope, None), (None, None)])
    return float(found.x[0]), float(found.x[1])
