"""Two first-order processes everything slow in a battery room is made of: a lag and an AR(1) wander."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter


def first_order_lag(
    values: NDArray[np.float64], step_h: float, time_constant_h: float
) -> NDArray[np.float64]:
    """Follow `values` with a first-order lag, starting in equilibrium.

    Args:
        values: the driving quantity, shape (n, ...), evenly spaced along its first axis.
        step_h: spacing [h].
        time_constant_h: time constant of the lag [h].

    Returns:
        The lagged quantity, same shape and unit.

    >>> first_order_lag(np.array([0.0, 1.0, 1.0]), 1.0, 1.0 / math.log(2.0)).round(6).tolist()
    [0.0, 0.5, 0.75]
    """
    keep = math.exp(-step_h / time_constant_h)
    lagged, _ = lfilter([1.0 - keep], [1.0, -keep], values, axis=0, zi=keep * values[:1])
    return lagged


def ar1(
    rng: np.random.Generator, shape: tuple[int, ...], sd: float, step_h: float, time_constant_h: float
) -> NDArray[np.float64]:
    """Draw stationary AR(1) noise along the first axis: standard deviation `sd`, memory `time_constant_h`.

    Its lag-1 autocorrelation is exp(−step_h / time_constant_h), so the same room may be sampled at any rate.
    """
    keep = math.exp(-step_h / time_constant_h)
    innovations = rng.standard_normal(shape) * sd * math.sqrt(1.0 - keep * keep)
    innovations[0] = rng.standard_normal(shape[1:]) * sd
    return lfilter([1.0], [1.0, -keep], innovations, axis=0)
