"""What a run leaves behind: the ranked table, the evidence, the pictures, the page, the reply's data."""

from contextlib import nullcontext
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from bms_schema.data.columns import CELL_ID, STRING
from bms_schema.run.envelope import Outcome
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import TableFormat, write_table

from bms_failure.answers import Answer, Question, new_version, split_words
from bms_failure.budgets import budget_steps, cells_lost
from bms_failure.evidence_words import in_words
from bms_failure.figures import alert_curves, evidence_record, reliability_of, tell, write_record
from bms_failure.model import Training
from bms_failure.needs import what_is_missing
from bms_failure.pictures import Picture, draw_cells, draw_evidence
from bms_failure.report import ReportContent, write_report
from bms_failure.results import FailingCell, FailureData, FailureMetrics
from bms_failure.scoring import Ranking
from bms_failure.watch import Watched
from bms_failure.wording import sum_up

MOST_DEAD, MOST_NOTES = 20, 10
MOST_FAILING_CHARACTERS = 2_400  # some 6 cells with their reasons; the whole reply stays below 8,000
REPORT, EVIDENCE = "report.html", "evidence.json"


@dataclass(frozen=True)
class Proof:
    """The evidence of a model trained here, as the reply, the files and the page show it."""

    metrics: FailureMetrics
    words: list[str]
    record: dict[str, Any]
    pictures: list[Picture]
    kept: dict[str, Any]
    lost: float | None


def publish(
    run: Run,
    watched: Watched,
    question: Question,
    answer: Answer,
    ranking: Ranking,
    output_format: TableFormat,
) -> Outcome[FailureData]:
    """Write all files of a run and return its outcome; the model is kept once all else is written."""
    risk_name = f"risk.{output_format}"
    write_table(ranking.table.assign(horizon_days=ranking.days), run.path(risk_name))
    proof = _prove(run, watched, question, answer.training) if answer.training else None
    pictures = draw_cells(ranking, watched.course, run.folder)
    files = [risk_name, *([EVIDENCE] if proof else [])]
    with (
        new_version(run, watched, answer.training, proof.kept)
        if answer.training and proof
        else nullcontext(answer.version)
    ) as version:
        data = _reply(
            run, watched, question, answer, ranking, proof, version, (risk_name, pictures[0].path.name)
        )
        message, summary = sum_up(data, answer.why, answer.model, watched.course)
        content = ReportContent(
            summary, data, ranking, watched.lives.dead_at_end, pictures, proof.pictures if proof else (),
            proof.record if proof else None, _notes(watched), files,
        )  # fmt: skip
        write_report(run.path(REPORT), content)
    return Outcome(message, data, (REPORT, *files, pictures[0].path.name))


def _reply(
    run: Run,
    watched: Watched,
    question: Question,
    answer: Answer,
    ranking: Ranking,
    proof: Proof | None,
    version: str | None,
    files: tuple[str, str],
) -> FailureData:
    """Return the reply's data; `files` are the names of table and picture."""
    failing, dead = failing_cells(ranking), watched.lives.dead_at_end
    lost = proof.lost if proof else answer.lost
    return FailureData(
        risk_csv=run.published(files[0]),
        method=answer.method,
        horizon_days=question.horizon_days,
        effective_horizon_days=ranking.days,
        horizons=list(ranking.horizons),
        engine=watched.source.engine,
        alerts_per_week=question.alerts_per_week,
        deaths_per_week=round(lost, 2) if lost else None,
        failing_cells=(shown := worst_that_fit(failing)),
        failing_total=len(failing),
        truncated=len(failing) > len(shown) or len(dead) > MOST_DEAD,
        dead_cells=dead[:MOST_DEAD],
        dead_total=len(dead),
        cells=watched.cells,
        in_words=proof.words if proof else answer.in_words,
        metrics=proof.metrics if proof else None,
        model_version=version,
        notes=_notes(watched)[:MOST_NOTES],
        report_html=run.published(REPORT),
        evidence_json=run.published(EVIDENCE) if proof else None,
        plot_png=run.published(files[1]),
    )


def _notes(watched: Watched) -> list[str]:
    return [*what_is_missing(watched.source), *watched.source.notes]


def failing_cells(ranking: Ranking) -> list[FailingCell]:
    """Return the cells that need a look, worst first."""
    return [
        FailingCell(
            cell=row[CELL_ID], string=row[STRING], risk=round(row["risk"], 4),
            indicator_score=round(row["indicator_score"], 4), expected=row["expected"], reasons=reasons,
        )
        for row, reasons in zip(ranking.table.to_dict("records"), ranking.reasons, strict=True)
        if row["failing"]
    ]  # fmt: skip


def worst_that_fit(failing: list[FailingCell]) -> list[FailingCell]:
    """Return the first cells, as many as a reply has room for; `risk_csv` holds them all."""
    sizes = accumulate(len(cell.model_dump_json()) for cell in failing)
    return [cell for cell, size in zip(failing, sizes, strict=True) if size <= MOST_FAILING_CHARACTERS]


def _prove(run: Run, watched: Watched, question: Question, training: Training) -> Proof:
    """Write and draw the evidence; the manifest gets its figures."""
    run.split = split_words(training, watched.moments)
    metrics = tell(training, run.split)
    reliability = reliability_of(training.evidence, metrics.chosen)
    curves = alert_curves(training.evidence)
    steps = budget_steps(curves[curves["method"] == metrics.chosen].drop(columns="method"))
    budget = question.alerts_per_week
    words = in_words(metrics, reliability, budget)
    record = evidence_record(training, metrics, curves, alerts_per_week=budget, in_words=words)
    write_record(record, run.path(EVIDENCE))
    kept = metrics.model_dump(mode="json") | {
        "in_words": words, "alerts_per_week": budget, "budget": steps,
    }  # fmt: skip
    run.metrics = kept
    pictures = draw_evidence(
        reliability, curves, chosen=metrics.chosen, days=metrics.judged_days, budget=budget,
        folder=run.folder,
    )  # fmt: skip
    return Proof(metrics, words, record, pictures, kept, cells_lost(steps))
