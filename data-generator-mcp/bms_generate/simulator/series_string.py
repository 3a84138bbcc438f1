"""One whole string: draw what befalls it, solve the shared state, then the cells, then the log."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bms_generate.simulator.allocation import Allocation, allocate
from bms_generate.simulator.cells import CellParameters, draw_cells
from bms_generate.simulator.charger import float_charger_v, solar_charger_v
from bms_generate.simulator.deaths import Decay, let_die
from bms_generate.simulator.duty import Duty, draw_discharges, draw_ups_discharges, follow_duty
from bms_generate.simulator.electrical import (
    AgedCells,
    StringState,
    age,
    counted_soc,
    specific_gravity,
    terminal_voltage,
)
from bms_generate.simulator.faults import excess_heat_c, plan_faults
from bms_generate.simulator.processes import ar1, first_order_lag
from bms_generate.simulator.sensors import CellReadings, read_ambient, read_cells, read_current
from bms_generate.simulator.settings import Settings
from bms_generate.simulator.solar import follow_sun
from bms_generate.simulator.thermal import as_cell_follows, heating_c_per_ohm, room_c
from bms_generate.simulator.truth import truth_table

HOURS_PER_YEAR = 8766.0
# Thermal ageing and float current double per 10 °C above 25 °C [B, U].
DOUBLING_C = 10.0
# Diffusion in the plates settles within about half an hour, mixing of the acid within half a day [U].
POLARISATION_H = 0.5
ACID_MIXING_H = 12.0
# Gravity of a shorted cell sinks over a day or two: its acid is used up by self-discharge only [U].
SELF_DISCHARGE_H = 36.0
# A charger's calibration error and its slow wander, per cell [U].
CHARGER_OFFSET_SD_V = 0.006
CHARGER_WANDER_SD_V, CHARGER_WANDER_MEMORY_H = 0.002, 3.0
# Every cell wanders about its own level, within days and within weeks, without being ill [U].
CELL_WANDER_V = ((0.0025, 30.0), (0.004, 240.0))
CELL_WANDER_C, CELL_WANDER_C_MEMORY_H = 0.25, 8.0
CELL_WANDER_GRAVITY, CELL_WANDER_GRAVITY_MEMORY_H = 0.001, 120.0


@dataclass(frozen=True)
class StringTables:
    """Name, readings (time-major), truth and cell parameters of one string."""

    name: str
    readings: pd.DataFrame
    truth: pd.DataFrame
    cells: pd.DataFrame


def simulate_one(settings: Settings, index: int) -> StringTables:
    """Simulate string `index` (0-based) from its own random streams, spawned of [seed, index]."""
    streams = np.random.SeedSequence([settings.seed, index]).spawn(8)
    choice, make, duty, room, fate, wander, sensing, late = (np.random.default_rng(s) for s in streams)
    allocation = allocate(settings, index, choice)
    cells = draw_cells(make, settings.cells_per_string, settings.profile)
    deaths, decay = let_die(settings, allocation, fate, late)
    faults = plan_faults(settings, allocation.faults, fate)
    state, ambient_c, heating = _solve_string(settings, cells.age_years, duty, room)
    aged = age(cells, state, decay)
    temperature_c = (
        state.base_c[:, None]
        + cells.temperature_offset_c
        + heating[:, None] * _heating_resistance(settings, aged)
        + as_cell_follows(decay.heat_c, settings.interval_h)
        + excess_heat_c(settings, faults)
        + _wander(settings, wander, CELL_WANDER_C, CELL_WANDER_C_MEMORY_H)
    )
    true = _solve_cells(settings, cells, state, aged, decay, temperature_c, wander)
    logged = read_cells(true, faults, settings.sentinel_fraction, sensing)
    name = f"S{index + 1:03d}"
    digits = max(2, len(str(settings.cells_per_string)))
    cell_ids = np.array(
        [f"{name}/C{cell + 1:0{digits}d}" for cell in range(settings.cells_per_string)], dtype=object
    )
    return StringTables(
        name,
        _readings_table(
            settings,
            name,
            cell_ids,
            logged,
            read_current(state.current_a, sensing),
            read_ambient(ambient_c, sensing),
            decay.is_dead,
        ),
        truth_table(settings, name, cell_ids, deaths, faults),
        _cells_table(settings, name, cell_ids, cells, allocation),
    )


def _solve_string(
    settings: Settings, age_years: float, rng: np.random.Generator, room: np.random.Generator
) -> tuple[StringState, NDArray[np.float64], NDArray[np.float64]]:
    """Solve on the fine grid what the cells share; return it at the samples, with ambient and heating."""
    step_h, every = settings.substep_h, settings.substeps
    rated_ah = settings.profile.rated_capacity_ah
    ambient_c = room_c(settings, room)
    base_c = as_cell_follows(ambient_c, step_h)
    duty = _follow(settings, rng)
    doubling = 2.0 ** ((base_c - 25.0) / DOUBLING_C)
    float_a = settings.profile.float_current_per_ah * rated_ah * doubling
    current_a = duty.rate_per_h * rated_ah + float_a * duty.regulation
    aged_years = age_years + (np.cumsum(doubling) - doubling) * step_h / HOURS_PER_YEAR
    error_v = rng.normal(0.0, CHARGER_OFFSET_SD_V) + ar1(
        rng, (settings.n_samples,), CHARGER_WANDER_SD_V, settings.interval_h, CHARGER_WANDER_MEMORY_H
    )
    at_samples = Duty(duty.rate_per_h[::every], duty.depth[::every], duty.regulation[::every])
    charger_v = solar_charger_v if settings.duty == "solar" else float_charger_v
    state = StringState(
        current_a=current_a[::every],
        polarising_a=first_order_lag(current_a, step_h, POLARISATION_H)[::every],
        depth=at_samples.depth,
        mixed_depth=first_order_lag(duty.depth, step_h, ACID_MIXING_H)[::every],
        base_c=base_c[::every],
        age_years=aged_years[::every],
        charger_v=charger_v(settings.profile, at_samples, base_c[::every], error_v),
        regulation=at_samples.regulation,
    )
    return state, ambient_c[::every], heating_c_per_ohm(current_a, step_h)[::every]


def _follow(settings: Settings, rng: np.random.Generator) -> Duty:
    """What the duty asked for makes of the string's charge, on the fine grid."""
    if settings.duty == "solar":
        return follow_sun(settings, rng)
    if settings.duty == "ups_test":
        (start_hour,), _ = settings.clock(np.zeros(1))
        discharges = draw_ups_discharges(rng, settings.span_h, float(start_hour))
    else:
        discharges = draw_discharges(rng, settings.span_h)
    rate_per_h, depth = follow_duty(settings.fine_h, discharges)
    return Duty(rate_per_h, depth, np.where(rate_per_h < 0.0, 0.0, 1.0))


def _heating_resistance(settings: Settings, aged: AgedCells) -> NDArray[np.float64]:
    """Resistance that turns current into heat [Ω]: ohmic and polarisation, growing together."""
    profile = settings.profile
    return aged.resistance_ohm * (1.0 + profile.polarisation_ohm / profile.resistance_ohm)


def _wander(settings: Settings, rng: np.random.Generator, sd: float, memory_h: float) -> NDArray[np.float64]:
    return ar1(rng, (settings.n_samples, settings.cells_per_string), sd, settings.interval_h, memory_h)


def _solve_cells(
    settings: Settings,
    cells: CellParameters,
    state: StringState,
    aged: AgedCells,
    decay: Decay,
    temperature_c: NDArray[np.float64],
    rng: np.random.Generator,
) -> CellReadings:
    """The true channels of the cells, before any sensor."""
    profile = settings.profile
    wander_v = cells.wander_factor * sum(
        _wander(settings, rng, sd * profile.voltage_scale, memory_h) for sd, memory_h in CELL_WANDER_V
    )
    gravity_wander = _wander(settings, rng, CELL_WANDER_GRAVITY, CELL_WANDER_GRAVITY_MEMORY_H)
    missing = first_order_lag(decay.soc_deficit, settings.interval_h, SELF_DISCHARGE_H)
    return CellReadings(
        voltage_v=terminal_voltage(profile, cells, state, aged, decay, temperature_c, wander_v),
        temperature_c=temperature_c,
        gravity=specific_gravity(profile, cells, state, aged, missing, temperature_c) + gravity_wander,
        soc_percent=100.0 * counted_soc(state, aged, profile.rated_capacity_ah),
    )


def _readings_table(
    settings: Settings,
    name: str,
    cell_ids: np.ndarray,
    logged: CellReadings,
    current_a: NDArray[np.float64],
    ambient_c: NDArray[np.float64],
    is_dead: NDArray[np.bool_],
) -> pd.DataFrame:
    n_cells = settings.cells_per_string
    return pd.DataFrame(
        {
            "string": np.full(is_dead.size, name, dtype=object),
            "Cell ID": np.tile(cell_ids, settings.n_samples),
            "Timestamp": np.repeat(settings.timestamps, n_cells),
            "CellVoltage": logged.voltage_v.ravel(),
            "CellTemperature": logged.temperature_c.ravel(),
            "InstantaneousCurrent": np.repeat(current_a, n_cells),
            "AmbientTemperature": np.repeat(ambient_c, n_cells),
            "CellSpecificGravity": logged.gravity.ravel(),
            "StateOfCharge": logged.soc_percent.ravel(),
            "IsDead": is_dead.ravel().astype(np.int8),
        }
    )


def _cells_table(
    settings: Settings, name: str, cell_ids: np.ndarray, cells: CellParameters, allocation: Allocation
) -> pd.DataFrame:
    fate = np.full(len(cell_ids), "healthy", dtype=object)
    for member in allocation.faults:
        fate[member.cell] = member.kind
    for member in (*allocation.deaths, *allocation.dying):
        fate[member.cell] = f"death_{member.kind}"
    parameters = {field.name: getattr(cells, field.name) for field in fields(cells)}
    identity = {"Cell ID": cell_ids, "string": name, "chemistry": settings.chemistry, "fate": fate}
    return pd.DataFrame(identity | parameters)
