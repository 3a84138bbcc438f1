"""Which cells of a string die, are dying at the end, or are faulty: systematic sampling over the string number.

String k asks only for cumulative counts up to k, so it never matters how many strings come after it.
"""

import math
from dataclasses import dataclass

import numpy as np

from bms_generate.simulator.mixes import Mix
from bms_generate.simulator.settings import Settings

# Grouped cross-validation needs deaths in two strings, however small the fraction.
STRINGS_WITH_A_DEATH_AT_LEAST = 2
GOLDEN_RATIO = (math.sqrt(5.0) - 1.0) / 2.0
# Far from the few keys a string spawns: [seed, 0] with key 1 would be the same stream as seed with key 1.
FLEET_STREAM = 1001
DYING_STREAM = 1003
KIND_STREAM = 1004


@dataclass(frozen=True)
class Member:
    """A chosen cell: its position in the string, what befalls it, its place in [0, 1) in the fleet."""

    cell: int
    kind: str
    spread: float


@dataclass(frozen=True)
class Allocation:
    """The cells of one string that die, those that will die after the span, and those that misbehave."""

    deaths: tuple[Member, ...]
    dying: tuple[Member, ...]
    faults: tuple[Member, ...]


def allocate(settings: Settings, index: int, rng: np.random.Generator) -> Allocation:
    """Choose the cells of string `index` (0-based) that die, are dying at the end, or are faulty.

    Over many strings the counts are the asked fractions to within one cell; with `death_fraction` above 0
    each of the first two strings has at least one death, and likewise with `dying_fraction`.
    """
    offsets, late_offsets = _uniforms(settings, FLEET_STREAM, 3), _uniforms(settings, DYING_STREAM, 2)
    (kind_offset,) = _uniforms(settings, KIND_STREAM, 1)
    both = (index, index + 1)
    deaths = [_chosen_before(k, settings, settings.deaths.total, offsets[0]) for k in both]
    dying = [_dying_before(k, settings, offsets[0], late_offsets[0]) for k in both]
    gone = [dead + late for dead, late in zip(deaths, dying, strict=True)]
    faults = [_faults_before(k, lost, settings, offsets[1]) for k, lost in zip(both, gone, strict=True)]
    cells = rng.permutation(settings.cells_per_string)
    n_deaths, n_dying, n_faults = (before[1] - before[0] for before in (deaths, dying, faults))
    # The dying come from the far end of the permutation, so that asking for them moves no death or fault.
    living, late = np.split(cells[n_deaths:], [settings.cells_per_string - n_deaths - n_dying])
    return Allocation(
        deaths=_members(cells[:n_deaths], deaths[0], settings.deaths, offsets[2], kind_offset),
        dying=_members(late, dying[0], settings.dying, late_offsets[1], kind_offset),
        faults=_members(living[:n_faults], faults[0], settings.faults, offsets[2], kind_offset),
    )


def _uniforms(settings: Settings, stream: int, n: int) -> np.ndarray:
    return np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(stream,))).random(n)


def _chosen_before(n_strings: int, settings: Settings, fraction: float, offset: float) -> int:
    if fraction == 0.0:
        return 0
    wanted = math.floor(n_strings * settings.cells_per_string * fraction + offset)
    return max(wanted, min(n_strings, STRINGS_WITH_A_DEATH_AT_LEAST))


def _dying_before(n_strings: int, settings: Settings, death_offset: float, offset: float) -> int:
    """As many as asked, but never more than a string's deaths leave over; the next string catches up."""
    chosen = 0
    if settings.dying.total > 0.0:
        for k in range(n_strings):
            dead = [_chosen_before(j, settings, settings.deaths.total, death_offset) for j in (k, k + 1)]
            wanted = _chosen_before(k + 1, settings, settings.dying.total, offset)
            chosen += min(wanted - chosen, settings.cells_per_string - (dead[1] - dead[0]))
    return chosen


def _faults_before(n_strings: int, gone: int, settings: Settings, offset: float) -> int:
    others = n_strings * settings.cells_per_string - gone
    return math.floor(others * settings.faults.total + offset)


def _members(
    cells: np.ndarray, first_ordinal: int, mix: Mix, offset: float, kind_offset: float
) -> tuple[Member, ...]:
    """Give the j-th choice of the fleet its kind, and a place in a low-discrepancy sequence."""
    return tuple(
        Member(int(cell), mix.kind_of(j, kind_offset), (offset + j * GOLDEN_RATIO) % 1.0)
        for j, cell in enumerate(cells, start=first_ordinal)
    )
