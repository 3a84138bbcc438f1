"""The forecast as a picture: recent history, point forecast and 90 % band of every target."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from bms_schema.data.columns import COLUMNS, TIMESTAMP
from bms_schema.run.plot_theme import COLOURS, new_figure, save_html, save_png

from bms_forecast.cell import CellForecast

# History shown: so many times the forecast, but at least so many readings; thinned to a bounded number.
HISTORY_SPANS = 4
FEWEST_SHOWN = 72
MOST_SHOWN = 3_000
ROW_HEIGHT_IN = 1.9


def prepare_forecast(result: CellForecast) -> pd.DataFrame:
    """Return what is drawn: `target`, `part` (history/forecast), `Timestamp`, `value`, `lo90`, `hi90`.

    The forecast starts with the last reading, so that the line does not break.
    """
    parts = []
    for name, item in result.targets.items():
        shown = max(HISTORY_SPANS * len(item.forecast), FEWEST_SHOWN)
        history = item.history.tail(shown)
        history = history.iloc[:: max(len(history) // MOST_SHOWN, 1)]
        last = item.history["y"].iloc[-1]
        start = {"ds": item.history["ds"].iloc[-1], "mean": last, "q0.05": last, "q0.95": last}
        ahead = pd.concat([pd.DataFrame([start]), item.forecast], ignore_index=True)
        ahead = ahead.iloc[:: max(len(ahead) // MOST_SHOWN, 1)]
        ahead = ahead.rename(columns={"mean": "value", "q0.05": "lo90", "q0.95": "hi90"})
        parts += [
            history.rename(columns={"y": "value"}).assign(part="history", target=name),
            ahead.assign(part="forecast", target=name),
        ]
    table = pd.concat(parts, ignore_index=True).rename(columns={"ds": TIMESTAMP})
    return table[["target", "part", TIMESTAMP, "value", "lo90", "hi90"]]


def draw_forecast_png(prepared: pd.DataFrame, cell_id: str, path: Path) -> Path:
    """Draw small multiples, one per target, with units."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    targets = list(dict.fromkeys(prepared["target"]))
    figure, axes = new_figure(
        len(targets), 1, width=10, height=1.0 + ROW_HEIGHT_IN * len(targets), sharex=True, squeeze=False
    )
    for axis, name in zip(axes[:, 0], targets, strict=True):
        own = prepared[prepared["target"] == name]
        history, ahead = own[own["part"] == "history"], own[own["part"] == "forecast"]
        axis.plot(history[TIMESTAMP], history["value"], color=COLOURS["blue"], lw=1.1, label="history")
        axis.fill_between(
            ahead[TIMESTAMP],
            ahead["lo90"],
            ahead["hi90"],
            color=COLOURS["orange"],
            alpha=0.3,
            lw=0,
            label="90 % interval",
        )
        axis.plot(ahead[TIMESTAMP], ahead["value"], color=COLOURS["red"], lw=1.5, label="forecast")
        axis.set_ylabel(_wrapped(COLUMNS[name].axis_label))
        axis.ticklabel_format(axis="y", useOffset=False)
        locator = AutoDateLocator()
        axis.xaxis.set_major_locator(locator)
        axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    figure.suptitle(f"Cell {cell_id}: what comes next", x=0.01, ha="left", fontsize=11, fontweight="bold")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3, frameon=False)
    return save_png(figure, path)


def draw_forecast_html(prepared: pd.DataFrame, cell_id: str, path: Path) -> Path:
    """Draw the same as an interactive page that works offline."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    targets = list(dict.fromkeys(prepared["target"]))
    figure = make_subplots(rows=len(targets), cols=1, shared_xaxes=True, vertical_spacing=0.03)
    for row, name in enumerate(targets, start=1):
        own = prepared[prepared["target"] == name]
        history, ahead = own[own["part"] == "history"], own[own["part"] == "forecast"]
        when, shown = ahead[TIMESTAMP].to_list(), row == 1
        band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "legendgroup": "band"}
        figure.add_trace(go.Scatter(x=when, y=ahead["hi90"].to_list(), showlegend=False, **band), row, 1)
        figure.add_trace(
            go.Scatter(
                x=when,
                y=ahead["lo90"].to_list(),
                fill="tonexty",
                fillcolor="rgba(230,159,0,0.3)",
                name="90 % interval",
                showlegend=shown,
                **band,
            ),
            row,
            1,
        )
        for part, colour, label in ((history, "blue", "history"), (ahead, "red", "forecast")):
            figure.add_trace(
                go.Scatter(
                    x=part[TIMESTAMP].to_list(),
                    y=part["value"].to_list(),
                    mode="lines",
                    line={"color": COLOURS[colour], "width": 1.6},
                    name=label,
                    legendgroup=label,
                    showlegend=shown,
                ),
                row,
                1,
            )
        figure.update_yaxes(title_text=COLUMNS[name].axis_label, row=row, col=1)
    figure.update_layout(
        title=f"Cell {cell_id}: what comes next", height=120 + 190 * len(targets), hovermode="x unified"
    )
    return save_html(figure, path)


def _wrapped(label: str) -> str:
    """Put the unit on its own line: small multiples are low."""
    return label.replace(" [", "\n[")
