"""What distinguishes the three chemistries a simulated string can have.

Sources: [B] = handbook or maker's manual seen in excerpt, [U] = common knowledge whose source was not read.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chemistry:
    """Constants of one 2 V lead-acid or one lithium cell.

    Attributes:
        rated_capacity_ah: C10 capacity [Ah].
        float_voltage_v: charger set-point per cell at 25 °C [V].
        float_tempco_v_per_c: change of the set-point per °C and cell [V/°C].
        absorption_voltage_v, absorption_tempco_v_per_c: the same of a solar controller's absorption stage.
        ocv_soc, ocv_v: knots of the open-circuit voltage [V] over the state of charge (0–1).
        resistance_ohm: ohmic resistance of a new cell [Ω].
        polarisation_ohm: slow (diffusion) resistance of a new cell [Ω].
        full_gravity, gravity_span: gravity at 25 °C when full, and its fall when empty; None = sealed.
        float_current_per_ah: float current at 25 °C [A per Ah].
        voltage_scale: how far voltages spread and fall compared with a lead-acid cell.
    """

    rated_capacity_ah: float
    float_voltage_v: float
    float_tempco_v_per_c: float
    absorption_voltage_v: float
    absorption_tempco_v_per_c: float
    ocv_soc: tuple[float, ...]
    ocv_v: tuple[float, ...]
    resistance_ohm: float
    polarisation_ohm: float
    full_gravity: float | None
    gravity_span: float | None
    float_current_per_ah: float
    voltage_scale: float


# Float 2.14–2.25 V vented, 2.24–2.26 V sealed, −3 mV/°C/cell, OCV = SG + 0.84 [B]; 2.20 V, so that a
# vented string in a room of 20 °C floats near 2.215 V, inside that window. Gravities, resistances
# (≈ 1 mΩ for a 200 Ah, 2 V cell), float currents (≈ 0.6 mA/Ah) and the lithium (LFP) curve are [U].
# Absorption: 14.8 V vented, 14.3 V sealed, 14.1 V LFP per 12 V block, −4 mV/°C/cell (none for LFP), from
# makers' manuals [B]; vented set a little lower.
OCV_MINUS_GRAVITY_V = 0.84

CHEMISTRIES: dict[str, Chemistry] = {
    "lead_acid_flooded": Chemistry(
        rated_capacity_ah=200.0,
        float_voltage_v=2.20,
        float_tempco_v_per_c=-0.003,
        absorption_voltage_v=2.45,
        absorption_tempco_v_per_c=-0.004,
        ocv_soc=(0.0, 1.0),
        ocv_v=(1.095 + OCV_MINUS_GRAVITY_V, 1.215 + OCV_MINUS_GRAVITY_V),
        resistance_ohm=1.0e-3,
        polarisation_ohm=1.5e-3,
        full_gravity=1.215,
        gravity_span=0.120,
        float_current_per_ah=0.6e-3,
        voltage_scale=1.0,
    ),
    "vrla": Chemistry(
        rated_capacity_ah=200.0,
        float_voltage_v=2.25,
        float_tempco_v_per_c=-0.003,
        absorption_voltage_v=2.38,
        absorption_tempco_v_per_c=-0.004,
        ocv_soc=(0.0, 1.0),
        ocv_v=(1.115 + OCV_MINUS_GRAVITY_V, 1.295 + OCV_MINUS_GRAVITY_V),
        resistance_ohm=0.8e-3,
        polarisation_ohm=1.2e-3,
        full_gravity=None,
        gravity_span=None,
        float_current_per_ah=1.0e-3,
        voltage_scale=1.0,
    ),
    "li_ion": Chemistry(
        rated_capacity_ah=100.0,
        float_voltage_v=3.40,
        float_tempco_v_per_c=0.0,
        absorption_voltage_v=3.52,
        absorption_tempco_v_per_c=0.0,
        ocv_soc=(0.0, 0.1, 0.2, 0.5, 0.9, 1.0),
        ocv_v=(2.80, 3.15, 3.22, 3.29, 3.33, 3.38),
        resistance_ohm=0.6e-3,
        polarisation_ohm=0.8e-3,
        full_gravity=None,
        gravity_span=None,
        float_current_per_ah=0.1e-3,
        voltage_scale=1.3,
    ),
}
