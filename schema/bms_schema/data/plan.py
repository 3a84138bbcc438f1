"""How a table becomes canonical: decided once from its survey, then applied to any of its rows alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bms_schema.data.chemistry import Chemistry, ChemistryOption
from bms_schema.data.cleaning import NumberRule
from bms_schema.data.columns import (
    CELL_ID,
    CLEANED_NAMES,
    IS_DEAD,
    SENSOR_NAMES,
    SESSION_COLUMNS,
    SESSION_START_COLUMNS,
    SOURCE_ROW,
    STRING,
    TIMESTAMP,
    first_of,
    flag_of,
)
from bms_schema.data.corrections import Correction
from bms_schema.data.identity import Key, identify_cells, identify_strings, identity_codes, identity_columns
from bms_schema.data.labels import only_the_dead_are_marked, parse_labels
from bms_schema.data.number_plan import plan_numbers
from bms_schema.data.required import check_present, check_usable
from bms_schema.data.sessions import ElapsedRule, elapsed_rule
from bms_schema.data.survey import Survey
from bms_schema.data.text import parse_numbers
from bms_schema.data.timestamps import TimeRule, time_rule
from bms_schema.run.errors import UnreadableTable


@dataclass(frozen=True)
class TablePlan:
    """Everything that was decided about a table; small and picklable.

    Args:
        names: The file's column names.
        found: {canonical name: the file's name}.
        identities: One row per combination of string, cell and site names: `string`, `Cell ID`, `rows`.
        places: {combination: its row of `identities`}.
        time: How time stamps are read; None where there are none.
        blank_is_alive: Whether a blank `IsDead` means alive.
        numbers: {canonical name: how its numbers become readings}.
        corrections: Units converted and signs restored, with the evidence.
        chemistry: The profile in force and why.
        notes: What was found and decided, in words.
        rows: Rows of the table.
        source_row: The file's own `source_row` where it names every row; else rows are numbered.
        decimal_comma: Whether numbers are written `2,23`.
    """

    names: tuple[str, ...]
    found: dict[str, str]
    identities: pd.DataFrame
    places: dict[Key, int]
    time: TimeRule | ElapsedRule | None
    blank_is_alive: bool
    numbers: dict[str, NumberRule]
    corrections: list[Correction]
    chemistry: Chemistry
    notes: list[str]
    rows: int
    source_row: str | None
    decimal_comma: bool

    @property
    def rows_per_string(self) -> dict[str, int]:
        """{string: rows}, by name."""
        counts = self.identities.groupby(STRING)["rows"].sum()
        return {str(string): int(rows) for string, rows in counts.items()}

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return int(self.identities[CELL_ID].nunique())

    @property
    def limits(self) -> dict[str, tuple[float, float]]:
        """Plausible range of every column of readings, in its unit."""
        return {name: (rule.low, rule.high) for name, rule in self.numbers.items()}


def make_plan(
    survey: Survey,
    *,
    require: Sequence[str] = SENSOR_NAMES,
    chemistry: ChemistryOption = "auto",
    notes: Sequence[str] = (),
    decimal_comma: bool = False,
) -> TablePlan:
    """Decide from a table's survey how its rows are read.

    Args:
        survey: Of all its rows.
        require: Columns that must be there with at least one usable value. Specific gravity is waived for
            sealed and lithium cells.
        chemistry: A profile's name or "auto".
        notes: What the reader found, to stand before what is found here.
        decimal_comma: As the survey was made with.

    Raises:
        MissingColumn: a required column is absent or holds no usable value.
        UnreadableTable: the time column holds no times.
    """
    found = check_present(survey.names, require)
    time, time_notes = _time(survey)
    identities, places, identity_notes = _identities(survey, found, of_tests=isinstance(time, ElapsedRule))
    cells_of_strings = identities[[STRING, CELL_ID]].drop_duplicates().groupby(STRING).size()
    several_cells = bool((cells_of_strings > 1).all())
    numbers = plan_numbers(survey.columns, several_cells=several_cells, chemistry=chemistry)
    usable = {
        **numbers.usable,
        CELL_ID: True,
        STRING: True,
        TIMESTAMP: survey.times is not None and survey.times.given > 0,
        IS_DEAD: bool(survey.labels.get("1", 0) + survey.labels.get("0", 0)),
    }
    check_usable(survey.names, found, require, numbers.chemistry, usable)
    blank_is_alive = only_the_dead_are_marked(survey.labels)
    label_notes = [f"{IS_DEAD} is 1 or blank: blank is read as alive"] if blank_is_alive else []
    chosen = numbers.chemistry
    told = f"chemistry {chosen.profile.name}: {chosen.reason}"
    keeps_rows = survey.source_rows is not None and survey.source_rows.name_rows
    return TablePlan(
        names=survey.names,
        found=found,
        identities=identities,
        places=places,
        time=time,
        blank_is_alive=blank_is_alive,
        numbers=numbers.rules,
        corrections=numbers.corrections,
        chemistry=chosen,
        notes=[*notes, *identity_notes, *time_notes, *label_notes, *numbers.notes, told],
        rows=survey.rows,
        source_row=first_of(survey.names, [SOURCE_ROW]) if keeps_rows else None,
        decimal_comma=decimal_comma,
    )


def _time(survey: Survey) -> tuple[TimeRule | ElapsedRule | None, list[str]]:
    if survey.times is None:
        return None, []
    if survey.times.is_elapsed:
        session = first_of(survey.names, SESSION_COLUMNS)
        start = first_of(survey.names, SESSION_START_COLUMNS)
        return elapsed_rule(survey.times, survey.sessions, session, survey.starts, start)
    return time_rule(survey.times)


def _identities(
    survey: Survey, found: dict[str, str], *, of_tests: bool
) -> tuple[pd.DataFrame, dict[Key, int], list[str]]:
    """Name the string and the cell of every combination that occurs."""
    keys = sorted(survey.identities, key=lambda key: [(name is None, name or "") for name in key])
    columns = list(identity_columns(survey.names))
    table = pd.DataFrame(
        {column: [key[i] for key in keys] for i, column in enumerate(columns)},
        index=range(len(keys)),
        dtype=object,
    )
    strings, how_strings = identify_strings(table)
    cells, how_cells = identify_cells(table, strings, found.get(CELL_ID))
    if of_tests and STRING not in table and CELL_ID in table:
        strings, how_strings = cells, "cells were tested one by one: each is a string of its own"
    rows = [survey.identities[key] for key in keys]
    identities = pd.DataFrame({STRING: strings, CELL_ID: cells, "rows": rows})
    return identities, {key: place for place, key in enumerate(keys)}, [how_strings, how_cells]


def _places(keys: list[Key], plan: TablePlan) -> np.ndarray:
    unseen = [key for key in keys if key not in plan.places]
    if unseen:
        raise UnreadableTable(
            f"The table names a cell {unseen[0]} that was not there when it was read first.",
            expected="a file that does not change while it is read",
            fix="Run again on a copy.",
        )
    return np.array([plan.places[key] for key in keys], dtype="int64")


def apply_plan(chunk: pd.DataFrame, plan: TablePlan, first_row: int = 0) -> pd.DataFrame:
    """Return the canonical frame of some rows; no row's result depends on the others.

    Args:
        chunk: Columns as in the file; any index.
        plan: From a survey of the whole table.
        first_row: Rows of the table before this chunk, for `source_row`.

    Returns:
        One row per row, in order, with a 0…n-1 index (see `BatteryTable`).
    """
    chunk = chunk.set_axis([str(name) for name in chunk.columns], axis=1).reset_index(drop=True)
    codes, keys = identity_codes(chunk, list(identity_columns(plan.names).values()))
    places = _places(keys, plan)[codes] if len(chunk) else codes
    columns: dict[str, pd.Series | np.ndarray | pd.Categorical] = {
        SOURCE_ROW: _source_rows(chunk, plan, first_row),
        CELL_ID: plan.identities[CELL_ID].to_numpy()[places],
        STRING: plan.identities[STRING].to_numpy()[places],
    }
    if isinstance(plan.time, TimeRule):
        columns[TIMESTAMP] = plan.time.parse(chunk[plan.found[TIMESTAMP]])
    elif plan.time:
        columns[TIMESTAMP] = plan.time.parse(chunk[plan.found[TIMESTAMP]], chunk, codes, keys)
    for name in [name for name in CLEANED_NAMES if name in plan.numbers]:
        written, kinds = parse_numbers(chunk[plan.found[name]], decimal_comma=plan.decimal_comma)
        readings, flags = plan.numbers[name].apply(written, kinds, earlier=chunk.get(flag_of(name)))
        columns[name], columns[flag_of(name)] = readings, flags
    if IS_DEAD in plan.found:
        columns[IS_DEAD] = parse_labels(chunk[plan.found[IS_DEAD]], blank_is_alive=plan.blank_is_alive)
    return pd.DataFrame({**columns, **_carried(chunk, plan, set(columns))}, index=chunk.index)


def _source_rows(chunk: pd.DataFrame, plan: TablePlan, first_row: int) -> np.ndarray:
    if plan.source_row is None:
        return np.arange(first_row, first_row + len(chunk), dtype="int64")
    return parse_numbers(chunk[plan.source_row])[0].astype("int64")


def _carried(chunk: pd.DataFrame, plan: TablePlan, taken: set[str]) -> dict[str, pd.Series]:
    """Return all other columns untouched; one that has a canonical name without being it steps aside."""
    used = {*plan.found.values(), *(flag_of(name) for name in plan.numbers), plan.source_row}
    aside = {name: f"{name} (original)" for name in taken}
    return {aside.get(name, name): chunk[name] for name in chunk.columns if name not in used}
