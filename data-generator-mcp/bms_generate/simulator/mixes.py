"""Which share of the cells meets which kind of death or fault: one number for all kinds, or a number per kind."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Share = float | Mapping[str, float]

CELL_FAULTS = ("thermal",)
SENSOR_FAULTS = ("drift", "noise", "spike", "stuck", "dropout")
FAULT_PATTERN = ("drift", "thermal", "noise", "spike", "stuck", "dropout")
# Most cells announce their end over weeks, some within days, few not at all: shares are [U].
DEATH_PATTERN = ("slow", "sudden", "slow", "unheralded", "slow", "sudden", "slow")
# Those still alive at the end are on their way: only deaths with a precursor.
DYING_PATTERN = tuple(kind for kind in DEATH_PATTERN if kind != "unheralded")
# A name for several kinds at once, which share its number equally.
GROUPS = {"sensor": SENSOR_FAULTS}
# Decimal fractions that add up to 1 may do so only to rounding.
SUM_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Mix:
    """The share of the cells that are chosen, and which kind the j-th chosen cell of the fleet gets.

    Attributes:
        total: share of the cells, 0 to 1.
        pattern: kinds in turn, where no share per kind was asked for.
        shares: (kind, share of the chosen) in the order of the pattern, adding up to 1; empty for "in turn".
    """

    total: float
    pattern: tuple[str, ...]
    shares: tuple[tuple[str, float], ...] = ()

    def kind_of(self, ordinal: int, offset: float) -> str:
        """Return the kind of chosen cell number `ordinal` (0-based); `offset` in [0, 1) starts the rounding.

        Shares are dealt out by systematic sampling, kind after kind among those the kinds before have left, so
        that any run of cells has about the asked shares and no cell's kind depends on how many come after it.

        >>> mix = Mix(0.1, ("slow", "sudden"), (("slow", 0.75), ("sudden", 0.25)))
        >>> [mix.kind_of(j, 0.5) for j in range(4)]
        ['slow', 'slow', 'sudden', 'slow']
        """
        if not self.shares:
            return self.pattern[ordinal % len(self.pattern)]
        left = 1.0
        for kind, share in self.shares[:-1]:
            before, after = (math.floor(n * share / left + offset) for n in (ordinal, ordinal + 1))
            if after > before:
                return kind
            ordinal, left = ordinal - before, left - share
        return self.shares[-1][0]


def make_mix(name: str, asked: Share, pattern: tuple[str, ...]) -> Mix:
    """Check what was asked for under the argument `name`.

    Raises:
        ValueError: no share from 0 to 1, an unknown kind, or shares that add up to more than 1.
    """
    if not isinstance(asked, Mapping):
        return Mix(_checked(name, asked), pattern)
    kinds = tuple(dict.fromkeys(pattern))
    groups = {group: members for group, members in GROUPS.items() if set(members) <= set(kinds)}
    by_kind = dict.fromkeys(kinds, 0.0)
    for key, share in asked.items():
        members = groups.get(key, (key,))
        if not set(members) <= set(kinds):
            raise ValueError(
                f"{name} names the kind {key!r}; expected some of {', '.join((*kinds, *groups))}. "
                "Name those, or give one number for all kinds."
            )
        for kind in members:
            by_kind[kind] += _checked(f"{name}[{key!r}]", share) / len(members)
    total = math.fsum(by_kind.values())
    if total > 1.0 + SUM_TOLERANCE:
        raise ValueError(f"The shares of {name} add up to {total:g}; expected at most 1. Lower them.")
    shares = tuple((kind, share / total) for kind, share in by_kind.items() if share > 0.0)
    return Mix(min(total, 1.0), pattern, shares)


def _checked(name: str, value: object) -> float:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not (is_number and 0.0 <= value <= 1.0):
        raise ValueError(f"{name} is {value!r}; expected a fraction from 0 to 1. Give 0.1 for ten per cent.")
    return value
