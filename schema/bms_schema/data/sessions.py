"""Files of tests: the time column counts seconds from the start of a test, and another column numbers the tests."""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bms_schema.data.identity import Key
from bms_schema.data.text import distinct_text, parse_numbers
from bms_schema.data.time_text import NAT, read_forms
from bms_schema.data.timestamps import TimeFacts, TimeRule, time_rule
from bms_schema.run.errors import UnreadableTable

PAUSE_S = 86_400.0  # between tests whose dates nobody noted: no window of hours reaches over it
Sessions = dict[tuple[Key, str], float]  # {(combination of names, test): its greatest elapsed time, s}
_VECTOR_PARTS = 6


@dataclass(frozen=True)
class ElapsedRule:
    """How seconds into a test become time stamps.

    Args:
        session_column: The file's column that numbers the tests.
        starts_s: Where each test of each cell begins, in seconds since 1970.
        start_column: The file's column with each test's date; where there is one, it decides.
        start_rule: How those dates are read.
    """

    session_column: str | None
    starts_s: Sessions
    start_column: str | None = None
    start_rule: TimeRule = field(default_factory=TimeRule)

    def parse(self, column: pd.Series, chunk: pd.DataFrame, codes: np.ndarray, keys: list[Key]) -> pd.Series:
        """Parse a chunk's elapsed times; NaT where the time or the test is missing.

        Args:
            column: The time column.
            chunk: Columns as in the file.
            codes: Which combination of names each row has.
            keys: The combinations.
        """
        elapsed_s, _ = parse_numbers(column)
        if self.start_column:
            starts = dates_of(chunk[self.start_column], self.start_rule)
        else:
            sessions, texts = distinct_text(chunk[self.session_column])
            pairs, which = pd.factorize(codes * (len(texts) + 1) + sessions % (len(texts) + 1))
            begin = [_begin_ns(self.starts_s, keys, texts, int(pair)) for pair in which]
            starts = np.array(begin, dtype="int64")[pairs]
        known = (starts != NAT) & np.isfinite(elapsed_s) & (elapsed_s >= 0)
        micros = np.rint(np.where(known, elapsed_s, 0.0) * 1e6).astype("int64")
        instants = np.where(known, starts + micros * 1000, NAT)
        return pd.Series(instants.view("datetime64[ns]"), index=column.index, name=column.name)


def _begin_ns(starts_s: Sessions, keys: list[Key], texts: np.ndarray, pair: int) -> int:
    key, session = divmod(pair, len(texts) + 1)
    if session == len(texts):
        return NAT
    return round(starts_s[keys[key], texts[session]] * 1e9)


def survey_sessions(column: pd.Series, sessions: pd.Series, codes: np.ndarray, keys: list[Key]) -> Sessions:
    """Return the greatest elapsed time of every test in a chunk."""
    elapsed_s, _ = parse_numbers(column)
    places, texts = distinct_text(sessions)
    known = np.isfinite(elapsed_s) & (places >= 0)
    pairs, which = pd.factorize(codes[known] * len(texts) + places[known])
    longest = np.zeros(len(which))
    np.maximum.at(longest, pairs, elapsed_s[known])
    return {
        (keys[pair // len(texts)], texts[pair % len(texts)]): float(longest[i])
        for i, pair in enumerate(which)
    }


def elapsed_rule(
    facts: TimeFacts,
    sessions: Sessions,
    session_column: str | None,
    starts: TimeFacts | None,
    start_column: str | None,
) -> tuple[ElapsedRule, list[str]]:
    """Decide how elapsed times become time stamps, and say it.

    Raises:
        UnreadableTable: nothing tells where one test ends and the next begins.
    """
    if starts is not None and starts.given and start_column:
        rule, notes = time_rule(starts)
        said = f"time stamps are '{start_column}' plus elapsed seconds"
        return ElapsedRule(session_column, {}, start_column, rule), [said, *notes]
    if not session_column:
        raise UnreadableTable(
            f"The time column holds small numbers, e.g. '{facts.example}', which are no times.",
            expected="time stamps, or seconds of a test beside a column 'session' that numbers the tests",
            fix="Export dated time stamps, or add a column 'session'.",
        )
    said = (
        f"the time column holds seconds within a test and '{session_column}' numbers the tests: each cell's tests "
        "are laid one after another from 1970-01-01 with a day between, so dates mean nothing"
    )
    return ElapsedRule(session_column, _laid_out(sessions)), [said]


def _laid_out(sessions: Sessions) -> Sessions:
    """Return where every test begins: after all earlier tests of its cell and a pause."""
    starts: Sessions = {}
    ends: dict[Key, float] = {}
    for key, session in sorted(sessions, key=lambda item: _natural(item[1])):
        starts[key, session] = ends.get(key, 0.0)
        ends[key] = np.ceil(starts[key, session] + sessions[key, session]) + PAUSE_S
    return starts


def _natural(session: str) -> tuple[float, str]:
    """Sort numbers as numbers, and words after them."""
    try:
        return float(session), session
    except ValueError:
        return float("inf"), session


def date_facts(column: pd.Series) -> TimeFacts:
    """Count the forms of a column of dates, MATLAB date vectors among them."""
    return TimeFacts.of(_iso_for_vectors(column))


def dates_of(column: pd.Series, rule: TimeRule) -> np.ndarray:
    """Return dates as int64 ns, `NAT` where there is none; MATLAB date vectors are read too."""
    codes, texts = distinct_text(_iso_for_vectors(column))
    instants: np.ndarray = np.append(rule.instants(read_forms(texts)), NAT)[codes]
    return instants


def _iso_for_vectors(column: pd.Series) -> pd.Series:
    """Rewrite `[2010. 7. 21. 15. 0. 35.093]` as ISO 8601; leave everything else."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column
    codes, texts = distinct_text(column)
    rewritten = np.array([*(_iso_for_vector(text) for text in texts), None], dtype=object)
    return pd.Series(rewritten[codes], index=column.index)


def _iso_for_vector(text: str) -> str:
    parts = re.split(r"[\s,;]+", text.strip("[] "))
    if not text.startswith("[") or len(parts) != _VECTOR_PARTS:
        return text
    try:
        year, month, day, hour, minute = (int(float(part)) for part in parts[:5])
        return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{float(parts[5]):09.6f}"
    except ValueError:
        return text
