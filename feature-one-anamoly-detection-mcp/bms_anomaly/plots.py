"""The three-dimensional view: a table that can be tested, and a thin renderer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, TIMESTAMP
from bms_schema.run.errors import MissingColumn
from bms_schema.run.plot_theme import new_figure
from bms_schema.run.wording import counted

from bms_anomaly.axes3d import Space, axis_label, axis_values, choose_axes
from bms_anomaly.deviations import with_deviations
from bms_anomaly.picture_parts import (
    ABOUT,
    FAULT_COLOURS,
    SCALE_LABELS,
    SCALE_TICKS,
    SCALE_TITLE,
    SCORE,
    TOP_SCORE,
    crowd_limits,
    fault_colormap,
    of_sensor,
    signed_scores,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NORMAL, MOST_ANOMALOUS = 4_000, 6_000  # points a browser turns smoothly
NORMAL, CELL_FAULT, SENSOR_FAULT = "normal", "cell fault", "sensor fault"
TITLE = "Anomalous readings"
HOVERED = (CELL_ID, TIMESTAMP, SCORE, "kind", "top_signal")


@dataclass(frozen=True)
class Look:
    """How the points of one sort are drawn: in a colour, which for anomalies is that of the legend alone."""

    colour: str
    marker: str
    symbol: str
    area: float
    size_px: float


LOOKS = {
    NORMAL: Look("#6B6B6B", "o", "circle", 4, 2),
    CELL_FAULT: Look(FAULT_COLOURS["cell"], "o", "circle", 10, 4),
    SENSOR_FAULT: Look(FAULT_COLOURS["sensor"], "D", "diamond", 14, 4),
}


@dataclass(frozen=True)
class Scene:
    """What a three-dimensional view shows.

    Attributes:
        points: One row per point: `x`, `y`, `z` as drawn, `sort` ("normal", "cell fault", "sensor fault"),
            `colour` (score, below zero for sensor faults), `beyond` (drawn on the edge of the view, since it lies
            far outside), the columns of the axes and what hovering tells.
        axes: The three columns.
        labels: What stands beside them.
    """

    points: pd.DataFrame
    axes: list[str]
    labels: list[str]


def prepare_3d(
    result: pd.DataFrame, axes: Sequence[str], *, space: Space = "readings", seed: int = 0
) -> Scene:
    """Choose the points: the worst 6,000 anomalies and a random 4,000 of the normal rows.

    Cell and sensor faults have half of the anomalies each, where there are as many, lest one hide the other. Rows
    without a score or a value on every axis are left out.

    Args:
        result: From `read_result`.
        axes: Three columns, or "auto" for the next one of the space.
        space: What "auto" takes: readings, readings less the string's median, or the detector's latent space.
        seed: Chooses the normal rows.

    Raises:
        MissingColumn: the result has no values of an asked column, or none on all three axes at once.
        InvalidArgument: one column asked for twice.
    """
    result = with_deviations(result) if space == "deviations" else result
    chosen = choose_axes(result, axes, space)
    needed = [name for name in (*chosen, SCORE, "anomaly", ABOUT, *HOVERED) if name in result]
    rows = result[list(dict.fromkeys(needed))].dropna(subset=[*chosen, SCORE]).assign(beyond=False)
    if rows.empty:
        raise MissingColumn(
            f"No row has values of {', '.join(chosen)} at once.",
            expected="rows that hold all three",
            fix="Choose other axes.",
        )
    is_normal = (rows["anomaly"] != 1).to_numpy()
    for side, name in zip("xyz", chosen, strict=True):
        values = axis_values(result[name])[rows.index].to_numpy()
        rows[side] = values.clip(*crowd_limits(values, values[is_normal], values[~is_normal]))
        rows["beyond"] |= rows[side] != values
    fault = np.where(of_sensor(rows), SENSOR_FAULT, CELL_FAULT)
    rows = rows.assign(sort=np.where(is_normal, NORMAL, fault), colour=signed_scores(rows))
    points = _drawn(rows[is_normal], rows[~is_normal], seed)
    return Scene(points, chosen, [axis_label(result[name]) for name in chosen])


def _drawn(normal: pd.DataFrame, odd: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the rows that are drawn, the worst last and so in front."""
    kept = np.random.default_rng(seed).permutation(len(normal))[:MOST_NORMAL]
    worst_first = odd.sort_values(SCORE, ascending=False, kind="stable")
    place = (
        worst_first.groupby("sort").cumcount().sort_values(kind="stable")
    )  # the worst of each sort in turns
    return pd.concat(
        [normal.iloc[np.sort(kept)], odd.loc[place.index[:MOST_ANOMALOUS][::-1]]], ignore_index=True
    )


def draw_3d_png(scene: Scene) -> Figure:
    """Draw normal rows grey, cell faults as dots and sensor faults as diamonds, coloured by score."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.lines import Line2D

    figure, axis = new_figure(width=9.5, height=7.5, subplot_kw={"projection": "3d"})
    # Drawn in the order of these lines: sorted by depth, anomalies vanish in the crowd they begin in.
    axis.computed_zorder = False
    scale = ScalarMappable(Normalize(-TOP_SCORE, TOP_SCORE), fault_colormap())
    handles = []
    for order, (sort, look) in enumerate(LOOKS.items()):
        some = scene.points[scene.points["sort"] == sort]
        colour = look.colour if sort == NORMAL else scale.to_rgba(some["colour"])
        axis.scatter(
            some["x"],
            some["y"],
            some["z"],
            s=look.area,
            c=colour,
            marker=look.marker,
            linewidths=0,
            depthshade=False,
            alpha=0.6,
            zorder=3 + order,
        )
        named = {"color": look.colour, "label": f"{sort} ({len(some):,} shown)"}
        handles.append(Line2D([], [], linestyle="", marker=look.marker, **named))
    bar = figure.colorbar(scale, ax=axis, ticks=SCALE_TICKS, shrink=0.65, pad=0.12)
    bar.ax.set_yticklabels(SCALE_LABELS)
    bar.set_label(SCALE_TITLE, fontsize=8)
    axis.set(xlabel=scene.labels[0], ylabel=scene.labels[1], zlabel=scene.labels[2], title=TITLE)
    axis.view_init(elev=22, azim=-55)
    axis.set_box_aspect(None, zoom=0.95)
    axis.legend(handles=handles, loc="upper left")
    figure.text(0.02, 0.02, edge_note(scene), fontsize=8)
    return figure


def edge_note(scene: Scene) -> str:
    """Say how many points lie beyond the view and are drawn on its edge; empty where none does."""
    beyond = int(scene.points["beyond"].sum())
    return f"{counted(beyond, 'point')} far outside drawn on the edge" if beyond else ""
