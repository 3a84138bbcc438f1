"""What makes each cell of a string a little different from its neighbours, for life."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bms_generate.simulator.chemistry import Chemistry

# Spreads of a healthy string [U]: vented cells float within about ±30 mV of each other, with a few outliers.
CAPACITY_SD = 0.03
RESISTANCE_SD = 0.06
FLOAT_OFFSET_SCALE_V, FLOAT_OFFSET_DOF, FLOAT_OFFSET_LIMIT_V = 0.007, 4.0, 0.035
# Cells on the rack's top tier and in its middle run warmer than those at its ends.
TEMPERATURE_OFFSET_SD_C = 0.5
RACK_AMPLITUDE_C = 0.8
GRAVITY_OFFSET_SD = 0.003
# Some healthy cells are livelier than others, so that no single threshold on a wander fits all.
WANDER_LOG_SD = 0.35
# Ageing per year at 25 °C: resistance up, capacity down; a cell reaches 80 % after 10–15 years.
STRING_AGE_RANGE_YEARS = (1.0, 8.0)
RESISTANCE_RISE_PER_YEAR = (0.01, 0.03)
CAPACITY_FALL_PER_YEAR = (0.008, 0.018)


@dataclass(frozen=True)
class CellParameters:
    """True parameters of the cells of one string; every array has shape (cells,), `age_years` is shared.

    Capacity [Ah] and resistance [Ω] are those of the new cell; offsets are in V, °C and gravity points;
    `wander_factor` multiplies the slow wander of the voltage.
    """

    capacity_ah: NDArray[np.float64]
    resistance_ohm: NDArray[np.float64]
    float_offset_v: NDArray[np.float64]
    temperature_offset_c: NDArray[np.float64]
    gravity_offset: NDArray[np.float64]
    wander_factor: NDArray[np.float64]
    resistance_rise_per_year: NDArray[np.float64]
    capacity_fall_per_year: NDArray[np.float64]
    age_years: float


def draw_cells(rng: np.random.Generator, n_cells: int, chemistry: Chemistry) -> CellParameters:
    """Draw the cells of one string: all of one age and make, each with its own small deviations."""
    offset = rng.standard_t(FLOAT_OFFSET_DOF, n_cells) * FLOAT_OFFSET_SCALE_V
    rack = RACK_AMPLITUDE_C * np.sin(np.pi * (np.arange(n_cells) + 0.5) / n_cells)
    limit = FLOAT_OFFSET_LIMIT_V
    return CellParameters(
        capacity_ah=chemistry.rated_capacity_ah * (1.02 + CAPACITY_SD * rng.standard_normal(n_cells)),
        resistance_ohm=chemistry.resistance_ohm * np.exp(RESISTANCE_SD * rng.standard_normal(n_cells)),
        float_offset_v=np.clip(offset, -limit, limit) * chemistry.voltage_scale,
        temperature_offset_c=rack - rack.mean() + TEMPERATURE_OFFSET_SD_C * rng.standard_normal(n_cells),
        gravity_offset=GRAVITY_OFFSET_SD * rng.standard_normal(n_cells),
        wander_factor=np.exp(WANDER_LOG_SD * rng.standard_normal(n_cells)),
        resistance_rise_per_year=rng.uniform(*RESISTANCE_RISE_PER_YEAR, n_cells),
        capacity_fall_per_year=rng.uniform(*CAPACITY_FALL_PER_YEAR, n_cells),
        age_years=float(rng.uniform(*STRING_AGE_RANGE_YEARS)),
    )
