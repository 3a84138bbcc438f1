"""What a survey keeps of one column of numbers: enough to decide its unit, its sign and its range later."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from bms_schema.data.cleaning import is_sentinel, nearest
from bms_schema.data.columns import Column
from bms_schema.data.corrections import AS_WRITTEN, TEMPERATURE_CONVERSIONS
from bms_schema.data.histogram import Histogram
from bms_schema.data.text import NO_NUMBER

PLAUSIBLE_TEMPERATURE_C = (-30.0, 60.0)  # a battery room's median reading, [U]
_AGREEMENT_K = 3.0  # a cell's probes read alike within this, [U]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class ColumnFacts:
    """Mergeable counts of one column, in the unit of the file.

    Args:
        numbers: Values that are numbers and no sentinels; the histogram is of these.
        not_numbers: Values that are there but are no numbers.
        histogram: Of the numbers.
        low: Smallest number; inf where there is none.
        high: Largest number; -inf where there is none.
        integers: Numbers without a fraction.
        halves: Numbers that are whole or end in .5.
        zeros: Numbers that are exactly 0.
        sentinels: {sentinel: how often}.
        pairs: {other temperature column: rows in which both have a plausible number}.
        agreeing: {(other column, conversion): of those, rows in which the converted number equals it}.
    """

    numbers: int = 0
    not_numbers: int = 0
    histogram: Histogram = field(default_factory=Histogram)
    low: float = float("inf")
    high: float = float("-inf")
    integers: int = 0
    halves: int = 0
    zeros: int = 0
    sentinels: dict[float, int] = field(default_factory=dict)
    pairs: dict[str, int] = field(default_factory=dict)
    agreeing: dict[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        column: Column,
        written: np.ndarray,
        kinds: np.ndarray,
        companions: dict[str, np.ndarray] | None = None,
    ) -> "ColumnFacts":
        """Count one chunk.

        Args:
            column: The canonical column.
            written: Numbers as the file has them, NaN where none.
            kinds: From `parse_numbers`.
            companions: Other temperatures of the same rows, NaN where none.
        """
        sentinel = is_sentinel(written, column)
        real = np.isfinite(written) & ~sentinel
        numbers = written[real]
        pairs, agreeing = _agreement(np.where(real, written, np.nan), companions or {})
        return cls(
            numbers=len(numbers),
            not_numbers=int((kinds == NO_NUMBER).sum()),
            histogram=Histogram.of(numbers),
            low=float(numbers.min(initial=np.inf)),
            high=float(numbers.max(initial=-np.inf)),
            integers=int((numbers == np.rint(numbers)).sum()),
            halves=int((2 * numbers == np.rint(2 * numbers)).sum()),
            zeros=int((numbers == 0.0).sum()),
            sentinels=_count_sentinels(written[sentinel], column),
            pairs=pairs,
            agreeing=agreeing,
        )

    def merge(self, other: "ColumnFacts") -> "ColumnFacts":
        """Return the facts of both."""
        return ColumnFacts(
            numbers=self.numbers + other.numbers,
            not_numbers=self.not_numbers + other.not_numbers,
            histogram=self.histogram.merge(other.histogram),
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            integers=self.integers + other.integers,
            halves=self.halves + other.halves,
            zeros=self.zeros + other.zeros,
            sentinels=added(self.sentinels, other.sentinels),
            pairs=added(self.pairs, other.pairs),
            agreeing=added(self.agreeing, other.agreeing),
        )


def added(one: dict[Key, int], other: dict[Key, int]) -> dict[Key, int]:
    """Return the sum of two counts, key by key.

    >>> added({"a": 1}, {"a": 2, "b": 3})
    {'a': 3, 'b': 3}
    """
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}


def _count_sentinels(values: np.ndarray, column: Column) -> dict[float, int]:
    if not values.size:
        return {}
    which, counts = np.unique(nearest(np.sort(column.sentinels), values), return_counts=True)
    return {float(value): int(count) for value, count in zip(which, counts, strict=True)}


def _agreement(
    written: np.ndarray, companions: dict[str, np.ndarray]
) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """Count rows in which a number, taken as written or converted, equals another temperature."""
    pairs: dict[str, int] = {}
    agreeing: dict[tuple[str, str], int] = {}
    low, high = PLAUSIBLE_TEMPERATURE_C
    for name, other in companions.items():
        with np.errstate(invalid="ignore"):
            both = np.isfinite(written) & (other >= low) & (other <= high)
        pairs[name] = int(both.sum())
        for conversion in (AS_WRITTEN, *TEMPERATURE_CONVERSIONS):
            apart = np.abs(conversion.apply(written[both]) - other[both])
            agreeing[name, conversion.name] = int((apart <= _AGREEMENT_K).sum())
    return pairs, agreeing
