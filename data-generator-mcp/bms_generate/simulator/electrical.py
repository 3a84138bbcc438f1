"""Voltages, gravity and state of charge of the cells in a series string on a float charger."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bms_generate.simulator.cells import CellParameters
from bms_generate.simulator.chemistry import Chemistry
from bms_generate.simulator.deaths import Decay
from bms_generate.simulator.duty import KNEE_DEPTH

REFERENCE_C = 25.0
# Compensation is clamped to 5–40 °C [B].
COMPENSATION_CLAMP_C = (5.0, 40.0)
# Float voltage a cell loses per °C above its neighbours: the same coefficient as the charger's [U].
NEIGHBOUR_TEMPCO_V_PER_C = -0.003
# Below the knee the charger is in current limit: how far the voltage is short, per depth beyond it [U].
CURRENT_LIMIT_SHORTFALL_V = 0.25
# Float voltage missing in a cell that is less charged than the string, per unit of state of charge [U].
UNDERCHARGE_V = 0.15
# The others take over what a dead cell lacks until they gas and the charger reaches its limit [U].
MOST_SHARED_V = 0.10
# Voltage bends down as a cell runs empty (Shepherd term), with the constants of a C/10 curve [U].
SHEPHERD_V, SHEPHERD_FLOOR = 0.03, 0.06
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
    the rated capacity, `mixed_depth` lagged as the acid mixes; `charger_error_v` is per cell.
    """

    current_a: NDArray[np.float64]
    polarising_a: NDArray[np.float64]
    depth: NDArray[np.float64]
    mixed_depth: NDArray[np.float64]
    discharging: NDArray[np.bool_]
    base_c: NDArray[np.float64]
    age_years: NDArray[np.float64]
    charger_error_v: NDArray[np.float64]


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


def float_set_point_v(chemistry: Chemistry, temperature_c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Temperature-compensated float set-point per cell [V].

    >>> from bms_generate.simulator.chemistry import CHEMISTRIES
    >>> float_set_point_v(CHEMISTRIES["lead_acid_flooded"], np.array([25.0, 35.0])).round(3).tolist()
    [2.2, 2.17]
    """
    clamped = np.clip(temperature_c, *COMPENSATION_CLAMP_C)
    return chemistry.float_voltage_v + chemistry.float_tempco_v_per_c * (clamped - REFERENCE_C)


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

    On load: V = OCV(SOC) + I·R + polarisation − Shepherd term. On the charger the string as a whole is held
    at cells × set-point, so that what one cell lacks is shared out over all of them.
    """
    growth = aged.resistance_ohm / chemistry.resistance_ohm
    ohmic_v = (
        state.current_a[:, None] * aged.resistance_ohm
        + state.polarising_a[:, None] * chemistry.polarisation_ohm * growth
    )
    soc = counted_soc(state, aged, chemistry.rated_capacity_ah) - decay.soc_deficit
    soc = np.clip(soc, 1.0 - MAX_DEPTH_OF_CELL, 1.0)
    on_charger_v = _on_charger(chemistry, cells, state, decay, temperature_c, wander_v, ohmic_v, soc)
    shepherd_v = SHEPHERD_V * chemistry.voltage_scale * (1.0 - soc) / (soc + SHEPHERD_FLOOR)
    own_v = OFFSET_SHARE_ON_LOAD * cells.float_offset_v + wander_v - decay.voltage_drop_v
    on_load_v = np.interp(soc, chemistry.ocv_soc, chemistry.ocv_v) + ohmic_v - shepherd_v + own_v
    voltage_v = np.where(state.discharging[:, None], on_load_v, on_charger_v)
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
    shortfall_v = CURRENT_LIMIT_SHORTFALL_V * np.maximum(state.depth - KNEE_DEPTH, 0.0)
    per_cell_v = float_set_point_v(chemistry, state.base_c) + state.charger_error_v - shortfall_v
    own_v = (
        cells.float_offset_v
        + wander_v
        + NEIGHBOUR_TEMPCO_V_PER_C * temperature_c
        + UNDERCHARGE_V * soc
        + ohmic_v
    )
    shared_v = np.minimum(decay.voltage_drop_v.mean(axis=1), MOST_SHARED_V) - own_v.mean(axis=1)
    return (per_cell_v + shared_v)[:, None] + own_v - decay.voltage_drop_v
