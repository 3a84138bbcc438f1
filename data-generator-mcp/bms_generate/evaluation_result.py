"""An evaluation as the tool's result, as `report.json` and as a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.run.envelope import finite_or_none

from bms_generate.evaluate import Evaluation
from bms_generate.privacy import Nearness
from bms_generate.results import Evaluated, Judgement, Memory, WeakSpot
from bms_generate.telemetry_scores import SeriesScores, TelemetryScores
from bms_generate.verdict import Verdict

SCORES, PAGE, RECORD = "scores.csv", "report.html", "report.json"
# A reply stays under 8,000 characters; the files have everything.
_MOST_TABLES, _MOST_COLUMNS, _MOST_MEMORIES, _MOST_REASONS = 6, 12, 10, 6
_DIGITS = 4


def as_result(evaluation: Evaluation, folder: Path, published: Callable[[str], str]) -> Evaluated:
    """Return the result, shortened to what a reply can bear.

    Args:
        evaluation: What was found.
        folder: The data folder.
        published: Gives the path of a file in the run folder.
    """
    sdv, columns, memories = evaluation.sdv, _column_scores(evaluation), list(_memories(evaluation))
    tables = _table_figures(evaluation)
    rest = {
        "tables": len(tables) - _MOST_TABLES,
        "column_scores": len(columns) - _MOST_COLUMNS,
        "lag1": len(memories) - _MOST_MEMORIES,
    }
    return Evaluated(
        folder_name=str(folder),
        share=_judgement(evaluation.share),
        train=_judgement(evaluation.train),
        overall_score=_short(sdv.overall),
        overall_all_pairs=_short(sdv.overall_all_pairs),
        overall_same_bins=_short(sdv.overall_same_bins),
        properties={name: _short(score) for name, score in sdv.properties.items()},
        column_scores=dict(list(columns.items())[:_MOST_COLUMNS]),
        weakest=[
            WeakSpot(what=row.what, score=_short(row.score) or 0.0) for row in sdv.weakest().itertuples()
        ],
        lag1=memories[:_MOST_MEMORIES],
        in_report_only={name: count for name, count in rest.items() if count > 0},
        tables=dict(list(tables.items())[:_MOST_TABLES]),
        scores_csv=published(SCORES),
        report_html=published(PAGE),
        report_json=published(RECORD),
    )


def as_record(evaluation: Evaluation, result: Evaluated) -> dict[str, Any]:
    """Return everything that was measured: the result without its cuts, and every table of every measure."""
    full = result.model_dump(mode="json") | {
        "column_scores": _column_scores(evaluation),
        "lag1": [memory.model_dump(mode="json") for memory in _memories(evaluation)],
        "tables": _table_figures(evaluation),
        "in_report_only": {},
        "measures": {name: _measures(scores) for name, scores in evaluation.tables.items()},
    }
    for question, verdict in (("share", evaluation.share), ("train", evaluation.train)):
        full[question] = {"answer": verdict.answer, "reasons": [asdict(reason) for reason in verdict.reasons]}
    return full


def in_words(evaluation: Evaluation) -> str:
    """Return the verdicts, each with its gravest reason, and SDV's score."""
    sdv = evaluation.sdv
    score = "nothing could be scored" if np.isnan(sdv.overall) else f"{sdv.overall:.3f} of 1"
    other = {"with all pairs counting": sdv.overall_all_pairs, "in the same bins": sdv.overall_same_bins}
    told = ", ".join(f"{value:.3f} {what}" for what, value in other.items() if not np.isnan(value))
    wider = f" ({told})" if told else ""
    return (
        f"Share it? {evaluation.share.answer.capitalize()}: {evaluation.share.reasons[0].text} "
        f"Train on it? {evaluation.train.answer.capitalize()}: {evaluation.train.reasons[0].text} "
        f"SDV's quality: {score}{wider}; it sees no order of rows and no copies. No guarantee of privacy."
    )


def _judgement(verdict: Verdict) -> Judgement:
    reasons = [reason.text for reason in verdict.reasons]
    rest = len(reasons) - _MOST_REASONS
    return Judgement(
        answer=verdict.answer,
        reasons=[*reasons[:_MOST_REASONS], f"{rest} more in the report"] if rest > 0 else reasons,
    )


def _table_figures(evaluation: Evaluation) -> dict[str, dict[str, float | None]]:
    return {name: _figures(scores) for name, scores in evaluation.tables.items()}


def _figures(scores: TelemetryScores) -> dict[str, float | None]:
    """Return the main figures of a table, as far as they apply; `…_real` is what real records give."""
    figures: dict[str, float | None] = {"two_sample_auroc": scores.two_sample.auroc}
    if scores.trained_on.task != "none":
        metric = "auroc" if scores.trained_on.task == "label" else "r2"
        figures[f"trained_on_real_{metric}"], figures[f"trained_on_synthetic_{metric}"] = (
            scores.trained_on.headline
        )
    figures |= _shares("rows", scores.row_nearness) | _shares("windows", scores.window_nearness)
    if label := scores.label:
        figures |= {"label_rate": label.rows_synthetic, "label_rate_real": label.rows_real}
    if series := scores.series:
        figures |= {
            "lag1_error": _lag1_error(series),
            "between_cells_ratio": series.variance["between_ratio"].median(),
            "regular_steps": series.clock.regular_synthetic,
            "regular_steps_real": series.clock.regular_real,
        }
    return {name: _short(value) for name, value in figures.items()}


def _shares(records: str, nearness: Nearness | None) -> dict[str, float | None]:
    """Return the shares that decide whether the twin may be shared; None where nothing could be measured."""
    kinds = {"copied": nearness and nearness.copies, "near": nearness and nearness.near}
    return {
        f"{kind}_{records}{of}": share and (share.real if of else share.synthetic)
        for kind, share in kinds.items()
        for of in ("", "_real")
    }


def _lag1_error(series: SeriesScores) -> float:
    first = series.autocorrelation[series.autocorrelation["lag"] == 1]
    return float((first["real"] - first["synthetic"].fillna(0.0)).abs().mean())


def _measures(scores: TelemetryScores) -> dict[str, Any]:
    series, learnt, judged = scores.series, scores.trained_on, scores.two_sample
    found: dict[str, Any] = {
        "roles": asdict(scores.roles),
        "two_sample": {
            "auroc": _short(judged.auroc),
            "folds": [_short(area) for area in judged.folds],
            "split": judged.split,
            "records": judged.records,
        },
        "trained_on": {
            "task": learnt.task,
            "split": learnt.split,
            "note": learnt.note,
            "scores": _rows(learnt.table),
        },
        "nearness": [_nearness(item) for item in (scores.row_nearness, scores.window_nearness) if item],
        "label": _shortened(asdict(scores.label)) if scores.label else None,
    }
    if series is not None:
        found |= {
            "autocorrelation": _rows(series.autocorrelation),
            "cross_correlation": _rows(series.cross_correlation),
            "variance": _rows(series.variance),
            "shared": _rows(series.shared),
            "clock": _shortened(asdict(series.clock)),
        }
    return found


def _nearness(item: Nearness) -> dict[str, Any]:
    return {
        "records": item.records,
        "held_out": item.held_out,
        "near_real": _short(item.near.real),
        "near_synthetic": _short(item.near.synthetic),
        "copies_real": _short(item.copies.real),
        "copies_synthetic": _short(item.copies.synthetic),
        "quantiles": _rows(item.quantiles()),
    }


def _column_scores(evaluation: Evaluation) -> dict[str, float | None]:
    return {str(name): _short(score) for name, score in evaluation.sdv.column_scores()["score"].items()}


def _memories(evaluation: Evaluation) -> Iterable[Memory]:
    for name, scores in evaluation.tables.items():
        if scores.series is not None:
            table = scores.series.autocorrelation
            for row in table[table["lag"] == 1].itertuples():
                column = f"{name}.{row.signal}"
                yield Memory(column=column, real=_short(row.real), synthetic=_short(row.synthetic))


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [_shortened(row) for row in table.to_dict("records")]


def _shortened(values: dict[Any, Any]) -> dict[str, Any]:
    return {
        str(name): _short(value) if isinstance(value, float) else finite_or_none(value)
        for name, value in values.items()
    }


def _short(value: float | None) -> float | None:
    """Return four significant digits of a share or score; None where it is unknown."""
    if value is None or not np.isfinite(value):
        return None
    return float(f"{value:.{_DIGITS}g}")
