"""Temperatures: weather outside, the battery room, and a cell as a first-order lag of both its heats."""

import numpy as np
from numpy.typing import NDArray

from bms_generate.simulator.processes import ar1, first_order_lag
from bms_generate.simulator.settings import Settings

# A temperate site in a room with weak air-conditioning; every figure of this block is [U].
OUTDOOR_MEAN_C = 13.0
SEASON_AMPLITUDE_C = 9.0
WARMEST_DAY_OF_YEAR = 200.0
DAY_AMPLITUDE_C = 4.5
WARMEST_HOUR = 15.0
WEATHER_SD_C, WEATHER_MEMORY_H = 3.0, 72.0
ROOM_MEAN_C = 23.0
ROOM_SHARE_OF_OUTDOOR = 0.3
ROOM_LAG_H = 3.0
ROOM_OFFSET_SD_C = 1.2
ROOM_WANDER_SD_C, ROOM_WANDER_MEMORY_H = 0.3, 4.0
# A 20 kg cell in still air: hours of lag, about 1 °C per watt [U].
CELL_LAG_H = 6.0
CELL_C_PER_W = 1.0
# See FLEET_STREAM: a key that no string spawns.
WEATHER_STREAM = 1002


def outdoor_c(settings: Settings) -> NDArray[np.float64]:
    """Outdoor temperature [°C] on the fine grid, the same for every string of a fleet, shape (n_fine,)."""
    rng = np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(WEATHER_STREAM,)))
    hour, day_of_year = settings.clock(settings.fine_h)
    season = np.cos(2.0 * np.pi * (day_of_year - WARMEST_DAY_OF_YEAR) / 365.25)
    time_of_day = np.cos(2.0 * np.pi * (hour - WARMEST_HOUR) / 24.0)
    weather = ar1(rng, settings.fine_h.shape, WEATHER_SD_C, settings.substep_h, WEATHER_MEMORY_H)
    return OUTDOOR_MEAN_C + SEASON_AMPLITUDE_C * season + DAY_AMPLITUDE_C * time_of_day + weather


def room_c(settings: Settings, rng: np.random.Generator) -> NDArray[np.float64]:
    """Temperature of one string's room [°C] on the fine grid: a damped, delayed share of the weather."""
    outside = first_order_lag(outdoor_c(settings), settings.substep_h, ROOM_LAG_H)
    wander = ar1(rng, outside.shape, ROOM_WANDER_SD_C, settings.substep_h, ROOM_WANDER_MEMORY_H)
    offset = rng.normal(0.0, ROOM_OFFSET_SD_C)
    return ROOM_MEAN_C + offset + ROOM_SHARE_OF_OUTDOOR * (outside - OUTDOOR_MEAN_C) + wander


def as_cell_follows(temperature_c: NDArray[np.float64], step_h: float) -> NDArray[np.float64]:
    """A heat or temperature [°C] as a cell takes it on: with a lag of hours; time on the first axis."""
    return first_order_lag(temperature_c, step_h, CELL_LAG_H)


def heating_c_per_ohm(current_a: NDArray[np.float64], step_h: float) -> NDArray[np.float64]:
    """Rise over the room [°C] per ohm of cell resistance: lagged I² times the thermal resistance.

    Resistance moves over weeks and the lag over hours, so T = base + R(t) · this is exact enough.
    """
    return CELL_C_PER_W * first_order_lag(current_a**2, step_h, CELL_LAG_H)
