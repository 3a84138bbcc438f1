"""The timeline as a page to zoom into, with every event's evidence on hover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID
from bms_schema.run.plot_theme import COLOURS

from bms_anomaly.picture_parts import FAULT_COLOURS, of_sensor
from bms_anomaly.timeline import (
    CELL_COLOUR,
    NOTHING,
    SPREAD_NAMES,
    event_label,
    panel_title,
    value_label,
    value_limits,
    with_margins,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

PANEL_PX, FRAME_PX = 210, 160
MOST_SHADED = 50  # events of a cell: each is a shape that the browser lays out anew on every zoom
HOVERED = ("kind", "about", "start", "end", "peak_score", "readings", "evidence")


def draw_timeline_html(table: pd.DataFrame, events: pd.DataFrame) -> go.Figure:
    """Draw what `draw_timeline` draws, to zoom and hover; the 50 strongest events of each cell.

    Args:
        table: From `prepare_timeline`.
        events: Events, the highest peak first; those of cells that the table lacks are not drawn.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    cells = list(dict.fromkeys(table[CELL_ID]))
    if not cells:
        return go.Figure(layout={"title": {"text": NOTHING}})
    of_cell = {cell: events[events[CELL_ID] == cell] for cell in cells}
    titles = [panel_title(cell, of_cell[cell]) for cell in cells]
    figure = make_subplots(
        rows=len(cells), shared_xaxes=True, vertical_spacing=0.25 / len(cells), subplot_titles=titles
    )
    figure.update_annotations(x=0.0, xanchor="left", font={"size": 13})
    shades = []
    for row, cell in enumerate(cells, start=1):
        shown, found = table[table[CELL_ID] == cell], of_cell[cell].dropna(subset=["start", "end"])
        limits = with_margins(*value_limits(shown))  # zooming out shows what lies beyond
        figure.add_traces(_readings(shown), rows=row, cols=1)
        figure.add_traces(_marks(found.head(MOST_SHADED), limits[1]), rows=row, cols=1)
        figure.update_yaxes(title=value_label(shown).replace("\n", "<br>"), range=limits, row=row)
        shades += _shades(found.head(MOST_SHADED), row)
    figure.update_layout(
        shapes=shades,
        height=FRAME_PX + PANEL_PX * len(cells),
        margin={"t": 110, "l": 70, "r": 30},
        legend={"orientation": "h", "y": 1.0, "yanchor": "top", "yref": "container", "x": 0.0},
        hovermode="closest",
    )
    figure.update_xaxes(range=[table["when"].min(), table["when"].max()])
    if pd.api.types.is_datetime64_any_dtype(table["when"]):
        figure.update_xaxes(type="date")
    else:
        figure.update_xaxes(title="Row of the file", row=len(cells))
    _name_once(figure)
    return figure


def _readings(shown: pd.DataFrame) -> list[Any]:
    """Return the curves of a panel: the string's spread and median, and the cell."""
    import plotly.graph_objects as go

    when = _compact(shown["when"])
    low, median, high, value = (shown[name].to_numpy(dtype="float32") for name in (*SPREAD_NAMES, "value"))
    x, y = outline(when, low, high)
    spread = {"fill": "toself", "fillcolor": "rgba(122,122,122,0.3)", "line": {"width": 0}}
    quiet: dict[str, Any] = {"mode": "lines", "hoverinfo": "skip"}
    return [
        go.Scatter(x=x, y=y, name="its string, 5th to 95th percentile", **spread, **quiet),
        go.Scatter(
            x=when,
            y=median,
            name="median of its string",
            line={"width": 1, "color": COLOURS["grey"]},
            **quiet,
        ),
        go.Scatter(
            x=when,
            y=value,
            name="cell",
            mode="lines+markers",
            line={"width": 1.2, "color": CELL_COLOUR},
            marker={"size": 3},
            hovertemplate="%{x}<br>%{y:.4g}<extra></extra>",
        ),
    ]


def outline(when: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (x, y) of the polygons around a band, a NaN between them: plotly's own fill bridges gaps.

    >>> x, y = outline(np.array([1.0, 2.0, 3.0]), np.array([0.0, np.nan, 0.5]), np.array([9.0, np.nan, 8.0]))
    >>> x.tolist(), y.tolist()
    ([1.0, 1.0, nan, 3.0, 3.0, nan], [9.0, 0.0, nan, 8.0, 0.5, nan])
    """
    known = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
    runs = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if known.size else []
    x = [part for run in runs for part in (when[run], when[run[::-1]], [np.nan])]
    y = [part for run in runs for part in (high[run], low[run[::-1]], [np.nan])]
    return (np.concatenate(x), np.concatenate(y)) if runs else (when[:0], low[:0])


def _marks(events: pd.DataFrame, top: float) -> list[Any]:
    """Return a mark at the beginning of each event of a panel, the strongest named, all with their evidence."""
    import plotly.graph_objects as go

    marks = []
    is_sensor = of_sensor(events)
    for about, colour in FAULT_COLOURS.items():
        some = events[is_sensor == (about == "sensor")]
        if len(some):
            strongest = some.index == events.index[0]
            marks.append(
                go.Scatter(
                    x=some["start"],
                    y=np.full(len(some), top),
                    name=f"event: {about} fault",
                    mode="markers+text",
                    marker={"symbol": "triangle-down", "size": 10, "color": colour},
                    text=[event_label(some.iloc[0])] if strongest[0] else None,
                    textposition="bottom center",
                    textfont={"color": colour},
                    hovertext=[_said(event) for _, event in some.iterrows()],
                    hoverinfo="text",
                    cliponaxis=False,
                )
            )
    return marks


def _shades(events: pd.DataFrame, row: int) -> list[dict[str, Any]]:
    """Return a shaded rectangle per event, behind the curves of a panel."""
    number = row if row > 1 else ""  # plotly calls the first axis x, not x1
    return [
        {
            "type": "rect",
            "xref": f"x{number}",
            "yref": f"y{number} domain",
            "x0": event["start"],
            "x1": event["end"],
            "y0": 0,
            "y1": 1,
            "fillcolor": FAULT_COLOURS[about],
            "line": {"width": 1, "color": FAULT_COLOURS[about]},
            "opacity": 0.25,
            "layer": "below",
        }
        for (_, event), about in zip(
            events.iterrows(), np.where(of_sensor(events), "sensor", "cell"), strict=True
        )
    ]


def _name_once(figure: go.Figure) -> None:
    """Name what the panels have in common in the legend once; a click there hides it in all of them."""
    seen: set[str] = set()
    for trace in figure.data:
        trace.update(legendgroup=trace.name, showlegend=trace.name not in seen)
        seen.add(trace.name)


def _said(event: pd.Series) -> str:
    return "<br>".join(f"{name}: {event[name]}" for name in HOVERED if name in event)


def _compact(when: pd.Series) -> np.ndarray:
    """Return times as milliseconds, which a page stores in a third of the room of text; row numbers as they are."""
    values = when.to_numpy()
    if np.issubdtype(values.dtype, np.datetime64):
        values = values.astype("datetime64[ms]").astype("int64")
    return np.asarray(values.astype(float))
