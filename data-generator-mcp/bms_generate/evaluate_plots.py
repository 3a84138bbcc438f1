"""Pictures of the evaluation: `prepare_*` makes a table, `draw_*` renders it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.run.plot_theme import COLOURS, new_figure

from bms_generate.plot_text import axis_label, unit_label, wrapped
from bms_generate.plots import REAL, SYNTHETIC
from bms_generate.privacy import Nearness
from bms_generate.series_scores import cell_moments
from bms_generate.telemetry import Telemetry
from bms_generate.two_sample import TwoSample
from bms_generate.verdict import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_PANELS = 6
_COLUMNS = 3
_MOST_POINTS = 400  # cells drawn of a table
_MOST_TIMES, _FEW_TIMES = 1e4, 50  # between the ends of the axis of distances; few: more ticks than decades
_LONGEST = 30  # characters of a title that a panel has room for


def draw_autocorrelation(table: pd.DataFrame) -> Figure:
    """Draw the autocorrelation of up to six signals by lag, real and synthetic.

    Args:
        table: From `autocorrelations`, at least one row.
    """
    signals = list(dict.fromkeys(table["signal"]))[:_MOST_PANELS]
    figure, panels = _grid(len(signals), sharey=True)
    for panel, signal in zip(panels, signals, strict=False):
        part = table[table["signal"] == signal]
        places = np.arange(len(part))
        for side, colour in (("real", REAL), ("synthetic", SYNTHETIC)):
            panel.plot(places, part[side], marker="o", color=colour, label=side, linewidth=1.5)
        panel.axhline(0, color=COLOURS["grey"], linewidth=0.8)
        panel.set_xticks(places, [str(lag) for lag in part["lag"]])
        panel.set_title(wrapped(signal, _LONGEST), loc="left")
        panel.set_xlabel("lag [steps]")
    panels[0].set_ylabel("autocorrelation,\nmean over cells")
    panels[0].legend(loc="best")
    return figure


def prepare_cells(real: Telemetry, synthetic: Telemetry, signals: list[str]) -> pd.DataFrame:
    """Return one row per cell and signal: `signal`, `side`, `level` (mean), `spread` (standard deviation)."""
    parts = []
    for side, telemetry in (("real", real), ("synthetic", synthetic)):
        means, variances = cell_moments(telemetry)
        for place, signal in enumerate(signals):
            columns = {"level": means[:, place], "spread": np.sqrt(variances[:, place])}
            parts.append(pd.DataFrame({"signal": signal, "side": side, **columns}))
    return pd.concat(parts, ignore_index=True).dropna()


def draw_levels(cells: pd.DataFrame) -> Figure:
    """Draw every cell as a point, level against spread, for up to six signals.

    Args:
        cells: From `prepare_cells`, at least one row.
    """
    signals = list(dict.fromkeys(cells["signal"]))[:_MOST_PANELS]
    figure, panels = _grid(len(signals))
    for panel, signal in zip(panels, signals, strict=False):
        for side, colour in (("real", REAL), ("synthetic", SYNTHETIC)):
            part = cells[(cells["signal"] == signal) & (cells["side"] == side)].head(_MOST_POINTS)
            panel.scatter(
                part["level"], part["spread"], s=14, alpha=0.6, color=colour, label=side, linewidths=0
            )
        panel.set_xlabel(f"{wrapped(axis_label(signal), _LONGEST)}\nmean of a cell")
        panel.set_ylabel(f"standard deviation{unit_label(signal)}\nof a cell")
        panel.ticklabel_format(useOffset=False)
    panels[0].legend(loc="best")
    return figure


def draw_distances(measured: list[Nearness]) -> Figure:
    """Draw the cumulative shares of the distances to the closest real record, a panel for each kind of record.

    Both axes are logarithmic, as what decides are the nearest few; equal records stand at 0, left of all others.
    """
    figure, panels = _grid(len(measured), panel_width=4.2, panel_height=3.6)
    for panel, nearness in zip(panels, measured, strict=False):
        others = "each other" if nearness.held_out == "rows" else "other strings or cells"
        for label, values, near, colour in (
            (f"real, to {others}", nearness.real, nearness.near.real, REAL),
            ("synthetic", nearness.synthetic, nearness.near.synthetic, SYNTHETIC),
        ):
            shares = np.arange(1, len(values) + 1) / len(values)
            told = f"{label}: {percent(near)} near"
            panel.step(np.r_[0, values], np.r_[0, shares], where="post", color=colour, label=told)
        panel.axvline(
            nearness.limit, color=COLOURS["red"], linestyle="--", linewidth=1, label="counts as near"
        )
        _scale_distances(panel, nearness)
        panel.set_xlabel("distance to the closest real record\n[5-95 % ranges]")
        panel.legend(
            title="Rows" if nearness.records == "rows" else "Windows of a cell",
            title_fontproperties={"weight": "bold", "size": 11},
            alignment="left",
            loc="lower left",
            bbox_to_anchor=(0, 1),
            frameon=False,
            fontsize=8,
        )
    panels[0].set_ylabel("share of records within the distance")
    return figure


def _scale_distances(panel: Any, nearness: Nearness) -> None:
    """Let the axes show the nearest records as well as the usual ones."""
    apart = np.concatenate([nearness.real, nearness.synthetic, [nearness.limit]])
    apart = apart[apart > 0]
    least, most = (apart.min(), apart.max()) if len(apart) else (0.5, 1.0)
    start = max(least / 2, most / _MOST_TIMES)
    panel.set_xscale("symlog", linthresh=start, linscale=0.3)
    panel.set_xlim(-0.1 * start, 1.1 * most)
    decades = 10.0 ** np.arange(-5, 5)
    ticks = np.outer(decades, [1, 2, 3, 5] if most < _FEW_TIMES * start else [1]).ravel()
    panel.set_xticks([0, *(tick for tick in ticks if start < tick <= most)])
    panel.xaxis.set_major_formatter(lambda distance, _: f"{distance:g}")
    panel.minorticks_off()
    panel.set_yscale("log")
    panel.set_ylim(0.5 / max(len(nearness.real), len(nearness.synthetic)), 1.3)
    panel.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")


def prepare_roc(judged: TwoSample) -> pd.DataFrame:
    """Return each fold's ROC curve: `fold`, `false_alarms`, `found` (shares of real and synthetic records)."""
    from sklearn.metrics import roc_curve

    parts = []
    for fold in np.unique(judged.fold):
        own = judged.fold == fold
        false_alarms, found, _ = roc_curve(judged.truth[own], judged.score[own])
        parts.append(pd.DataFrame({"fold": int(fold), "false_alarms": false_alarms, "found": found}))
    return pd.concat(parts, ignore_index=True)


def draw_roc(curves: pd.DataFrame, judged: TwoSample) -> Figure:
    """Draw the ROC curves of the folds; on the diagonal the two cannot be told apart.

    Args:
        curves: From `prepare_roc`.
        judged: What they are of.
    """
    figure, axes = new_figure(width=6.8, height=4.4)
    for number, (_, curve) in enumerate(curves.groupby("fold")):
        label = f"fold {number + 1}: AUROC {judged.folds[number]:.2f}"
        axes.plot(curve["false_alarms"], curve["found"], linewidth=1.4, label=label)
    axes.plot([0, 1], [0, 1], color=COLOURS["grey"], linewidth=0.8, linestyle="--")
    axes.set_xlabel("real records taken for synthetic [share]")
    axes.set_ylabel("synthetic records found [share]")
    axes.set_aspect("equal")
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.02, 1), frameon=False
    )  # curves may run through every corner
    return figure


def draw_scores(scores: pd.Series) -> Figure:
    """Draw scores 0-1 as bars, weakest on top.

    Args:
        scores: Index = name, ascending.
    """
    figure, axes = new_figure(width=8.0, height=1.0 + 0.24 * max(len(scores), 3))
    places = np.arange(len(scores))
    axes.barh(places, scores.to_numpy(), color=REAL, height=0.7)
    axes.set_yticks(places, [wrapped(str(name), 48, lines=1) for name in scores.index])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("score (1 = alike)")
    axes.grid(visible=False, axis="y")
    return figure


def _grid(
    count: int, panel_width: float = 3.4, panel_height: float = 2.9, **shared: Any
) -> tuple[Figure, list[Any]]:
    """Return a figure and so many panels, at most three beside each other; the rest of the grid is empty."""
    columns = min(count, _COLUMNS)
    rows = -(-count // columns)
    figure, axes = new_figure(
        rows,
        columns,
        width=panel_width * max(columns, 2),
        height=0.4 + panel_height * rows,
        squeeze=False,
        **shared,
    )
    panels = list(axes.ravel())
    for panel in panels[count:]:
        panel.set_axis_off()
    return figure, panels[:count]
