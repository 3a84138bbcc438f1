"""Input and output of each tool: read, call the pure steps, write the run folder, word the result."""

import json
from itertools import accumulate, count
from typing import Any

from bms_schema.run.envelope import Outcome
from bms_schema.run.errors import InvalidArgument
from bms_schema.run.hashing import sha256_of
from bms_schema.run.plot_theme import save_png
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import TableFormat, write_table

from bms_generate.column_page import write_page
from bms_generate.column_view import require_column, view_column, view_pair
from bms_generate.dataset import (
    PLOTS_FOLDER,
    SYNTHETIC_FOLDER,
    Dataset,
    find_folder,
    read_dataset,
    read_synthetic,
    require_table,
)
from bms_generate.evaluate import evaluate
from bms_generate.evaluation_result import PAGE, RECORD, SCORES, as_record, as_result, in_words
from bms_generate.metadata_file import METADATA_NAME
from bms_generate.metadata_writing import add_metadata
from bms_generate.plot_text import in_words_of_file
from bms_generate.publish import copy_into, file_name, replace_synthetic, require_writable, write_tables
from bms_generate.report_page import make_page
from bms_generate.results import Evaluated, Generated, Simulated, Visualized
from bms_generate.routes import Method
from bms_generate.simulate_files import count_fates, require_feasible, word_fleet, write_readings
from bms_generate.simulator.settings import Settings
from bms_generate.synthesize import synthesize

# A reply stays under 8,000 characters; the log has every note.
_NOTE_CHARACTERS = 5_000


def generate_twin(
    run: Run,
    folder_name: str,
    *,
    rows: int | None,
    scale: float,
    seed: int,
    method: Method,
    write_metadata: bool,
) -> Outcome[Generated]:
    """Make the twin and put it into the run folder and the data folder."""
    folder = find_folder(folder_name)
    require_writable(folder)
    run.progress(0, 4, "reading")
    for note in (assumptions := add_metadata(folder) if write_metadata else []):
        run.warn(note)  # at once: the file stays even if what follows fails
    dataset = read_dataset(folder)
    run.seed = seed
    _record_inputs(run, dataset)
    twin = synthesize(dataset, rows=rows, scale=scale, seed=seed, method=method, progress=run.progress)
    for note in (notes := [*dataset.notes, *twin.notes]):
        run.warn(note)
    run.progress(3, 4, "writing")
    write_tables(twin.tables, dataset, run.path(SYNTHETIC_FOLDER))
    run.progress(4, 4, "written")
    target = replace_synthetic(folder, run.path(SYNTHETIC_FOLDER))
    counts = {name: len(frame) for name, frame in twin.tables.items()}
    data = Generated(
        folder_name=str(folder),
        synthetic_folder=str(target),
        tables=counts,
        method=twin.models,
        notes=_shorten([*assumptions, *notes]),
    )
    made = ", ".join(f"{name} {count:,} ({twin.models[name]})" for name, count in list(counts.items())[:5])
    message = f"Synthetic rows: {made}, seed {seed}, in '{target}'. {_word_memory(twin.models)}"
    return Outcome(message, data, tuple(f"{SYNTHETIC_FOLDER}/{name}.csv" for name in counts))


def _word_memory(models: dict[str, str]) -> str:
    """Say which tables may be used where the order of rows counts."""
    fleets = [name for name, model in models.items() if model == "FleetSynthesizer"]
    forgetful = [name for name in models if name not in fleets]
    kept = f"Cells of {', '.join(fleets[:5])} behave over time as the real ones do." if fleets else ""
    lost = (
        f"Rows of {', '.join(forgetful[:5])} are drawn one by one, without memory in time."
        if forgetful
        else ""
    )
    return f"{kept} {lost}".strip()


def evaluate_twin(run: Run, folder_name: str) -> Outcome[Evaluated]:
    """Score the twin and write scores, report and page."""
    folder = find_folder(folder_name)
    run.progress(0, 1, "reading")
    dataset = read_dataset(folder)
    synthetic = read_synthetic(dataset)
    _record_inputs(run, dataset)
    run.add_input(folder / SYNTHETIC_FOLDER)
    phases, done = len(dataset.tables) + 2, count(1)
    evaluation = evaluate(dataset, synthetic, lambda phase: run.progress(next(done), phases + 1, phase))
    run.progress(phases, phases + 1, "drawing the report")
    sdv = evaluation.sdv
    run.metrics = {
        "overall_score": sdv.overall,
        "overall_all_pairs": sdv.overall_all_pairs,
        "overall_same_bins": sdv.overall_same_bins,
        **sdv.properties,
    }
    write_table(sdv.scores, run.path(SCORES))
    run.path(PAGE).write_text(make_page(evaluation, dataset, synthetic), encoding="utf-8")
    data = as_result(evaluation, folder, run.published)
    record = json.dumps(as_record(evaluation, data), indent=2, ensure_ascii=False, allow_nan=False)
    run.path(RECORD).write_text(record, encoding="utf-8")
    return Outcome(in_words(evaluation), data, (PAGE, RECORD, SCORES))


def visualize_column(
    run: Run, folder_name: str, table_name: str, column_name: str, second_column: str | None
) -> Outcome[Visualized]:
    """Draw one column, or two together, and leave a copy in the data folder."""
    folder = find_folder(folder_name)
    dataset = read_dataset(folder)
    real = require_table(dataset, table_name)
    columns = [require_column(real, name) for name in (column_name, second_column) if name is not None]
    words = dataset.truth_words[table_name]
    real, synthetic = (
        in_words_of_file(frame, words) for frame in (real, read_synthetic(dataset)[table_name])
    )
    _record_inputs(run, dataset)
    run.add_input(folder / SYNTHETIC_FOLDER)
    spec = dataset.metadata["tables"][table_name]
    view = (
        view_column(real, synthetic, spec, table_name, column_name)
        if second_column is None
        else view_pair(real, synthetic, spec, table_name, (column_name, second_column))
    )
    stem = file_name(table_name, " vs ".join(columns))
    figures = {f"{stem}.png": view.figure} | ({f"{stem}.cells.png": view.cells} if view.cells else {})
    pictures = [save_png(figure, run.path(name)) for name, figure in figures.items()]
    page = write_page(run.path(f"{stem}.html"), view.title, f"{view.finding}.", view.chart, pictures)
    copy_into(folder / PLOTS_FOLDER, (*pictures, page))
    data = Visualized(
        kind=view.kind,
        plot_png=run.published(pictures[0].name),
        cells_png=run.published(pictures[1].name) if view.cells else None,
        plot_html=run.published(page.name),
    )
    message = f"{view.title}: {view.finding}. Copied to '{folder / PLOTS_FOLDER}'."
    return Outcome(message, data, (*figures, page.name))


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


def _shorten(notes: list[str]) -> list[str]:
    """Return the first notes, as many as a reply has room for."""
    kept = sum(end <= _NOTE_CHARACTERS for end in accumulate(map(len, notes)))
    rest = len(notes) - kept
    return [*notes[:kept], f"{rest} more in the log"] if rest else notes
