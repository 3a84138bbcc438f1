"""Columns that others determine: found in the real table, left out of the model, computed again afterwards.

Sampled by themselves they contradict their sources: a date that is not the day of the time stamp, a power that is
not voltage times current. `derived_rules` proposes what a column might be; only what holds to the file's decimals
counts.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from bms_generate.normal_scores import decimals_of

LEAST_ROWS = 30
_TRIED_ROWS = 256
# A logger may have been restarted in the middle of a record: one row in a thousand may differ.
_MOST_EXCEPTIONS = 0.001
# Agreement in rows that hold the most frequent value says nothing of a flag that is nearly always zero.
_LEAST_UNUSUAL_ROWS = 10
# The sources' own rounding must be small against the column, or anything would agree.
_MOST_SLACK = 0.05
# What a file with ten significant digits loses; numbers with few decimals are exact but for double precision.
_WRITING_LOSS, _DOUBLE_LOSS = 1e-9, 1e-14


@dataclass(frozen=True)
class Derived:
    """A column as a function of others.

    Args:
        column: Its name.
        sources: Columns it is computed from.
        words: The rule, for notes: "Date is the day of PacketDateTime".
        compute: Table -> unrounded values of the column.
        slack: What rounding of the sources may change in a value.
        judged: Rows that must agree, also in what is missing; None for all.
    """

    column: str
    sources: tuple[str, ...]
    words: str
    compute: Callable[[pd.DataFrame], pd.Series]
    slack: float = 0.0
    judged: pd.Series | None = None


Rule = Callable[["Candidates", str], Iterator[Derived]]


@dataclass(frozen=True)
class Candidates:
    """What the rules look at.

    Args:
        frame: The typed table.
        times: Its datetime columns that vary, the series' own first.
        numbers: Its float columns that vary, bounded in number.
        moments: Table -> code of (string, time stamp) per row; None where the table is no set of series.
        steps: Number column -> size of its last decimal; 0 where it has more than nine.
    """

    frame: pd.DataFrame
    times: list[str]
    numbers: list[str]
    moments: Callable[[pd.DataFrame], pd.Series] | None = None
    steps: dict[str, float] = field(default_factory=dict)

    @cached_property
    def tried(self) -> pd.DataFrame:
        """Its number columns in a few rows spread over the table: proposals come from these."""
        rows = np.linspace(0, len(self.frame) - 1, min(_TRIED_ROWS, len(self.frame)))
        return self.frame[self.numbers].iloc[np.unique(rows.astype(int))]

    @cached_property
    def rank_correlations(self) -> pd.DataFrame:
        """Their absolute rank correlations."""
        return self.tried.rank().corr().abs()

    @cached_property
    def moment_codes(self) -> pd.Series:
        """The moment of each row."""
        assert self.moments is not None
        return self.moments(self.frame)

    @cached_property
    def steady(self) -> set[str]:
        """Its number columns with one value per moment, but for rare exceptions."""
        groups = self.frame[self.numbers].groupby(self.moment_codes)
        one_value = ((groups.max() - groups.min()).fillna(0) == 0).mean()
        return set(one_value.index[one_value >= 1 - _MOST_EXCEPTIONS])


def find_derived(candidates: Candidates, targets: Iterable[str], rules: Iterable[Rule]) -> list[Derived]:
    """Return the columns among `targets` that others determine, in an order in which they can be computed.

    Later columns are looked at first, since exports append what they compute; none is derived from itself
    through others.
    """
    found: dict[str, Derived] = {}
    for target in reversed(list(targets)):
        proposals = (proposal for rule in rules for proposal in rule(candidates, target))
        for proposal in proposals:
            if target not in _all_sources(proposal, found) and _holds(proposal, candidates.frame):
                found[target] = proposal
                break
    return _in_order(found)


def recompute(frame: pd.DataFrame, real: pd.DataFrame, derived: list[Derived]) -> pd.DataFrame:
    """Add the derived columns to a synthetic table, in the real table's types and decimals, and in its order."""
    frame = frame.copy()
    for item in derived:
        values, like = item.compute(frame), real[item.column]
        if pd.api.types.is_float_dtype(like):
            places = decimals_of(like.dropna().to_numpy())
            values = values.astype(float) if places is None else values.astype(float).round(places)
        elif pd.api.types.is_integer_dtype(like):
            whole = like.dtype if values.notna().all() else "Int64"
            values = values.astype(float).round().astype(whole)
        frame[item.column] = values
    return frame[list(real)]


def _holds(proposal: Derived, frame: pd.DataFrame) -> bool:
    """Whether the real column is what the proposal says, also where it is not at its most frequent value."""
    column, values = frame[proposal.column], proposal.compute(frame)
    gaps, judged = values.isna(), proposal.judged
    judged = pd.Series(True, index=column.index) if judged is None else judged
    if (gaps != column.isna())[judged].mean() > _MOST_EXCEPTIONS:
        return False
    known = ~gaps & column.notna() & judged
    column, values = column[known], values[known]
    if len(column) < LEAST_ROWS:
        return False
    equal = _equal(column, values, proposal.slack)
    unusual = column != column.mode().iloc[0]
    return bool(
        (~equal).mean() <= _MOST_EXCEPTIONS
        and unusual.sum() >= _LEAST_UNUSUAL_ROWS
        and (~equal[unusual]).mean() <= 10 * _MOST_EXCEPTIONS
    )


def _equal(column: pd.Series, values: pd.Series, slack: float) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(column):
        return column == values
    numbers = column.astype(float)
    places = decimals_of(numbers.to_numpy())
    half_step, loss = (0.0, _WRITING_LOSS) if places is None else (0.5 * 10.0**-places, _DOUBLE_LOSS)
    if slack > _MOST_SLACK * numbers.std():
        return pd.Series(False, index=column.index)
    return (numbers - values.astype(float)).abs() <= (half_step + slack) * (1 + 1e-6) + loss * numbers.abs()


def _all_sources(proposal: Derived, found: dict[str, Derived]) -> set[str]:
    reached: set[str] = set()
    waiting = list(proposal.sources)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += found[name].sources if name in found else ()
    return reached


def _in_order(found: dict[str, Derived]) -> list[Derived]:
    ordered: dict[str, Derived] = {}

    def visit(item: Derived) -> None:
        for name in item.sources:
            if name in found and name not in ordered:
                visit(found[name])
        ordered[item.column] = item

    for item in found.values():
        if item.column not in ordered:
            visit(item)
    return list(ordered.values())
