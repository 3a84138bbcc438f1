"""Voltages per cell of a whole string: at rest, and what a charger holds or reaches on the way there."""

import numpy as np
from numpy.typing import NDArray

from bms_generate.simulator.chemistry import Chemistry
from bms_generate.simulator.duty import KNEE_DEPTH, Duty

REFERENCE_C = 25.0
# Compensation is clamped to 5–40 °C [B].
COMPENSATION_CLAMP_C = (5.0, 40.0)
# Below the knee the charger is in current limit: how far the voltage is short, per depth beyond it [U].
CURRENT_LIMIT_SHORTFALL_V = 0.25
# A solar controller goes from absorption to float when the current has tapered to C/50 [U], which is here.
FLOAT_STAGE_DEPTH = 0.054
# Voltage bends down as a cell runs empty (Shepherd term), with the constants of a C/10 curve [U].
SHEPHERD_V, SHEPHERD_FLOOR = 0.03, 0.06


def float_set_point_v(chemistry: Chemistry, temperature_c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Temperature-compensated float set-point per cell [V].

    >>> from bms_generate.simulator.chemistry import CHEMISTRIES
    >>> float_set_point_v(CHEMISTRIES["lead_acid_flooded"], np.array([25.0, 35.0])).round(3).tolist()
    [2.2, 2.17]
    """
    clamped = np.clip(temperature_c, *COMPENSATION_CLAMP_C)
    return chemistry.float_voltage_v + chemistry.float_tempco_v_per_c * (clamped - REFERENCE_C)


def open_circuit_v(chemistry: Chemistry, soc: NDArray[np.float64]) -> NDArray[np.float64]:
    """Open-circuit voltage [V] at a state of charge (0–1), any shape."""
    return np.interp(soc, chemistry.ocv_soc, chemistry.ocv_v)


def shepherd_v(chemistry: Chemistry, soc: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the voltage of a cell off charge has bent down as it runs empty [V], any shape."""
    return SHEPHERD_V * chemistry.voltage_scale * (1.0 - soc) / (soc + SHEPHERD_FLOOR)


def float_charger_v(
    chemistry: Chemistry, duty: Duty, base_c: NDArray[np.float64], error_v: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean cell voltage [V] on a float charger with a current limit; all arrays of shape (n,)."""
    shortfall_v = CURRENT_LIMIT_SHORTFALL_V * np.maximum(duty.depth - KNEE_DEPTH, 0.0)
    return float_set_point_v(chemistry, base_c) + error_v - shortfall_v


def solar_charger_v(
    chemistry: Chemistry, duty: Duty, base_c: NDArray[np.float64], error_v: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean cell voltage [V] on a solar controller; all arrays of shape (n,).

    The controller holds absorption, then float. With less current than the string would take, its voltage stays
    between rest and that set-point in proportion.
    """
    compensation_v = chemistry.absorption_tempco_v_per_c * (
        np.clip(base_c, *COMPENSATION_CLAMP_C) - REFERENCE_C
    )
    absorption_v = chemistry.absorption_voltage_v + compensation_v
    in_float = duty.depth < FLOAT_STAGE_DEPTH
    held_v = np.where(in_float, float_set_point_v(chemistry, base_c), absorption_v) + error_v
    soc = 1.0 - duty.depth
    rest_v = open_circuit_v(chemistry, soc) - shepherd_v(chemistry, soc)
    return rest_v + (held_v - rest_v) * duty.regulation
