"""Findings on cells: beyond a limit, outside the float window, silent, far from their string."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from bms_schema.data.columns import CELL_ID, COLUMNS, TEMPERATURE, VOLTAGE
from bms_schema.run.wording import counted

from bms_preprocess.cell_facts import DEVIATIONS, OUTLIER_Z
from bms_preprocess.finding import Finding, Severity, moment, named, percent
from bms_preprocess.limits_crossed import LIMITS, LOW_ON_FLOAT

if TYPE_CHECKING:
    from bms_preprocess.quality import PartQuality

SILENT_SHARE = 0.2  # [U] a cell that leaves out every fifth reading has a wiring or sensor fault
OUTSIDE_SHARE = 0.2  # [U] of the readings on charge
FEWEST_CROSSED = 3  # [U] fewer may be a glitch
FAR_SHARE, LONG_RUN, FEWEST_JUDGED = 0.05, 12, 20  # [U] one reading in twenty, and many in a row
MANY_CELLS = 0.5


def limits(seen: PartQuality, record: Mapping[str, Any]) -> list[Finding]:
    """Name the cells that crossed a limit of the field."""
    found = []
    for key, limit in LIMITS.items():
        crossed = seen.limits[seen.limits["limit"] == key]
        if key == LOW_ON_FLOAT.key:  # a cell is low on float when it stays low
            crossed = _staying_low(crossed, seen.cells)
        if crossed.empty:
            continue
        crossed = crossed.sort_values(["readings", CELL_ID], ascending=[False, True], kind="stable")
        cells = [
            (
                row[CELL_ID],
                f"{counted(row['readings'], 'reading')}, {limit.worst_word} {row['worst']:.4g} {limit.unit}",
            )
            for row in crossed.head(5).to_dict("records")
        ]
        since = f" First at {moment(crossed['first'].min())}." if record["time"]["dated"] else ""
        text = f"{named(cells, len(crossed))}: {limit.words}.{since} Rule: {limit.source}."
        severity: Severity = "act" if crossed["readings"].max() >= FEWEST_CROSSED else "check"
        found.append(Finding(severity, limit.title, text))
    return found


def float_window(seen: PartQuality, record: Mapping[str, Any]) -> list[Finding]:
    """Say how strings and cells stand to the float window, where they are being charged."""
    window = record["float_window"]
    if not window or not window["readings"]:
        return []
    found, cells = [], seen.cells
    span = f"{window['low_v']:g} to {window['high_v']:g} V"
    of = max(window["readings"], 1)
    above, below = window["above"] / of, window["below"] / of
    if max(above, below) > OUTSIDE_SHARE:
        told = []
        if above > OUTSIDE_SHARE:
            told.append(
                f"above it in {percent(above)}: right while boosting or equalising, on float it dries cells out"
            )
        if below > OUTSIDE_SHARE:
            told.append(
                f"below it in {percent(below)}: at rest after a charge, or float set too low, which sulphates"
            )
        text = (
            f"The float window is {span} at 25 °C ({window['source']}; 3 mV per 2 V cell less for each °C above). "
            f"Of {window['readings']:,} {window['rule']}, the median lies {'; '.join(told)}. Compare with the "
            "charger's set point."
        )
        found.append(Finding("check", "String voltage outside the float window", text))
    outside = cells["cell_below"] + cells["cell_above"]
    on_float = _on_float(cells)
    share = (outside / on_float.where(on_float >= FEWEST_JUDGED)).fillna(0.0)
    telling = share[share > OUTSIDE_SHARE].sort_values(ascending=False, kind="stable")
    if len(telling):
        low = cells["cell_below"] >= cells["cell_above"]
        listed = [
            (cells.loc[at, CELL_ID], f"{percent(share[at])}, {'low' if low[at] else 'high'}")
            for at in telling.index
        ]
        text = (
            f"{named(listed)}: share of the readings outside {span} (compensated for temperature) while the median "
            "of the string is inside."
        )
        found.append(Finding("check", "Cells outside the float window while their string is inside", text))
    return found


def _staying_low(crossed: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    if crossed.empty:
        return crossed
    on_float = crossed[CELL_ID].map(_on_float(cells).set_axis(cells[CELL_ID]))
    return crossed[crossed["readings"] > FAR_SHARE * on_float.where(on_float >= FEWEST_JUDGED)]


def _on_float(cells: pd.DataFrame) -> pd.Series:
    """Return the readings of each cell while its string's median is inside the float window."""
    return cells["on_charge"] - cells["string_below"] - cells["string_above"]


def silent(seen: PartQuality) -> list[Finding]:
    """Name the cells of which no sensor answers in a fifth of the rows or more."""
    cells = seen.cells
    share = cells["silent"] / cells["rows"]
    worst = share[share >= SILENT_SHARE].sort_values(ascending=False, kind="stable")
    if worst.empty:
        return []
    if len(worst) > MANY_CELLS * len(cells) and len(cells) > 1:
        shares = f"{percent(worst.min())} to {percent(worst.max())} of their rows"
        listed = f"{len(worst):,} of {len(cells):,} cells, {shares}"
        text = (
            f"{listed}: no sensor of the cell gave a reading. So many cells suggest the data link, or an "
            "export that writes rows without readings, rather than single probes."
        )
    else:
        listed = named([(cells.loc[at, CELL_ID], percent(share[at])) for at in worst.index])
        text = (
            f"{listed}: share of rows in which no sensor of the cell gave a reading. Check the probe and its "
            "wiring; a dead sensor is not a dead cell."
        )
    return [Finding("check", "Cells that often do not answer", text)]


def deviating(seen: PartQuality) -> list[Finding]:
    """Name the cells that stay far from the median of their string, signal by signal."""
    found, cells = [], seen.cells
    for name in DEVIATIONS:
        if f"judged {name}" not in cells:
            continue
        telling = far_shares(cells, name)
        telling = telling[persistent(cells, name)].sort_values(ascending=False, kind="stable")
        if telling.empty:
            continue
        listed = [
            (cell, f"{percent(share)}, {_offset(name, distance)}")
            for cell, share, distance in zip(
                cells.loc[telling.index, CELL_ID],
                telling,
                cells.loc[telling.index, f"far deviation {name}"],
                strict=True,
            )
        ]
        text = (
            f"{named(listed)}: share of the readings more than {OUTLIER_Z:g} robust sigmas from the string's "
            f"median at the same moment, at least {LONG_RUN} in a row, and the usual distance then. They were "
            "kept: whether the cell or its sensor is ill is for anomaly detection to judge."
        )
        if name == TEMPERATURE:
            text += " A place in a warm or cold corner does the same."
        severity: Severity = "check" if name == VOLTAGE else "note"
        found.append(Finding(severity, f"{COLUMNS[name].label} far from the string", text))
    return found


def persistent(cells: pd.DataFrame, name: str) -> pd.Series:
    """Return which cells stay far from their string: often, and long without a break, as chance does not."""
    return (far_shares(cells, name) > FAR_SHARE) & (cells[f"far run {name}"] >= LONG_RUN)


def far_shares(cells: pd.DataFrame, name: str) -> pd.Series:
    """Return the share of each cell's readings beyond six robust sigmas, 0 with too few to tell."""
    judged = cells[f"judged {name}"]
    return (cells[f"far {name}"] / judged.where(judged >= FEWEST_JUDGED)).fillna(0.0)


def _offset(name: str, value: float) -> str:
    """Say a deviation in the unit that suits it."""
    if name == VOLTAGE and abs(value) < 1.0:
        return f"{value * 1000:+.3g} mV"
    return f"{value:+.3g} {COLUMNS[name].unit}".rstrip()


def zeros(seen: PartQuality, record: Mapping[str, Any]) -> list[Finding]:
    """Point to voltages of exactly zero where the others are far from it."""
    cells, median = seen.cells, record["columns"][VOLTAGE]["median"]
    total = int(cells["zeros"].sum())
    if not total or median is None or median < 1.5:
        return []
    worst = cells[cells["zeros"] > 0].sort_values(["zeros", CELL_ID], ascending=[False, True], kind="stable")
    listed = [(row[CELL_ID], f"{row['zeros']:,}") for row in worst.head(5).to_dict("records")]
    text = (
        f"{counted(total, 'reading')} of exactly 0 V, where the median is {median:.4g} V: "
        f"{named(listed, len(worst))}. "
        "A register that drops out reads so, a shorted cell does not stay there so exactly. Kept as read."
    )
    return [Finding("check", "Voltages of exactly zero", text)]
