"""Findings on whole columns: absent, constant, in another unit, or with the wrong sign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from bms_schema.data.columns import AMBIENT, COLUMNS, CURRENT
from bms_schema.run.wording import counted

from bms_preprocess.finding import Finding, Severity, named, percent

if TYPE_CHECKING:
    from bms_preprocess.quality import PartQuality

FEWEST_STEPS, AGAINST_SHARE = 20, 0.75  # noise alone gives a half, and so many of 20 once in 150 files
FEWEST_READINGS = 50  # [U] fewer may well be equal by chance
MOST_DOUBTS = 3
MOSTLY = 0.5
# The planner's words for what it could not tell.
_LEFT = " left as "
DRIFT_SIGMAS, DRIFT_SHARE, APART_SHARE = (
    5.0,
    0.003,
    0.01,
)  # [U] of the total; a shunt divider is good to 0.5 %


def current_sign(seen: PartQuality) -> list[Finding]:
    """Say where the voltage goes against the current at its steps."""
    if "current_steps" not in seen.cells:
        return []
    by_string = seen.cells.groupby("string")[["current_steps", "against_current"]].agg(["sum", "max"])
    steps, against = by_string["current_steps", "sum"], by_string["against_current", "sum"]
    # All cells see the same steps: their number is that of one cell.
    wrong = (by_string["current_steps", "max"] >= FEWEST_STEPS) & (against > AGAINST_SHARE * steps)
    if not wrong.any():
        return []
    where = "" if wrong.all() else f" in {wrong.sum():,} of {len(wrong):,} strings"
    share, most = (
        against[wrong].sum() / steps[wrong].sum(),
        int(by_string["current_steps", "max"][wrong].max()),
    )
    text = (
        f"At settled steps of the current the voltage went the other way{where}: in {percent(share)} of the cell "
        f"readings across them (up to {most:,} steps per cell). Charge must be positive here. Nothing was changed: "
        "if the file counts discharge as positive, multiply the current by -1 and run again; until then power, "
        "charge and resistance have the wrong sign or are missing."
    )
    return [Finding("check", "The sign of the current seems reversed", text)]


def units(record: Mapping[str, Any]) -> list[Finding]:
    """Name what was put right in units and signs, and what looked odd and was left."""
    found = []
    put_right = [
        f"{COLUMNS[one['column']].label} "
        + (f"from {one['how']}" if one["what"] == "unit" else f"got minus signs back ({one['how']})")
        + f", {counted(one['readings'], 'reading')}"
        for one in record["corrections"]
    ]
    if put_right:
        text = f"{'; '.join(put_right)}. The evidence stands under 'What was done', a flag at every such reading."
        found.append(Finding("check", "Units or signs put right", text))
    doubts = [note for note in record["notes"] if _LEFT in note]
    if doubts:
        found.append(Finding("check", "Units or signs in doubt", f"{'. '.join(doubts[:MOST_DOUBTS])}."))
    return found


def sparse(record: Mapping[str, Any]) -> list[Finding]:
    """Name the columns of which most rows have no reading."""
    few = [
        f"{COLUMNS[name].label} ({percent(column['missing_share'])})"
        for name, column in record["columns"].items()
        if column["readings"] and column["missing_share"] > MOSTLY
    ]
    if not few:
        return []
    text = (
        f"{', '.join(few)}: share of the rows without a reading. Where a signal is logged on rows of its own, most "
        "rows lack it by design."
    )
    return [Finding("note", "Columns that are mostly blank", text)]


def string_total(seen: PartQuality) -> list[Finding]:
    """Say where the string's total voltage and the sum of its cells part."""
    if "remainder" not in seen.strings:
        return []
    strings = seen.strings.dropna(subset=["remainder"])
    drift = (strings["remainder_last"] - strings["remainder_first"]).abs()
    limit = np.maximum(DRIFT_SIGMAS * strings["remainder_sigma"], DRIFT_SHARE * strings["total"])
    found = []
    drifting = strings[drift > limit]
    if len(drifting):
        listed = [
            (name or "the only string", f"{first:+.3g} to {last:+.3g} V at {total:.4g} V")
            for name, first, last, total in drifting[
                ["string", "remainder_first", "remainder_last", "total"]
            ].itertuples(index=False)
        ]
        text = (
            f"{named(listed)}: total minus sum of the cells, first and last fifth of the record. Cells that age "
            "change both alike: a remainder that moves is a sensor."
        )
        found.append(Finding("check", "String voltage drifts from the sum of its cells", text))
    apart = strings[strings["remainder"].abs() > APART_SHARE * strings["total"]]
    if len(apart):
        listed = [
            (name or "the only string", f"{remainder:+.3g} of {total:.4g} V")
            for name, remainder, total in apart[["string", "remainder", "total"]].itertuples(index=False)
        ]
        text = f"{named(listed)}: total minus sum of the cells, as from a cell that is not logged or another unit."
        found.append(Finding("check", "String voltage is not the sum of its cells", text))
    return found


def never_measured(record: Mapping[str, Any]) -> list[Finding]:
    """Name the columns without one reading."""
    empty = [COLUMNS[name].label for name, column in record["columns"].items() if not column["readings"]]
    if not empty:
        return []
    return [Finding("note", "Never measured", f"{', '.join(empty)}: the column holds no reading at all.")]


def ambient(record: Mapping[str, Any]) -> list[Finding]:
    """Say what is lost without an ambient temperature."""
    if AMBIENT in record["columns"]:
        return []
    text = (
        "The table has no ambient temperature: whether a cell is warmer than its room, the first sign of thermal "
        "runaway, cannot be told."
    )
    return [Finding("note", "No ambient temperature", text)]


def constant(record: Mapping[str, Any]) -> list[Finding]:
    """Name the columns whose readings are all equal."""
    same = [
        f"{COLUMNS[name].label} ({column['lowest']:g} {column['unit']}".rstrip()
        + f" in all {column['readings']:,} readings)"
        for name, column in record["columns"].items()
        if column["readings"] >= FEWEST_READINGS and column["lowest"] == column["highest"]
    ]
    if not same:
        return []
    text = f"{', '.join(same)}: not fitted, a default, or a resolution too coarse to show a change."
    severity: Severity = "check" if any(COLUMNS[CURRENT].label in one for one in same) else "note"
    return [Finding(severity, "Columns that never change", text)]
