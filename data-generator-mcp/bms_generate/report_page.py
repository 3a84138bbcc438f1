"""The evaluation as one self-contained HTML page."""

from __future__ import annotations

import html
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd
from bms_schema.run.plot_theme import embedded

from bms_generate.dataset import Dataset, Tables
from bms_generate.evaluate import Evaluation
from bms_generate.plots import draw_comparison, draw_memory, draw_scores, prepare_comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_BARS = 30
_PICTURED_COLUMNS = 6
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}td{padding:.25rem .8rem;border-bottom:1px solid #ddd}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}img{max-width:100%;height:auto}"
    ".big{font-size:2.4rem;font-weight:600;color:#0072B2}"
    ".note{background:#f5f5f5;padding:.6rem 1rem;border-left:4px solid #E69F00}"
)
BLIND_SPOT = (
    "SDV's scores compare columns and pairs of columns; they do not see the order of rows. "
    "The lag-1 autocorrelation per cell does: a copula keeps no memory in time."
)


def make_page(evaluation: Evaluation, real: Dataset, synthetic: Tables) -> str:
    """Return the page: overall score, properties, weakest spots, column scores, memory, weakest columns drawn."""
    columns = evaluation.column_scores()
    weakest = evaluation.weakest()
    parts = [
        f"<h1>Synthetic against real: {html.escape(real.folder.name)}</h1>",
        f'<p><span class="big">{_score(evaluation.overall)}</span> overall quality (0 to 1)</p>',
        _table("Properties", evaluation.properties.items()),
        _table("Weakest spots", zip(weakest["what"], weakest["score"], strict=True)),
    ]
    if len(columns):
        parts.append(_picture(draw_scores(columns["score"].head(_MOST_BARS), "Shape of each column")))
    parts.append(f'<h2>Memory in time</h2><p class="note">{BLIND_SPOT}</p>')
    if len(evaluation.memory):
        parts.append(_picture(draw_memory(evaluation.memory.head(_MOST_BARS))))
    else:
        parts.append("<p>No table has a cell and a time column.</p>")
    parts.append("<h2>The weakest columns</h2>")
    parts += [_picture(figure) for figure in _weak_columns(columns, real, synthetic)]
    title = f"Synthetic data of {html.escape(real.folder.name)}"
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>'


def _weak_columns(columns: pd.DataFrame, real: Dataset, synthetic: Tables) -> list[Figure]:
    figures = []
    for row in columns.head(_PICTURED_COLUMNS).itertuples():
        before, after = real.tables[row.table][row.column], synthetic[row.table][row.column]
        spec = real.metadata["tables"][row.table]["columns"][row.column]
        if before.notna().any() and after.notna().any():
            figures.append(draw_comparison(prepare_comparison(before, after, spec, str(row.Index))))
    return figures


def _table(title: str, rows: Iterable[tuple[str, float]]) -> str:
    lines = "".join(
        f'<tr><td>{html.escape(str(name))}</td><td class="n">{_score(score)}</td></tr>'
        for name, score in rows
    )
    return f"<h2>{title}</h2><table>{lines}</table>"


def _score(value: float) -> str:
    return "not applicable" if pd.isna(value) else f"{value:.3f}"


def _picture(figure: Figure) -> str:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_png(stream)
    return f'<img alt="" src="{embedded(stream.getvalue())}">'
