"""Input and output of each tool: read, call the pure steps, write the run folder, word the result."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from bms_schema.run.envelope import Outcome
from bms_schema.run.errors import InvalidArgument, UnknownName
from bms_schema.run.hashing import sha256_of
from bms_schema.run.plot_theme import save_html, save_png
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import TableFormat, write_table

from bms_generate.dataset import (
    PLOTS_FOLDER,
    SYNTHETIC_FOLDER,
    Dataset,
    find_folder,
    read_dataset,
    read_synthetic,
    require_table,
)
from bms_generate.evaluate import Evaluation, evaluate
from bms_generate.metadata_file import METADATA_NAME
from bms_generate.plots import draw_comparison, draw_comparison_page, prepare_comparison
from bms_generate.publish import copy_into, file_name, replace_synthetic, require_writable, write_tables
from bms_generate.report_page import BLIND_SPOT, make_page
from bms_generate.results import Evaluated, Generated, Memory, Simulated, Visualized, WeakSpot
from bms_generate.simulate_files import count_fates, require_feasible, word_fleet, write_readings
from bms_generate.simulator.settings import Settings
from bms_generate.synthesize import synthesize

# A reply stays under 8,000 characters; the files have everything.
_MOST_COLUMN_SCORES, _MOST_MEMORIES, _MOST_NOTES = 20, 12, 10


def generate_twin(
    run: Run, folder_name: str, *, rows: int | None, scale: float, seed: int
) -> Outcome[Generated]:
    """Make the twin and put it into the run folder and the data folder."""
    folder = find_folder(folder_name)
    require_writable(folder)
    run.progress(0, 4, "reading")
    dataset = read_dataset(folder)
    run.seed = seed
    _record_inputs(run, dataset)
    tables, notes = synthesize(dataset, rows=rows, scale=scale, seed=seed, progress=run.progress)
    for note in (notes := [*dataset.notes, *notes]):
        run.warn(note)
    write_tables(tables, dataset, run.path(SYNTHETIC_FOLDER))
    run.progress(4, 4, "written")
    target = replace_synthetic(folder, run.path(SYNTHETIC_FOLDER))
    method = "GaussianCopula" if len(tables) == 1 else "HMA"
    counts = {name: len(frame) for name, frame in tables.items()}
    data = Generated(
        folder_name=str(folder),
        synthetic_folder=str(target),
        tables=counts,
        method=method,
        notes=_shorten(notes),
    )
    made = ", ".join(f"{name} {count:,}" for name, count in list(counts.items())[:5])
    message = (
        f"Synthetic rows: {made} ({method}, seed {seed}) in '{target}'. "
        "Distributions and correlations follow the real tables; successive rows of a cell have no memory in time."
    )
    return Outcome(message, data, tuple(f"{SYNTHETIC_FOLDER}/{name}.csv" for name in counts))


def evaluate_twin(run: Run, folder_name: str) -> Outcome[Evaluated]:
    """Score the twin and write scores, report and page."""
    folder = find_folder(folder_name)
    run.progress(0, 3, "reading")
    dataset = read_dataset(folder)
    synthetic = read_synthetic(dataset)
    _record_inputs(run, dataset)
    run.add_input(folder / SYNTHETIC_FOLDER)
    run.progress(1, 3, "scoring")
    evaluation = evaluate(dataset, synthetic)
    run.metrics = {"overall_score": evaluation.overall, **evaluation.properties}
    run.progress(2, 3, "drawing the report")
    write_table(evaluation.scores, run.path("scores.csv"))
    run.path("report.html").write_text(make_page(evaluation, dataset, synthetic), encoding="utf-8")
    data = _evaluated(run, folder, evaluation)
    full = data.model_dump(mode="json") | {
        "column_scores": _by_name(evaluation.column_scores()["score"].items(), None),
        "lag1": [memory.model_dump(mode="json") for memory in _memories(evaluation)],
    }
    run.path("report.json").write_text(json.dumps(full, indent=2, ensure_ascii=False), encoding="utf-8")
    return Outcome(_word_evaluation(evaluation), data, ("report.html", "report.json", "scores.csv"))


def visualize_column(run: Run, folder_name: str, table_name: str, column_name: str) -> Outcome[Visualized]:
    """Draw one column and leave a copy in the data folder."""
    folder = find_folder(folder_name)
    dataset = read_dataset(folder)
    real = require_table(dataset, table_name)
    if column_name not in real:
        raise UnknownName.among("column", column_name, real)
    synthetic = read_synthetic(dataset)[table_name]
    _record_inputs(run, dataset)
    run.add_input(folder / SYNTHETIC_FOLDER)
    spec = dataset.metadata["tables"][table_name]["columns"][column_name]
    comparison = prepare_comparison(
        real[column_name], synthetic[column_name], spec, f"{table_name}.{column_name}"
    )
    stem = file_name(table_name, column_name)
    png = save_png(draw_comparison(comparison), run.path(f"{stem}.png"))
    page = save_html(draw_comparison_page(comparison), run.path(f"{stem}.html"))
    copy_into(folder / PLOTS_FOLDER, (png, page))
    data = Visualized(plot_png=run.published(png.name), plot_html=run.published(page.name))
    message = f"{comparison.title}: {comparison.caption}. Copied to '{folder / PLOTS_FOLDER}'."
    return Outcome(message, data, (png.name, page.name))


def write_fleet(
    run: Run, *, output_format: TableFormat, n_strings: int, **options: Any
) -> Outcome[Simulated]:
    """Simulate a fleet and write its readings, truth and cells."""
    try:
        settings = Settings(**options)
    except ValueError as error:
        raise InvalidArgument(str(error)) from error
    require_feasible(settings, n_strings)
    run.seed = settings.seed
    fleet = write_readings(settings, n_strings, run.folder, output_format, run.progress)
    names = [f"truth.{output_format}", f"cells.{output_format}"]
    for name, frame in zip(names, (fleet.truth, fleet.cells), strict=True):
        write_table(frame, run.path(name))
    data = Simulated(
        csv=run.published(fleet.readings),
        truth_csv=run.published(names[0]),
        cells_csv=run.published(names[1]),
        rows=settings.n_samples * len(fleet.cells),
        cells=len(fleet.cells),
        strings=n_strings,
        **count_fates(settings, fleet),
    )
    return Outcome(word_fleet(settings, data), data, (*fleet.parts[:1], *names))


def _record_inputs(run: Run, dataset: Dataset) -> None:
    for name in (METADATA_NAME, *(f"{table}.csv" for table in dataset.tables)):
        if (path := dataset.folder / name).is_file():
            run.inputs[str(path)] = sha256_of(path)


def _evaluated(run: Run, folder: Path, evaluation: Evaluation) -> Evaluated:
    weakest = evaluation.weakest()
    return Evaluated(
        folder_name=str(folder),
        overall_score=_rounded(evaluation.overall),
        properties=_by_name(evaluation.properties.items(), None),
        column_scores=_by_name(evaluation.column_scores()["score"].items(), _MOST_COLUMN_SCORES),
        weakest=[WeakSpot(what=row.what, score=_rounded(row.score) or 0.0) for row in weakest.itertuples()],
        lag1=_memories(evaluation)[:_MOST_MEMORIES],
        scores_csv=run.published("scores.csv"),
        report_html=run.published("report.html"),
        report_json=run.published("report.json"),
    )


def _memories(evaluation: Evaluation) -> list[Memory]:
    return [
        Memory(column=f"{row.table}.{row.column}", real=row.real, synthetic=row.synthetic)
        for row in evaluation.memory.itertuples()
    ]


def _word_evaluation(evaluation: Evaluation) -> str:
    overall = _rounded(evaluation.overall)
    weakest = "; ".join(f"{row.what} {row.score:.2f}" for row in evaluation.weakest().itertuples())
    score = "nothing could be scored" if overall is None else f"overall {overall:.3f} of 1"
    memory = evaluation.memory[["real", "synthetic"]].abs().median()
    seen = (
        f" Here its median size is {memory['real']:.2f} real, {memory['synthetic']:.2f} synthetic."
        if len(evaluation.memory)
        else ""
    )
    return f"Quality: {score}. Weakest: {weakest or 'none'}. {BLIND_SPOT}{seen}"


def _by_name(scores: Any, most: int | None) -> dict[str, float | None]:
    return {name: _rounded(score) for name, score in list(scores)[:most]}


def _rounded(score: float) -> float | None:
    return round(float(score), 4) if np.isfinite(score) else None


def _shorten(notes: list[str]) -> list[str]:
    rest = len(notes) - _MOST_NOTES
    return [*notes[:_MOST_NOTES], f"{rest} more in the log"] if rest > 0 else notes
