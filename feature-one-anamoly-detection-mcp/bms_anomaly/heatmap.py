"""The fleet at a glance: one row of pixels per cell, grouped by string, the worst score of each stretch of time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, SOURCE_ROW, STRING, TIMESTAMP
from bms_schema.run.plot_theme import COLOURS, new_figure
from bms_schema.run.wording import counted

from bms_anomaly.picture_parts import (
    ABOUT,
    SCALE_LABELS,
    SCALE_TICKS,
    SCALE_TITLE,
    SCORE,
    TOP_SCORE,
    fault_colormap,
    fitting,
    natural,
    of_sensor,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Moment = pd.Timestamp | int
BINS = 600
MOST_ROWS = 400  # of pixels; more cells than that do not fit a page
MOST_NAMED_CELLS, MOST_NAMED_STRINGS = 100, 60
CELLS, PEAK = "cells_in_string", "peak_score"
NO_ANSWER = -1.0
TITLE = "Peak anomaly score per cell over time"


def time_span(rows: pd.DataFrame) -> tuple[Moment, Moment]:
    """Return the first and the last time of scored rows; their `source_row` where none has a time stamp."""
    when = rows[_clock(rows)]
    return when.min(), when.max()


def prepare_heatmap(rows: pd.DataFrame, start: Moment, end: Moment) -> pd.DataFrame:
    """Return one row per cell: `Cell ID`, `string`, `cells_in_string`, `peak_score` and 600 stretches of time.

    A stretch, a column 0, 1, …, holds the highest score in it, below zero where that lies in an event of a
    sensor, NaN where the cell did not answer. A reading counts until the next is due. Only the worst cells of each
    string are kept, as many as find room if these are all the strings. Strings do not depend on each other: the
    tables of groups of whole strings, one after the other, show what that of the file shows.

    Args:
        rows: Scored rows of whole strings.
        start: First time of the file, the same for all groups; a `source_row` where the file has no time stamps.
        end: Last one.
    """
    clock = SOURCE_ROW if isinstance(start, int | np.integer) else TIMESTAMP
    needed = [name for name in (CELL_ID, STRING, clock, SCORE, ABOUT) if name in rows]
    rows = rows[needed].dropna(subset=clock)
    by_cell = rows.groupby(CELL_ID, sort=True, observed=True)
    cells = by_cell.agg(**{STRING: (STRING, "first"), PEAK: (SCORE, "max")}).reset_index()
    cells.insert(2, CELLS, cells.groupby(STRING)[CELL_ID].transform("size"))
    cells = _worst_of_each_string(cells)
    place = pd.Index(cells[CELL_ID]).get_indexer(rows[CELL_ID])
    kept = place >= 0
    span = max(end - start, _smallest(end - start))
    bin_ = ((rows[clock] - start) / span * BINS).to_numpy(dtype=float).astype(int)
    at = (place[kept], np.clip(bin_[kept], 0, BINS - 1))
    pixels = _pixels(rows[kept], at, len(cells))
    return cells.join(pd.DataFrame(pixels, index=cells.index))


def shown_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that fit the picture: the same number of each string, its worst cells, worst first.

    Of more than 400 strings the worst, one cell each.
    """
    strings = table.groupby(STRING)[PEAK].max().fillna(NO_ANSWER).sort_values(ascending=False, kind="stable")
    table = _worst_of_each_string(table[table[STRING].isin(strings.index[:MOST_ROWS])])
    return table.sort_values(STRING, key=lambda names: names.map(natural), kind="stable", ignore_index=True)


def caption(table: pd.DataFrame, shown: pd.DataFrame) -> str:
    """Say how many cells there are, and which of them are shown."""
    total = int(table.drop_duplicates(STRING)[CELLS].sum())
    if len(shown) == total:
        return f"{counted(total, 'cell')}, in every string the worst on top"
    return f"{len(shown):,} of {counted(total, 'cell')}: of every string the worst, the highest peak on top"


def draw_heatmap(table: pd.DataFrame, start: Moment, end: Moment) -> Figure:
    """Draw what `prepare_heatmap` returned; hatched where a cell did not answer."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    shown = shown_cells(table)
    figure, axis = new_figure(width=11.0, height=float(np.clip(1.9 + 0.17 * len(shown), 3.2, 10.0)))
    timed = isinstance(start, pd.Timestamp)
    first, last = (float(date2num(start)), float(date2num(end))) if timed else (float(start), float(end))
    last = last if last > first else first + 1.0
    axis.grid(visible=False)
    axis.patch.set(facecolor="#D9D9D9", hatch="////", edgecolor="#BDBDBD", linewidth=0.0)
    image = axis.imshow(
        shown[list(range(BINS))].to_numpy(dtype=float),
        cmap=fault_colormap(),
        vmin=-TOP_SCORE,
        vmax=TOP_SCORE,
        extent=(first, last, len(shown) - 0.5, -0.5),
        aspect="auto",
        interpolation="nearest",
    )
    _name_rows(axis, shown)
    if timed:
        axis.xaxis_date()
        locator = AutoDateLocator()
        axis.xaxis.set_major_locator(locator)
        axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    else:
        axis.set_xlabel("Row of the file")
    bar = figure.colorbar(image, ax=axis, pad=0.01, ticks=SCALE_TICKS, aspect=30)
    bar.ax.set_yticklabels(SCALE_LABELS)
    bar.set_label(SCALE_TITLE, fontsize=8)
    axis.set_title(TITLE, loc="left", pad=18)
    below_title = f"{caption(table, shown)}; hatched: no reading"
    axis.annotate(below_title, (0, 1), (0, 4), "axes fraction", textcoords="offset points", fontsize=8)
    return figure


def _pixels(rows: pd.DataFrame, at: tuple[np.ndarray, np.ndarray], cells: int) -> np.ndarray:
    """Return the signed peak score of each stretch of each cell, shape (cells, BINS), float32, NaN = no answer."""
    score = rows[SCORE].fillna(NO_ANSWER).to_numpy()
    sensor = of_sensor(rows)
    peaks = np.full((2, cells, BINS), -np.inf, dtype="float32")
    np.maximum.at(peaks, (sensor.astype(int), *at), score)
    signed = np.where(peaks[1] > peaks[0], -peaks[1], peaks[0])
    answered = peaks.max(axis=0) > NO_ANSWER
    logged = np.isfinite(signed)
    return _until_next(np.where(answered, signed, np.nan), logged)


def _until_next(pixels: np.ndarray, logged: np.ndarray) -> np.ndarray:
    """Let each logged stretch last until the cell's next is due, so that a slow log is no row of stripes."""
    column = np.arange(pixels.shape[1])
    last = np.maximum.accumulate(np.where(logged, column, -1), axis=1)
    row, place = np.nonzero(logged)
    steps = pd.Series(np.diff(place)).where(np.diff(row) == 0)
    rhythm = steps.groupby(row[1:]).median().reindex(range(len(pixels))).fillna(1.0).to_numpy()
    held = (last >= 0) & (column - last <= np.maximum(rhythm, 1.0)[:, None])
    filled = np.take_along_axis(pixels, np.maximum(last, 0), axis=1)
    return np.where(held, filled, np.nan).astype("float32")


def _worst_of_each_string(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that find room, the same number of each string but at least one, the highest peak first."""
    most = max(1, MOST_ROWS // max(1, cells[STRING].nunique()))
    ordered = cells.sort_values([PEAK, CELL_ID], ascending=[False, True], kind="stable")
    return ordered.groupby(STRING, sort=False).head(most).reset_index(drop=True)


def _name_rows(axis: Any, shown: pd.DataFrame) -> None:
    """Name every cell where they are few, else every string; draw a line between strings."""
    strings = shown[STRING].astype(str).tolist()
    borders = [at for at in range(1, len(strings)) if strings[at] != strings[at - 1]]
    for border in borders:
        axis.axhline(border - 0.5, color=COLOURS["grey"], linewidth=0.8)
    if len(shown) <= MOST_NAMED_CELLS:
        axis.set_yticks(range(len(shown)), [fitting(str(cell)) for cell in shown[CELL_ID]], fontsize=6)
        return
    edges = [0, *borders, len(strings)]
    middles = [(first + last - 1) / 2 for first, last in pairwise(edges)]
    every = -(-len(middles) // MOST_NAMED_STRINGS)
    axis.set_yticks(middles[::every], [fitting(strings[at]) for at in edges[:-1:every]], fontsize=7)


def _clock(rows: pd.DataFrame) -> str:
    return TIMESTAMP if TIMESTAMP in rows and rows[TIMESTAMP].notna().any() else SOURCE_ROW


def _smallest(span: Any) -> Any:
    """Return the shortest time, or one row, so that a single moment has a width."""
    return pd.Timedelta(1, "s") if isinstance(span, pd.Timedelta) else 1
