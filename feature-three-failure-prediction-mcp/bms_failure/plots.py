"""Pictures of a failure prediction: reliability, the ranking, the worst cells over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID
from bms_schema.run.plot_theme import COLOURS, CYCLE, new_figure

from bms_failure.blocks import AT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RISK_BINS = (0.0, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
MOST_BARS = 20
MOST_LINES = 5
_Z95 = 1.96


def prepare_reliability(labels: np.ndarray, risk: np.ndarray, cells: np.ndarray) -> pd.DataFrame:
    """Return one row per occupied risk bin: `risk` (mean), `observed`, `lo95`, `hi95`, `cell_days`, `cells`.

    The Wilson interval counts cells, not cell-days: the days of one cell are no independent trials.

    Args:
        labels: 0/1, shape (n,).
        risk: Out-of-fold risks, shape (n,).
        cells: Cell of each row, shape (n,).
    """
    bins = np.clip(np.searchsorted(RISK_BINS, risk, side="right") - 1, 0, len(RISK_BINS) - 2)
    rows = pd.DataFrame({"bin": bins, "risk": risk, "label": labels, "cell": cells})
    grouped = rows.groupby("bin")
    table = pd.DataFrame(
        {
            "risk": grouped["risk"].mean(),
            "observed": grouped["label"].mean(),
            "cell_days": grouped.size(),
            "cells": grouped["cell"].nunique(),
        }
    )
    share, n = table["observed"], table["cells"]
    centre = (share + _Z95**2 / (2 * n)) / (1 + _Z95**2 / n)
    half = _Z95 / (1 + _Z95**2 / n) * np.sqrt(share * (1 - share) / n + _Z95**2 / (4 * n**2))
    return table.assign(
        lo95=(centre - half).clip(lower=0.0), hi95=(centre + half).clip(upper=1.0)
    ).reset_index(drop=True)


def draw_reliability(table: pd.DataFrame, *, method: str, horizon_days: int) -> Figure:
    """Draw observed against predicted; on the diagonal a risk of 20 % comes true one time in five."""
    figure, axes = new_figure(width=6.0, height=5.0)
    axes.plot([0, 1], [0, 1], color=COLOURS["grey"], linestyle="--", linewidth=1, label="perfect")
    error = np.abs(np.vstack([table["observed"] - table["lo95"], table["hi95"] - table["observed"]]))
    axes.errorbar(
        table["risk"], table["observed"], yerr=error, fmt="o-", color=COLOURS["blue"], capsize=3,
        label=f"{method}, 95 % by cells",
    )  # fmt: skip
    for risk, top, days in zip(table["risk"], table["hi95"], table["cell_days"], strict=True):
        axes.annotate(
            f"{days}",
            (risk, top),
            textcoords="offset points",
            xytext=(0, 4),
            fontsize=7,
            rotation=90,
            ha="center",
        )
    axes.set(
        xlim=(-0.03, 1.03), ylim=(-0.03, 1.13),
        xlabel=f"Predicted probability of death within {horizon_days} d (out of fold)",
        ylabel="Observed share of cell-days",
        title="Reliability (figures: cell-days per point)",
    )  # fmt: skip
    axes.legend(loc="lower right")
    return figure


def prepare_ranking(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the worst 20 cells (`label`, `value`, `failing`), worst first, and which column `value` is."""
    column = "risk" if table["risk"].notna().any() else "indicator_score"
    worst = table.head(MOST_BARS)
    return pd.DataFrame(
        {"label": worst[CELL_ID], "value": worst[column], "failing": worst["failing"]}
    ), column


def draw_ranking(table: pd.DataFrame, *, column: str, horizon_days: int | None) -> Figure:
    """Draw the worst cells as bars; the marked ones are failing, or suspicious where no risk is known."""
    figure, axes = new_figure(width=7.0, height=1.2 + 0.25 * max(len(table), 4))
    colours = [COLOURS["red"] if failing else COLOURS["sky"] for failing in table["failing"]]
    axes.barh(np.arange(len(table)), table["value"], color=colours)
    axes.set_yticks(np.arange(len(table)), table["label"])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    if column == "risk":
        axes.set(xlabel=f"Probability of death within {horizon_days} d", title="Cells at risk (red: alert)")
    else:
        axes.set(
            xlabel="Indicator score, no probability (0.5 = like the fleet)",
            title="Cells by risk indicators (red: suspicious)",
        )
    return figure


def prepare_deviation(moments: pd.DataFrame, cells: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the worst cells' voltage deviation (`Cell ID`, `at`, `voltage_mv`) and the fleet's daily band.

    The band (`at`, `low`, `high`) runs from the 5 % to the 95 % quantile of all cells.

    Args:
        moments: From `cell_moments`.
        cells: Worst cells first; at most five are kept.
    """
    shown = cells[:MOST_LINES]
    lines = moments.loc[moments[CELL_ID].isin(shown), [CELL_ID, AT, "voltage_mv"]].dropna()
    lines = lines.assign(**{CELL_ID: pd.Categorical(lines[CELL_ID], categories=shown)})
    by_day = moments.groupby(moments[AT].dt.floor("D"))["voltage_mv"]
    band = pd.DataFrame({"low": by_day.quantile(0.05), "high": by_day.quantile(0.95)}).dropna().reset_index()
    return lines.reset_index(drop=True), band


def draw_deviation(lines: pd.DataFrame, band: pd.DataFrame) -> Figure:
    """Draw voltage against the string over time; a single moment is a point."""
    figure, axes = new_figure(width=9.0, height=4.0)
    if len(band) > 1:
        axes.fill_between(
            band[AT], band["low"], band["high"], color=COLOURS["grey"], alpha=0.25, label="fleet, 5–95 %"
        )
    for colour, (name, line) in zip(CYCLE, lines.groupby(CELL_ID, observed=True), strict=False):
        axes.plot(
            line[AT],
            line["voltage_mv"],
            color=colour,
            linewidth=1.3,
            label=str(name),
            marker="o" if len(line) < 3 else None,
        )
    axes.axhline(0.0, color=COLOURS["grey"], linewidth=0.8)
    axes.set(
        ylabel="Voltage − string median [mV]",
        xlabel="Time",
        title="The worst cells against their string, quarter-day medians",
    )
    axes.tick_params(axis="x", rotation=20)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
