"""What a table is, told from its chunks: small facts that add up in any order, and no decision yet."""

from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import pandas as pd

from bms_schema.data.column_facts import ColumnFacts, added
from bms_schema.data.columns import (
    AMBIENT,
    CLEANED_NAMES,
    COLUMNS,
    COMPANION_TEMPERATURES,
    IS_DEAD,
    SESSION_COLUMNS,
    SESSION_START_COLUMNS,
    SOURCE_ROW,
    TEMPERATURE,
    TIMESTAMP,
    first_of,
    match_columns,
)
from bms_schema.data.identity import Key, identity_codes, identity_columns
from bms_schema.data.labels import label_counts
from bms_schema.data.row_keys import RowKeys
from bms_schema.data.sessions import Sessions, date_facts, survey_sessions
from bms_schema.data.text import parse_numbers
from bms_schema.data.timestamps import TimeFacts
from bms_schema.run.errors import UnreadableTable

MOST_COMBINATIONS = 1_000_000


@dataclass(frozen=True)
class Survey:
    """Mergeable facts of a table or of any part of it.

    Args:
        names: The file's column names.
        rows: Rows seen.
        identities: {combination of string, cell and site names: rows}.
        columns: {canonical name: facts of its numbers}.
        times: Facts of the time column; None where there is none.
        starts: Facts of the column that dates tests; None where there is none.
        sessions: {(combination, test): greatest elapsed time in seconds}, for elapsed times only.
        labels: {"1", "0", "blank", "other": values of `IsDead`}.
        source_rows: Whether the given `source_row` can name rows; None where there is none.
    """

    names: tuple[str, ...]
    rows: int = 0
    identities: dict[Key, int] = field(default_factory=dict)
    columns: dict[str, ColumnFacts] = field(default_factory=dict)
    times: TimeFacts | None = None
    starts: TimeFacts | None = None
    sessions: Sessions = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    source_rows: RowKeys | None = None

    def merge(self, other: "Survey") -> "Survey":
        """Return the facts of both parts; the order of merging never matters.

        Raises:
            UnreadableTable: the parts have different columns, or nearly every row is a cell of its own.
        """
        if set(self.names) != set(other.names):
            raise UnreadableTable(
                f"Parts of the table have different columns: {sorted(set(self.names) ^ set(other.names))}.",
                expected="the same columns throughout",
                fix="Read the parts one by one.",
            )
        identities = added(self.identities, other.identities)
        if len(identities) > MOST_COMBINATIONS:
            raise UnreadableTable(
                f"The columns {', '.join(identity_columns(self.names).values())} name more than "
                f"{MOST_COMBINATIONS:,} cells.",
                expected="columns that name strings and cells",
                fix="Rename the column that names something else.",
            )
        keys = {**self.sessions, **other.sessions}
        return Survey(
            self.names,
            self.rows + other.rows,
            identities,
            {name: facts.merge(other.columns[name]) for name, facts in self.columns.items()},
            self.times.merge(other.times) if self.times and other.times else None,
            self.starts.merge(other.starts) if self.starts and other.starts else None,
            {key: max(self.sessions.get(key, 0.0), other.sessions.get(key, 0.0)) for key in keys},
            added(self.labels, other.labels),
            self.source_rows.merge(other.source_rows) if self.source_rows and other.source_rows else None,
        )


def survey_chunk(chunk: pd.DataFrame, *, decimal_comma: bool = False) -> Survey:
    """Return the facts of some rows of a table as read.

    Args:
        chunk: Columns as in the file, text or typed; any index.
        decimal_comma: Whether numbers are written `2,23`.
    """
    names = tuple(str(name) for name in chunk.columns)
    chunk = chunk.set_axis(list(names), axis=1)
    found = match_columns(list(names))
    codes, keys = identity_codes(chunk, list(identity_columns(names).values()))
    counts = np.bincount(codes, minlength=len(keys))
    times = TimeFacts.of(chunk[found[TIMESTAMP]]) if TIMESTAMP in found else None
    start, session = first_of(names, SESSION_START_COLUMNS), first_of(names, SESSION_COLUMNS)
    elapsed = times is not None and times.has_elapsed
    given_row = first_of(names, [SOURCE_ROW])
    return Survey(
        names,
        len(chunk),
        {key: int(count) for key, count in zip(keys, counts, strict=True)},
        _column_facts(chunk, found, decimal_comma),
        times,
        date_facts(chunk[start]) if start and times is not None else None,
        survey_sessions(chunk[found[TIMESTAMP]], chunk[session], codes, keys) if elapsed and session else {},
        label_counts(chunk[found[IS_DEAD]]) if IS_DEAD in found else {},
        RowKeys.of(chunk[given_row], codes, keys) if given_row else None,
    )


def merge_surveys(surveys: list[Survey]) -> Survey:
    """Return the facts of all parts (at least one)."""
    return reduce(Survey.merge, surveys)


def _column_facts(chunk: pd.DataFrame, found: dict[str, str], decimal_comma: bool) -> dict[str, ColumnFacts]:
    parsed = {
        name: parse_numbers(chunk[found[name]], decimal_comma=decimal_comma)
        for name in CLEANED_NAMES
        if name in found
    }
    probes = {name: first_of(chunk.columns, [name]) for name in COMPANION_TEMPERATURES}
    others = {
        name: parse_numbers(chunk[column], decimal_comma=decimal_comma)[0]
        for name, column in probes.items()
        if column
    }
    temperatures = {name: parsed[name][0] for name in (TEMPERATURE, AMBIENT) if name in parsed}
    companions = {
        name: {other: values for other, values in {**temperatures, **others}.items() if other != name}
        for name in temperatures
    }
    return {
        name: ColumnFacts.of(COLUMNS[name], numbers, kinds, companions.get(name))
        for name, (numbers, kinds) in parsed.items()
    }
