"""The heat map as a page to point at and zoom into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, STRING

from bms_anomaly.heatmap import BINS, TITLE, Moment, caption, shown_cells
from bms_anomaly.picture_parts import FAULT_SCALE, SCALE_LABELS, SCALE_TICKS, TOP_SCORE

if TYPE_CHECKING:
    import plotly.graph_objects as go

PIXELS_PER_ROW, SMALLEST_PX, LARGEST_PX = 16, 320, 1000


def draw_heatmap_html(table: pd.DataFrame, start: Moment, end: Moment) -> go.Figure:
    """Draw what `prepare_heatmap` returned, with cell, time and score on hover; grey where none answered."""
    import plotly.graph_objects as go

    shown = shown_cells(table)
    scores = shown[list(range(BINS))].to_numpy(dtype="float32")
    map_ = go.Heatmap(
        x=_middles(start, end),
        y=_row_names(shown),
        z=scores,
        text=_said(scores),
        hovertemplate="%{y}<br>%{x}<br>%{text}<extra></extra>",
        hoverongaps=False,
        zmin=-TOP_SCORE,
        zmax=TOP_SCORE,
        colorscale=[list(stop) for stop in FAULT_SCALE],
        colorbar={
            "title": {"text": "Anomaly score<br>up: cell fault<br>down: sensor fault"},
            "tickvals": list(SCALE_TICKS),
            "ticktext": list(SCALE_LABELS),
        },
    )
    figure = go.Figure(map_)
    figure.update_layout(
        title={"text": f"{TITLE}<br><sup>{caption(table, shown)}; grey: no reading</sup>"},
        height=int(np.clip(160 + PIXELS_PER_ROW * len(shown), SMALLEST_PX, LARGEST_PX)),
        plot_bgcolor="#BDBDBD",
    )
    figure.update_xaxes(showgrid=False, title=None if isinstance(start, pd.Timestamp) else "Row of the file")
    figure.update_yaxes(showgrid=False, autorange="reversed", type="category")
    for border in np.flatnonzero(np.diff(pd.factorize(shown[STRING])[0])):
        figure.add_hline(y=border + 0.5, line_width=1, line_color="#7A7A7A")
    return figure


def _middles(start: Moment, end: Moment) -> np.ndarray:
    """Return the middle of each stretch of time, shape (BINS,)."""
    share = (np.arange(BINS) + 0.5) / BINS
    if isinstance(start, pd.Timestamp):
        return (start + pd.TimedeltaIndex(share * (end - start))).round("s").to_numpy()
    return np.asarray(start + share * (end - start))


def _row_names(shown: pd.DataFrame) -> list[str]:
    """Return a name per row, all different: an unnamed axis position would merge cells of the same name."""
    cells, strings = shown[CELL_ID].astype(str), shown[STRING].astype(str)
    return [
        cell if cell.startswith(string) else f"{string}/{cell}"
        for cell, string in zip(cells, strings, strict=True)
    ]


def _said(scores: np.ndarray) -> list[list[str]]:
    """Return what hovering over each stretch says."""
    return [
        [f"sensor fault {-score:.1f}" if score < 0 else f"{score:.1f}" for score in row]
        for row in scores.tolist()
    ]
