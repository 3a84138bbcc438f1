"""The three-dimensional view: a table that can be tested, and two thin renderers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import (
    AMBIENT,
    CELL_ID,
    COLUMNS,
    CURRENT,
    GRAVITY,
    SOC,
    TEMPERATURE,
    TIMESTAMP,
    VOLTAGE,
)
from bms_schema.run.errors import InvalidArgument, MissingColumn
from bms_schema.run.plot_theme import COLOURS, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

SCORE = "anomaly_score"
PREFERRED_AXES = (VOLTAGE, TEMPERATURE, GRAVITY, CURRENT, AMBIENT, SOC, SCORE)
# Orange to a dark red-purple: readable on white, dark = worst.
WARM = (COLOURS["orange"], COLOURS["red"], "#5C1247")
MOST_NORMAL, MOST_ANOMALOUS = 4_000, 8_000  # points a browser turns smoothly


def prepare_3d(result: pd.DataFrame, axes: Sequence[str], *, seed: int) -> tuple[pd.DataFrame, list[str]]:
    """Return the points to draw and the columns of the three axes.

    All anomalies (the worst 8,000) and a random 4,000 of the normal rows, those with a reading on every axis.

    Args:
        result: From `read_result`.
        axes: Three columns; "auto" takes the next of voltage, temperature, gravity, … that holds readings.
        seed: Chooses the normal rows.

    Raises:
        MissingColumn: the result has no readings of an asked column, or none on all three axes at once.
        InvalidArgument: one column asked for twice.
    """
    chosen = _choose_axes(result, axes)
    shown = [
        *chosen,
        *(name for name in (SCORE, "anomaly", CELL_ID, TIMESTAMP, "top_signal") if name in result),
    ]
    points = result[list(dict.fromkeys(shown))].dropna(subset=[*chosen, SCORE])
    if points.empty:
        raise MissingColumn(
            f"No row has readings of {', '.join(chosen)} at once.",
            expected="rows that hold all three",
            fix="Choose other axes.",
        )
    odd = points[points["anomaly"] == 1].nlargest(MOST_ANOMALOUS, SCORE)
    normal = points[points["anomaly"] != 1]
    kept = np.random.default_rng(seed).permutation(len(normal))[:MOST_NORMAL]
    return pd.concat([normal.iloc[np.sort(kept)], odd.iloc[::-1]], ignore_index=True), chosen


def _choose_axes(result: pd.DataFrame, axes: Sequence[str]) -> list[str]:
    usable = [name for name in PREFERRED_AXES if name in result and result[name].notna().any()]
    asked = [name for name in axes if name != "auto"]
    if absent := [name for name in asked if name not in usable]:
        raise MissingColumn(
            f"The result has no readings of {', '.join(absent)}.",
            expected=f"axes among: {', '.join(usable)}",
            fix="Choose other axes, or leave them at auto.",
        )
    if len(set(asked)) < len(asked):
        raise InvalidArgument(
            f"The axes are {', '.join(asked)}.", expected="three different columns", fix="Name each once."
        )
    free = [name for name in usable if name not in asked]
    if len(free) < len(axes) - len(asked):
        raise MissingColumn(
            f"The result holds readings of {', '.join(usable)} only.",
            expected="three columns to draw",
            fix="Run detect_anomalies on data with voltage and temperature.",
        )
    return [name if name != "auto" else free.pop(0) for name in axes]


def _label(name: str) -> str:
    return COLUMNS[name].axis_label if name in COLUMNS else "Anomaly score"


def draw_3d_png(points: pd.DataFrame, axes: Sequence[str]) -> Figure:
    """Draw normal rows grey and anomalies coloured by score."""
    from matplotlib.colors import LinearSegmentedColormap

    figure, axis = new_figure(width=8.5, height=7.0, subplot_kw={"projection": "3d"})
    odd = points["anomaly"] == 1
    normal_xyz = [points.loc[~odd, name] for name in axes]
    # Drawn last: the crowd of normal rows is where most anomalies begin, and would vanish behind them.
    axis.computed_zorder = False
    axis.scatter(
        *normal_xyz,
        s=4,
        c="#3A3A3A",
        alpha=0.5,
        linewidths=0,
        zorder=3,
        label=f"normal ({(~odd).sum()} shown)",
    )
    if odd.any():
        xyz = [points.loc[odd, name] for name in axes]
        drawn = axis.scatter(
            *xyz,
            s=14,
            c=points.loc[odd, SCORE],
            cmap=LinearSegmentedColormap.from_list("warm", WARM),
            linewidths=0,
            label=f"anomalous ({odd.sum()})",
        )
        figure.colorbar(drawn, ax=axis, label="Anomaly score", shrink=0.6, pad=0.1)
    axis.set(
        xlabel=_label(axes[0]), ylabel=_label(axes[1]), zlabel=_label(axes[2]), title="Anomalous readings"
    )
    axis.view_init(elev=22, azim=-55)
    axis.set_box_aspect(None, zoom=0.95)
    axis.legend(loc="upper left")
    return figure


def draw_3d_html(points: pd.DataFrame, axes: Sequence[str]) -> go.Figure:
    """Draw the same to be turned, with cell, time and score on hover."""
    import plotly.graph_objects as go

    odd = points["anomaly"] == 1
    grey: dict[str, Any] = {"size": 2, "color": "#3A3A3A", "opacity": 0.6}
    coloured: dict[str, Any] = {
        "size": 4,
        "color": points.loc[odd, SCORE],
        "colorscale": list(WARM),
        "colorbar": {"title": "Anomaly score"},
    }
    figure = go.Figure(
        [_cloud(points[~odd], axes, "normal", grey), _cloud(points[odd], axes, "anomalous", coloured)]
    )
    titles = {f"{side}axis": {"title": _label(name)} for side, name in zip("xyz", axes, strict=True)}
    figure.update_layout(title="Anomalous readings", scene=titles, legend={"x": 0, "y": 1}, height=800)
    return figure


def _cloud(points: pd.DataFrame, axes: Sequence[str], name: str, marker: dict[str, Any]) -> Any:
    import plotly.graph_objects as go

    said = [column for column in (CELL_ID, TIMESTAMP, SCORE, "top_signal") if column in points]
    formats = [f"%{{customdata[{i}]{':.2f' if column == SCORE else ''}}}" for i, column in enumerate(said)]
    lines = [f"{column}: {shown}" for column, shown in zip(said, formats, strict=True)]
    values = [f"{_label(axis)}: %{{{side}}}" for side, axis in zip("xyz", axes, strict=True)]
    x, y, z = (points[axis].to_numpy() for axis in axes)
    return go.Scatter3d(
        x=x,
        y=y,
        z=z,
        mode="markers",
        name=name,
        marker=marker,
        customdata=points[said].astype(object).to_numpy(),
        hovertemplate="<br>".join([*lines, *values]) + "<extra></extra>",
    )
