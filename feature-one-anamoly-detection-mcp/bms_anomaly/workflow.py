"""All input and output of the tools: read, pure steps, run folder, result."""

from bms_schema.data.chemistry import ChemistryOption
from bms_schema.run.envelope import Outcome
from bms_schema.run.plot_theme import save_html, save_png
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import TableFormat, write_table
from bms_schema.run.wording import counted
from bms_schema.run.workspace import readable_path

from bms_anomaly.detected import Detected, Step
from bms_anomaly.heatmap import draw_heatmap
from bms_anomaly.heatmap_page import draw_heatmap_html
from bms_anomaly.learned import Asked, unlike
from bms_anomaly.results import AnomalyData, TopCell
from bms_anomaly.scoring import doubt
from bms_anomaly.storage import save_detector
from bms_anomaly.timeline import draw_timeline
from bms_anomaly.timeline_page import draw_timeline_html
from bms_anomaly.views import visualize
from bms_anomaly.whole_file import detect_in_file

__all__ = ["detect", "visualize"]

MOST_TOP_CELLS, MOST_NOTES = 10, 12
TIMELINE, TIMELINE_PAGE = "timeline.png", "timeline.html"
HEATMAP, HEATMAP_PAGE = "heatmap.png", "heatmap.html"


def detect(
    run: Run,
    data_path: str,
    contamination: float | None,
    false_alarm_rate: float | None,
    model: str,
    seed: int,
    chemistry: ChemistryOption,
    output_format: TableFormat,
) -> Outcome[AnomalyData]:
    """Run detect_anomalies; see the tool."""
    asked = Asked(contamination, false_alarm_rate, model, seed)
    path = readable_path(data_path)
    result, events = f"anomalies.{output_format}", f"events.{output_format}"
    found = detect_in_file(run, path, asked, chemistry=chemistry, result=result)
    run.seed, run.split = seed, found.learned.split
    run.add_input(path)
    write_table(found.findings.events, run.path(events))
    _draw(run, found)
    run.progress(Step.DONE, Step.DONE, "done")
    # Last, so that a call that is cancelled or fails leaves no model.
    version = found.learned.version or save_detector(
        found.learned.detector, columns=found.columns, split=found.learned.split, training_run=run.id
    )
    data = _summary(run, found, version, result, events)
    run.metrics = {"rows": data.rows, "anomalies": data.anomalies, "events": data.events}
    return Outcome(_sentence(data), data, (result, events, TIMELINE, HEATMAP))


def _draw(run: Run, found: Detected) -> None:
    """Write the pictures."""
    events = found.findings.events_to_draw()
    save_png(draw_timeline(found.timeline, events), run.path(TIMELINE))
    save_html(draw_timeline_html(found.timeline, events), run.path(TIMELINE_PAGE))
    save_png(draw_heatmap(found.findings.heatmap, *found.span), run.path(HEATMAP))
    save_html(draw_heatmap_html(found.findings.heatmap, *found.span), run.path(HEATMAP_PAGE))


def _summary(run: Run, found: Detected, version: str, result: str, events: str) -> AnomalyData:
    findings = found.findings
    about = findings.events["about"].value_counts()
    notes = [*unlike(found.learned.detector, found.columns), *found.notes]
    return AnomalyData(
        result_csv=run.published(result),
        events_csv=run.published(events),
        timeline_png=run.published(TIMELINE),
        timeline_html=run.published(TIMELINE_PAGE),
        heatmap_png=run.published(HEATMAP),
        heatmap_html=run.published(HEATMAP_PAGE),
        model_version=version,
        engine=found.engine,
        rows=findings.rows,
        rows_without_reading=findings.silent,
        anomalies=findings.anomalies,
        events=len(findings.events),
        sensor_events=int(about.get("sensor", 0)),
        kinds={str(kind): int(count) for kind, count in findings.events["kind"].value_counts().items()},
        top_cells=_top_cells(found),
        truncated=len(findings.cells) > MOST_TOP_CELLS or len(notes) > MOST_NOTES,
        split=found.learned.split,
        notes=notes[:MOST_NOTES],
    )


def _top_cells(found: Detected) -> list[TopCell]:
    """Return the worst cells."""
    return [
        TopCell(
            cell_id=str(cell["Cell ID"]),
            string=str(cell["string"]),
            kind=str(cell["kind"]),
            about=str(cell["about"]),
            evidence=str(cell["evidence"]),
            peak_score=float(cell["peak_score"]),
            events=int(cell["events"]),
            anomalous_rows=int(cell["anomalous_rows"]),
        )
        for cell in found.findings.cells.head(MOST_TOP_CELLS).to_dict("records")
    ]


def _sentence(data: AnomalyData) -> str:
    head = f"{data.anomalies:,} of {counted(data.rows, 'row')} lie in {counted(data.events, 'event')}."
    head += doubt(data.anomalies, data.rows)
    if not data.top_cells:
        return f"{head} No cell stands out."
    worst = "; ".join(f"{cell.cell_id} ({cell.kind}: {cell.evidence})" for cell in data.top_cells[:3])
    sensors = (
        f" {counted(data.sensor_events, 'event')} of sensors, not of cells." if data.sensor_events else ""
    )
    return f"{head}{sensors} Worst: {worst}."
