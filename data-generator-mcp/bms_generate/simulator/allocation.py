"""Which cells of a string die or are faulty: systematic sampling over the string number.

String k asks only for cumulative counts up to k, so it never matters how many strings come after it.
"""

import math
from dataclasses import dataclass

import numpy as np

from bms_generate.simulator.settings import Settings

FAULT_KINDS = ("drift", "thermal", "noise", "spike", "stuck", "dropout")
# Most cells announce their end over weeks, some within days, few not at all: shares are [U].
DEATH_PATTERN = ("slow", "sudden", "slow", "unheralded", "slow", "sudden", "slow")
# Grouped cross-validation needs deaths in two strings, however small the fraction.
STRINGS_WITH_A_DEATH_AT_LEAST = 2
GOLDEN_RATIO = (math.sqrt(5.0) - 1.0) / 2.0
# Far from the few keys a string spawns: [seed, 0] with key 1 would be the same stream as seed with key 1.
FLEET_STREAM = 1001


@dataclass(frozen=True)
class Member:
    """A chosen cell: its position in the string, what befalls it, its place in [0, 1) in the fleet."""

    cell: int
    kind: str
    spread: float


@dataclass(frozen=True)
class Allocation:
    """The cells of one string that die, and those that only misbehave."""

    deaths: tuple[Member, ...]
    faults: tuple[Member, ...]


def allocate(settings: Settings, index: int, rng: np.random.Generator) -> Allocation:
    """Choose the dying and the faulty cells of string `index` (0-based).

    Over many strings the counts are the asked fractions to within one cell; with `death_fraction` above 0
    each of the first two strings has at least one death.
    """
    offsets = np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(FLEET_STREAM,))).random(
        3
    )
    deaths = [_deaths_before(k, settings, offsets[0]) for k in (index, index + 1)]
    faults = [
        _faults_before(k, d, settings, offsets[1]) for k, d in zip((index, index + 1), deaths, strict=True)
    ]
    cells = rng.permutation(settings.cells_per_string)
    n_deaths, n_faults = deaths[1] - deaths[0], faults[1] - faults[0]
    return Allocation(
        deaths=_members(cells[:n_deaths], deaths[0], DEATH_PATTERN, offsets[2]),
        faults=_members(cells[n_deaths : n_deaths + n_faults], faults[0], FAULT_KINDS, offsets[2]),
    )


def _deaths_before(n_strings: int, settings: Settings, offset: float) -> int:
    if settings.death_fraction == 0.0:
        return 0
    wanted = math.floor(n_strings * settings.cells_per_string * settings.death_fraction + offset)
    return max(wanted, min(n_strings, STRINGS_WITH_A_DEATH_AT_LEAST))


def _faults_before(n_strings: int, deaths: int, settings: Settings, offset: float) -> int:
    survivors = n_strings * settings.cells_per_string - deaths
    return math.floor(survivors * settings.fault_fraction + offset)


def _members(
    cells: np.ndarray, first_ordinal: int, kinds: tuple[str, ...], offset: float
) -> tuple[Member, ...]:
    """Give the j-th choice of the fleet the j-th kind in turn, and a place in a low-discrepancy sequence."""
    return tuple(
        Member(int(cell), kinds[j % len(kinds)], (offset + j * GOLDEN_RATIO) % 1.0)
        for j, cell in enumerate(cells, start=first_ordinal)
    )
