"""Pictures of the cells: who is likeliest to die, how long they may last, how they came to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID
from bms_schema.run.plot_theme import COLOURS, CYCLE, new_figure

from bms_failure.blocks import AT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BARS, MOST_PANELS = 20, 6
LONGEST_NAME, LONGEST_TITLE, LONGEST_REASON = 28, 60, 82
# From soon (dark) to later (pale), readable without colour too.
SOON_TO_LATER = ("#5C1247", "#D55E00", "#E69F00", "#F3DFB0")
_BAR_IN, _PANEL_IN = 0.27, 1.95


def fitting(text: str, longest: int = LONGEST_NAME) -> str:
    """Cut what is too long for its place, and take the mathematics out of `$`.

    >>> fitting("S1/C07"), fitting("a$b"), fitting("x" * 9, 4)
    ('S1/C07', 'a\\\\$b', 'xxx…')
    """
    return "".join(letter if letter.isprintable() else "?" for letter in cut(text, longest)).replace(
        "$", r"\$"
    )


def cut(text: str, longest: int) -> str:
    """Return a text of at most so many letters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def prepare_ranking(
    table: pd.DataFrame, horizons: tuple[int, ...], asked_days: int | None = None
) -> pd.DataFrame:
    """Return the worst 20 cells, worst first: `label`, `failing`, `words`, and the values to draw.

    The values are a column per horizon, named by its days (probability of death by then), or `score` where no
    model answers.

    Args:
        table: From `Ranking`.
        horizons: Days of its risk columns, ascending; empty without a model.
        asked_days: What its `risk` column refers to.
    """
    worst = table.head(MOST_BARS)
    bars = pd.DataFrame({"label": worst[CELL_ID].astype(str), "failing": worst["failing"]})
    if not horizons:
        return bars.assign(words="", score=worst["indicator_score"])
    values = {days: worst[f"risk_{days}d"] for days in horizons}
    if asked_days is not None:
        values[asked_days] = worst["risk"]
    return bars.assign(words=worst["expected"], **{str(days): values[days] for days in sorted(values)})


def draw_ranking(bars: pd.DataFrame) -> Figure:
    """Draw the worst cells as bars; names in red are on the alert list, or suspicious where no risk is known."""
    figure, axes = new_figure(width=9.0, height=1.5 + _BAR_IN * max(len(bars), 4))
    place = np.arange(len(bars))
    values = [name for name in bars if name not in {"label", "failing", "words"}]
    colours = _shades(len(values)) if values != ["score"] else [COLOURS["sky"]]
    for name, colour in reversed(list(zip(values, colours, strict=True))):
        label = None if name == "score" else f"within {name} d"
        axes.barh(place, bars[name], color=colour, height=0.75, label=label)
    axes.set_yticks(place, [fitting(label) for label in bars["label"]])
    for text, failing in zip(axes.get_yticklabels(), bars["failing"], strict=True):
        text.set_color(COLOURS["red"] if failing else "black")
    for row, words in zip(place, bars["words"], strict=True):
        axes.text(1.01, row, words, va="center", fontsize=7.5, transform=axes.get_yaxis_transform())
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.margins(y=0.01)
    if values == ["score"]:
        axes.set(
            xlabel="Indicator score, no probability (0.5 = like the fleet)",
            title="Cells by risk indicators (red: suspicious)",
        )
    else:
        axes.set(xlabel="Probability of death", title="Cells at risk (red: on the alert list)")
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(
            handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(0.0, -0.55 / figure.get_figheight()),
            ncols=len(values),
        )  # fmt: skip
    return figure


def draw_survival(curves: pd.DataFrame) -> Figure:
    """Draw the chance to be alive over the days ahead.

    Args:
        curves: From `prepare_survival`: days as index, a column per cell, the fleet's middle cell last.
    """
    figure, axes = new_figure(width=9.0, height=4.2)
    *cells, fleet = list(curves)
    for colour, name in zip(CYCLE, cells, strict=False):
        axes.plot(curves.index, curves[name], color=colour, linewidth=1.7, label=fitting(str(name)))
    axes.plot(curves.index, curves[fleet], color=COLOURS["grey"], linestyle="--", label=fleet)
    axes.axhline(0.5, color=COLOURS["grey"], linewidth=0.8, linestyle=":")
    axes.annotate(" half have died", (0, 0.5), va="bottom", fontsize=8, color="#555")
    axes.set(
        ylim=(0, 1.02), xlim=(0, curves.index[-1]), xlabel="Days from the last reading",
        ylabel="Probability to be alive", title="How long the riskiest cells may last",
    )  # fmt: skip
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def prepare_deviation(moments: pd.DataFrame, cells: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the worst cells' voltage deviation (`Cell ID`, `at`, `voltage_mv`) and the fleet's daily band.

    The band (`at`, `low`, `high`) runs from the 5 % to the 95 % quantile of all cells.

    Args:
        moments: The cells' course, from `Watched`: `Cell ID`, `at` and `voltage_mv`.
        cells: Worst cells first; at most six are kept.
    """
    shown = cells[:MOST_PANELS]
    lines = moments.loc[moments[CELL_ID].isin(shown), [CELL_ID, AT, "voltage_mv"]].dropna()
    lines = lines.assign(**{CELL_ID: pd.Categorical(lines[CELL_ID], categories=shown)})
    by_day = moments.groupby(moments[AT].dt.floor("D"))["voltage_mv"]
    band = pd.DataFrame({"low": by_day.quantile(0.05), "high": by_day.quantile(0.95)}).dropna().reset_index()
    return lines.reset_index(drop=True), band


def draw_deviation(lines: pd.DataFrame, band: pd.DataFrame, titles: dict[str, tuple[str, str]]) -> Figure:
    """Draw each cell's voltage against its string over time, the fleet's usual spread behind it.

    Args:
        lines: From `prepare_deviation`.
        band: From `prepare_deviation`.
        titles: {cell: (title, the first reason)}.
    """
    cells = list(lines[CELL_ID].cat.categories)
    rows = -(-len(cells) // 2)
    figure, grid = new_figure(
        rows, min(2, len(cells)), width=10.0, height=0.6 + _PANEL_IN * rows, sharex=True, squeeze=False
    )
    for axes, name in zip(grid.flat, cells, strict=False):
        line = lines[lines[CELL_ID] == name]
        axes.fill_between(band[AT], band["low"], band["high"], color=COLOURS["grey"], alpha=0.25)
        axes.plot(
            line[AT],
            line["voltage_mv"],
            color=COLOURS["red"],
            linewidth=1.2,
            marker="." if len(line) < 3 else None,
        )
        axes.axhline(0.0, color=COLOURS["grey"], linewidth=0.8)
        title, reason = titles[name]
        axes.set_title(f"{fitting(title, LONGEST_TITLE)}\n", loc="left", fontsize=9.5)
        said = axes.text(
            0, 1.03, fitting(reason, LONGEST_REASON), transform=axes.transAxes, fontsize=7.5, color="#555"
        )
        said.set_in_layout(False)  # else a long reason would squeeze the panels
        axes.tick_params(axis="x", rotation=20)
    for axes in grid.flat[len(cells) :]:
        axes.set_visible(False)
    figure.supylabel("Voltage − string median [mV]", fontsize=9)
    return figure


def _shades(number: int) -> list[str]:
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    scale = LinearSegmentedColormap.from_list("soon", list(SOON_TO_LATER))
    return [to_hex(scale(share)) for share in np.linspace(0.0, 1.0, max(number, 2))[:number]]
