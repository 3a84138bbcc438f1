"""What the string is asked to do: float, now and then an outage or a test, then a recharge that tapers."""

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


# A UPS tests its battery every week at the same hour and load, and seldom needs it [U].
TEST_PERIOD_H = 7.0 * 24.0
TEST_HOURS = 0.25
TEST_TIME_RANGE = (8, 18)
UPS_RATE_RANGE_PER_H = (0.20, 0.30)
UPS_LOAD_SD = 0.05
MEAN_OUTAGE_GAP_H = 45.0 * 24.0
OUTAGE_HOURS_RANGE = (0.1, 1.5)


@dataclass(frozen=True)
class Duty:
    """Charge and discharge of one string on the fine grid, every array of shape (n_fine,).

    Attributes:
        rate_per_h: current per rated Ah [1/h], charge positive, float current left out.
        depth: depth of discharge as a share of rated capacity.
        regulation: 1 where the charger holds the voltage, 0 on discharge and at rest, between them where it has
            less current to give than the string would take.
    """

    rate_per_h: NDArray[np.float64]
    depth: NDArray[np.float64]
    regulation: NDArray[np.float64]


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


def draw_ups_discharges(rng: np.random.Generator, span_h: float, start_hour: float) -> list[Discharge]:
    """Draw the weekly tests and the seldom outages of one string over `span_h`; at least one, in time order.

    The span begins at the time of day `start_hour`. A test that would fall into an outage, or into the hours
    after it, is left out, as a UPS waits until it has recharged.
    """
    load_per_h = rng.uniform(*UPS_RATE_RANGE_PER_H)
    first_h = (rng.integers(*TEST_TIME_RANGE) - start_hour) % 24.0
    first_h += 24.0 * rng.integers(max(1, min(7, int(span_h / 24.0))))
    tests_h = np.arange(first_h if first_h < span_h else 0.3 * span_h, span_h, TEST_PERIOD_H)
    outages = []
    start_h = rng.exponential(MEAN_OUTAGE_GAP_H)
    while start_h < span_h:
        hours = math.exp(rng.uniform(*np.log(OUTAGE_HOURS_RANGE)))
        outages.append(Discharge(start_h, hours, _varied(load_per_h, rng)))
        start_h += hours + MIN_GAP_H + rng.exponential(MEAN_OUTAGE_GAP_H)
    tests = [
        Discharge(float(test_h), min(TEST_HOURS, 0.25 * span_h), _varied(load_per_h, rng))
        for test_h in tests_h
        if not any(o.start_h - TEST_HOURS < test_h < o.start_h + o.hours + MIN_GAP_H for o in outages)
    ]
    return sorted(tests + outages, key=lambda discharge: discharge.start_h)


def _varied(load_per_h: float, rng: np.random.Generator) -> float:
    return load_per_h * min(max(1.0 + UPS_LOAD_SD * rng.standard_normal(), 0.8), 1.2)


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
        depth[after], rate[after] = recharge(deepest, time_h[after] - end_h)
        starting_depth = float(recharge(deepest, np.array([next_h - end_h]))[0][0])
    return rate, depth


def recharge(
    deepest: NDArray[np.float64] | float,
    elapsed_h: NDArray[np.float64],
    limit_per_h: NDArray[np.float64] | float = CHARGE_LIMIT_PER_H,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Depth and current of a recharge: current limit down to the knee, then exponential in both.

    Args:
        deepest: depth of discharge at its beginning.
        elapsed_h: time since then [h]; all arguments broadcast.
        limit_per_h: the most the charger gives, per rated Ah [1/h], above 0.

    >>> [round(float(x), 3) for x in recharge(0.5, np.array(1.0), 0.1)]
    [0.41, 0.1]
    """
    knee = limit_per_h * CHARGE_EFFICIENCY * TAPER_H
    limited_h = np.maximum(0.0, deepest - knee) / (CHARGE_EFFICIENCY * limit_per_h)
    in_limit = deepest - CHARGE_EFFICIENCY * limit_per_h * np.minimum(elapsed_h, limited_h)
    depth = in_limit * np.exp(-np.maximum(elapsed_h - limited_h, 0.0) / TAPER_H)
    rate = np.minimum(limit_per_h, depth / (CHARGE_EFFICIENCY * TAPER_H))
    return depth, rate
