"""The quality report as one self-contained HTML page: words first, then pictures, then tables."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from bms_schema.data.columns import CELL_ID, COLUMNS
from bms_schema.run.plot_theme import embedded
from bms_schema.run.wording import counted

from bms_preprocess.findings import find
from bms_preprocess.page_style import STYLE
from bms_preprocess.plots import REASON_WORDS

SHOWN_CELLS = 20
HEAD = "<meta charset=utf-8><meta name=viewport content='width=device-width, initial-scale=1'>"


def quality_page(report: Mapping[str, Any], source: str, pictures: Sequence[tuple[str, Path]]) -> str:
    """Return the page.

    Args:
        report: A complete report (see `with_treatment`).
        source: What was read, for the title.
        pictures: (caption, PNG file) in the order shown; inlined.
    """
    body = "\n".join(
        [
            f"<header><p class=brand>BMS-Flux · data quality</p><h1>{escape(source)}</h1>",
            f"{_figures(report)}</header><main>",
            _section("What came in", _came_in(report)),
            _section("What was wrong", _wrong(report)),
            _section("What was done", _done(report)),
            _section("What to look at", _look_at(report)),
            _section("Pictures", "".join(_picture(caption, path) for caption, path in pictures)),
            _section("Cells, most missing first", _cells(report)),
            "</main>",
        ]
    )
    title = f"<title>Data quality: {escape(source)}</title>"
    head = f"<head>{HEAD}{title}<style>{STYLE}</style></head>"
    return f"<!doctype html><html lang=en>{head}<body>{body}</body></html>"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _figures(report: Mapping[str, Any]) -> str:
    names = {
        "rows": "rows",
        "cells": "cells",
        "strings": "strings",
        "readings_masked": "readings that were none",
        "readings_blank": "blank readings",
        "readings_imputed": "readings filled",
        "gaps": "gaps",
        "outliers": "outliers",
    }
    items = "".join(
        f"<div><dd>{report[key]:,}</dd><dt>{escape(word)}</dt></div>" for key, word in names.items()
    )
    return f"<dl class=figures>{items}</dl>"


def _came_in(report: Mapping[str, Any]) -> str:
    time, chemistry = report["time"], report["chemistry"]
    span = "no time stamps"
    if time["start"]:
        span = f"from {time['start']} to {time['end']}, usually every {_duration(time['usual_step_s'])}"
    block = f", {chemistry['cells_per_block']} cells per block" if chemistry["cells_per_block"] > 1 else ""
    words = (
        f"{report['rows']:,} rows of {counted(report['cells'], 'cell')} in {counted(report['strings'], 'string')}, "
        f"{span}. Chemistry {chemistry['profile'].replace('_', ' ')}{block}: {chemistry['reason']}."
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in report["notes"])
    return _paragraph(words) + f"<ul>{notes}</ul>"


def _wrong(report: Mapping[str, Any]) -> str:
    silent = report["rows_without_any_cell_reading"]
    words = (
        f"{report['readings_masked']:,} values were no readings (sentinels, impossible values, text) and "
        f"{report['readings_blank']:,} were blank; in {silent:,} rows ({silent / report['rows']:.1%}) no sensor of "
        f"the cell answered. {report['duplicate_rows']:,} rows repeat a time stamp, "
        f"{report['backward_time_stamps']:,} go back in time, {report['time']['rows_without_time']:,} have none. "
        f"Gaps in time: {report['gaps']:,}."
    )
    used = [
        reason for reason in REASON_WORDS if any(reason in c["reasons"] for c in report["columns"].values())
    ]
    head = [
        "column",
        "unit",
        "lowest",
        "median",
        "highest",
        "missing",
        *(REASON_WORDS[reason] for reason in used),
        "outliers",
    ]
    rows = [
        [
            COLUMNS[name].label,
            found["unit"],
            *(_number(found[key]) for key in ("lowest", "median", "highest")),
            f"{found['missing_share']:.1%}",
            *(f"{found['reasons'].get(reason, 0):,}" for reason in used),
            "–" if found["outliers"] is None else f"{found['outliers']:,}",
        ]
        for name, found in report["columns"].items()
    ]
    return (
        _paragraph(words)
        + _table(head, rows, text_columns=2)
        + _paragraph(f"Outlier: {report['outlier_rule']}.")
    )


def _done(report: Mapping[str, Any]) -> str:
    words = (
        "No row was dropped. What is no reading became missing, with the reason in the column's flag. "
        f"{report['readings_imputed']:,} readings were filled and flagged 'imputed': signals that a string's cells "
        "share (current, ambient temperature) from its other cells, the rest by chained regressions (MICE) on the "
        "row's readings, the string's other cells and the cell's past. For the scaled table "
        f"{report['scaled_leftovers_filled_by_mean']:,} leftover gaps of readings and features took the mean."
    )
    checks = report["imputation_check"]
    if not checks:
        return _paragraph(words) + _paragraph("Too few rows to check the filled readings.")
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
    said = (
        "How far filled readings are from the truth, on 5 % of the rows whose readings were all hidden first:"
    )
    return _paragraph(words) + _paragraph(said) + _table(head, rows, text_columns=2)


def _look_at(report: Mapping[str, Any]) -> str:
    findings = find(report)
    if not findings:
        return _paragraph("Nothing stands out.")
    return "".join(
        f"<div class=card><h3>{escape(title)}</h3>{_paragraph(text)}</div>" for title, text in findings
    )


def _cells(report: Mapping[str, Any]) -> str:
    cells = report["cell_table"]
    names = list(report["columns"])
    head = [
        "cell",
        "string",
        "rows",
        *(COLUMNS[name].label for name in names),
        "masked",
        "outliers",
        "outside float",
        "repeated",
    ]
    rows = [
        [
            cell[CELL_ID],
            cell["string"],
            f"{cell['rows']:,}",
            *(f"{cell['missing_share'][name]:.1%}" for name in names),
            *(f"{cell[key]:,}" for key in ("masked", "outliers", "outside_float", "duplicates")),
        ]
        for cell in cells[:SHOWN_CELLS]
    ]
    rest = len(cells) - len(rows)
    more = _paragraph(f"{rest:,} more cells stand in the JSON report.") if rest > 0 else ""
    return (
        _paragraph("Share of rows without a reading, per column, and counts.")
        + _table(head, rows, text_columns=2)
        + more
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=number' if place >= text_columns else ''}>{escape(text)}</{tag}>"
            for place, text in enumerate(cells)
        )

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<div class=scroll><table><thead><tr>{line(head, 'th')}</tr></thead><tbody>{body}</tbody></table></div>"


def _picture(caption: str, path: Path) -> str:
    text, source = escape(caption), embedded(path.read_bytes())
    return f"<figure><img alt='{text}' src='{source}'><figcaption>{text}</figcaption></figure>"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
