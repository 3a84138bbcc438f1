"""What to look at first: the few sentences and rows that a reader wants before any detail."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bms_driver.html_parts import brief, label, sentences
from bms_driver.result import Results
from bms_driver.tables import Table, largest, number, records, shown

TOP = 5
TOP_COLUMNS = 7
MAX_COUNTS = 10
MOST_WORDS = 3  # of the sentences on how far to trust the risks
# [U] Scores of real against synthetic data below this are worth a look before the twin is used.
GOOD_QUALITY = 0.8


@dataclass(frozen=True)
class Finding:
    """One card at the top of the report; `stage` is the section with the details."""

    stage: str
    tone: Literal["bad", "warn", "good"]
    title: str
    sentence: str
    table: Table | None = None
    remarks: tuple[str, ...] = ()


def findings(results: Results) -> list[Finding]:
    """Return the findings, failed stages first; a stage without a result has none."""
    failed = [
        Finding(name, "bad", f"{name} failed", result.message)
        for name, result in results.items()
        if result.status == "error"
    ]
    found = []
    for stage, find in _FINDERS.items():
        result = results.get(stage)
        if result is not None and result.status == "success" and result.data is not None:
            finding = find(result.data)
            found += [finding] if finding else []
    return failed + found


def _path(data: Mapping[str, Any], key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) else None


def _rows_table(rows: list[dict[str, str]]) -> Table | None:
    if not rows:
        return None
    columns = list(rows[0])[:TOP_COLUMNS]
    return Table(columns, [[shown(row.get(column, "")) for column in columns] for row in rows])


def _failing_cells(data: Mapping[str, Any]) -> Finding | None:
    rows = records(_path(data, "risk_csv")) or []
    cells = data.get("failing_cells")
    top = largest(rows, lambda row: _negative(number(row.get("rank"))), TOP)
    method = data.get("method")
    if method == "indicators":
        sentence = (
            "No risk could be learnt from the data: cells are ranked by risk indicators, not by probability."
        )
    else:
        count = data.get("failing_total", len(cells) if isinstance(cells, list) else cells)
        sentence = f"{shown(count)} of {len(rows)} cells are likely to fail" if rows else ""
        sentence = f"{sentence} (method: {shown(method)})." if sentence else f"Method: {shown(method)}."
        sentence = " ".join([sentence, *sentences(data.get("in_words"))[:MOST_WORDS]])
    wanted = ("rank", "Cell ID", "risk", "expected", "indicator_score", "reason_1", "reason_2")
    kept = [{key: row[key] for key in wanted if row.get(key)} for row in top]
    has_cells = bool(cells) and method != "indicators"
    return Finding("failure", "bad" if has_cells else "good", "Cells to check", sentence, _rows_table(kept))


def _negative(value: float | None) -> float | None:
    return None if value is None else -value


def _anomalies(data: Mapping[str, Any]) -> Finding | None:
    rows, flagged = number(data.get("rows")), number(data.get("anomalies"))
    events = records(_path(data, "events_csv")) or []
    sentence = "" if flagged is None else f"{flagged:,.0f} rows are anomalous"
    if rows and flagged is not None:
        sentence = f"{flagged:,.0f} of {rows:,.0f} rows are anomalous ({flagged / rows:.1%})"
    sentence += f", in {len(events)} events; the strongest:" if events else "; no event stands out."
    strength = _strength_column(events)
    top = largest(events, lambda row: _size(number(row.get(strength))), TOP) if strength else events[:TOP]
    return Finding("anomaly", "warn" if events else "good", "Odd behaviour", sentence, _rows_table(top))


def _strength_column(events: list[dict[str, str]]) -> str | None:
    names = list(events[0]) if events else []
    for word in ("score", "peak"):
        for name in names:
            if word in name.lower() and any(number(row.get(name)) is not None for row in events):
                return name
    return None


def _size(value: float | None) -> float | None:
    return None if value is None else abs(value)


def _forecast(data: Mapping[str, Any]) -> Finding | None:
    metrics = data.get("metrics")
    metrics = metrics if isinstance(metrics, Mapping) else {}
    beaten = [name for name, values in metrics.items() if _beats_naive(values)]
    behind = [name for name in metrics if name not in beaten]
    sentence = f"Better than the naive forecast in backtests: {brief(beaten)}."
    if behind:
        sentence += f" Not better: {brief(behind)}."
    sentence = f"{_likeliest_alarm(data)}{sentence if metrics else ''}".strip()
    return Finding(
        "forecast",
        "warn" if behind else "good",
        f"Where cell {data['cell_id']} goes" if data.get("cell_id") else "Where the forecast cell goes",
        sentence,
        _forecast_limits(records(_path(data, "forecast_csv")) or []),
    )


def _likeliest_alarm(data: Mapping[str, Any]) -> str:
    crossings = data.get("crossings")
    first = crossings[0] if isinstance(crossings, list) and crossings else None
    return (
        f"{first['words']}. "
        if isinstance(first, Mapping) and first.get("alarm") and "words" in first
        else ""
    )


def _beats_naive(values: Any) -> bool:
    if not isinstance(values, Mapping):
        return False
    own, naive = number(values.get("mase")), number(values.get("naive_mase"))
    return own is not None and naive is not None and own < naive


def _forecast_limits(rows: list[dict[str, str]]) -> Table | None:
    by_target: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_target.setdefault(row.get("target", ""), []).append(row)
    table_rows = []
    for target, steps in by_target.items():
        low = [value for row in steps if (value := number(row.get("lo90"))) is not None]
        high = [value for row in steps if (value := number(row.get("hi90"))) is not None]
        ends = [shown(number(steps[index].get("mean"))) for index in (0, -1)]
        table_rows.append([target, *ends, shown(min(low, default=None)), shown(max(high, default=None))])
    columns = ["signal", "first mean", "last mean", "lowest (90 %)", "highest (90 %)"]
    return Table(columns, table_rows) if table_rows else None


def _quality(data: Mapping[str, Any]) -> Finding | None:
    counts = {key: value for key, value in {**_report(data), **data}.items() if _is_count(key, value)}
    sentence = f"{shown(data.get('rows_in'))} rows in, {shown(data.get('rows_out'))} out"
    sentence += f", {shown(data.get('cells'))} cells." if "cells" in data else "."
    rows = [[label(key), shown(value)] for key, value in counts.items()]
    remarks = tuple(sentences(data.get("look_at"))[:TOP])
    table = Table(["what", "count"], rows[:MAX_COUNTS]) if rows else None
    return Finding("preprocess", "warn" if remarks else "good", "Data quality", sentence, table, remarks)


def _is_count(key: str, value: Any) -> bool:
    """Tell a count of findings from flags and from the sizes that the sentence already gives."""
    return type(value) is int and key != "cells" and not key.startswith("rows")


def _report(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data-quality report; {} when there is none that can be read."""
    path = _path(data, "report_json")
    try:
        report = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    return report if isinstance(report, dict) else {}


def _synthetic(data: Mapping[str, Any]) -> Finding | None:
    score = number(data.get("overall_score"))
    if score is None:
        return None
    tone: Literal["warn", "good"] = "good" if score >= GOOD_QUALITY else "warn"
    return Finding(
        "evaluate", tone, "Synthetic twin", f"Its statistics match the real data to {score:.0%} overall."
    )


_FINDERS: Mapping[str, Callable[[Mapping[str, Any]], Finding | None]] = {
    "failure": _failing_cells,
    "anomaly": _anomalies,
    "forecast": _forecast,
    "preprocess": _quality,
    "evaluate": _synthetic,
}
