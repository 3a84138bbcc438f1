"""The worst cells over time, each against the spread of its string, with its events shaded and named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, COLUMNS, SOURCE_ROW, STRING, TIMESTAMP, VOLTAGE
from bms_schema.data.deviation import SMALLEST_CELLS, string_deviation
from bms_schema.data.moments import moment_codes, order_cells
from bms_schema.run.plot_theme import COLOURS, new_figure

from bms_anomaly.features import SIGNALS
from bms_anomaly.picture_parts import CROWD, FAULT_COLOURS, crowd_limits, fitting
from bms_anomaly.row_kinds import is_timed
from bms_anomaly.thinning import thinned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CELLS = 6
HIDING_SWING = 4.0  # the string's median ranges over so many times what the cell's deviation does
SPREAD = (0.05, 0.5, 0.95)
SPREAD_NAMES = ["string_low", "string_median", "string_high"]
TIMELINE_COLUMNS = [CELL_ID, "column", "relative", "when", "value", *SPREAD_NAMES, "anomaly"]
CELL_COLOUR = "#1B2330"
NOTHING = "No cell has an event."
LONGEST_TITLE = 150
MARGIN = 0.08  # of the range of values
# Widths in shares of the panel's: what the eye finds, and what a letter of a label takes.
NARROWEST_EVENT, LETTER = 0.004, 0.0078
_COLUMN_OF = {signal.name: signal.column for signal in SIGNALS}


def prepare_timeline(frame: pd.DataFrame, rows: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Return at most 3,000 readings of each of at most six cells, in the order of their first event, then of time.

    Columns: `Cell ID`, `column` (the measured column shown: that of the cell's first event), `relative` (its values
    are less the string's median: a string that charges and discharges would hide how far the cell strays), `when`
    (time, or `source_row` without time stamps), `value`, `string_low`, `string_median` and `string_high` (5th, 50th
    and 95th percentile of the string at that moment, NaN where fewer than three cells answered) and `anomaly`. A
    gap in the record is a row of NaN. Strings do not depend on each other.

    Args:
        frame: Whole strings of a canonical frame: at least those of the cells with events.
        rows: Its scored rows, same order.
        events: Events of the cells to show, worst cell first.
    """
    cells = events.loc[events[CELL_ID].isin(frame[CELL_ID].unique()), CELL_ID].unique()[:MOST_CELLS]
    needed = frame[STRING].isin(frame.loc[frame[CELL_ID].isin(cells), STRING].unique()).to_numpy()
    frame = frame[needed].reset_index(drop=True)
    anomaly = rows["anomaly"].to_numpy()[needed]
    if frame.empty:
        return pd.DataFrame(columns=TIMELINE_COLUMNS)
    order = order_cells(frame)
    moments, segment = moment_codes(frame, order), order.restore(order.segment)
    when = frame[TIMESTAMP if is_timed(events) else SOURCE_ROW].to_numpy()
    column_of = {cell: _column(frame, events[events[CELL_ID] == cell]) for cell in cells}
    values = {column: frame[column].to_numpy(dtype=float) for column in set(column_of.values())}
    deviations = {column: string_deviation(values[column], moments, 1.0)[0] for column in values}
    parts = []
    for cell in cells:
        column = column_of[cell]
        places = order.order[(frame[CELL_ID] == cell).to_numpy()[order.order]]
        in_string = (frame[STRING] == frame[STRING].iloc[places[0]]).to_numpy()
        places = places[~pd.isna(when[places])]
        relative = _hidden_by_swing(values[column][places], deviations[column][places])
        shown = deviations[column] if relative else values[column]
        kept = places[thinned(shown[places], anomaly[places] == 1)]
        part = pd.DataFrame({CELL_ID: cell, "column": column, "relative": relative, "when": when[kept]})
        part["value"], part["anomaly"] = shown[kept], anomaly[kept]
        part[SPREAD_NAMES] = _spread(shown[in_string], moments[in_string], moments[kept])
        parts.append(_with_breaks(part, segment[kept]))
    return pd.concat(parts, ignore_index=True)[TIMELINE_COLUMNS]


def _column(frame: pd.DataFrame, events: pd.DataFrame) -> str:
    """Return the measured column of the signal of the first event; resistance is seen in the voltage."""
    column = _COLUMN_OF.get(events["signal"].iloc[0], VOLTAGE)
    return column if column in frame else VOLTAGE


def _hidden_by_swing(values: np.ndarray, deviation: np.ndarray) -> bool:
    """Return whether the string swings so far that nobody would see how far the cell strays from it."""
    strays = deviation[~np.isnan(deviation)]
    medians = (values - deviation)[~np.isnan(deviation)]
    if not strays.size:
        return False
    return bool(np.ptp(np.quantile(medians, CROWD)) > HIDING_SWING * np.ptp(np.quantile(strays, CROWD)))


def _spread(values: np.ndarray, moments: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return the percentiles `SPREAD` of the values at each of the asked moments, shape (len(asked), 3)."""
    there = np.isin(moments, asked) & ~np.isnan(values)
    by_moment = pd.Series(values[there]).groupby(moments[there])
    enough = by_moment.size() >= SMALLEST_CELLS
    found = {share: by_moment.quantile(share)[enough] for share in SPREAD}
    return pd.DataFrame(found, columns=list(SPREAD)).reindex(asked).to_numpy()


def _with_breaks(part: pd.DataFrame, segment: np.ndarray) -> pd.DataFrame:
    """Put a row of NaN between two readings with a gap between them, so that no line is drawn across."""
    before = np.flatnonzero(np.diff(segment) != 0)
    breaks = part.iloc[before].assign(anomaly=0, value=np.nan, **dict.fromkeys(SPREAD_NAMES, np.nan))
    return pd.concat([part, breaks]).sort_index(kind="stable")


def draw_timeline(table: pd.DataFrame, events: pd.DataFrame) -> Figure:
    """Draw one panel per cell of `prepare_timeline`; a note where no cell has an event.

    Args:
        table: From `prepare_timeline`.
        events: Events, the highest peak first; those of cells that the table lacks are not drawn.
    """
    cells = list(dict.fromkeys(table[CELL_ID]))
    if not cells:
        figure, axis = new_figure(width=11.0, height=2.0)
        axis.text(0.5, 0.5, NOTHING, ha="center", va="center")
        axis.set_axis_off()
        return figure
    figure, axes = new_figure(
        len(cells), width=11.0, height=0.9 + 2.0 * len(cells), squeeze=False, sharex=True
    )
    for axis, cell in zip(axes[:, 0], cells, strict=True):
        shown = table[table[CELL_ID] == cell]
        _draw_readings(axis, shown)
    timed = pd.api.types.is_datetime64_any_dtype(table["when"])
    for axis, cell in zip(axes[:, 0], cells, strict=True):
        _draw_events(axis, events[events[CELL_ID] == cell], timed=timed)
    _label_time(axes[-1, 0], timed=timed)
    _draw_legend(figure, axes[0, 0])
    return figure


def panel_title(cell: str, events: pd.DataFrame) -> str:
    """Return the cell, its strongest event, how many more it has, and the evidence of that event."""
    worst = events.iloc[0]
    more = f" (+{len(events) - 1} more)" if len(events) > 1 else ""
    evidence = worst.get("evidence", "")
    return f"{cell}: {event_label(worst)}{more}" + (f"; {evidence}" if evidence else "")


def event_label(event: pd.Series) -> str:
    """Return an event's kind and peak in words."""
    return f"{event['kind']} {event['peak_score']:.1f}"


def _draw_readings(axis: Any, shown: pd.DataFrame) -> None:
    """Draw the string's spread, its median and the cell.

    What lies beyond the axis is an arrow at its edge; a reading that was taken out as impossible, a cross.
    """
    when = shown["when"].to_numpy()
    value, low, median, high = (shown[name].to_numpy(dtype=float) for name in ("value", *SPREAD_NAMES))
    axis.fill_between(when, low, high, color=COLOURS["grey"], alpha=0.3, linewidth=0)
    axis.plot(when, median, color=COLOURS["grey"], linewidth=0.8)
    axis.plot(when, value, color=CELL_COLOUR, linewidth=0.9, marker=".", markersize=1.5)
    bottom, top = value_limits(shown)
    axis.set_ylim(*with_margins(bottom, top))
    for beyond, edge, marker in ((value < bottom, bottom, "v"), (value > top, top, "^")):
        if beyond.any():
            axis.plot(when[beyond], np.full(int(beyond.sum()), edge), marker, color=CELL_COLOUR, markersize=5)
            farthest = np.nanargmax(np.where(beyond, np.abs(value - edge), np.nan))
            text = f" {value[farthest]:.3g}"
            axis.annotate(text, (when[farthest], edge), fontsize=7, va="center", color=CELL_COLOUR)
    lost = (shown["anomaly"] == 1).to_numpy() & np.isnan(value)
    axis.plot(when[lost], np.full(int(lost.sum()), bottom), "x", color=FAULT_COLOURS["sensor"], markersize=4)
    axis.margins(x=0.01)
    axis.set_ylabel(value_label(shown))


def value_limits(shown: pd.DataFrame) -> tuple[float, float]:
    """Return between which values a cell's panel shows its readings and their string; see `crowd_limits`."""
    crowd = shown[["value", "string_median"]].to_numpy(dtype=float)
    return crowd_limits(shown[["value", *SPREAD_NAMES]].to_numpy(dtype=float), crowd)


def with_margins(bottom: float, top: float) -> tuple[float, float]:
    """Return the ends of the axis, with room for the names of events at the top."""
    margin = MARGIN * (top - bottom) or MARGIN
    return bottom - margin, top + 3 * margin


def value_label(shown: pd.DataFrame) -> str:
    """Return what stands beside the value axis of a cell's panel."""
    label = COLUMNS[shown["column"].iloc[0]].axis_label
    return f"{label},\nless its string's median" if shown["relative"].iloc[0] else label


def _draw_events(axis: Any, events: pd.DataFrame, *, timed: bool) -> None:
    """Shade every event, and name the strongest ones that find room beside each other."""
    axis.set_title(
        fitting(panel_title(events[CELL_ID].iloc[0], events), LONGEST_TITLE), loc="left", fontsize=9
    )
    first, last = axis.get_xlim()
    taken: list[tuple[float, float]] = []
    for _, event in events.dropna(subset=["start", "end"]).iterrows():
        start, end = _on_axis(event["start"], timed), _on_axis(event["end"], timed)
        widened = max(0.0, NARROWEST_EVENT * (last - first) - (end - start)) / 2
        colour = FAULT_COLOURS["sensor" if event.get("about") == "sensor" else "cell"]
        axis.axvspan(start - widened, end + widened, color=colour, alpha=0.22, linewidth=0)
        label = event_label(event)
        middle = ((start + end) / 2 - first) / (last - first)
        half = LETTER * len(label) / 2
        middle = float(np.clip(middle, half, 1 - half))
        if all(middle + half < left or middle - half > right for left, right in taken):
            taken.append((middle - half, middle + half))
            axis.text(
                middle,
                0.97,
                label,
                transform=axis.transAxes,
                ha="center",
                va="top",
                fontsize=7.5,
                color=colour,
            )
    axis.set_xlim(first, last)


def _on_axis(moment: Any, timed: bool) -> float:
    from matplotlib.dates import date2num

    return float(date2num(moment)) if timed else float(moment)


def _label_time(axis: Any, *, timed: bool) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    if timed:
        locator = AutoDateLocator()
        axis.xaxis.set_major_locator(locator)
        axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    else:
        axis.set_xlabel("Row of the file")


def _draw_legend(figure: Figure, axis: Any) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    grey = COLOURS["grey"]
    handles = [
        Line2D([], [], color=CELL_COLOUR, label="cell"),
        Line2D([], [], color=grey, label="median of its string"),
        Patch(color=grey, alpha=0.3, label="its string, 5th to 95th percentile"),
        Patch(color=FAULT_COLOURS["cell"], alpha=0.3, label="event: cell fault, peak score"),
        Patch(color=FAULT_COLOURS["sensor"], alpha=0.3, label="event: sensor fault, peak score"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
