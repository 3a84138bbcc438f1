"""The report page: one self-contained HTML file, pictures inside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bms_schema.data.columns import CELL_ID, STRING
from bms_schema.run.page import bullets, figures, page, paragraph, picture, said, section, table
from bms_schema.run.wording import counted

from bms_failure.evaluation import METHODS
from bms_failure.pictures import HELD_OUT, Picture
from bms_failure.results import FailureData
from bms_failure.scoring import REASON_COLUMNS, Ranking

MOST_ROWS, MOST_CARDS, MOST_NAMED = 30, 12, 200
_STYLE = """
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(310px, 1fr)); gap: 14px; }
.card { border-left: 4px solid var(--bad); padding: 2px 0 2px 14px; break-inside: avoid; }
.card ul { font-size: 13.5px; } .card p { margin: 0 0 4px; }
.risk { color: var(--bad); font-weight: 700; }
"""
_METHOD_WORDS = {
    "classifier": f"Risks come from a trained classifier and are calibrated on {HELD_OUT} it had not seen.",
    "baseline": f"A simple ranking, calibrated alike, beat the classifier on {HELD_OUT} it had not seen.",
    "indicators": "No labels and no fitting model: a ranking by physical indicators. The score is no probability.",
}
_EXPECTED = (
    "Expected to last: half of such cells have died after the first number of days; one in ten died before the "
    "interval begins, one in ten outlives it."
)
_ELSEWHERE = "All cells, and all their reasons, stand in the table beside this page."


@dataclass(frozen=True)
class ReportContent:
    """What the page shows.

    Args:
        summary: Who is failing and why this method answers.
        data: The tool's result.
        ranking: Living cells, worst first.
        dead: All cells that are dead at the end.
        cells: Pictures of cells.
        evidence: Pictures of the evidence.
        record: From `evidence_record`; None where nothing was trained.
        notes: What was found and decided, in words.
        files: Names of the files beside the page.
    """

    summary: str
    data: FailureData
    ranking: Ranking
    dead: Sequence[str]
    cells: Sequence[Picture]
    evidence: Sequence[Picture] = ()
    record: dict[str, Any] | None = None
    notes: Sequence[str] = ()
    files: Sequence[str] = field(default=())


def write_report(path: Path, content: ReportContent) -> None:
    """Write the page."""
    data = content.data
    suspects = "The alert list" if content.ranking.horizons else "Suspicious cells"
    cells, evidence = (
        "".join(picture(item.caption, item.path.read_bytes()) for item in shown)
        for shown in (content.cells, content.evidence)
    )
    title = "Cells likely to die"
    header = f"<p class=brand>BMS-Flux · failure prediction</p><h1>{title}</h1>{figures(_headline(content))}"
    cards = [
        section("In short", paragraph(content.summary), paragraph(_METHOD_WORDS[data.method], soft=True)),
        section(suspects, _cards(content)),
        section("The riskiest cells", cells),
        section("How far to trust it", bullets(data.in_words), evidence, _evidence(content.record)),
        section(_ranking_title(content.ranking), _ranking(content.ranking)),
        section(f"Already dead ({len(content.dead)})", _dead(content.dead)) if content.dead else "",
        section("Notes", bullets(content.notes)),
        section(
            "Files", "".join(f"<p><a href='{said(name)}'>{said(name)}</a></p>" for name in content.files)
        ),
    ]
    path.write_text(page(title, header, "".join(cards), _STYLE), encoding="utf-8")


def _headline(content: ReportContent) -> dict[str, str]:
    """Return the large figures at the top."""
    data = content.data
    shown = {
        "living cells": f"{data.cells - data.dead_total:,}",
        "on the alert list" if content.ranking.horizons else "suspicious": f"{data.failing_total:,}",
        "already dead": f"{data.dead_total:,}",
        "method": data.method,
    }
    if content.ranking.days is not None:
        shown["risk is for"] = counted(content.ranking.days, "day")
    if data.metrics is not None:
        used = data.metrics.methods[data.metrics.chosen]
        shown |= {
            "deaths learnt from": f"{data.metrics.deaths:,}",
            "deaths caught": _percent(used.event_recall),
            "alerts right": _percent(used.event_precision),
            "days ahead (median)": "–" if used.lead_days_median is None else f"{used.lead_days_median:.0f}",
        }
    return shown


def _cards(content: ReportContent) -> str:
    """Return a card per cell that needs a look: its risk, its outlook, its reasons."""
    rows = content.ranking.table
    listed = rows[rows["failing"]]
    if listed.empty:
        return paragraph("No cell needs a look now.")
    cards = []
    for position, row in listed.head(MOST_CARDS).iterrows():
        value = (
            f"{_percent(row['risk'])} within {content.ranking.days} d"
            if content.ranking.horizons
            else f"score {row['indicator_score']:.2f}"
        )
        outlook = f"expected to last {row['expected']}" if row["expected"] else ""
        reasons = bullets(content.ranking.reasons[int(str(position))])
        cards.append(
            f"<div class=card><h3>{said(row[CELL_ID], 80)} <span class=risk>{said(value)}</span></h3>"
            f"{paragraph(outlook, soft=True)}{reasons}</div>"
        )
    left = len(listed) - len(cards)
    more = paragraph(f"and {left:,} more in the table of all cells", soft=True) if left > 0 else ""
    return f"<div class=cards>{''.join(cards)}</div>{more}"


def _ranking_title(ranking: Ranking) -> str:
    shown = min(len(ranking.table), MOST_ROWS)
    return f"All cells, worst first ({shown} of {len(ranking.table):,})" if shown else "All cells"


def _ranking(ranking: Ranking) -> str:
    shown = ranking.table.head(MOST_ROWS)
    names = {f"within {days} d": f"risk_{days}d" for days in ranking.horizons} or {"Score": "indicator_score"}
    if ranking.days is not None and ranking.days not in ranking.horizons:
        names = {f"within {ranking.days} d": "risk"} | names
    write = _percent if ranking.horizons else _number
    extra = ["Expected to last"] if ranking.horizons else []
    rows = [
        [
            str(row["rank"]),
            str(row[CELL_ID]),
            str(row[STRING]),
            *([row["expected"]] if ranking.horizons else []),
            tuple(row[name] for name in REASON_COLUMNS[: None if row["failing"] else 1] if row[name]),
            *(write(row[name]) for name in names.values()),
        ]
        for row in shown.to_dict("records")
    ]
    head = ["Rank", "Cell", "String", *extra, "Reasons", *names]
    marked = [place for place, failing in enumerate(shown["failing"]) if failing]
    note = paragraph(f"{_EXPECTED} {_ELSEWHERE}" if ranking.horizons else _ELSEWHERE, soft=True)
    return (
        table(head, rows, text_columns=len(head) - len(names), wide=head.index("Reasons"), marked=marked)
        + note
    )


def _evidence(record: dict[str, Any] | None) -> str:
    """Return the figures of every method at every horizon."""
    if record is None:
        return ""
    head = [
        "Horizon", "Method", "AUROC (95 %)", "Brier skill (95 %)", "Calibration error", "Slope",
        "Balanced accuracy", "Deaths caught (95 %)", "Alerts right (95 %)", "Days ahead", "Alerts a week",
    ]  # fmt: skip
    rows: list[list[str]] = []
    marked: list[int] = []
    for name, horizon in record["horizons"].items():
        for method, found in horizon["methods"].items():
            if name == f"{record['judged_days']} days" and method == record["chosen"]:
                marked.append(len(rows))
            first = "" if rows and method != METHODS[0] else name
            rows.append([first, method.replace("_", " "), *_figures_of(found)])
    split = record["split"]
    note = (
        f"Marked: what the alert list stands on. {split[0].upper()}{split[1:]}. Intervals draw whole "
        "strings (cells where there are few strings) with replacement; alerts are per 1,000 cells."
    )
    return table(head, rows, text_columns=2, marked=marked) + paragraph(note, soft=True)


def _figures_of(found: dict[str, Any]) -> list[str]:
    events = found["events"]
    return [
        _with_interval(found, "auroc", _number),
        _with_interval(found, "brier_skill", _number),
        "–" if found["ece"] is None else f"{found['ece']:.3f}",
        _number(found["calibration_slope"]),
        _number(found["balanced_accuracy"]),
        _with_interval(events, "recall", _percent),
        _with_interval(events, "precision", _percent),
        "–" if events["lead_days_median"] is None else f"{events['lead_days_median']:.1f}",
        "–" if not events["alerts"] else f"{events['per_week']:.1f}",
    ]


def _with_interval(found: dict[str, Any], name: str, write: Callable[[float | None], str]) -> str:
    ends = [found.get(f"{name}_{side}95") for side in ("lo", "hi")]
    if None in ends:
        return write(found[name])
    low, high = (write(end).removesuffix(" %") for end in ends)
    return f"{write(found[name])} ({low} to {high})"


def _dead(dead: Sequence[str]) -> str:
    left = f" and {len(dead) - MOST_NAMED:,} more" if len(dead) > MOST_NAMED else ""
    return paragraph(", ".join(dead[:MOST_NAMED]) + left)


def _number(value: float | None) -> str:
    return "–" if value is None or value != value else f"{round(value, 2) + 0.0:.2f}"  # no "-0.00"


def _percent(value: float | None) -> str:
    return "–" if value is None or value != value else f"{100 * value:.0f} %"
