"""The evaluation as one self-contained HTML page: two verdicts, then pictures, then all scores."""

from __future__ import annotations

import pandas as pd
from bms_schema.run.page import figures, page, paragraph, picture, said, section, table
from bms_schema.run.plot_theme import png_of
from bms_schema.run.wording import counted

from bms_generate.dataset import Dataset, Tables
from bms_generate.evaluate import Evaluation
from bms_generate.evaluate_pictures import column_pictures, table_pictures
from bms_generate.evaluate_plots import draw_scores
from bms_generate.sharing import NO_GUARANTEE
from bms_generate.telemetry_scores import SeriesScores, TelemetryScores
from bms_generate.verdict_card import STYLE, verdict_card

_MOST_BARS, _MOST_PAIRS = 30, 10
SDV_IS_BLIND = (
    "SDV compares columns and pairs of columns. Its scores do not see the order of rows, that the cells of a "
    "string share a current, or that a record was copied; the measures above do."
)


def make_page(evaluation: Evaluation, real: Dataset, synthetic: Tables) -> str:
    """Return the page.

    Args:
        evaluation: What was found.
        real: The real tables.
        synthetic: The synthetic ones.
    """
    sizes = ", ".join(
        f"{name}: {counted(len(frame), 'real row')}, {len(synthetic[name]):,} synthetic"
        for name, frame in real.tables.items()
    )
    verdicts = verdict_card("Share it?", evaluation.share, NO_GUARANTEE) + verdict_card(
        "Train on it?", evaluation.train
    )
    parts = [f"<div class=verdicts>{verdicts}</div>"]
    for name, scores in evaluation.tables.items():
        pictures = table_pictures(name, real.tables[name], synthetic[name], scores)
        parts.append(section(name, *pictures, *_tables(scores)))
    columns = evaluation.sdv.column_scores()
    parts.append(_sdv(evaluation, columns))
    drawn = column_pictures(columns, real, synthetic)
    parts.append(section("The weakest columns", *drawn))
    title = f"Synthetic against real: {real.folder.name}"
    header = (
        f"<p class=brand>BMS-Flux · synthetic data</p><h1>{said(title)}</h1>{paragraph(sizes, soft=True)}"
    )
    return page(title, header, "".join(parts), STYLE)


def _tables(scores: TelemetryScores) -> list[str]:
    learnt = scores.trained_on
    parts = []
    if len(learnt.table):
        rows = [
            (f"{row.target}, {row.metric}", _score(row.synthetic), _score(row.real))
            for row in learnt.table.itertuples()
        ]
        head = ("Tested on held-out real rows", "trained on synthetic", "trained on real")
        parts.append("<h3>Train on synthetic, test on real</h3>" + table(head, rows))
    if scores.series is not None:
        parts += _series_tables(scores.series)
    return parts


def _series_tables(series: SeriesScores) -> list[str]:
    pairs = [
        (f"{row.signal} with {row.other}", str(row.lag), _score(row.synthetic), _score(row.real))
        for row in series.cross_correlation.head(_MOST_PAIRS).itertuples()
    ]
    variances = [
        (row.signal, *(_number(value) for value in row[2:])) for row in series.variance.itertuples(index=True)
    ]
    kinds = [f"{kind} {side}" for kind in ("between", "within") for side in ("real", "synthetic", "ratio")]
    return [
        "<h3>Autocorrelation by lag (lag-1 is the next reading), mean over cells: synthetic / real</h3>"
        + _memory(series.autocorrelation),
        "<h3>Correlation of signals within cells, largest errors</h3>"
        + table(("signals", "lag", "synthetic", "real"), pairs),
        "<h3>Variance between and within cells</h3>" + table(("signal", *kinds), variances),
    ]


def _memory(autocorrelation: pd.DataFrame) -> str:
    """Return a row per signal, a column per lag."""
    lags = sorted(set(autocorrelation["lag"]))
    told = {
        (row.signal, row.lag): f"{_score(row.synthetic)} / {_score(row.real)}"
        for row in autocorrelation.itertuples()
    }
    signals = dict.fromkeys(autocorrelation["signal"])
    rows = [(signal, *(told.get((signal, lag), "–") for lag in lags)) for signal in signals]
    return table(("signal", *(f"lag {lag}" for lag in lags)), rows)


def _sdv(evaluation: Evaluation, columns: pd.DataFrame) -> str:
    sdv, weakest = evaluation.sdv, evaluation.sdv.weakest()
    spots = [(what, _score(score)) for what, score in zip(weakest["what"], weakest["score"], strict=True)]
    bars = columns["score"].head(_MOST_BARS)
    return section(
        "SDV's scores",
        figures(
            {
                "quality": _score(sdv.overall),
                "quality, all pairs counting": _score(sdv.overall_all_pairs),
                "quality, both sides in the same bins": _score(sdv.overall_same_bins),
                **{name: _score(score) for name, score in sdv.properties.items()},
            }
        ),
        paragraph(
            "0 to 1, higher is better. In the first figure pairs of columns count only where the real ones are "
            "correlated above 0.5 or associated above 0.3, as sdmetrics 0.32 has it; where a pair has a category, "
            "each side is cut into bins of its own range: one extreme value more moves them all. The third "
            f"figure and the spots below put both sides into the bins of the real one. {SDV_IS_BLIND}",
            soft=True,
        ),
        table(("weakest spots", "score"), spots) if spots else paragraph("No score is below 1."),
        picture("Weakest first.", png_of(draw_scores(bars)), "Shape of each column") if len(bars) else "",
    )


def _score(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}"


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3g}"
