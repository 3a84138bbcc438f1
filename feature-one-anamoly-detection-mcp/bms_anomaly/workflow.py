"""All input and output of the tools: read, pure steps, run folder, result."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd
from bms_schema.data.chemistry import ChemistryOption
from bms_schema.data.cleaning import without_imputed
from bms_schema.data.columns import CELL_ID, STRING
from bms_schema.data.table import load_battery_table
from bms_schema.run.envelope import Outcome
from bms_schema.run.errors import NotEnoughData
from bms_schema.run.plot_theme import save_html, save_png
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import write_table
from bms_schema.run.wording import counted
from bms_schema.run.workspace import readable_path

from bms_anomaly.features import fleet_features, source_columns
from bms_anomaly.hybrid import HELD_OUT_SHARE, MOST_FIT_ROWS
from bms_anomaly.plots import MOST_ANOMALOUS, draw_3d_html, draw_3d_png, prepare_3d
from bms_anomaly.result_file import read_result
from bms_anomaly.results import AnomalyData, PlotData, TopCell
from bms_anomaly.scoring import (
    FleetDetector,
    FleetScores,
    doubt,
    fit_detector,
    has_reading,
    score_fleet,
)
from bms_anomaly.storage import load_detector, save_detector
from bms_anomaly.timeline import draw_timeline, prepare_timeline

STEPS = 6
MOST_TOP_CELLS, MOST_NOTES = 10, 12
TIMELINE, PLOT_PNG, PLOT_HTML = "timeline.png", "anomalies_3d.png", "anomalies_3d.html"


def detect(
    run: Run,
    data_path: str,
    contamination: float | None,
    model: str,
    seed: int,
    chemistry: ChemistryOption,
    output_format: Literal["csv", "parquet"],
) -> Outcome[AnomalyData]:
    """Run detect_anomalies; see the tool."""
    path = readable_path(data_path)
    run.progress(0, STEPS, "reading")
    table = load_battery_table(path, chemistry=chemistry)
    frame = without_imputed(table.frame)
    if not has_reading(frame).any():
        raise NotEnoughData("No row holds a reading.", expected="at least one", fix="Check the export.")
    run.seed = seed
    run.add_input(path)
    run.progress(1, STEPS, "features")
    features = fleet_features(frame)
    run.progress(2, STEPS, "loading the model" if model else "training")
    detector, version, split = _detector(frame, features, model, seed)
    run.progress(3, STEPS, "scoring")
    scores = score_fleet(frame, features, detector, contamination)
    run.progress(4, STEPS, "writing tables")
    result_name, events_name = f"anomalies.{output_format}", f"events.{output_format}"
    write_table(scores.rows, run.path(result_name))
    write_table(scores.events, run.path(events_name))
    run.progress(5, STEPS, "drawing")
    save_png(draw_timeline(prepare_timeline(frame, scores.rows, scores.events)), run.path(TIMELINE))
    run.progress(STEPS, STEPS, "done")
    run.split = split
    if not version:  # last, so that a call that is cancelled or fails leaves no model
        columns = source_columns(frame)
        version = save_detector(detector, columns=columns, split=split, training_run=run.id)
    data = _summary(frame, scores, version, split, table.notes)
    data.result_csv, data.events_csv = run.published(result_name), run.published(events_name)
    data.timeline_png = run.published(TIMELINE)
    run.metrics = {"rows": data.rows, "anomalies": data.anomalies, "events": data.events}
    return Outcome(_sentence(data), data, (result_name, events_name, TIMELINE))


def visualize(run: Run, result_csv: str, axes: Sequence[str], seed: int) -> Outcome[PlotData]:
    """Run visualize_anomalies_3d; see the tool."""
    path = readable_path(result_csv, kind="result")
    result = read_result(path)
    points, chosen = prepare_3d(result, axes, seed=seed)
    run.add_input(path)
    run.progress(0, 2, "drawing the picture")
    save_png(draw_3d_png(points, chosen), run.path(PLOT_PNG))
    run.progress(1, 2, "drawing the page")
    save_html(draw_3d_html(points, chosen), run.path(PLOT_HTML))
    run.progress(2, 2, "done")
    odd = int(points["anomaly"].sum())
    data = PlotData(
        plot_png=run.published(PLOT_PNG),
        plot_html=run.published(PLOT_HTML),
        x=chosen[0],
        y=chosen[1],
        z=chosen[2],
        points=len(points),
        anomalies=odd,
    )
    text = f"Drew {odd} anomalous and {len(points) - odd} normal rows over {', '.join(chosen)}."
    if left_out := int((result["anomaly"] == 1).sum()) - odd:
        text += f" {left_out} anomalous rows lack a reading on an axis or are beyond the worst {MOST_ANOMALOUS:,}."
    return Outcome(text, data, (PLOT_PNG, PLOT_HTML))


def _detector(
    frame: pd.DataFrame, features: pd.DataFrame, model: str, seed: int
) -> tuple[FleetDetector, str, str]:
    """Load the named model, or train one; return it with its version ("" if new) and its split in words."""
    if model:
        detector, version = load_detector(model, columns=source_columns(frame))
        return detector, version, f"scored with stored version {version}; nothing was fitted on this file"
    detector = fit_detector(frame, features, seed=seed)
    fitted = min(int(has_reading(frame).sum()), MOST_FIT_ROWS)
    split = (
        f"fitted on {fitted} rows (smallest hash of cell and time), outliers among them set aside, "
        f"{HELD_OUT_SHARE:.0%} of the rest held out to calibrate the tails; all rows were scored"
    )
    return detector, "", split


def _summary(
    frame: pd.DataFrame, scores: FleetScores, version: str, split: str, notes: list[str]
) -> AnomalyData:
    cells = top_cells(scores)
    return AnomalyData(
        result_csv="",
        events_csv="",
        timeline_png="",
        model_version=version,
        rows=len(frame),
        rows_without_reading=int(scores.rows["anomaly_score"].isna().sum()),
        anomalies=int(scores.rows["anomaly"].sum()),
        events=len(scores.events),
        kinds={str(kind): int(count) for kind, count in scores.events["kind"].value_counts().items()},
        top_cells=cells[:MOST_TOP_CELLS],
        truncated=len(cells) > MOST_TOP_CELLS,
        split=split,
        notes=notes[:MOST_NOTES],
    )


def top_cells(scores: FleetScores) -> list[TopCell]:
    """Return the cells with events, worst first."""
    flagged = scores.rows[scores.rows["anomaly"] == 1].groupby(CELL_ID).size()
    return [
        TopCell(
            cell_id=str(cell),
            string=str(events[STRING].iloc[0]),
            kind=str(events["kind"].iloc[0]),
            peak_score=events["peak_score"].iloc[0],
            events=len(events),
            anomalous_rows=int(flagged.get(cell, 0)),
        )
        for cell, events in scores.events.groupby(CELL_ID, sort=False)
    ]


def _sentence(data: AnomalyData) -> str:
    head = f"{data.anomalies:,} of {counted(data.rows, 'row')} lie in {counted(data.events, 'event')}."
    head += doubt(data.anomalies, data.rows)
    if not data.top_cells:
        return f"{head} No cell stands out."
    worst = ", ".join(f"{cell.cell_id} ({cell.kind})" for cell in data.top_cells[:3])
    return f"{head} Worst: {worst}."
