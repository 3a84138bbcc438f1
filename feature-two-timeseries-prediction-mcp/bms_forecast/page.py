"""The same pictures as interactive pages that work offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bms_schema.data.columns import TIMESTAMP
from bms_schema.run.plot_theme import COLOURS, save_html

from bms_forecast.plots import Panel

if TYPE_CHECKING:
    import plotly.graph_objects as go

_FILLS = {90: "rgba(230,159,0,0.22)", 50: "rgba(230,159,0,0.40)"}
ROW_HEIGHT_PX, HEAD_PX = 190, 120


def draw_html(panels: list[Panel], title: str, path: Path, *, columns: int = 1) -> Path:
    """Draw small multiples in so many columns; hovering reads all values at one moment."""
    from plotly.subplots import make_subplots

    rows = -(-len(panels) // columns)
    titled = any(panel.title for panel in panels)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        shared_xaxes=columns == 1,
        vertical_spacing=(0.35 if titled else 0.15) / max(rows, 2),
        horizontal_spacing=0.08,
        subplot_titles=[panel.title for panel in panels] if titled else None,
    )
    for number, panel in enumerate(panels):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        _add_bands(figure, panel, place, shown=number == 0)
        _add_lines(figure, panel, place, shown=number == 0)
        figure.update_yaxes(title_text=panel.label.replace(" [", "<br>["), title_font_size=11, **place)
    figure.update_annotations(font_size=11)
    figure.update_layout(title=title, height=HEAD_PX + ROW_HEIGHT_PX * rows, hovermode="x unified")
    return save_html(figure, path)


def _add_bands(figure: go.Figure, panel: Panel, place: dict[str, Any], *, shown: bool) -> None:
    import plotly.graph_objects as go

    when = panel.ahead[TIMESTAMP].to_list()
    for width, fill in _FILLS.items():
        name = f"{width} % interval"
        edge = {"mode": "lines", "line": {"width": 0}, "legendgroup": name, "x": when}
        low, high = (panel.ahead[f"{side}{width}"].to_list() for side in ("lo", "hi"))
        figure.add_trace(go.Scatter(y=low, showlegend=False, name=f"{width} % from", **edge), **place)
        band = go.Scatter(y=high, fill="tonexty", fillcolor=fill, name=name, showlegend=shown, **edge)
        figure.add_trace(band, **place)


def _add_lines(figure: go.Figure, panel: Panel, place: dict[str, Any], *, shown: bool) -> None:
    import plotly.graph_objects as go

    for table, column, colour, name in (
        (panel.history, "value", "blue", "readings"),
        (panel.ahead, "mean", "red", "forecast"),
    ):
        figure.add_trace(
            go.Scatter(
                x=table[TIMESTAMP].to_list(),
                y=table[column].to_list(),
                mode="lines",
                line={"color": COLOURS[colour], "width": 1.6},
                name=name,
                legendgroup=name,
                showlegend=shown,
            ),
            **place,
        )
    for number, line in enumerate(panel.lines):
        colour, points = COLOURS["purple" if line.alarm else "grey"], len(line.table)
        end = points - 1 if number % 2 else 0  # labels of neighbours at opposite ends
        figure.add_trace(
            go.Scatter(
                x=line.table[TIMESTAMP].to_list(),
                y=line.table["value"].to_list(),
                mode="lines+text",
                text=[line.label if index == end else "" for index in range(points)],
                textposition="top left" if number % 2 else "top right",
                textfont={"size": 9, "color": colour},
                line={"color": colour, "width": 1.3, "dash": "dash"},
                name=line.label,
                showlegend=False,
            ),
            **place,
        )
