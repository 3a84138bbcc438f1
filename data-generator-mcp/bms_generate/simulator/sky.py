"""The sun over the site of a fleet: clear-sky output of a fixed panel, and clouds that all strings share."""

import math

import numpy as np
from numpy.typing import NDArray

from bms_generate.simulator.processes import ar1
from bms_generate.simulator.settings import Settings

# Sun and clouds, and the loads under them, are constant within such a step.
SKY_STEP_H = 0.25
# A site at 40° N, its panel facing south and tilted by the latitude [U].
LATITUDE_RAD = math.radians(40.0)
# Direct light of the clear sky: 0.7 ** (air mass ** 0.678) of that above it (Meinel, as taught by PVEducation) [B].
TRANSMITTED, AIR_MASS_EXPONENT = 0.7, 0.678
# Share of the light that the thickest clouds let through, and how clear it is on average (in logits) [U].
DARKEST = 0.10
CLEAR_LOGIT = 1.2
# Weather of one and a half days; clouds that pass within the hour, seen between clear and overcast only [U].
WEATHER_LOGIT_SD, WEATHER_MEMORY_H = 2.2, 36.0
CLOUD_LOGIT_SD, CLOUD_MEMORY_H = 0.8, 0.7
# See FLEET_STREAM: a key that no string spawns.
SKY_STREAM = 1005


def clear_sky(hour_of_day: NDArray[np.float64], day_of_year: NDArray[np.float64]) -> NDArray[np.float64]:
    """Output of the panel under a clear sky, as a share of what the sun in the zenith would give; any shape.

    >>> clear_sky(np.array([0.0, 12.0]), np.array([80.0, 80.0])).round(2).tolist()
    [0.0, 0.93]
    """
    # Declination by Cooper's formula; solar time is the clock's time [U].
    declination = math.radians(23.45) * np.sin(2.0 * np.pi * (284.0 + day_of_year) / 365.0)
    across = np.cos(declination) * np.cos(2.0 * np.pi * (hour_of_day - 12.0) / 24.0)
    height = math.sin(LATITUDE_RAD) * np.sin(declination) + math.cos(LATITUDE_RAD) * across
    is_up = height > 0.0
    air_mass = 1.0 / np.where(is_up, height, 1.0)
    direct = TRANSMITTED ** (air_mass**AIR_MASS_EXPONENT) / TRANSMITTED
    # `across` is also the cosine of incidence on a panel tilted by the latitude.
    return np.where(is_up, np.maximum(across, 0.0) * direct, 0.0)


def sun(settings: Settings, step_h: NDArray[np.float64]) -> NDArray[np.float64]:
    """Output of a panel under the fleet's sky, 0 to 1, at evenly spaced hours `step_h`, shape (n,)."""
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(SKY_STREAM,)))
    weather = ar1(rng, step_h.shape, WEATHER_LOGIT_SD, SKY_STEP_H, WEATHER_MEMORY_H)
    passing = ar1(rng, step_h.shape, CLOUD_LOGIT_SD, SKY_STEP_H, CLOUD_MEMORY_H)
    clearness = 1.0 / (1.0 + np.exp(-(CLEAR_LOGIT + weather + passing)))
    return clear_sky(*settings.clock(step_h)) * (DARKEST + (1.0 - DARKEST) * clearness)
