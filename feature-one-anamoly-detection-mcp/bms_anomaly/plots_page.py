"""The three-dimensional view as a page to turn, with every point's cell, time and kind on hover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from bms_schema.data.columns import CELL_ID, TIMESTAMP

from bms_anomaly.picture_parts import FAULT_SCALE, SCALE_LABELS, SCALE_TICKS, SCORE, TOP_SCORE
from bms_anomaly.plots import LOOKS, NORMAL, TITLE, Scene, edge_note

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEIGHT_PX = 850
CAMERA = {"x": 1.3, "y": -1.75, "z": 0.85}  # from where the picture is seen as well


def draw_3d_html(scene: Scene) -> go.Figure:
    """Draw what `draw_3d_png` draws; a click in the legend hides a sort of points."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for sort in LOOKS:
        some = scene.points[scene.points["sort"] == sort]
        if len(some):
            figure.add_traces([_cloud(scene, some, sort), _legend(sort, len(some))])
    axes = {
        f"{side}axis": {"title": {"text": label}} for side, label in zip("xyz", scene.labels, strict=True)
    }
    figure.update_layout(
        title={"text": f"{TITLE}<br><sup>{edge_note(scene)}</sup>"},
        scene={**axes, "camera": {"eye": CAMERA}},
        legend={"x": 0, "y": 1, "itemsizing": "constant"},
        coloraxis={
            "cmin": -TOP_SCORE,
            "cmax": TOP_SCORE,
            "colorscale": [list(stop) for stop in FAULT_SCALE],
            "colorbar": {
                "title": {"text": "Anomaly score<br>up: cell fault<br>down: sensor fault"},
                "tickvals": list(SCALE_TICKS),
                "ticktext": list(SCALE_LABELS),
            },
        },
        height=HEIGHT_PX,
        margin={"l": 0, "r": 0, "b": 0},
    )
    return figure


def _cloud(scene: Scene, some: pd.DataFrame, sort: str) -> Any:
    """Return the points of one sort, as plotly draws them."""
    import plotly.graph_objects as go

    look = LOOKS[sort]
    marker: dict[str, Any] = {"size": look.size_px, "symbol": look.symbol}
    if sort == NORMAL:
        marker |= {"color": look.colour, "opacity": 0.5}
    else:
        marker |= {"color": some["colour"].to_numpy(dtype="float32"), "coloraxis": "coloraxis"}
    x, y, z = (some[side].to_numpy(dtype="float32") for side in "xyz")
    values = [f"{label}: %{{{side}:.4g}}" for side, label in zip("xyz", scene.labels, strict=True)]
    template = "<br>".join(["%{customdata}", *values]) + "<extra></extra>"
    return go.Scatter3d(
        x=x,
        y=y,
        z=z,
        mode="markers",
        marker=marker,
        legendgroup=sort,
        showlegend=False,
        customdata=hover_texts(some, scene.axes),
        hovertemplate=template,
    )


def _legend(sort: str, count: int) -> Any:
    """Return an empty trace for the legend, which shows points coloured by score as black."""
    import plotly.graph_objects as go

    look, nowhere = LOOKS[sort], [None]
    return go.Scatter3d(
        x=nowhere,
        y=nowhere,
        z=nowhere,
        mode="markers",
        legendgroup=sort,
        name=f"{sort} ({count:,})",
        marker={"color": look.colour, "symbol": look.symbol},
    )


def hover_texts(points: pd.DataFrame, axes: list[str]) -> list[str]:
    """Return what is known of each point: cell, time, score, kind, and its true values if drawn on the edge."""
    said = points[CELL_ID].astype(str)
    if TIMESTAMP in points:
        said = said + "<br>" + points[TIMESTAMP].dt.strftime("%Y-%m-%d %H:%M:%S").fillna("no time")
    said = said + "<br>score " + points[SCORE].map("{:.1f}".format)
    for name in ("kind", "top_signal"):
        if name in points:
            known = points[name].fillna("").astype(str)
            said = said + known.where(known == "", ", " + known)
    measured = [name for name in axes if name != TIMESTAMP]
    true = [
        "; ".join(f"{name} {row[name]:.4g}" for name in measured)
        for _, row in points[points["beyond"]].iterrows()
    ]
    said.loc[points["beyond"]] += "<br>beyond the view: " + pd.Series(
        true, index=said.index[points["beyond"]], dtype=object
    )
    return said.tolist()
