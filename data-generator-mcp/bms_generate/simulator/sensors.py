"""From true quantities to logged ones: sensor noise, planted faults, quantisation, no-answer sentinels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bms_generate.simulator.faults import Fault, disturb_voltage, freeze

# Noise of a common BMS [U]; every channel is logged with the number of decimals that follows.
VOLTAGE_SD_V, VOLTAGE_DECIMALS = 0.002, 3
TEMPERATURE_SD_C, TEMPERATURE_DECIMALS = 0.2, 1
GRAVITY_SD, GRAVITY_DECIMALS = 0.001, 3
CURRENT_SD_A, CURRENT_DECIMALS = 0.1, 1
CURRENT_GAIN_SD = 0.003
SOC_DECIMALS = 1
# What a BMS writes for a cell module that does not answer: 0xFFFF in each channel's scaling.
VOLTAGE_SENTINEL = 65.535
TEMPERATURE_SENTINEL = 65535.0
GRAVITY_SENTINEL = 59.749


@dataclass(frozen=True)
class CellReadings:
    """Logged channels of the cells, every array of shape (n_samples, cells)."""

    voltage_v: NDArray[np.float64]
    temperature_c: NDArray[np.float64]
    gravity: NDArray[np.float64]
    soc_percent: NDArray[np.float64]


def read_cells(
    true: CellReadings, faults: list[Fault], sentinel_fraction: float, rng: np.random.Generator
) -> CellReadings:
    """What the BMS logs of the true channels; sentinels hit voltage, temperature and gravity together."""
    shape = true.voltage_v.shape
    voltage = disturb_voltage(
        true.voltage_v + VOLTAGE_SD_V * rng.standard_normal(shape), faults, VOLTAGE_SD_V, rng
    )
    temperature = true.temperature_c + TEMPERATURE_SD_C * rng.standard_normal(shape)
    gravity = true.gravity + GRAVITY_SD * rng.standard_normal(shape)
    silent = rng.random(shape) < sentinel_fraction
    sealed = np.isnan(true.gravity)
    return CellReadings(
        voltage_v=_log(freeze(voltage, faults), VOLTAGE_DECIMALS, silent, VOLTAGE_SENTINEL),
        temperature_c=_log(freeze(temperature, faults), TEMPERATURE_DECIMALS, silent, TEMPERATURE_SENTINEL),
        gravity=_log(freeze(gravity, faults), GRAVITY_DECIMALS, silent & ~sealed, GRAVITY_SENTINEL),
        soc_percent=np.round(true.soc_percent, SOC_DECIMALS),
    )


def read_current(current_a: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The string's shunt [A]: a gain error for life, noise at every reading, shape (n_samples,)."""
    gain = 1.0 + CURRENT_GAIN_SD * rng.standard_normal()
    # Adding 0.0 turns the −0.0 that rounding leaves into 0.0.
    return (
        np.round(gain * current_a + CURRENT_SD_A * rng.standard_normal(current_a.shape), CURRENT_DECIMALS)
        + 0.0
    )


def read_ambient(ambient_c: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The room's probe [°C], half as noisy as the cells' probes, shape (n_samples,)."""
    noise = 0.5 * TEMPERATURE_SD_C * rng.standard_normal(ambient_c.shape)
    return np.round(ambient_c + noise, TEMPERATURE_DECIMALS) + 0.0


def _log(
    values: NDArray[np.float64], decimals: int, silent: NDArray[np.bool_], sentinel: float
) -> NDArray[np.float64]:
    return np.where(silent, sentinel, np.round(values, decimals) + 0.0)
