"""The tool visualize_anomalies_3d: a stored result in, two pictures out."""

from collections.abc import Sequence

import pandas as pd
from bms_schema.data.columns import SOURCE_ROW, TIMESTAMP
from bms_schema.run.envelope import Outcome
from bms_schema.run.plot_theme import save_html, save_png
from bms_schema.run.run_folder import Run
from bms_schema.run.workspace import readable_path

from bms_anomaly.axes3d import Space
from bms_anomaly.plots import MOST_ANOMALOUS, SENSOR_FAULT, Scene, draw_3d_png, edge_note, prepare_3d
from bms_anomaly.plots_page import draw_3d_html
from bms_anomaly.result_file import read_result
from bms_anomaly.results import PlotData

PLOT_PNG, PLOT_HTML = "anomalies_3d.png", "anomalies_3d.html"


def visualize(run: Run, result_csv: str, space: Space, axes: Sequence[str], seed: int) -> Outcome[PlotData]:
    """Run visualize_anomalies_3d; see the tool."""
    path = readable_path(result_csv, kind="result")
    run.progress(0, 3, "reading")
    result = read_result(path)
    result[SOURCE_ROW] = pd.to_numeric(result[SOURCE_ROW])
    if TIMESTAMP in result:
        result[TIMESTAMP] = pd.to_datetime(result[TIMESTAMP], errors="coerce")
    scene = prepare_3d(result, axes, space=space, seed=seed)
    run.add_input(path)
    run.seed = seed
    run.progress(1, 3, "drawing the picture")
    save_png(draw_3d_png(scene), run.path(PLOT_PNG))
    run.progress(2, 3, "drawing the page")
    save_html(draw_3d_html(scene), run.path(PLOT_HTML))
    run.progress(3, 3, "done")
    odd = int((scene.points["anomaly"] == 1).sum())
    data = PlotData(
        plot_png=run.published(PLOT_PNG),
        plot_html=run.published(PLOT_HTML),
        x=scene.axes[0],
        y=scene.axes[1],
        z=scene.axes[2],
        points=len(scene.points),
        anomalies=odd,
        sensor_faults=int((scene.points["sort"] == SENSOR_FAULT).sum()),
    )
    return Outcome(_sentence(scene, data, int((result["anomaly"] == 1).sum())), data, (PLOT_PNG, PLOT_HTML))


def _sentence(scene: Scene, data: PlotData, anomalies: int) -> str:
    text = (
        f"Drew {data.anomalies:,} anomalous ({data.sensor_faults:,} of them sensor faults) and "
        f"{data.points - data.anomalies:,} normal rows over {', '.join(scene.axes)}."
    )
    if note := edge_note(scene):
        text += f" {note[0].upper()}{note[1:]}."
    if left_out := anomalies - data.anomalies:
        text += (
            f" {left_out:,} anomalous rows are not shown: they lack a reading on an axis, or are not among the "
            f"worst {MOST_ANOMALOUS:,}."
        )
    return text
