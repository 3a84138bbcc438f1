"""Findings on sensors: stuck ones, spikes, and what could not be judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bms_schema.data.cleaning import SPIKE, STUCK
from bms_schema.data.columns import CELL_ID, COLUMNS
from bms_schema.data.features import SMALLEST_CELLS

from bms_preprocess.finding import Finding, hours, moment, named, percent, short

if TYPE_CHECKING:
    from bms_preprocess.quality import PartQuality


def stuck(seen: PartQuality, record: Mapping[str, Any]) -> list[Finding]:
    """Name the sensors that repeat a value, and their longest time."""
    by_signal = _counts(seen, STUCK)
    if not by_signal:
        return []
    rows = dict(zip(seen.cells[CELL_ID], seen.cells["rows"], strict=True))
    listed = [
        (
            f"{short(cell)} {COLUMNS[name].label.lower()}",
            f"{readings:,} readings, {percent(readings / rows[cell])}",
        )
        for readings, cell, name in by_signal
    ]
    text = (
        f"{sum(one[0] for one in by_signal):,} readings repeat a value for longer than chance allows while the "
        f"other cells moved, and were masked: {named(listed)}."
    )
    if record["longest_stuck"]:
        run = record["longest_stuck"][0]
        place = f"{short(run[CELL_ID])} {COLUMNS[run['column']].label.lower()}"
        when = (
            f" from {moment(run['from'])} to {moment(run['to'])} ({hours(run['hours'])})"
            if run["from"]
            else ""
        )
        text += (
            f" The longest run: {place}, {run['readings']:,} readings{when}. Check the sensor or its channel."
        )
    return [Finding("check", "Sensors that got stuck", text)]


def spikes(seen: PartQuality, record: Mapping[str, Any]) -> list[Finding]:
    """Name the signals with most spikes."""
    by_signal = _counts(seen, SPIKE)
    if not by_signal:
        return []
    total = sum(one[0] for one in by_signal)
    readings = sum(
        column["readings"] + column["reasons"].get(SPIKE, 0) for column in record["columns"].values()
    )
    listed = [
        (f"{short(cell)} {COLUMNS[name].label.lower()}", f"{count:,}") for count, cell, name in by_signal
    ]
    text = (
        f"{total:,} readings ({percent(total / max(readings, 1))}) stand out from the cell's own past and from its "
        f"string for one reading, and were masked. Most in {named(listed)}. A cell with many has a loose contact "
        "or a disturbed line."
    )
    return [Finding("note", "Spikes", text)]


def few_cells(seen: PartQuality) -> list[Finding]:
    """Say where no cell could be judged against its string."""
    few = seen.strings[seen.strings["cells"] < SMALLEST_CELLS]
    if few.empty:
        return []
    which = (
        "No string has"
        if len(few) == len(seen.strings)
        else f"{len(few):,} of {len(seen.strings):,} strings do not have"
    )
    text = (
        f"{which} three cells or more, so there a cell cannot be judged against its neighbours: spikes and stuck "
        "sensors were not looked for, and no deviation from the string is known."
    )
    return [Finding("note", "Cells without neighbours", text)]


def _counts(seen: PartQuality, reason: str) -> list[tuple[int, str, str]]:
    """Return (readings, cell, column) masked for a reason, most first."""
    found = seen.reasons[seen.reasons["reason"] == reason]
    rows = zip(found["readings"], found[CELL_ID], found["column"], strict=True)
    return sorted(
        ((int(n), str(cell), str(column)) for n, cell, column in rows), key=lambda one: (-one[0], *one[1:])
    )
