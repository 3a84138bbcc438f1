"""Writing `metadata.json` for tables that have none: what each column is, keys, and what was assumed."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from bms_schema.data.chemistry import Chemistry, choose_chemistry
from bms_schema.data.columns import COLUMNS, GRAVITY, VOLTAGE
from bms_schema.data.histogram import Histogram
from bms_schema.data.reading import RawTable, read_table
from bms_schema.data.timestamps import TimeFacts, time_rule
from bms_schema.run.errors import InvalidArgument, MachineProblem
from bms_schema.run.workspace import readable_path

from bms_generate.column_kinds import ColumnKind, Kind, readings_of, tell_kind
from bms_generate.dataset import csv_files
from bms_generate.known_names import match_names
from bms_generate.metadata_file import METADATA_NAME, Metadata
from bms_generate.metadata_series import set_sequence
from bms_generate.precleaning import without_missing_texts
from bms_generate.table_links import Links, link_tables
from bms_generate.time_formats import find_format

_MOST_NAMES = 12
_SAID: dict[Kind, str] = {
    "identifier": "identifiers, whose values are made up in the twin (describe one as categorical to keep them)",
    "free text": "words of their own in most rows, whose values are made up in the twin",
    "label": "labels, whose real values come out in the twin",
    "time of day": "times of day, computed where they are the clock of a time stamp, else labels",
    "code": "whole numbers with few values, taken as ordered labels",
    "truth": "0/1 or true/false, taken as truth values",
    "empty": "without any value",
}


def add_metadata(folder: Path) -> list[str]:
    """Describe the CSV tables of a folder in a new `metadata.json`, which appears whole or not at all.

    Returns:
        What was assumed, in words.

    Raises:
        InvalidArgument: the folder has one.
        InputError: a table cannot be read.
        MachineProblem: the disk refuses.
    """
    path = folder / METADATA_NAME
    if os.path.lexists(path):
        raise InvalidArgument(
            f"'{folder}' has a {METADATA_NAME}, which write_metadata=true does not replace.",
            expected=f"a folder without {METADATA_NAME}",
            fix="Leave write_metadata out to use it, or remove it first.",
        )
    tables = {
        name: read_table(readable_path(file), layout="as_is") for name, file in csv_files(folder).items()
    }
    if not tables:
        return []  # reading says so
    metadata, assumptions = describe_tables(tables)
    partial = folder / f".{METADATA_NAME}.{uuid.uuid4().hex[:8]}"
    try:
        partial.write_text(json.dumps(metadata, indent=2, ensure_ascii=False), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise MachineProblem(
            f"'{path}' cannot be written: {error}.",
            expected="a folder this user may write",
            fix="Copy the data folder and pass the copy.",
        ) from error
    return [f"{METADATA_NAME} was written; correct it where an assumption is wrong", *assumptions]


def describe_tables(tables: dict[str, RawTable]) -> tuple[Metadata, list[str]]:
    """Describe tables as SDV metadata V2 and say what was assumed.

    No value of the tables gets into the metadata: ranges are the plausible ones of the column table, and
    labels are not listed.

    Args:
        tables: Text tables as read, by name.
    """
    described: dict[str, dict[str, Any]] = {}
    frames: dict[str, pd.DataFrame] = {}
    identifiers: dict[str, list[str]] = {}
    notes: dict[str, list[str]] = {}
    for name, table in tables.items():
        frame = pd.DataFrame({column: without_missing_texts(table.frame[column]) for column in table.frame})
        canonical = {found: known for known, found in match_names(frame).items()}
        kinds = {
            column: tell_kind(frame[column], canonical.get(column), decimal_comma=table.decimal_comma)
            for column in frame
        }
        columns = {column: kind.spec for column, kind in kinds.items()}
        notes[name] = _say_kinds(kinds)
        notes[name] += _set_ranges(columns, frame, canonical, table.decimal_comma)
        notes[name] += _set_formats(columns, frame)
        frames[name], described[name] = frame, {"columns": columns}
        identifiers[name] = [column for column, kind in kinds.items() if kind.kind == "identifier"]
    links = link_tables({name: frames[name][identifiers[name]] for name in tables})
    parents = {link["parent_table_name"] for link in links.relationships}
    for name, frame in frames.items():
        notes[name] += set_sequence(described[name], frame, identifiers[name], is_parent=name in parents)
    for name, key in links.primary_keys.items():
        described[name]["primary_key"] = key
    metadata = {"METADATA_SPEC_VERSION": "V2", "tables": described, "relationships": links.relationships}
    assumptions = [f"{name}: {note}" for name, told in notes.items() for note in told]
    return metadata, assumptions + _say_links(links)


def _say_kinds(kinds: dict[str, ColumnKind]) -> list[str]:
    remarks = [kind.remark for kind in kinds.values() if kind.remark]
    named = {said: [name for name, kind in kinds.items() if kind.kind == said] for said in _SAID}
    return remarks + [f"{_SAID[said]}: {_listed(names)}" for said, names in named.items() if names]


def _listed(names: Iterable[Any]) -> str:
    shown = [str(name) for name in names]
    rest = len(shown) - _MOST_NAMES
    return ", ".join(shown[:_MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def _set_ranges(
    columns: dict[str, dict[str, Any]], frame: pd.DataFrame, canonical: dict[str, str], decimal_comma: bool
) -> list[str]:
    """Give measured columns the plausible range of the column table, unless readings lie outside it."""
    readings = {
        known: readings_of(frame[name], COLUMNS[known], decimal_comma=decimal_comma)
        for name, known in canonical.items()
        if columns[name]["sdtype"] == "numerical" and COLUMNS[known].source
    }
    file_names = {known: name for name, known in canonical.items()}
    said, notes = [], []
    for known, values in readings.items():
        low, high, why = COLUMNS[known].low, COLUMNS[known].high, ""
        if known == VOLTAGE:
            chemistry = _chemistry(readings)
            low, high = chemistry.voltage_range
            why = f", {chemistry.profile.name}: {chemistry.reason}"
        name = file_names[known]
        if outside := int(((values < low) | (values > high)).sum()):
            notes.append(
                f"{name} gets no range: {outside:,} values lie outside the plausible {low:g} to {high:g} "
                "(another unit? preprocess_battery_data_tool settles it)"
            )
        else:
            columns[name] |= {"range_min": low, "range_max": high, "range_is_nullable": True}
            said.append(f"{name} {low:g} to {high:g}{why}")
    if said:
        notes.append(
            f"ranges are the column table's plausible ones, not the extremes seen: {'; '.join(said)}"
        )
    return notes


def _chemistry(readings: dict[str, Any]) -> Chemistry:
    gravity, known = readings.get(GRAVITY), COLUMNS[GRAVITY]
    has_gravity = gravity is not None and bool(((gravity >= known.low) & (gravity <= known.high)).any())
    return choose_chemistry(Histogram.of(readings[VOLTAGE]), has_gravity=has_gravity)


def _set_formats(columns: dict[str, dict[str, Any]], frame: pd.DataFrame) -> list[str]:
    """Find how each time column is written; the order of day and month is one for the whole table."""
    names = [name for name, spec in columns.items() if spec["sdtype"] == "datetime"]
    facts = TimeFacts()
    for name in names:
        facts = facts.merge(TimeFacts.of(frame[name]))
    if not names:
        return []
    rule, notes = time_rule(facts)
    formats = {name: find_format(frame[name], rule) for name in names}
    for name, style in formats.items():
        columns[name] |= {"datetime_format": style} if style else {}
    written = "; ".join(
        f"{name} as {style}" if style else f"{name} in no single format: ISO 8601 (UTC) in the twin"
        for name, style in formats.items()
    )
    order = [note for note in notes if note.startswith("dates")]
    return [f"times are read and written {written}", *order]


def _say_links(links: Links) -> list[str]:
    said = [f"{table}: {key} is its key" for table, key in links.primary_keys.items()]
    said += [
        f"{link['child_table_name']}.{link['child_foreign_key']} refers to {link['parent_table_name']}"
        for link in links.relationships
    ]
    return said + links.remarks
