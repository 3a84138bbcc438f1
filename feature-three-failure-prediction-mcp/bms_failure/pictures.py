"""Which pictures a result has, and how to read each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from bms_schema.data.columns import CELL_ID
from bms_schema.run.plot_theme import save_png

from bms_failure.evidence_plots import draw_budget, draw_reliability
from bms_failure.outlook import prepare_survival
from bms_failure.plots import (
    LONGEST_NAME,
    MOST_PANELS,
    cut,
    draw_deviation,
    draw_ranking,
    draw_survival,
    prepare_deviation,
    prepare_ranking,
)
from bms_failure.scoring import REASON_COLUMNS, Ranking

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What folds keep whole, see `fold_groups`.
HELD_OUT = "strings (cells where there is one string)"


@dataclass(frozen=True)
class Picture:
    """A drawn picture.

    Args:
        path: PNG file.
        caption: How to read it.
    """

    path: Path
    caption: str


def draw_cells(ranking: Ranking, moments: pd.DataFrame, folder: Path) -> list[Picture]:
    """Draw the ranking, the outlook of the riskiest cells and how they came to it; the ranking comes first.

    Args:
        ranking: Living cells, worst first.
        moments: The cells' course, from `Watched`.
        folder: Where to.
    """
    bars = draw_ranking(prepare_ranking(ranking.table, ranking.horizons, ranking.days))
    told = "the longer the dark part, the sooner" if ranking.horizons else "higher = further from the fleet"
    found = [_saved(bars, folder / "ranking.png", f"The worst cells, {told}; names in red need a look.")]
    lines, band = prepare_deviation(moments, ranking.table[CELL_ID].tolist())
    if len(band) > 1 and len(lines):  # less than two days are no course
        figure = draw_deviation(lines, band, _titles(ranking))
        caption = "Each cell's voltage against its string (red), and where nine of ten cells lie (grey)."
        found.append(_saved(figure, folder / "deviation.png", caption))
    if ranking.horizons:
        figure = draw_survival(prepare_survival(ranking.table, ranking.horizons))
        caption = "How likely each cell is still alive so many days on; dashed: the middle cell of the fleet."
        found.append(_saved(figure, folder / "survival.png", caption))
    return found


def draw_evidence(
    reliability: pd.DataFrame, curves: pd.DataFrame, *, chosen: str, days: int, budget: float, folder: Path
) -> list[Picture]:
    """Draw whether risks come true and what a budget of alerts buys.

    Args:
        reliability: Of the method used, from `prepare_reliability`.
        curves: From `alert_curves`.
        chosen: The method used.
        days: The judged horizon.
        budget: Alerts per week and 1,000 cells.
        folder: Where to.
    """
    figure = draw_reliability(reliability, method=chosen.replace("_", " "), horizon_days=days)
    first = _saved(
        figure,
        folder / "reliability.png",
        "On the dashed line a told 20 % comes true one time in five; "
        f"{HELD_OUT} were never judged by a model that had seen them.",
    )
    shown = curves.rename(columns={"per_week": "alerts_per_week"})
    second = _saved(
        draw_budget(shown, chosen=chosen, budget=budget),
        folder / "alert_budget.png",
        "More alerts catch more deaths and are right less often; the red line is the budget.",
    )
    return [first, second]


def _titles(ranking: Ranking) -> dict[str, tuple[str, str]]:
    """Return each shown cell's title and its first reason."""
    titles = {}
    for row in ranking.table.head(MOST_PANELS).to_dict("records"):
        value = (
            f"{100 * row['risk']:.0f} % within {ranking.days} d"
            if ranking.horizons
            else f"score {row['indicator_score']:.2f}"
        )
        name = cut(str(row[CELL_ID]), LONGEST_NAME)
        titles[row[CELL_ID]] = (f"{name}: {value}", row[REASON_COLUMNS[0]])
    return titles


def _saved(figure: Figure, path: Path, caption: str) -> Picture:
    return Picture(save_png(figure, path), caption)
