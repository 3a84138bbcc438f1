"""Voltage of strings over time, deviation of cells from their string, readings around masked ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, COLUMNS, VOLTAGE
from bms_schema.run.plot_theme import COLOURS, new_figure
from bms_schema.run.wording import counted

from bms_preprocess.bands import Band
from bms_preprocess.cell_facts import DEVIATIONS
from bms_preprocess.findings_cells import far_shares, persistent
from bms_preprocess.plot_parts import fitting, label_cells, label_time, natural, on_axis, string_borders
from bms_preprocess.reasons import WORDS
from bms_preprocess.traces import Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CELLS = 100


def draw_voltage(bands: Sequence[Band], n_strings: int, window: Mapping[str, Any] | None) -> Figure:
    """Draw each string's median voltage with its 5-95 % band over time, and the float window behind."""
    figure, grid = new_figure(
        len(bands), 1, width=10.0, height=0.9 + (2.6 if len(bands) == 1 else 1.5 * len(bands)), squeeze=False
    )
    for axes, band in zip(grid[:, 0], bands, strict=True):
        axes.fill_between(on_axis(band.time), band.low, band.high, color=COLOURS["blue"], alpha=0.25, lw=0)
        axes.plot(on_axis(band.time), band.median, color=COLOURS["blue"], lw=1.2)
        if len(band.time) == 1:
            axes.plot(on_axis(band.time), band.median, "o", color=COLOURS["blue"])
        if window and _meets(band, window):
            axes.axhspan(
                window["low_v"], window["high_v"], color=COLOURS["green"], alpha=0.12, lw=0, zorder=0
            )
        axes.set_title(fitting(band.string), loc="left", fontsize=9)
        axes.set_ylabel("V")
        label_time(axes, band.time)
    more = f", the {len(bands)} widest of {n_strings:,} strings" if len(bands) < n_strings else ""
    shade = "; green: float window" if window else ""
    figure.suptitle(
        f"Cell voltage: median and 5-95 % of the readings{more}{shade}", fontsize=11, weight="bold"
    )
    return figure


def _meets(band: Band, window: Mapping[str, Any]) -> bool:
    """Whether the float window is near what is drawn, lest it squeezes the curve."""
    span = float(band.high.max() - band.low.min())
    return bool(window["low_v"] - span <= band.high.max() and window["high_v"] + span >= band.low.min())


def prepare_deviations(cells: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return {signal: `string`, `cell`, `low`, `median`, `high`, `far`} of the cells that could be judged.

    `low` to `high` holds 90 % of a cell's deviations from its string's median; `far`: it stays beyond six robust
    sigmas. Of many cells the 100 farthest, in name order.
    """
    tables = {}
    for name in DEVIATIONS:
        if f"judged {name}" not in cells:
            continue
        table = pd.DataFrame(
            {
                "string": cells["string"],
                "cell": cells[CELL_ID],
                **{word: cells[f"deviation {word} {name}"] for word in ("low", "median", "high")},
                "share": far_shares(cells, name),
                "far": persistent(cells, name),
            }
        ).dropna(subset=["median"])
        if table.empty or (table[["low", "high"]] == 0).all(axis=None):
            continue
        distance = table["median"].abs()
        table = table.assign(distance=distance).sort_values(
            ["share", "distance", "cell"], ascending=[False, False, True]
        )
        table = table.head(MOST_CELLS)
        names = table["string"].map(natural) + "/" + table["cell"].map(natural)
        tables[name] = (
            table.loc[names.sort_values(kind="stable").index]
            .drop(columns=["distance", "share"])
            .reset_index(drop=True)
        )
    return tables


def draw_deviations(tables: Mapping[str, pd.DataFrame], n_cells: int) -> Figure:
    """Draw per cell how far its readings usually are from its string's median."""
    figure, grid = new_figure(len(tables), 1, width=10.0, height=1.0 + 2.1 * len(tables), squeeze=False)
    for axes, (name, table) in zip(grid[:, 0], tables.items(), strict=True):
        scale, unit = (1000.0, "mV") if name == VOLTAGE else (1.0, COLUMNS[name].unit)
        places = np.arange(len(table))
        far = table["far"].to_numpy()
        for marks, colour in ((~far, COLOURS["blue"]), (far, COLOURS["red"])):
            part = table[marks]
            axes.vlines(
                places[marks], part["low"] * scale, part["high"] * scale, color=colour, lw=3, alpha=0.45
            )
            axes.plot(places[marks], part["median"] * scale, "o", color=colour, ms=4)
        axes.axhline(0.0, color=COLOURS["grey"], lw=0.8, zorder=0)
        for border in string_borders(table["string"].tolist()):
            axes.axvline(border, color=COLOURS["grey"], lw=0.8)
        label_cells(axes.xaxis, table["cell"].tolist(), rotation=90.0)
        axes.set_xlim(-0.8, len(table) - 0.2)
        axes.set_ylabel(f"{COLUMNS[name].label}\n[{unit}]" if unit else COLUMNS[name].label)
    shown = max(len(table) for table in tables.values())
    which = f": the {shown} farthest of {n_cells:,} cells" if shown < n_cells else ""
    figure.suptitle(f"Deviation from the string's median{which}", fontsize=11, weight="bold")
    return figure


def draw_traces(traces: Sequence[Trace]) -> Figure:
    """Draw readings around the most spikes and stuck readings: as read, the masked ones marked, and the string."""
    figure, grid = new_figure(len(traces), 1, width=10.0, height=0.9 + 1.9 * len(traces), squeeze=False)
    for axes, trace in zip(grid[:, 0], traces, strict=True):
        table, column = trace.table, COLUMNS[trace.column]
        time = on_axis(table["time"].to_numpy())
        axes.plot(time, table["string"], color=COLOURS["grey"], lw=1.0, label="median of the string")
        kept = table["before"].mask(table["masked"])
        axes.plot(time, kept, ".-", color=COLOURS["blue"], lw=0.8, ms=3, label="cell, kept")
        masked = table["masked"].to_numpy()
        axes.plot(
            time[masked],
            table["before"][masked],
            "x",
            color=COLOURS["red"],
            ms=5,
            label="masked",
        )
        told = f"{counted(trace.masked, 'reading')} masked as {WORDS[trace.reason]}"
        axes.set_title(f"{fitting(trace.cell)}, {column.label.lower()}: {told}", loc="left", fontsize=9)
        axes.set_ylabel(column.unit)
        axes.margins(y=0.12)
        label_time(axes, table["time"].to_numpy())
    figure.suptitle("Readings that were masked, at their densest", fontsize=11, weight="bold")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure
