"""Missing and changed readings per cell and column, why, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import CHANGED, LOST
from bms_schema.data.columns import CELL_ID, COLUMNS
from bms_schema.run.plot_theme import COLOURS, new_figure

from bms_preprocess.availability import Availability
from bms_preprocess.finding import percent
from bms_preprocess.plot_parts import (
    REASON_COLOURS,
    fitting,
    label_cells,
    label_time,
    natural,
    on_axis,
    string_borders,
)
from bms_preprocess.reasons import REASONS, WORDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CELLS = 100
LABELLED_CELLS = 16
SAME_SHARE = 0.05
SMALLEST_SCALE = 0.05  # a heat map of next to nothing shall not glow


def prepare_missing(report: Mapping[str, Any]) -> pd.DataFrame:
    """Return shares of readings, cells × columns; of many cells the 100 worst, in name order.

    A column `<name>` is the share missing; `<name> changed`, present where cells differ in it, the share whose unit
    or sign was put right. The index is (string, cell).
    """
    worst = report["cell_table"][:MOST_CELLS]
    rows = {}
    for cell in worst:
        shares = dict(cell["missing_share"])
        for name, reasons in cell["reasons"].items():
            changed = sum(reasons.get(reason, 0) for reason in CHANGED)
            if changed:
                shares[f"{name} changed"] = changed / cell["rows"]
        rows[cell["string"], cell[CELL_ID]] = shares
    table = pd.DataFrame.from_dict(rows, orient="index").fillna(0.0)
    # A whole column in another unit is said in words; the picture is for what differs.
    same = [name for name in table.filter(like=" changed") if np.ptp(table[name]) < SAME_SHARE]
    table = table.drop(columns=same)
    named = [key for name in report["columns"] for key in (name, f"{name} changed") if key in table]
    order = sorted(range(len(table)), key=lambda at: [natural(str(part)) for part in table.index[at]])
    return table[named].iloc[order]


def prepare_reasons(report: Mapping[str, Any]) -> pd.DataFrame:
    """Return readings that are missing or changed, columns × reasons; what has or is none is left out."""
    table = pd.DataFrame.from_dict(
        {name: found["reasons"] for name, found in report["columns"].items()}, orient="index"
    ).reindex(columns=list(REASONS))
    table = table.fillna(0).astype("int64")
    return table.loc[:, table.sum() > 0]


def draw_missing(shares: pd.DataFrame, n_cells: int) -> Figure:
    """Draw the share of missing and changed readings per cell as a heat map."""
    figure, axes = new_figure(width=10.0, height=1.7 + 0.28 * len(shares.columns))
    values = shares.to_numpy(dtype=float).T
    axes.grid(visible=False)
    top = max(SMALLEST_SCALE, float(np.nanmax(values, initial=0.0)))
    image = axes.imshow(values * 100, cmap="OrRd", vmin=0, vmax=top * 100, aspect="auto")
    axes.set_yticks(range(len(shares.columns)), [_row_label(name) for name in shares.columns])
    label_cells(axes.xaxis, [cell for _, cell in shares.index], rotation=90.0)
    for border in string_borders([string for string, _ in shares.index]):
        axes.axvline(border, color=COLOURS["grey"], lw=0.8)
    if len(shares) <= LABELLED_CELLS:
        for (row, column), share in np.ndenumerate(values):
            colour = "white" if share > 0.6 * top else "black"
            axes.text(column, row, _percent(share), ha="center", va="center", fontsize=7, color=colour)
    which = f": the {len(shares)} worst of {n_cells:,} cells" if len(shares) < n_cells else " per cell"
    axes.set_title(
        f"Missing and changed readings{which}" if _any_changed(shares) else f"Missing readings{which}"
    )
    figure.colorbar(image, ax=axes, label="% of rows", pad=0.01)
    return figure


def _any_changed(shares: pd.DataFrame) -> bool:
    return any(name.endswith(" changed") for name in shares.columns)


def _row_label(name: str) -> str:
    column, _, changed = name.partition(" ")
    return f"{COLUMNS[column].label}{', changed' if changed else ''}"


def _percent(share: float) -> str:
    return "" if share == 0 else "<1%" if share < 0.01 else f"{share:.0%}"


def draw_reasons(reasons: pd.DataFrame) -> Figure:
    """Draw, column by column, how many readings are missing or changed for which reason."""
    figure, axes = new_figure(width=10.0, height=1.3 + 0.34 * len(reasons))
    left = np.zeros(len(reasons))
    positions = np.arange(len(reasons))
    for reason in reasons.columns:
        counts = reasons[reason].to_numpy()
        axes.barh(positions, counts, left=left, label=WORDS[reason], color=REASON_COLOURS[reason], height=0.7)
        left += counts
    axes.set_yticks(positions, [COLUMNS[name].label for name in reasons.index])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("readings")
    axes.set_xlim(0, max(1.0, float(left.max(initial=0.0))) * 1.12)
    for position, total in zip(positions, left, strict=True):
        axes.text(total, position, f" {int(total):,}", va="center", fontsize=8)
    figure.suptitle("Why readings are missing or changed", fontsize=11, weight="bold", x=0.01, ha="left")
    figure.legend(loc="outside upper right", ncols=5, frameon=False)
    return figure


def draw_maps(maps: Sequence[Availability]) -> Figure:
    """Draw cells × time: white without rows, else pale where read, coloured by reason where missing."""
    heights = [max(1.0, 0.35 + 0.13 * len(found.cells)) for found in maps]
    figure, grid = new_figure(
        len(maps),
        1,
        width=10.0,
        height=0.8 + sum(heights) + 0.35 * len(maps),
        squeeze=False,
        height_ratios=heights,
    )
    for axes, found in zip(grid[:, 0], maps, strict=True):
        _draw_map(axes, found)
    used = sorted({int(place) for found in maps for place in np.unique(found.reason) if place >= 0})
    from matplotlib.patches import Patch

    patches = [
        Patch(color=_READ, label="read"),
        Patch(facecolor="white", edgecolor="#BBBBBB", label="no row"),
    ]
    patches += [Patch(color=REASON_COLOURS[LOST[place]], label=WORDS[LOST[place]]) for place in used]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), frameon=False)
    figure.suptitle("When cells gave no reading, and why", fontsize=11, weight="bold")
    return figure


_READ = "#E4ECE4"


def _draw_map(axes: Any, found: Availability) -> None:
    from matplotlib.colors import to_rgb

    order = sorted(range(len(found.cells)), key=lambda at: natural(str(found.cells[at])))
    share, reason = found.share[order], found.reason[order]
    picture = np.ones((*share.shape, 3))
    read, known = np.array(to_rgb(_READ)), np.isfinite(share)
    picture[known] = read
    for place, name in enumerate(LOST):
        at = known & (reason == place)
        # Even one missing reading in a stretch shows; a stretch without any reading has the full colour.
        weight = (0.25 + 0.75 * share[at])[:, None]
        picture[at] = read * (1 - weight) + np.array(to_rgb(REASON_COLOURS[name])) * weight
    begin, end = on_axis(found.edges)
    if isinstance(begin, np.datetime64):
        from matplotlib.dates import date2num

        begin, end = date2num(begin), date2num(end)
        axes.xaxis_date()
    end = end if end > begin else begin + 1
    axes.imshow(picture, aspect="auto", extent=(begin, end, len(order) - 0.5, -0.5), interpolation="nearest")
    label_time(axes, found.edges)
    label_cells(axes.yaxis, [found.cells[at] for at in order])
    axes.grid(visible=False)
    which = f", the {len(order)} worst of {found.n_cells:,} cells" if len(order) < found.n_cells else ""
    title = fitting(found.string) or "all cells"
    axes.set_title(f"{title}{which}: {percent(found.missing)} missing", loc="left", fontsize=9)
