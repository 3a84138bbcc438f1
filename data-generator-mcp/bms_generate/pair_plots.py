"""Drawing two columns of the real and the synthetic table, from the table `prepare_pair` makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from bms_schema.run.plot_theme import new_figure

from bms_generate.pair_tables import SIDES, Pair
from bms_generate.plots import REAL, SYNTHETIC

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

COLOUR_OF = {"real": REAL, "synthetic": SYNTHETIC}
_LONGEST_LABEL = 18
_COLOUR_MAP = "cividis"  # even in brightness, for colour-blind readers and grey prints


def draw_pair(pair: Pair, title: str) -> Figure:
    """Draw the pair: two panels on the same scales (density, shares), or both in one (band, boxes)."""
    draw = {"density": _draw_maps, "shares": _draw_maps, "band": _draw_band, "boxes": _draw_boxes}[pair.form]
    figure = draw(pair)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    figure.supxlabel(pair.finding, fontsize=8)
    return figure


def _grid(pair: Pair, side: str) -> tuple[Any, Any, np.ndarray]:
    """Return edges (density) or labels (shares) of x and y, and the shares of one side, shape (y, x)."""
    rows = pair.table[pair.table["side"] == side]
    if pair.form == "shares":
        x, y = (list(rows[axis].unique()) for axis in ("x", "y"))
        return x, y, rows["share"].to_numpy().reshape(len(x), len(y)).T
    x, y = (list(rows[f"{axis}_left"].unique()) for axis in ("x", "y"))
    shares = rows["share"].to_numpy().reshape(len(x), len(y)).T
    return [*x, rows["x_right"].max()], [*y, rows["y_right"].max()], shares


def _draw_maps(pair: Pair) -> Figure:
    from matplotlib.colors import PowerNorm

    figure, axes = new_figure(1, 2, width=10.0, height=4.6, sharex=True, sharey=True)
    scale = PowerNorm(0.5, 0.0, float(pair.table["share"].max()))  # the square root shows thin places too
    for panel, side in zip(axes, SIDES, strict=True):
        x, y, shares = _grid(pair, side)
        if pair.form == "shares":
            image = panel.imshow(shares, cmap=_COLOUR_MAP, norm=scale, aspect="auto", origin="lower")
            panel.set_xticks(range(len(x)), [text[:_LONGEST_LABEL] for text in x], rotation=40, ha="right")
            panel.set_yticks(range(len(y)), [text[:_LONGEST_LABEL] for text in y])
        else:
            image = panel.pcolormesh(x, y, np.where(shares > 0, shares, np.nan), cmap=_COLOUR_MAP, norm=scale)
        panel.set_title(side, loc="left")
        panel.set_xlabel(pair.x)
        panel.grid(visible=False)
    axes[0].set_ylabel(pair.y)
    figure.colorbar(image, ax=list(axes), label="share of rows", pad=0.01)
    return figure


def _draw_band(pair: Pair) -> Figure:
    figure, axes = new_figure(width=9.0, height=4.6)
    for side in SIDES:
        rows = pair.table[pair.table["side"] == side]
        axes.fill_between(rows["time"], rows["low"], rows["high"], color=COLOUR_OF[side], alpha=0.2)
        axes.plot(rows["time"], rows["median"], color=COLOUR_OF[side], label=side)
    axes.set_xlabel(pair.x)
    axes.set_ylabel(f"{pair.y}\nmedian and middle 90 %")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    return figure


def _draw_boxes(pair: Pair) -> Figure:
    figure, axes = new_figure(width=9.0, height=4.6)
    names = {"low": "whislo", "quarter": "q1", "median": "med", "three_quarters": "q3", "high": "whishi"}
    for side, shift in zip(SIDES, (-0.18, 0.18), strict=True):
        rows = pair.table[pair.table["side"] == side].reset_index(drop=True)
        drawn = rows[rows["median"].notna()]
        axes.bxp(
            drawn[list(names)].rename(columns=names).to_dict("records"),
            positions=drawn.index + shift,
            widths=0.3,
            showfliers=False,
            patch_artist=True,
            boxprops={"facecolor": COLOUR_OF[side], "alpha": 0.6, "label": side},
            medianprops={"color": "black"},
        )
    labels = pair.table.loc[pair.table["side"] == "real", "x"]
    crowded = len(labels) > 5 or labels.str.len().max() > 8
    axes.set_xticks(
        range(len(labels)), [text[:_LONGEST_LABEL] for text in labels], rotation=40 if crowded else 0
    )
    axes.set_xlabel(pair.x)
    axes.set_ylabel(f"{pair.y}\nmiddle 50 % and 90 %")
    handles, texts = axes.get_legend_handles_labels()
    first = dict(zip(reversed(texts), reversed(handles), strict=True))
    axes.legend(
        [first[side] for side in SIDES if side in first],
        list(SIDES),
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=2,
        frameon=False,
    )
    axes.grid(visible=False, axis="x")
    return figure


def draw_pair_page(pair: Pair) -> go.Figure:
    """Draw the same table with plotly; the page holds bins, shares and quantiles, never the rows."""
    if pair.form in ("density", "shares"):
        return _page_of_maps(pair)
    import plotly.graph_objects as go

    figure = go.Figure()
    for side in SIDES:
        rows = pair.table[pair.table["side"] == side]
        if pair.form == "band":
            figure.add_scatter(
                x=rows["time"], y=rows["high"], line_width=0, showlegend=False, hoverinfo="skip"
            )
            figure.add_scatter(
                x=rows["time"],
                y=rows["low"],
                line_width=0,
                fill="tonexty",
                showlegend=False,
                hoverinfo="skip",
                fillcolor=_faint(COLOUR_OF[side]),
            )
            figure.add_scatter(x=rows["time"], y=rows["median"], name=side, line_color=COLOUR_OF[side])
        else:
            figure.add_box(
                x=rows["x"],
                lowerfence=rows["low"],
                q1=rows["quarter"],
                median=rows["median"],
                q3=rows["three_quarters"],
                upperfence=rows["high"],
                name=side,
                marker_color=COLOUR_OF[side],
            )
    figure.update_layout(xaxis_title=pair.x, yaxis_title=pair.y, boxmode="group")
    return figure


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.2)"


def _page_of_maps(pair: Pair) -> go.Figure:
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 2, subplot_titles=SIDES, shared_xaxes=True, shared_yaxes=True)
    for column, side in enumerate(SIDES, start=1):
        x, y, shares = _grid(pair, side)
        shown = np.where(shares > 0, shares, np.nan)
        figure.add_heatmap(x=x, y=y, z=shown, coloraxis="coloraxis", row=1, col=column)
    figure.update_xaxes(title=pair.x, matches="x")
    figure.update_yaxes(title=pair.y, col=1)
    if pair.form == "shares":
        figure.update_xaxes(type="category")
        figure.update_yaxes(type="category")
    figure.update_layout(coloraxis={"colorscale": "Cividis", "colorbar_title": "share"})
    return figure
