"""The report: one self-contained HTML file that works with any subset of stages and keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bms_driver.findings import Finding, findings
from bms_driver.html_parts import (
    MAX_LISTED,
    brief,
    bullets,
    figures,
    label,
    link,
    nested,
    picture,
    sentences,
    table,
    tag,
    text,
)
from bms_driver.report_style import STYLE
from bms_driver.result import Results, StageResult, overall_status
from bms_driver.tables import head

TITLES = {
    "simulate": "Simulated fleet",
    "preprocess": "Cleaning and features",
    "generate": "Synthetic twin",
    "evaluate": "Quality of the synthetic twin",
    "visualize": "Real against synthetic",
    "anomaly": "Anomalies",
    "anomaly_3d": "Anomalies in three dimensions",
    "forecast": "Forecast",
    "failure": "Cells likely to fail",
}


@dataclass(frozen=True)
class Run:
    """What a report tells about."""

    results: Results
    data_path: str | None
    out: Path
    begun: datetime
    ended: datetime


def report_html(run: Run) -> str:
    """Return the page; it loads nothing, pictures are inlined and files are linked."""
    body = [_header(run), tag("main", _first(run), _overview(run), *_sections(run)), _footer()]
    top = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    page_head = tag("head", top, tag("title", "BMS-Flux report"), tag("style", STYLE))
    return "<!DOCTYPE html>\n" + tag("html", page_head, tag("body", *body), lang="en") + "\n"


def _header(run: Run) -> str:
    status = overall_status(run.results)
    ran = [result for result in run.results.values() if result.status != "skipped"]
    fine = sum(result.status == "success" for result in ran)
    verdict = f"{fine} of {len(ran)} stages succeeded"
    return tag(
        "header",
        tag("p", "BMS-Flux", class_="brand"),
        tag("h1", "Battery report"),
        tag("p", tag("span", text(verdict), class_=f"verdict {status}")),
        figures(
            {
                "data": run.data_path or "none",
                "finished": f"{run.ended:%Y-%m-%d %H:%M} UTC",
                "took": f"{(run.ended - run.begun).total_seconds():.0f} s",
            }
        ),
    )


def _first(run: Run) -> str:
    cards = [_card(finding) for finding in findings(run.results)]
    nothing = tag("p", "No stage left a result to look at.")
    return tag("section", tag("h2", "What to look at first"), *(cards or [nothing]), id="first")


def _card(finding: Finding) -> str:
    return tag(
        "article",
        tag("h3", text(finding.title)),
        tag("p", text(finding.sentence)) if finding.sentence else "",
        bullets(list(finding.remarks)),
        table(finding.table) if finding.table else "",
        tag("p", tag("a", "details", href=f"#{finding.stage}"), class_="more"),
        class_=f"card {finding.tone}",
    )


def _overview(run: Run) -> str:
    rows = [
        tag(
            "tr",
            tag("th", _to_section(name, result), scope="row"),
            tag("td", tag("span", result.status, class_=f"pill {result.status}")),
            tag("td", f"{result.seconds:.1f}", class_="number"),
            tag("td", text(result.message)),
        )
        for name, result in run.results.items()
    ]
    names = ("stage", "status", "seconds", "message")
    header = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    content = tag("div", tag("table", header, tag("tbody", *rows)), class_="scroll")
    return tag("section", tag("h2", "Stages"), content, id="stages")


def _to_section(name: str, result: StageResult) -> str:
    return text(name) if result.status == "skipped" else tag("a", text(name), href=f"#{name}")


def _sections(run: Run) -> list[str]:
    ran = {name: result for name, result in run.results.items() if result.status != "skipped"}
    return [_section(name, result, run.out) for name, result in ran.items()]


def _section(name: str, result: StageResult, out: Path) -> str:
    data = result.data or {}
    pill = tag("span", result.status, class_=f"pill {result.status}")
    title = tag("h2", text(TITLES.get(name, name)), " ", pill)
    parts = [
        tag("p", text(result.message)),
        _figures(data),
        *(bullets(sentences(value)) for value in data.values()),
        *(nested(label(key), value) for key, value in data.items() if isinstance(value, Mapping) and value),
        *(picture(path, f"{name}: {label(key)}") for key, path in _files(data, ".png")),
        *_heads(data),
        _links(data, result.log_path, out),
    ]
    return tag("section", title, *parts, id=name)


def _files(data: Mapping[str, Any], *endings: str) -> list[tuple[str, str]]:
    """Return (key, path) of the absolute paths of existing files with one of the endings."""
    return [
        (key, value)
        for key, value in data.items()
        if isinstance(value, str) and value.lower().endswith(endings) and _is_file(value)
    ]


def _is_file(value: str) -> bool:
    try:
        return Path(value).is_absolute() and Path(value).is_file()
    except (OSError, ValueError):
        return False


def _figures(data: Mapping[str, Any]) -> str:
    single = {
        key: value
        for key, value in data.items()
        if isinstance(value, int | float) or (isinstance(value, str) and not Path(value).is_absolute())
    }
    listed = {
        key: brief(value) for key, value in data.items() if isinstance(value, list) and not sentences(value)
    }
    shown_values = single | listed
    return figures(shown_values) if shown_values else ""


def _heads(data: Mapping[str, Any]) -> list[str]:
    heads = []
    for key, path in _files(data, ".csv")[:MAX_LISTED]:
        content = head(path)
        if content is not None:
            summary = tag("summary", text(f"{label(key)}: first rows"))
            heads.append(tag("details", summary, table(content)))
    return heads


def _links(data: Mapping[str, Any], log_path: str | None, out: Path) -> str:
    files = _files(data, ".html", ".csv", ".json", ".png", ".parquet", ".gz")
    if log_path and _is_file(log_path):
        files.append(("log", log_path))
    items = [tag("li", link(path, Path(path).name if key != "log" else "log", out)) for key, path in files]
    return tag("ul", *items, class_="files") if items else ""


def _footer() -> str:
    return tag(
        "footer", tag("p", "All figures come from the tools' results; pipeline.json holds them whole.")
    )
