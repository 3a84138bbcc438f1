"""The pictures of one table with their captions, ready for the page."""

from __future__ import annotations

import pandas as pd
from bms_schema.run.page import picture
from bms_schema.run.plot_theme import png_of

from bms_generate.cell_plot import draw_cells
from bms_generate.cell_plot import prepare_cells as choose_cells
from bms_generate.dataset import Dataset, Tables
from bms_generate.evaluate_plots import (
    draw_autocorrelation,
    draw_distances,
    draw_levels,
    draw_roc,
    prepare_cells,
    prepare_roc,
)
from bms_generate.plot_text import axis_label, in_words_of_file
from bms_generate.plots import draw_comparison, prepare_comparison
from bms_generate.telemetry import arrange
from bms_generate.telemetry_roles import TelemetryRoles
from bms_generate.telemetry_scores import SeriesScores, TelemetryScores

_PICTURED_COLUMNS = 6


def table_pictures(
    name: str, real: pd.DataFrame, synthetic: pd.DataFrame, scores: TelemetryScores
) -> list[str]:
    """Return a table's pictures as HTML: memory, cells, distances, likeness, cells over time."""
    series, roles, parts = scores.series, scores.roles, []
    if series is not None:
        parts += _in_time(real, synthetic, series, roles)
    if measured := [item for item in (scores.row_nearness, scores.window_nearness) if item]:
        caption = (
            "Share of records within a distance of the closest real record, both axes logarithmic. What lies left "
            "of the dashed line counts as near: there the synthetic curve should not stand above the real one. "
            "What begins at 0 are copies."
        )
        parts.append(
            picture(caption, png_of(draw_distances(measured)), "Distance to the closest real record")
        )
    if scores.two_sample.folds:
        caption = (
            f"Boosted trees on {scores.two_sample.records} that they have not seen, folds by "
            f"{scores.two_sample.split}. On the dashed line they only guess."
        )
        figure = draw_roc(prepare_roc(scores.two_sample), scores.two_sample)
        parts.append(picture(caption, png_of(figure), "Real or synthetic?"))
    return parts + (_over_time(name, real, synthetic, series, roles) if series is not None else [])


def _in_time(
    real: pd.DataFrame, synthetic: pd.DataFrame, series: SeriesScores, roles: TelemetryRoles
) -> list[str]:
    parts = []
    if len(series.autocorrelation):
        caption = (
            "How much a reading tells about one some steps later. Shuffled rows leave SDV's scores as they are; "
            "the synthetic line then lies at 0."
        )
        figure = draw_autocorrelation(series.autocorrelation)
        parts.append(picture(caption, png_of(figure), "Memory in time"))
    if roles.cell:
        cells = prepare_cells(arrange(real, roles), arrange(synthetic, roles), roles.signals)
        caption = (
            "Every point is a cell. A synthetic cloud that is a dot has cells without a level of their own."
        )
        figure = draw_levels(cells[cells["signal"].isin(roles.cell)])
        parts.append(picture(caption, png_of(figure), "Levels and spread of cells"))
    return parts


def _over_time(
    name: str, real: pd.DataFrame, synthetic: pd.DataFrame, series: SeriesScores, roles: TelemetryRoles
) -> list[str]:
    parts = []
    for signal in _worth_seeing(series, roles):
        if chosen := choose_cells(real, synthetic, roles, signal):
            caption = "The same rule chooses cells on both sides; both sides share the axis of values."
            figure = draw_cells(chosen, f"{name}.{signal}", axis_label(signal))
            parts.append(picture(caption, png_of(figure), "Cells over time"))
    return parts


def _worth_seeing(series: SeriesScores, roles: TelemetryRoles) -> list[str]:
    """Return the cell's signal whose memory is farthest off, and the first shared one."""
    table = series.autocorrelation[series.autocorrelation["signal"].isin(roles.cell)]
    if not len(table):
        return roles.shared[:1]
    error = (table["real"] - table["synthetic"].fillna(0.0)).abs()
    return [str(table.loc[error.idxmax(), "signal"]), *roles.shared[:1]]


def column_pictures(weakest: pd.DataFrame, real: Dataset, synthetic: Tables) -> list[str]:
    """Return the distributions of the six weakest columns.

    Args:
        weakest: Columns `table`, `column`, `score`, weakest first, by `table.column`.
        real: Real tables.
        synthetic: Synthetic tables.
    """
    parts = []
    for row in weakest.head(_PICTURED_COLUMNS).itertuples():
        words = real.truth_words.get(row.table, {})
        before, after = (
            in_words_of_file(tables[row.table][[row.column]], words)[row.column]
            for tables in (real.tables, synthetic)
        )
        spec = real.metadata["tables"][row.table]["columns"][row.column]
        figure = draw_comparison(prepare_comparison(before, after, spec, str(row.Index)))
        parts.append(picture("", png_of(figure), f"Shape score {row.score:.3f} of 1"))
    return parts
