"""The pictures of the quality report: `prepare_*` makes a tested table, `draw_*` renders it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, COLUMNS, STRING, TIMESTAMP, VOLTAGE
from bms_schema.run.plot_theme import COLOURS, new_figure

from bms_preprocess.quality import REASONS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CELLS = 60
LABELLED_CELLS = 20
SMALLEST_SCALE = 0.05  # a heat map of next to nothing shall not glow
MOST_STRINGS = 6
TIME_BUCKETS = 240
REASON_WORDS = {
    "blank": "blank",
    "not_a_number": "not a number",
    "sentinel": "sentinel",
    "out_of_range": "out of range",
    "imputed": "imputed before",
}
REASON_COLOURS = dict(
    zip(REASONS, (COLOURS[c] for c in ("grey", "purple", "red", "orange", "sky")), strict=True)
)


def prepare_missing(report: Mapping[str, Any]) -> pd.DataFrame:
    """Return the share of missing readings, cells × columns; of many cells the 60 worst, in name order."""
    worst = report["cell_table"][:MOST_CELLS]
    shares = pd.DataFrame({cell[CELL_ID]: cell["missing_share"] for cell in worst}).T
    return shares.sort_index(key=lambda names: names.map(_natural))


def prepare_reasons(report: Mapping[str, Any]) -> pd.DataFrame:
    """Return readings that are none, columns × reasons; reasons that never occur are left out."""
    table = pd.DataFrame.from_dict(
        {name: found["reasons"] for name, found in report["columns"].items()}, orient="index"
    ).reindex(columns=list(REASONS))
    table = table.fillna(0).astype("int64")
    return table.loc[:, table.sum() > 0]


def prepare_voltage(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the string's median voltage and 5-95 % band over time: `string`, `time`, `low`, `median`, `high` [V].

    At most six strings (the widest bands) and 240 stretches of time; `time` is the source row without time
    stamps.
    """
    timed = TIMESTAMP in frame and frame[TIMESTAMP].notna().any()
    known = frame.dropna(subset=[VOLTAGE, *([TIMESTAMP] if timed else [])])
    when = known[TIMESTAMP].astype("int64") if timed else known["source_row"]
    start, span = when.min(), max(int(when.max() - when.min()), 1)
    # Divided first: nanoseconds of two years times the buckets would run over.
    bucket = ((when - start) / span * (TIME_BUCKETS - 1)).round().astype("int64")
    grouped = known[VOLTAGE].groupby([known[STRING], bucket])
    table = pd.DataFrame(
        {name: grouped.quantile(share) for name, share in (("low", 0.05), ("median", 0.5), ("high", 0.95))}
    )
    table["time"] = when.groupby([known[STRING], bucket]).median()
    table = table.rename_axis(["string", "bucket"]).reset_index().drop(columns="bucket")
    if timed:
        table["time"] = pd.to_datetime(table["time"].astype("int64"))
    spread = (table["high"] - table["low"]).groupby(table["string"]).median()
    widest = spread.sort_values(ascending=False, kind="stable").index[:MOST_STRINGS]
    return table[table["string"].isin(widest)].reset_index(drop=True)


def draw_quality(shares: pd.DataFrame, reasons: pd.DataFrame, n_cells: int) -> Figure:
    """Draw the missing share per cell as a heat map and, below it, why readings are missing."""
    heights = [1.4 + 0.30 * len(shares.columns), 0.9 + 0.30 * len(reasons)]
    figure, (above, below) = new_figure(
        2, 1, width=10.0, height=sum(heights), gridspec_kw={"height_ratios": heights}
    )
    _draw_missing(figure, above, shares, n_cells)
    _draw_reasons(below, reasons)
    return figure


def _draw_missing(figure: Figure, axes: Any, shares: pd.DataFrame, n_cells: int) -> None:
    values = shares.to_numpy(dtype=float).T
    axes.grid(visible=False)
    top = max(SMALLEST_SCALE, float(np.nanmax(values, initial=0.0)))
    image = axes.imshow(values * 100, cmap="OrRd", vmin=0, vmax=top * 100, aspect="auto")
    axes.set_yticks(range(len(shares.columns)), [COLUMNS[name].label for name in shares.columns])
    every = max(1, len(shares) // 30)
    axes.set_xticks(range(0, len(shares), every), shares.index[::every], rotation=90, fontsize=7)
    _separate_strings(axes, list(shares.index))
    if len(shares) <= LABELLED_CELLS:
        for (row, column), share in np.ndenumerate(values):
            colour = "white" if share > 0.6 * top else "black"
            axes.text(column, row, f"{share:.0%}", ha="center", va="center", fontsize=7, color=colour)
    which = f": the {len(shares)} worst of {n_cells} cells" if len(shares) < n_cells else " per cell"
    axes.set_title(f"Missing readings{which}")
    figure.colorbar(image, ax=axes, label="% of rows", pad=0.01)


def _draw_reasons(axes: Any, reasons: pd.DataFrame) -> None:
    left = np.zeros(len(reasons))
    positions = np.arange(len(reasons))
    for reason in reasons.columns:
        counts = reasons[reason].to_numpy()
        axes.barh(positions, counts, left=left, label=REASON_WORDS[reason], color=REASON_COLOURS[reason])
        left += counts
    axes.set_yticks(positions, [COLUMNS[name].label for name in reasons.index])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("readings")
    axes.set_xlim(0, max(1.0, float(left.max(initial=0.0))) * 1.12)
    for position, total in zip(positions, left, strict=True):
        axes.text(total, position, f" {int(total):,}", va="center", fontsize=8)
    axes.set_title("Why readings are missing" if len(reasons.columns) else "Nothing is missing")
    if len(reasons.columns):
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(reasons.columns))


def draw_voltage(bands: pd.DataFrame, n_strings: int, window: Mapping[str, Any] | None) -> Figure:
    """Draw each string's median voltage with its 5-95 % band over time, and the float window behind."""
    strings = list(dict.fromkeys(bands["string"]))
    figure, grid = new_figure(
        len(strings), 1, width=10.0, height=0.9 + 1.5 * len(strings), sharex=True, squeeze=False
    )
    for axes, string in zip(grid[:, 0], strings, strict=True):
        part = bands[bands["string"] == string]
        if window:
            axes.axhspan(window["low_v"], window["high_v"], color=COLOURS["green"], alpha=0.10, lw=0)
        axes.fill_between(part["time"], part["low"], part["high"], color=COLOURS["blue"], alpha=0.25, lw=0)
        axes.plot(part["time"], part["median"], color=COLOURS["blue"], lw=1.2)
        axes.set_title(str(string), loc="left", fontsize=9)
        axes.set_ylabel("V")
    more = f", the {len(strings)} widest of {n_strings} strings" if len(strings) < n_strings else ""
    shade = "; green: float window" if window else ""
    figure.suptitle(
        f"Cell voltage: median and 5-95 % of the string's cells{more}{shade}", fontsize=11, weight="bold"
    )
    return figure


def _separate_strings(axes: Any, cells: Sequence[str]) -> None:
    """Draw a line where the string changes."""
    strings = [cell.rpartition("/")[0] for cell in cells]
    for position in range(1, len(cells)):
        if strings[position] != strings[position - 1]:
            axes.axvline(position - 0.5, color=COLOURS["grey"], lw=0.8)


def _natural(name: str) -> str:
    """Pad numbers, so that cell 10 follows cell 9."""
    return re.sub(r"\d+", lambda match: match.group().zfill(8), name)
