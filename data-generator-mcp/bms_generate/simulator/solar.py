"""Solar cycling: the panel feeds the load and charges the battery, which carries the load by night."""

import math

import numpy as np
from numpy.typing import NDArray

from bms_generate.simulator.duty import CHARGE_EFFICIENCY, TAPER_H, Duty, recharge
from bms_generate.simulator.settings import Settings
from bms_generate.simulator.sky import SKY_STEP_H, sun

# Rates per hour of rated capacity: a panel that charges at C/7 in full sun, a load that runs all day and a
# second one in the evening, about 0.3 of the capacity per day: two to three days without sun [U].
PANEL_PER_H = 0.14
BASE_LOAD_PER_H, EVENING_LOAD_PER_H = 0.008, 0.02
EVENING_HOURS = (18.0, 23.0)
# Sites differ in panel and load, days in their load [U].
SITE_SPREAD = (0.85, 1.15)
DAY_LOAD_SD = 0.1
# The controller sheds the load here, to spare the battery [U]; the voltage there is its low-voltage disconnect.
DEEPEST = 0.7
FIRST_DEPTH = (0.1, 0.4)


def follow_sun(settings: Settings, rng: np.random.Generator) -> Duty:
    """Charge and discharge of one string on the fine grid under the fleet's sky, its own panel and load."""
    offered, first_depth = _offer(settings, rng)
    depths = _depth_at_steps(offered, first_depth)
    # A hair of tolerance: a time at the beginning of a step must not fall into the one before by rounding.
    step = (settings.fine_h / SKY_STEP_H + 1e-9).astype(int)
    elapsed_h = np.maximum(settings.fine_h - step * SKY_STEP_H, 0.0)
    offered, before = offered[step], depths[step]
    charging = offered > 0.0
    charged, accepted = recharge(before, elapsed_h, np.where(charging, offered, 1.0))
    depth = np.where(charging, charged, np.minimum(before - offered * elapsed_h, DEEPEST))
    return Duty(
        rate_per_h=np.where(charging, accepted, np.where(depth < DEEPEST, offered, 0.0)),
        depth=depth,
        # Constant voltage begins where the battery takes no more than this at this depth.
        regulation=np.where(charging, offered * CHARGE_EFFICIENCY * TAPER_H / depth, 0.0).clip(max=1.0),
    )


def _offer(settings: Settings, rng: np.random.Generator) -> tuple[NDArray[np.float64], float]:
    """Panel less load at every step [1/h], charge positive, and the depth at which the string begins."""
    # As many steps as the days have, so that the sky is the same at every sampling interval.
    hours = np.arange(math.ceil(settings.days * 24.0 / SKY_STEP_H)) * SKY_STEP_H
    clock, _ = settings.clock(hours)
    panel, load = rng.uniform(*SITE_SPREAD, 2)
    first_depth = float(rng.uniform(*FIRST_DEPTH))
    day = (clock // 24.0).astype(int)
    of_the_day = np.maximum(1.0 + DAY_LOAD_SD * rng.standard_normal(day[-1] + 1), 0.0)[day]
    begins, ends = EVENING_HOURS
    is_evening = (clock % 24.0 >= begins) & (clock % 24.0 < ends)
    used = load * of_the_day * (BASE_LOAD_PER_H + EVENING_LOAD_PER_H * is_evening)
    # The light of a step is that of its middle.
    return panel * PANEL_PER_H * sun(settings, hours + SKY_STEP_H / 2.0) - used, first_depth


def _depth_at_steps(offered: NDArray[np.float64], depth: float) -> NDArray[np.float64]:
    """Depth of discharge at the beginning of every step, shape (steps,)."""
    depths = np.empty(len(offered))
    whole = np.array(SKY_STEP_H)
    for step, rate in enumerate(offered):
        depths[step] = depth
        charged = rate > 0.0
        depth = float(recharge(depth, whole, rate)[0]) if charged else min(depth - rate * SKY_STEP_H, DEEPEST)
    return depths
