"""Scores to probabilities: the mean of a logistic line (Platt 1999) and a bent one (beta, Kull et al. 2017).

The line alone was too timid in the middle (told 50 %, died 80 %), the bent one alone too sure at the ends
(slopes down to 0.75); their mean held both on development fleets. Few deaths allow no freer curve.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit

# [U] a light pull of the slopes towards 0 keeps a separable handful of deaths from giving risks of 0 and 1.
SLOPE_PENALTY = 0.5


@dataclass(frozen=True)
class Logistic:
    """1 / (1 + exp(-(sum of slope · (input - centre) / spread, + intercept))), slopes never below 0."""

    slopes: tuple[float, ...]
    intercept: float
    centres: tuple[float, ...]
    spreads: tuple[float, ...]

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Return the risk of each row of inputs, shape (n,), from (n, k)."""
        standard = (inputs - np.array(self.centres)) / np.array(self.spreads)
        return np.asarray(expit(standard @ np.array(self.slopes) + self.intercept))


@dataclass(frozen=True)
class Calibrator:
    """From a score to a risk that never falls where the score rises."""

    line: Logistic
    bent: Logistic

    def __call__(self, score: np.ndarray) -> np.ndarray:
        """Return the risk of each score, shape (n,)."""
        score = np.asarray(score, dtype=float)
        return (self.line(score[:, None]) + self.bent(_bent_inputs(score))) / 2.0


def fit_calibrator(score: np.ndarray, labels: np.ndarray) -> Calibrator:
    """Fit on out-of-fold scores.

    Where all labels are equal, no score says more than another: then every risk is (deaths + 1) / (n + 2), the
    rule of succession, which is never quite 0 or 1.

    Args:
        score: Log-odds, or another score where higher is worse, shape (n,), finite.
        labels: 0/1, shape (n,).

    Raises:
        ValueError: there are no rows.
    """
    if not len(labels):
        raise ValueError("A calibration needs at least one moment.")
    if np.ptp(labels) == 0:
        risk = (labels.sum() + 1.0) / (len(labels) + 2.0)
        return Calibrator(_flat(risk, 1), _flat(risk, 2))
    return Calibrator(_fit(score[:, None], labels), _fit(_bent_inputs(score), labels))


def _flat(risk: float, inputs: int) -> Logistic:
    """Return a curve that says the same risk whatever its inputs are."""
    return Logistic((0.0,) * inputs, float(logit(risk)), (0.0,) * inputs, (1.0,) * inputs)


def _bent_inputs(score: np.ndarray) -> np.ndarray:
    """Return log p and -log(1 - p) of log-odds, (n, 2): one bends the lower end, one the upper."""
    return np.column_stack([log_expit(score), -log_expit(-score)])


def _fit(inputs: np.ndarray, labels: np.ndarray) -> Logistic:
    centres, spreads = inputs.mean(axis=0), inputs.std(axis=0)
    spreads = np.where(spreads > 0.0, spreads, 1.0)
    # A negative slope would turn the ranking round: then the score knows nothing, and the risk is the base rate.
    slopes, intercept = fit_logistic(
        (inputs - centres) / spreads, labels, slope_penalty=SLOPE_PENALTY, lowest_slope=0.0
    )
    return Logistic(tuple(slopes.tolist()), intercept, tuple(centres.tolist()), tuple(spreads.tolist()))


def fit_logistic(
    inputs: np.ndarray, labels: np.ndarray, *, slope_penalty: float, lowest_slope: float
) -> tuple[np.ndarray, float]:
    """Return slopes (k,) and intercept of a logistic regression.

    Args:
        inputs: (n, k), finite.
        labels: 0/1, shape (n,).
        slope_penalty: Pull of the slopes towards 0, as half this times their squares.
        lowest_slope: Bound of the slopes.
    """
    n_inputs = inputs.shape[1]

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        slopes = parameters[:-1]
        odds = inputs @ slopes + parameters[-1]
        error = expit(odds) - labels
        value = -np.sum(labels * log_expit(odds) + (1 - labels) * log_expit(-odds))
        gradient = np.append(inputs.T @ error + slope_penalty * slopes, np.sum(error))
        return float(value + slope_penalty * np.sum(slopes**2) / 2), gradient

    prior = np.clip(labels.mean(), 1e-6, 1 - 1e-6)
    start = np.append(np.full(n_inputs, 1.0 / n_inputs), np.log(prior / (1 - prior)))
    bounds = [(lowest_slope, None)] * n_inputs + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return found[:-1], float(found[-1])
