"""The quality report as one self-contained HTML page: what to look at first, then what came in, then pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bms_schema.data.columns import CELL_ID, COLUMNS
from bms_schema.run.page import bullets, figures, page, paragraph, picture, said, section, table
from bms_schema.run.wording import counted

from bms_preprocess.finding import hours, percent
from bms_preprocess.findings import SHOWN, find
from bms_preprocess.reasons import WORDS

SHOWN_CELLS, SHOWN_NOTES, SHOWN_RUNS = 20, 12, 8
STYLE = """
.card { border-left: 4px solid var(--mark); padding: 2px 0 2px 14px; margin: 0 0 16px; break-inside: avoid; }
.act { --mark: var(--bad); } .check { --mark: var(--care); } .note { --mark: var(--soft); }
.card p { margin: 0; }
.tag { color: var(--mark); font-size: 12px; font-weight: 700; text-transform: uppercase; letter-spacing: .04em;
  margin-right: 6px; }
"""
SEVERITY_WORDS = {"act": "act", "check": "check", "note": "to know"}


def quality_page(report: Mapping[str, Any], source: str, pictures: Sequence[tuple[str, Path]]) -> str:
    """Return the page.

    Args:
        report: A complete report (see `with_treatment`).
        source: What was read, for the title.
        pictures: (caption, PNG file) in the order shown; inlined.
    """
    header = f"<p class=brand>BMS-Flux · data quality</p><h1>{said(source, 120)}</h1>{_figures(report)}"
    shown = "".join(picture(caption, path.read_bytes()) for caption, path in pictures)
    cards = [
        section("What to look at", _look_at(report)),
        section("What came in", _came_in(report)),
        section("What was wrong", _wrong(report)),
        section("What was done", _done(report)),
        section("Pictures", shown or paragraph("There is nothing to draw.")),
        section("Cells, most missing first", _cells(report)),
    ]
    return page(f"Data quality: {source}", header, "".join(cards), STYLE)


def _figures(report: Mapping[str, Any]) -> str:
    names = {
        "rows": "rows",
        "cells": "cells",
        "strings": "strings",
        "readings_masked": "values that are no readings",
        "readings_blank": "blank readings",
        "readings_changed": "units or signs put right",
        "readings_imputed": "readings filled",
        "gaps": "gaps",
    }
    return figures({word: f"{report[key]:,}" for key, word in names.items()})


def _look_at(report: Mapping[str, Any]) -> str:
    findings = find(report)
    if not findings:
        return paragraph("Nothing stands out.")
    cards = "".join(
        f"<div class='card {found.severity}'><h3><span class=tag>{SEVERITY_WORDS[found.severity]}</span> "
        f"{said(found.title, 120)}</h3>{paragraph(found.sentence)}</div>"
        for found in findings[:SHOWN]
    )
    left = len(findings) - SHOWN
    return cards + (paragraph(f"{counted(left, 'more finding')} in report.json.") if left > 0 else "")


def _came_in(report: Mapping[str, Any]) -> str:
    time, chemistry = report["time"], report["chemistry"]
    span = "no time stamps"
    if time["start"]:
        step = f", usually every {hours(time['usual_step_s'] / 3600)}" if time["usual_step_s"] else ""
        span = (
            f"from {time['start'][:19]} to {time['end'][:19]}{step}".replace("T", " ")
            if time["dated"]
            else f"without dates{step}"
        )
    block = f", {chemistry['cells_per_block']} cells per block" if chemistry["cells_per_block"] > 1 else ""
    words = (
        f"{report['rows']:,} rows of {counted(report['cells'], 'cell')} in {counted(report['strings'], 'string')}, "
        f"{span}. Chemistry {chemistry['profile'].replace('_', ' ')}{block}: {chemistry['reason']}."
    )
    put_right = {found["note"] for found in report["corrections"]}  # said under "What was done"
    return paragraph(words) + _notes([note for note in report["notes"] if note not in put_right])


def _notes(texts: Sequence[str]) -> str:
    left = len(texts) - SHOWN_NOTES
    more = [f"and {left:,} more in report.json"] if left > 0 else []
    return bullets([*texts[:SHOWN_NOTES], *more])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _wrong(report: Mapping[str, Any]) -> str:
    silent = report["rows_without_any_cell_reading"]
    words = (
        f"{report['readings_masked']:,} values are no readings (sentinels, text, impossible values, spikes, stuck "
        f"sensors) and {report['readings_blank']:,} are blank; in {silent:,} rows "
        f"({percent(silent / max(report['rows'], 1))}) no sensor of the cell gave a reading. "
        f"{report['duplicate_rows']:,} rows repeat a time stamp, {report['backward_time_stamps']:,} go back in "
        f"time, {report['time']['rows_without_time']:,} have none. Gaps in time: {report['gaps']:,}."
    )
    columns = report["columns"]
    used = [reason for reason in WORDS if any(reason in found["reasons"] for found in columns.values())]
    head = [
        "column",
        "unit",
        "lowest",
        "median",
        "highest",
        "missing",
        *(WORDS[reason] for reason in used),
        "outliers",
    ]
    rows = [
        [
            COLUMNS[name].label,
            found["unit"],
            *(_number(found[key]) for key in ("lowest", "median", "highest")),
            percent(found["missing_share"]),
            *(f"{found['reasons'].get(reason, 0):,}" for reason in used),
            "–" if found["outliers"] is None else f"{found['outliers']:,}",
        ]
        for name, found in columns.items()
    ]
    note = paragraph(
        f"Lowest to highest: of what is left as a reading. Outlier: {report['outlier_rule']}; kept."
    )
    return paragraph(words) + table(head, rows, text_columns=2) + note + _stuck(report)


def _stuck(report: Mapping[str, Any]) -> str:
    runs = report["longest_stuck"]
    if not runs:
        return ""
    rows = [
        [
            run[CELL_ID],
            COLUMNS[run["column"]].label,
            _moment(run["from"]),
            _moment(run["to"]),
            _number(run["hours"]),
            f"{run['readings']:,}",
        ]
        for run in runs[:SHOWN_RUNS]
    ]
    head = ["cell", "column", "from", "to", "hours", "readings"]
    return paragraph("Longest runs of stuck readings:") + table(head, rows, text_columns=4)


def _moment(text: str | None) -> str:
    return "–" if text is None else text[:19].replace("T", " ")


def _done(report: Mapping[str, Any]) -> str:
    words = "No row was dropped. What is no reading became missing, with the reason in the column's flag. "
    filled = report["readings_imputed"]
    words += (
        f"{filled:,} readings were filled and flagged 'imputed': first by what physics gives (a string's cells "
        "share their current and their room), then by chained regressions (MICE) on the row's readings, the "
        "string's other cells and the cell's past. "
        if filled
        else "Nothing was filled in. "
    )
    leftovers = report["scaled_leftovers_filled_by_mean"]
    words += f"For the scaled table {leftovers:,} leftover gaps of readings and features took the mean."
    parts = [paragraph(words), _corrections(report)]
    checks = report["imputation_check"]
    if filled and not checks:
        parts.append(paragraph("Too few rows to check the filled readings."))
    elif checks:
        head = ["column", "unit", "filled", "hidden on purpose", "error (RMSE)", "error of the mean"]
        rows = [
            [
                COLUMNS[name].label,
                check["unit"],
                f"{report['imputed'].get(name, 0):,}",
                f"{check['hidden']:,}",
                _number(check["rmse"]),
                _number(check["mean_rmse"]),
            ]
            for name, check in checks.items()
        ]
        said_first = (
            "How far filled readings are from the truth, where known readings were hidden on purpose first:"
        )
        parts += [paragraph(said_first), table(head, rows, text_columns=2)]
    return "".join(parts)


def _corrections(report: Mapping[str, Any]) -> str:
    notes = [found["note"] for found in report["corrections"]]
    return _notes(notes) or paragraph("No unit and no sign was changed.")


def _cells(report: Mapping[str, Any]) -> str:
    cells, names = report["cell_table"], list(report["columns"])
    head = [
        "cell",
        "string",
        "rows",
        "silent",
        "masked",
        "outliers",
        *(f"{COLUMNS[name].label} missing" for name in names),
    ]
    rows = [
        [
            cell[CELL_ID],
            cell["string"],
            *(f"{cell[key]:,}" for key in ("rows", "silent", "masked", "outliers")),
            *(percent(cell["missing_share"][name]) for name in names),
        ]
        for cell in cells[:SHOWN_CELLS]
    ]
    more = report["cells"] - len(rows)
    note = paragraph(f"{more:,} more cells miss no more than these.") if more > 0 else ""
    return table(head, rows, text_columns=2) + note
