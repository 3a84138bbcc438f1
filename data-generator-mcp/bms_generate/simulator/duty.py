"""What the string is asked to do: float, now and then an outage or test, then a recharge that tapers."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A UPS test or outage a few times a month, 0.5–6 h at C/20–C/5; never deeper than 60 %: all [U].
MEAN_GAP_H = 7.0 * 24.0
MIN_GAP_H = 18.0
LATEST_FIRST_H = 6.0 * 24.0
HOURS_RANGE = (0.5, 6.0)
RATE_RANGE_PER_H = (1.0 / 20.0, 1.0 / 5.0)
MAX_DEPTH = 0.6
# Charger limit 0.1 C, then an exponential taper; 90 % of the charge is stored: typical values, [U].
CHARGE_LIMIT_PER_H = 0.1
TAPER_H = 3.0
CHARGE_EFFICIENCY = 0.9
# Depth of discharge at which the charger leaves current limit and holds voltage.
KNEE_DEPTH = CHARGE_LIMIT_PER_H * CHARGE_EFFICIENCY * TAPER_H


@dataclass(frozen=True)
class Discharge:
    """One outage or test: when it starts [h], how long it lasts [h], its rate [1/h of rated capacity]."""

    start_h: float
    hours: float
    rate_per_h: float


def draw_discharges(rng: np.random.Generator, span_h: float) -> list[Discharge]:
    """Draw the discharges of one string over `span_h`; at least one, in time order."""
    discharges = []
    start_h = rng.uniform(0.05, 1.0) * min(LATEST_FIRST_H, 0.7 * span_h)
    while start_h < span_h:
        hours = min(math.exp(rng.uniform(*np.log(HOURS_RANGE))), 0.25 * span_h)
        rate_per_h = min(math.exp(rng.uniform(*np.log(RATE_RANGE_PER_H))), MAX_DEPTH / hours)
        discharges.append(Discharge(start_h, hours, rate_per_h))
        start_h += hours + MIN_GAP_H + rng.exponential(MEAN_GAP_H - MIN_GAP_H)
    return discharges


def follow_duty(
    time_h: NDArray[np.float64], discharges: list[Discharge]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Current and depth of discharge of a string under its discharges, float current left out.

    Each stretch has a closed form (constant current, current limit, exponential taper), so charge is counted
    exactly whatever the grid.

    Args:
        time_h: evenly or unevenly spaced times [h], ascending, shape (n,).
        discharges: in time order.

    Returns:
        (current per rated Ah [1/h], charge positive; depth of discharge as a share of rated capacity).
    """
    rate = np.zeros_like(time_h)
    depth = np.zeros_like(time_h)
    starting_depth = 0.0
    for discharge, following in zip(discharges, [*discharges[1:], None], strict=True):
        end_h = discharge.start_h + discharge.hours
        during = slice(*np.searchsorted(time_h, (discharge.start_h, end_h)))
        rate[during] = -discharge.rate_per_h
        depth[during] = starting_depth + discharge.rate_per_h * (time_h[during] - discharge.start_h)
        deepest = starting_depth + discharge.rate_per_h * discharge.hours

        next_h = following.start_h if following else math.inf
        after = slice(*np.searchsorted(time_h, (end_h, next_h)))
        depth[after], rate[after] = _recharge(deepest, time_h[after] - end_h)
        starting_depth = float(_recharge(deepest, np.array([next_h - end_h]))[0][0])
    return rate, depth


def _recharge(
    deepest: float, elapsed_h: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Depth and current of a recharge: current limit down to the knee, then exponential in both."""
    limited_h = max(0.0, deepest - KNEE_DEPTH) / (CHARGE_EFFICIENCY * CHARGE_LIMIT_PER_H)
    in_limit = deepest - CHARGE_EFFICIENCY * CHARGE_LIMIT_PER_H * np.minimum(elapsed_h, limited_h)
    depth = in_limit * np.exp(-np.maximum(elapsed_h - limited_h, 0.0) / TAPER_H)
    rate = np.minimum(CHARGE_LIMIT_PER_H, depth / (CHARGE_EFFICIENCY * TAPER_H))
    return depth, rate
