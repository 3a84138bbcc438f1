"""Forecasts as pictures: recent history, the forecast with its 50 and 90 % bands, the limits that are near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import COLUMNS, TIMESTAMP
from bms_schema.run.plot_theme import COLOURS, new_figure, save_png

from bms_forecast.alarms import Crossing
from bms_forecast.cell import CellForecast
from bms_forecast.grid import VALUE, WHEN
from bms_forecast.report import BANDS, VALUES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# History shown: so many times the forecast, but at least so many readings; thinned to a bounded number.
HISTORY_SPANS = 4
FEWEST_SHOWN = 72
MOST_SHOWN = 3_000
# A limit is drawn where it is likely enough, or within so many heights of what is drawn anyway.
LIKELY, NEAR_HEIGHTS = 0.01, 0.5
ROW_HEIGHT_IN = 1.9
SMALLEST_HEIGHT = 0.005  # share of the value that the height of a picture spans at the least


@dataclass(frozen=True)
class Line:
    """A limit to draw: what it is called, where it lies over time, and whether crossing it is an alarm."""

    label: str
    table: pd.DataFrame
    alarm: bool = True


@dataclass(frozen=True)
class Panel:
    """One small picture.

    Args:
        title: Above it; empty for none.
        label: Of the vertical axis.
        history: `Timestamp`, `value`.
        ahead: `Timestamp`, `mean`, `lo50`, `hi50`, `lo90`, `hi90`; starts with the last reading, so that the
            line does not break.
        lines: Limits near the data, each a table `Timestamp`, `value`.
    """

    title: str
    label: str
    history: pd.DataFrame
    ahead: pd.DataFrame
    lines: list[Line] = field(default_factory=list)


def prepare_panel(
    target: str,
    history: pd.DataFrame,
    forecast: pd.DataFrame,
    crossings: Sequence[Crossing] = (),
    title: str = "",
) -> Panel:
    """Return what is drawn of one target of one cell.

    Args:
        target: Column.
        history: `ds`, `y`, readings only, in time order.
        forecast: `ds`, `mean` and the quantiles.
        crossings: The limits of this target.
        title: Above the picture.
    """
    shown = history.tail(max(HISTORY_SPANS * len(forecast), FEWEST_SHOWN))
    shown = shown.rename(columns={WHEN: TIMESTAMP, VALUE: "value"})[[TIMESTAMP, "value"]]
    ahead = forecast.rename(columns={WHEN: TIMESTAMP, **BANDS})[[TIMESTAMP, *VALUES]]
    lines = [_line(item, shown, ahead) for item in crossings if _is_near(item, shown, ahead)]
    start = {TIMESTAMP: history[WHEN].iloc[-1], **dict.fromkeys(VALUES, history[VALUE].iloc[-1])}
    ahead = pd.concat([pd.DataFrame([start]), ahead], ignore_index=True)
    return Panel(title, COLUMNS[target].axis_label, _thinned(shown), _thinned(ahead), lines)


def prepare_cell(result: CellForecast, crossings: Sequence[Crossing] = ()) -> list[Panel]:
    """Return one panel per target of a cell."""
    return [
        prepare_panel(
            name, item.history, item.forecast, [one for one in crossings if one.limit.target == name]
        )
        for name, item in result.targets.items()
    ]


def draw_png(panels: list[Panel], title: str, path: Path, *, columns: int = 1) -> Path:
    """Draw small multiples in so many columns."""
    rows = -(-len(panels) // columns)
    figure, axes = new_figure(
        rows,
        columns,
        width=10 if columns == 1 else 6.0 * columns,
        height=1.0 + ROW_HEIGHT_IN * rows,
        sharex=columns == 1,
        squeeze=False,
    )
    for axis, panel in zip(axes.flat, panels, strict=False):
        _draw_panel(axis, panel)
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    handles: dict[str, Any] = {}
    for axis in axes.flat[: len(panels)]:
        drawn, labels = axis.get_legend_handles_labels()
        handles.update(dict(zip(labels, drawn, strict=True)))
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside upper right",
        ncols=len(handles),
        frameon=False,
        fontsize=8,
        columnspacing=1.2,
    )
    return save_png(figure, path)


def _draw_panel(axis: Axes, panel: Panel) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    history, ahead = panel.history, panel.ahead
    when: Any = ahead[TIMESTAMP]
    axis.plot(history[TIMESTAMP], history["value"], color=COLOURS["blue"], lw=1.1, label="readings")
    for width, alpha in ((90, 0.22), (50, 0.40)):
        axis.fill_between(
            when,
            ahead[f"lo{width}"],
            ahead[f"hi{width}"],
            color=COLOURS["orange"],
            alpha=alpha,
            lw=0,
            label=f"{width} % interval",
        )
    axis.plot(when, ahead["mean"], color=COLOURS["red"], lw=1.5, label="forecast")
    for number, line in enumerate(panel.lines):
        # Labels of neighbours at opposite ends; a line that begins with the forecast has no room to its right.
        drawn, begins_late = line.table, line.table[TIMESTAMP].iloc[0] > ahead[TIMESTAMP].iloc[0]
        end = -1 if number % 2 or begins_late else 0
        colour = COLOURS["purple" if line.alarm else "grey"]
        name = "limit" if line.alarm else "float window"
        axis.plot(drawn[TIMESTAMP], drawn["value"], color=colour, lw=1.2, ls="--", label=name)
        axis.annotate(
            line.label,
            (drawn[TIMESTAMP].iloc[end], drawn["value"].iloc[end]),
            textcoords="offset points",
            xytext=(0, 2),
            ha="right" if end else "left",
            fontsize=7,
            color=colour,
        )
    axis.axvline(ahead[TIMESTAMP].iloc[0], color=COLOURS["grey"], lw=0.8, ls=":")
    axis.set_ylabel(panel.label.replace(" [", "\n["))  # the unit on its own line: small multiples are low
    if panel.title:
        axis.set_title(panel.title, loc="left", fontsize=8.5)
    axis.ticklabel_format(axis="y", useOffset=False)
    low, high = axis.get_ylim()
    missing = SMALLEST_HEIGHT * max(abs(low), abs(high)) - (high - low)
    if missing > 0:  # noise in the last digit is no news
        axis.set_ylim(low - missing / 2, high + missing / 2)
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _is_near(crossing: Crossing, shown: pd.DataFrame, ahead: pd.DataFrame) -> bool:
    if crossing.limit.alarm and (crossing.now or crossing.probability >= LIKELY):
        return True
    drawn = np.concatenate([shown["value"].to_numpy(), ahead[["lo90", "hi90"]].to_numpy().ravel()])
    low, high = np.nanmin(drawn), np.nanmax(drawn)
    room = NEAR_HEIGHTS * (high - low)
    return bool((crossing.line >= low - room).all() and (crossing.line <= high + room).all())


def _line(crossing: Crossing, shown: pd.DataFrame, ahead: pd.DataFrame) -> Line:
    """Draw a fixed limit over the whole picture, one that moves with the room over the forecast alone."""
    limit = crossing.limit
    table = pd.DataFrame({TIMESTAMP: ahead[TIMESTAMP], "value": crossing.line})
    if not limit.over and len(shown):
        first = pd.DataFrame({TIMESTAMP: shown[TIMESTAMP].iloc[:1], "value": [limit.value]})
        table = pd.concat([first, table.iloc[-1:]], ignore_index=True)
    return Line(limit.short, table, limit.alarm)


def _thinned(table: pd.DataFrame) -> pd.DataFrame:
    return table.iloc[:: max(len(table) // MOST_SHOWN, 1)].reset_index(drop=True)
