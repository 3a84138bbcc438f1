"""Pictures of the evidence: do the risks come true, and what does a budget of alerts buy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.run.plot_theme import COLOURS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RISK_BINS = (0.0, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
_Z95 = 1.96
_DASHES = {"deviation_rank": "--", "ohmic_rise": ":"}
_HARDLY_ANY = 1e-3  # alerts per week per 1,000 cells


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
    low, high = wilson_interval(table["observed"] * table["cells"], table["cells"])
    return table.assign(lo95=low, hi95=high).reset_index(drop=True)


def wilson_interval(hits: Any, n: Any) -> tuple[Any, Any]:
    """Return the 95 % interval of a share by Wilson 1927: numbers for numbers, series for series.

    >>> low, high = wilson_interval(3, 3)
    >>> round(float(low), 2), round(float(high), 2)
    (0.44, 1.0)

    Args:
        hits: How many of `n` came true.
        n: Independent trials, above 0.
    """
    share = hits / n
    centre = (share + _Z95**2 / (2 * n)) / (1 + _Z95**2 / n)
    half = _Z95 / (1 + _Z95**2 / n) * np.sqrt(share * (1 - share) / n + _Z95**2 / (4 * n**2))
    return np.clip(centre - half, 0.0, None), np.clip(centre + half, None, 1.0)


def draw_reliability(table: pd.DataFrame, *, method: str, horizon_days: int) -> Figure:
    """Draw observed against predicted; on the diagonal a risk of 20 % comes true one time in five.

    Args:
        table: `risk`, `observed`, `lo95`, `hi95`, `cell_days` per bin.
        method: Who told the risks.
        horizon_days: H.
    """
    figure, axes = new_figure(width=6.4, height=5.2)
    axes.plot([0, 1], [0, 1], color=COLOURS["grey"], linestyle="--", linewidth=1, label="perfect")
    error = np.abs(np.vstack([table["observed"] - table["lo95"], table["hi95"] - table["observed"]]))
    axes.errorbar(
        table["risk"], table["observed"], yerr=error, fmt="o-", color=COLOURS["blue"], capsize=3,
        label=f"{method}, 95 % interval",
    )  # fmt: skip
    for risk, top, days in zip(table["risk"], table["hi95"], table["cell_days"], strict=True):
        axes.annotate(
            f"{days:,}",
            (risk, top),
            textcoords="offset points",
            xytext=(0, 4),
            fontsize=7,
            rotation=90,
            ha="center",
        )
    axes.set(
        xlim=(-0.03, 1.03), ylim=(-0.03, 1.17),
        xlabel=f"Predicted probability of death within {horizon_days} d (out of fold)",
        ylabel="Observed share of cell-days",
        title="Reliability (figures: cell-days per point)",
    )  # fmt: skip
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.legend(loc="lower right")
    return figure


def draw_budget(curves: pd.DataFrame, *, chosen: str, budget: float) -> Figure:
    """Draw what more alerts bring: deaths caught and alerts that are right, against alerts per week.

    Args:
        curves: `method`, `alerts_per_week` (per 1,000 cells), `recall`, `precision`, rising in alerts.
        chosen: Method whose two lines are drawn full; of the others the recall is shown.
        budget: The alerts per week per 1,000 cells that were allowed.
    """
    figure, axes = new_figure(width=7.6, height=4.4)
    for name, curve in curves.groupby("method", sort=False):
        shown = curve[curve["alerts_per_week"] > _HARDLY_ANY]
        told = str(name).replace("_", " ")
        if name == chosen:
            axes.plot(
                shown["alerts_per_week"], shown["recall"], color=COLOURS["blue"], linewidth=2,
                label=f"deaths caught, {told}",
            )  # fmt: skip
            axes.plot(
                shown["alerts_per_week"], shown["precision"], color=COLOURS["orange"], linewidth=2,
                label=f"alerts that are right, {told}",
            )  # fmt: skip
        else:
            axes.plot(
                shown["alerts_per_week"], shown["recall"], color=COLOURS["blue"], linewidth=1, alpha=0.7,
                linestyle=_DASHES.get(str(name), "-."), label=f"deaths caught, {told}",
            )  # fmt: skip
    axes.axvline(budget, color=COLOURS["red"], linewidth=1)
    axes.annotate(
        f" budget {budget:.3g}", (budget, 1.0), color=COLOURS["red"], fontsize=8, va="bottom",
        xycoords=("data", "axes fraction"),
    )  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(
        ylim=(0, 1.03), xlabel="Alerts per week per 1,000 cells (out of fold)", ylabel="Share",
        title="What a budget of alerts buys\n",
    )  # fmt: skip
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
