"""Anomalies planted in cells that go on living: five of the measuring chain, one (`thermal`) of the cell."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bms_generate.simulator.allocation import Member
from bms_generate.simulator.settings import Settings


class FaultShape(NamedTuple):
    """How often and how long [h] a fault of one kind occurs in its cell, and the range of its magnitude."""

    events: tuple[int, int]
    hours: tuple[float, float]
    magnitude: tuple[float, float]
    either_sign: bool


# Magnitudes: drift V reached, thermal °C, noise factor on the sensor's standard deviation, spike V,
# stuck none (the hours held are reported), dropout V read. Chosen to look like field records [U].
SHAPES = {
    "drift": FaultShape((1, 1), (6.0 * 24.0, 15.0 * 24.0), (0.04, 0.12), True),
    "thermal": FaultShape((1, 2), (8.0, 96.0), (5.0, 15.0), False),
    "noise": FaultShape((1, 2), (24.0, 120.0), (5.0, 10.0), False),
    "spike": FaultShape((4, 9), (0.0, 0.0), (0.06, 0.40), True),
    "stuck": FaultShape((1, 2), (12.0, 96.0), (0.0, 0.0), False),
    "dropout": FaultShape((1, 3), (2.0, 14.0), (0.0, 1.2), False),
}
MAX_SHARE_OF_SLOT = 0.8
# Rise and fall of a hot spell, as a share of its length each.
THERMAL_EDGE = 0.2
DROPOUT_JITTER_V = 0.01


@dataclass(frozen=True)
class Fault:
    """One planted event: cell, kind, first and last sample (inclusive), magnitude (unit by kind)."""

    cell: int
    kind: str
    first: int
    last: int
    magnitude: float


def plan_faults(settings: Settings, members: tuple[Member, ...], rng: np.random.Generator) -> list[Fault]:
    """Plan the events of every faulty cell; the events of a cell never overlap."""
    return [fault for member in members for fault in _plan_cell(settings, member, rng)]


def _plan_cell(settings: Settings, member: Member, rng: np.random.Generator) -> list[Fault]:
    """One event per equal slot of the span; the first sample is kept clean (`stuck` needs a last value)."""
    shape = SHAPES[member.kind]
    n_events = min(int(rng.integers(shape.events[0], shape.events[1] + 1)), settings.n_samples - 1)
    edges = np.linspace(1, settings.n_samples, n_events + 1).astype(int)
    faults = []
    for begin, end in pairwise(edges):
        longest = max(1, int(MAX_SHARE_OF_SLOT * (end - begin)))
        length = min(settings.samples_in(rng.uniform(*shape.hours)), longest)
        first = int(rng.integers(begin, end - length + 1))
        sign = rng.choice((-1.0, 1.0)) if shape.either_sign else 1.0
        magnitude = sign * rng.uniform(*shape.magnitude)
        if member.kind == "stuck":
            magnitude = length * settings.interval_h
        faults.append(Fault(member.cell, member.kind, first, first + length - 1, float(magnitude)))
    return faults


def excess_heat_c(settings: Settings, faults: list[Fault]) -> NDArray[np.float64]:
    """Excess temperature [°C] of the `thermal` faults: rise, plateau, fall; shape (n_samples, cells)."""
    heat = np.zeros((settings.n_samples, settings.cells_per_string))
    for fault in faults:
        if fault.kind == "thermal":
            length = fault.last - fault.first + 1
            to_edge = (np.minimum(np.arange(length), np.arange(length)[::-1]) + 1) / (length + 1)
            heat[fault.first : fault.last + 1, fault.cell] = fault.magnitude * np.minimum(
                1.0, to_edge / THERMAL_EDGE
            )
    return heat


def disturb_voltage(
    voltage_v: NDArray[np.float64], faults: list[Fault], sensor_sd_v: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Voltage [V] as a disturbed measuring chain delivers it (drift, noise, spike, dropout); a new array."""
    read = voltage_v.copy()
    for fault in faults:
        rows, length = slice(fault.first, fault.last + 1), fault.last - fault.first + 1
        if fault.kind == "drift":
            read[rows, fault.cell] += fault.magnitude * np.linspace(1.0 / length, 1.0, length)
        elif fault.kind == "noise":
            extra_sd = sensor_sd_v * np.sqrt(fault.magnitude**2 - 1.0)
            read[rows, fault.cell] += extra_sd * rng.standard_normal(length)
        elif fault.kind == "spike":
            read[rows, fault.cell] += fault.magnitude
        elif fault.kind == "dropout":
            noise = DROPOUT_JITTER_V * rng.standard_normal(length)
            read[rows, fault.cell] = np.abs(fault.magnitude + noise)
    return read


def freeze(values: NDArray[np.float64], faults: list[Fault]) -> NDArray[np.float64]:
    """Repeat the last value before every `stuck` event throughout it; a new array."""
    held = values.copy()
    for fault in faults:
        if fault.kind == "stuck":
            held[fault.first : fault.last + 1, fault.cell] = values[fault.first - 1, fault.cell]
    return held
