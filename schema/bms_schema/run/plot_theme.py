"""One look for every picture: matplotlib figures without pyplot state, plotly pages that stay small."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

# Okabe & Ito's colours, told apart by colour-blind readers too.
COLOURS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "red": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
    "grey": "#7A7A7A",
}
CYCLE = [COLOURS[name] for name in ("blue", "orange", "green", "red", "purple", "sky", "grey")]
PlotlyJs = Literal["inline", "cdn"]


def new_figure(
    rows: int = 1, columns: int = 1, *, width: float = 9.0, height: float = 4.5, **subplots: Any
) -> tuple[Figure, Any]:
    """Return (figure, axes) in the house look; safe in worker threads, where pyplot is not.

    Args:
        rows: Rows of axes.
        columns: Columns of axes.
        width: Width in inches.
        height: Height in inches.
        **subplots: Passed on to `Figure.subplots` (`sharex`, `subplot_kw`, …).
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: Any = {
        "axes.prop_cycle": _cycler(),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "axes.titleweight": "bold",
        "axes.titlesize": 11,
        "axes.labelsize": 9,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.frameon": False,
        "legend.fontsize": 8,
    }
    with rc_context(style):
        figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
        return figure, figure.subplots(rows, columns, **subplots)


def _cycler() -> Any:
    from cycler import cycler

    return cycler(color=CYCLE)


def save_png(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG."""
    path.write_bytes(png_of(figure))
    return path


def png_of(figure: Figure) -> bytes:
    """Draw a figure as PNG with the Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    stream = io.BytesIO()
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(stream)
    return stream.getvalue()


def save_html(figure: go.Figure, path: Path, *, plotly_js: PlotlyJs = "inline") -> Path:
    """Write an interactive page; `inline` works offline (about 4.7 MB), `cdn` is small and needs the network."""
    figure.update_layout(template="plotly_white", colorway=CYCLE)
    path.write_text(
        figure.to_html(include_plotlyjs=True if plotly_js == "inline" else "cdn"), encoding="utf-8"
    )
    return path


def embedded(png: bytes) -> str:
    """Return a PNG as the `src` of an image, so that a page needs no other file."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
