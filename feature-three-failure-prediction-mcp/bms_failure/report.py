"""The report page: one self-contained HTML file, pictures inside."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd
from bms_schema.data.columns import CELL_ID, STRING
from bms_schema.run.plot_theme import embedded

from bms_failure.results import FailureData, FailureMetrics, MethodMetrics
from bms_failure.scoring import REASON_COLUMNS

MOST_ROWS = 30
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;width:100%;font-size:13px;margin:.5rem 0 1.5rem}"
    "th,td{border-bottom:1px solid #ddd;padding:.3rem .5rem;text-align:left;vertical-align:top}"
    "tr.failing{background:#fbe9e0}img{max-width:100%}.note{color:#555}"
)
_METHOD_WORDS = {
    "classifier": "Risks come from a trained classifier and are calibrated out of fold.",
    "baseline": "A simple ranking beat the classifier out of fold, so it is used, calibrated out of fold.",
    "indicators": "No labels and no fitting model: a ranking by physical indicators. The score is no probability.",
}


def write_report(
    path: Path,
    *,
    message: str,
    data: FailureData,
    table: pd.DataFrame,
    dead: Sequence[str],
    pictures: Sequence[Path],
    notes: Sequence[str],
) -> None:
    """Write the page.

    Args:
        path: Where to.
        message: The tool's message.
        data: The tool's result.
        table: Ranked cells from `Ranking`.
        dead: All cells that are dead at the end.
        pictures: PNG files, shown in this order.
        notes: What was found and decided, in words.
    """  # fmt: skip
    parts = [
        f"<h1>Cells likely to die</h1><p>{escape(message)}</p><p class=note>{_METHOD_WORDS[data.method]}</p>"
    ]
    parts += [f'<img alt="{escape(item.stem)}" src="{embedded(item.read_bytes())}">' for item in pictures]
    parts.append(
        f"<h2>Ranking{f' (worst {MOST_ROWS})' if len(table) > MOST_ROWS else ''}</h2>{_ranking(table)}"
    )
    if dead:
        parts.append(f"<h2>Already dead ({len(dead)})</h2><p>{escape(', '.join(dead))}</p>")
    if data.metrics is not None:
        parts.append(
            f"<h2>Evidence</h2><p class=note>{escape(data.metrics.split)}</p>{_evidence(data.metrics)}"
        )
    parts.append("<h2>Notes</h2><ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>")
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Cells likely to die</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )
    path.write_text(page, encoding="utf-8")


def _ranking(table: pd.DataFrame) -> str:
    has_risk = table["risk"].notna().any()
    column, heading = ("risk", "Risk") if has_risk else ("indicator_score", "Indicator score")
    rows = [
        f"<tr{' class=failing' if row['failing'] else ''}><td>{row['rank']}<td>{escape(str(row[CELL_ID]))}"
        f"<td>{escape(str(row[STRING]))}<td>{row[column]:.3f}"
        f"<td>{'<br>'.join(escape(row[name]) for name in REASON_COLUMNS if row[name])}</tr>"
        for row in table.head(MOST_ROWS).to_dict("records")
    ]
    return f"<table><tr><th>Rank<th>Cell<th>String<th>{heading}<th>Reasons</tr>{''.join(rows)}</table>"


def _evidence(metrics: FailureMetrics) -> str:
    head = "<tr><th>Method<th>AUROC (95 %)<th>AP<th>Brier<th>Deaths caught<th>Alerts right<th>Median lead [d]</tr>"
    chosen = metrics.chosen
    rows = [
        f"<tr{' class=failing' if name == chosen else ''}><td>{name.replace('_', ' ')}{_cells(item)}</tr>"
        for name, item in metrics.methods.items()
    ]
    return f"<table>{head}{''.join(rows)}</table><p class=note>Marked: the method used.</p>"


def _cells(item: MethodMetrics) -> str:
    interval = f"{_number(item.auroc)} ({_number(item.auroc_lo95)}–{_number(item.auroc_hi95)})"
    rest = (
        item.average_precision,
        item.brier,
        item.event_recall,
        item.event_precision,
        item.lead_days_median,
    )
    return f"<td>{interval}" + "".join(f"<td>{_number(value)}" for value in rest)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
