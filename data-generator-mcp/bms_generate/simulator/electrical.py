"""Voltages, gravity and state of charge of the cells in a series string."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bms_generate.simulator.cells import CellParameters
from bms_generate.simulator.charger import REFERENCE_C, open_circuit_v, shepherd_v
from bms_generate.simulator.chemistry import Chemistry
from bms_generate.simulator.deaths import Decay

# Float voltage a cell loses per °C above its neighbours: the same coefficient as the charger's [U].
NEIGHBOUR_TEMPCO_V_PER_C = -0.003
# Float voltage missing in a cell that is less charged than the string, per unit of state of charge [U].
UNDERCHARGE_V = 0.15
# The others take over what a dead cell lacks until they gas and the charger reaches its limit [U].
MOST_SHARED_V = 0.10
# Cells spread less on load than on float.
OFFSET_SHARE_ON_LOAD = 0.3
MAX_DEPTH_OF_CELL = 0.98
LOWEST_VOLTAGE_V = 0.0
# Gravity reads 0.00072 lower per °C above the reference [B]; the BMS reports it uncorrected.
GRAVITY_PER_C = -0.00072


@dataclass(frozen=True)
class StringState:
    """What all cells of the string share at the samples; every array has shape (n_samples,).

    Currents in A (charge positive); `polarising_a` is the current lagged by diffusion; depths are shares of
    the rated capacity, `mixed_depth` lagged as the acid mixes. `charger_v` is the mean cell voltage on charge,
    `regulation` how far the charger holds it (see `duty.Duty`; 0 on discharge).
    """

    current_a: NDArray[np.float64]
    polarising_a: NDArray[np.float64]
    depth: NDArray[np.float64]
    mixed_depth: NDArray[np.float64]
    base_c: NDArray[np.float64]
    age_years: NDArray[np.float64]
    charger_v: NDArray[np.float64]
    regulation: NDArray[np.float64]


@dataclass(frozen=True)
class AgedCells:
    """Resistance [Ω] and capacity [Ah] as they are at each sample, shape (n_samples, cells)."""

    resistance_ohm: NDArray[np.float64]
    capacity_ah: NDArray[np.float64]


def age(cells: CellParameters, state: StringState, decay: Decay) -> AgedCells:
    """Age the cells: linear in thermally weighted years, times what dying adds."""
    years = state.age_years[:, None]
    rise = (1.0 + cells.resistance_rise_per_year * years) * (1.0 + decay.resistance_rise)
    left = (1.0 - cells.capacity_fall_per_year * years) * (1.0 - decay.capacity_loss)
    return AgedCells(cells.resistance_ohm * rise, cells.capacity_ah * left)


def counted_soc(state: StringState, aged: AgedCells, rated_ah: float) -> NDArray[np.float64]:
    """State of charge (0–1) by coulomb counting, shape (n_samples, cells).

    A counter cannot see self-discharge, so a dying cell shows here only through its capacity.
    """
    return 1.0 - np.clip(state.depth[:, None] * rated_ah / aged.capacity_ah, 0.0, 1.0)


def specific_gravity(
    chemistry: Chemistry,
    cells: CellParameters,
    state: StringState,
    aged: AgedCells,
    soc_deficit: NDArray[np.float64],
    temperature_c: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Gravity as read at cell temperature, shape (n_samples, cells); all NaN for sealed and lithium cells.

    `soc_deficit` is the share of charge that self-discharge has taken, as far as the acid shows it.
    """
    if chemistry.full_gravity is None or chemistry.gravity_span is None:
        return np.full_like(temperature_c, np.nan)
    used = state.mixed_depth[:, None] * chemistry.rated_capacity_ah / aged.capacity_ah + soc_deficit
    at_reference = chemistry.full_gravity - chemistry.gravity_span * np.minimum(used, 1.0)
    return at_reference + cells.gravity_offset + GRAVITY_PER_C * (temperature_c - REFERENCE_C)


def terminal_voltage(
    chemistry: Chemistry,
    cells: CellParameters,
    state: StringState,
    aged: AgedCells,
    decay: Decay,
    temperature_c: NDArray[np.float64],
    wander_v: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Terminal voltage of every cell [V], shape (n_samples, cells).

    On load: V = OCV(SOC) + I·R + polarisation − Shepherd term. On the charger the string as a whole has cells ×
    `charger_v`; what one cell lacks is shared out over all of them as far as the charger holds that voltage.
    """
    growth = aged.resistance_ohm / chemistry.resistance_ohm
    ohmic_v = (
        state.current_a[:, None] * aged.resistance_ohm
        + state.polarising_a[:, None] * chemistry.polarisation_ohm * growth
    )
    soc = counted_soc(state, aged, chemistry.rated_capacity_ah) - decay.soc_deficit
    soc = np.clip(soc, 1.0 - MAX_DEPTH_OF_CELL, 1.0)
    on_charger_v = _on_charger(chemistry, cells, state, decay, temperature_c, wander_v, ohmic_v, soc)
    own_v = OFFSET_SHARE_ON_LOAD * cells.float_offset_v + wander_v - decay.voltage_drop_v
    on_load_v = open_circuit_v(chemistry, soc) + ohmic_v - shepherd_v(chemistry, soc) + own_v
    voltage_v = np.where(state.regulation[:, None] > 0.0, on_charger_v, on_load_v)
    return np.maximum(voltage_v, LOWEST_VOLTAGE_V)


def _on_charger(
    chemistry: Chemistry,
    cells: CellParameters,
    state: StringState,
    decay: Decay,
    temperature_c: NDArray[np.float64],
    wander_v: NDArray[np.float64],
    ohmic_v: NDArray[np.float64],
    soc: NDArray[np.float64],
) -> NDArray[np.float64]:
    offset_share = OFFSET_SHARE_ON_LOAD + (1.0 - OFFSET_SHARE_ON_LOAD) * state.regulation
    own_v = (
        offset_share[:, None] * cells.float_offset_v
        + wander_v
        + NEIGHBOUR_TEMPCO_V_PER_C * temperature_c
        + UNDERCHARGE_V * soc
        + ohmic_v
    )
    taken_over_v = state.regulation * np.minimum(decay.voltage_drop_v.mean(axis=1), MOST_SHARED_V)
    shared_v = taken_over_v - own_v.mean(axis=1)
    return (state.charger_v + shared_v)[:, None] + own_v - decay.voltage_drop_v
