"""The worst cells over time, each against the median of its string, with its events shaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, COLUMNS, STRING, TIMESTAMP
from bms_schema.data.moments import moment_codes, order_cells
from bms_schema.run.plot_theme import COLOURS, new_figure

from bms_anomaly.features import SIGNALS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CELLS = 6
_COLUMN_OF = {signal.name: signal.column for signal in SIGNALS}


def prepare_timeline(frame: pd.DataFrame, rows: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Return the readings of the (at most six) worst cells in time order, worst cell first.

    Columns: `Cell ID`, `kind`, `column` (what is shown), `peak_score`, `when` (time, or reading number without
    time stamps), `value`, `string_median`, `anomaly`. A cell shows the signal of its strongest event.

    Args:
        frame: Canonical frame.
        rows: Scored rows, same order.
        events: Its events, the highest peak first.
    """
    order = order_cells(frame)
    moments = moment_codes(frame, order)
    timed = TIMESTAMP in frame and frame[TIMESTAMP].notna().any()
    when = frame[TIMESTAMP].to_numpy() if timed else order.restore(order.seconds)
    parts = []
    for _, event in events.drop_duplicates(CELL_ID).head(MOST_CELLS).iterrows():
        column = _COLUMN_OF.get(event["signal"], SIGNALS[0].column)
        cell = np.flatnonzero((frame[CELL_ID] == event[CELL_ID]).to_numpy()[order.order])
        positions = order.order[cell]
        string = (frame[STRING] == event[STRING]).to_numpy()
        median = frame.loc[string, column].groupby(moments[string]).median()
        parts.append(
            pd.DataFrame(
                {
                    CELL_ID: event[CELL_ID],
                    "kind": event["kind"],
                    "column": column,
                    "peak_score": event["peak_score"],
                    "when": when[positions],
                    "value": frame[column].to_numpy()[positions],
                    "string_median": median.reindex(moments[positions]).to_numpy(),
                    "anomaly": rows["anomaly"].to_numpy()[positions],
                }
            )
        )
    columns = [CELL_ID, "kind", "column", "peak_score", "when", "value", "string_median", "anomaly"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def draw_timeline(table: pd.DataFrame) -> Figure:
    """Draw one small panel per cell; a note where no cell has an event."""
    cells = list(dict.fromkeys(table[CELL_ID]))
    figure, axes = new_figure(
        max(1, len(cells)), width=10.0, height=1.2 + 1.9 * max(1, len(cells)), squeeze=False, sharex=True
    )
    if not cells:
        axes[0, 0].text(0.5, 0.5, "No cell has an event.", ha="center", va="center")
        axes[0, 0].set_axis_off()
        return figure
    for axis, cell in zip(axes[:, 0], cells, strict=True):
        shown = table[table[CELL_ID] == cell].dropna(subset=["when"])
        column, when = shown["column"].iloc[0], shown["when"].to_numpy()
        axis.plot(
            when, shown["string_median"], color=COLOURS["grey"], linewidth=0.8, label="median of the string"
        )
        axis.plot(when, shown["value"], color=COLOURS["blue"], linewidth=0.9, label="cell")
        odd = shown["anomaly"].to_numpy() == 1
        axis.fill_between(
            when,
            0,
            1,
            where=odd,
            transform=axis.get_xaxis_transform(),
            color=COLOURS["orange"],
            alpha=0.3,
            linewidth=0,
            label="event",
        )
        axis.plot(when[odd], shown["value"].to_numpy()[odd], ".", color=COLOURS["red"], markersize=2)
        axis.set_title(
            f"{cell}: {shown['kind'].iloc[0]}, peak score {shown['peak_score'].iloc[0]:.1f}", loc="left"
        )
        axis.set_ylabel(COLUMNS[column].axis_label)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    axes[-1, 0].set_xlabel(
        "Time" if np.issubdtype(table["when"].to_numpy().dtype, np.datetime64) else "Reading"
    )
    figure.autofmt_xdate(rotation=0, ha="center")
    return figure
