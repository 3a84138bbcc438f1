"""What `sdv_visualize` shows of a column or a pair: a sentence, pictures and a chart to zoom into."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import normalised
from bms_schema.run.errors import UnknownName

from bms_generate.cell_plot import draw_cells, missing_run, prepare_cells
from bms_generate.pair_plots import draw_pair, draw_pair_page
from bms_generate.pair_tables import prepare_pair
from bms_generate.plots import draw_comparison, draw_comparison_page, prepare_comparison
from bms_generate.telemetry_roles import find_roles

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class View:
    """What there is to see.

    Args:
        title: Table and column or columns.
        kind: What was compared: a state of `findings.ColumnState`, or a form of `pair_tables.PairForm`.
        finding: What is to be seen, in a sentence without its full stop.
        figure: The main picture.
        chart: The same for zooming.
        cells: A few cells over time; None where there is no such thing.
    """

    title: str
    kind: str
    finding: str
    figure: Figure
    chart: go.Figure
    cells: Figure | None = None


def require_column(frame: pd.DataFrame, name: str) -> str:
    """Return the name if the table has the column.

    Raises:
        UnknownName: it has not; names those that read alike.
    """
    if name in frame:
        return name
    plain = {normalised(str(column)): str(column) for column in frame}
    near = [plain[key] for key in get_close_matches(normalised(name), plain, n=3)]
    error = UnknownName.among("column", name, frame)
    raise UnknownName(
        error.found,
        expected=error.expected,
        fix=f"Did you mean {' or '.join(map(repr, near))}?" if near else error.fix,
    )


def view_column(
    real: pd.DataFrame, synthetic: pd.DataFrame, spec: dict[str, Any], table: str, column: str
) -> View:
    """Compare one column of a table; for a number in a table of series also a few cells over time.

    Args:
        real: The real table, typed.
        synthetic: The synthetic one.
        spec: Its metadata.
        table: Its name.
        column: One of its columns.
    """
    comparison = prepare_comparison(
        real[column], synthetic[column], spec["columns"][column], f"{table}.{column}"
    )
    finding, cells = comparison.finding, None
    roles = find_roles(real, spec)
    if roles.is_series and max(comparison.missing) > 0 and comparison.state != "missing":
        runs = [missing_run(frame, roles, column) for frame in (real, synthetic)]
        told = [f"{run:.1f}" if np.isfinite(run) else "0" for run in runs]
        finding += f", in runs of {told[0]} and {told[1]} readings of a cell"
    if roles.is_series and comparison.state == "numerical" and column not in roles.entity:
        chosen = prepare_cells(real, synthetic, roles, column)
        cells = draw_cells(chosen, comparison.title, comparison.label) if chosen else None
    figure, chart = draw_comparison(comparison), draw_comparison_page(comparison)
    return View(comparison.title, comparison.state, finding, figure, chart, cells)


def view_pair(
    real: pd.DataFrame, synthetic: pd.DataFrame, spec: dict[str, Any], table: str, columns: tuple[str, str]
) -> View:
    """Compare two columns of a table together.

    Args:
        real: The real table, typed.
        synthetic: The synthetic one.
        spec: Its metadata.
        table: Its name.
        columns: Two of its columns.

    Raises:
        InputError: they make no pair.
    """
    pair = prepare_pair(real, synthetic, spec["columns"], *columns)
    title = f"{table}: {' and '.join(columns)}"
    return View(title, pair.form, pair.finding, draw_pair(pair, title), draw_pair_page(pair))
