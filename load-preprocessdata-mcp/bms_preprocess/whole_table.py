"""A file of any size to its four tables: in memory where it fits, else on Dask; the same values either way."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
from bms_schema.data.chemistry import ChemistryOption
from bms_schema.data.columns import PREPROCESS_REQUIRED
from bms_schema.data.intake import Intake, take_in
from bms_schema.run.dask_workers import scheduler_address, why_workers
from bms_schema.run.memory import memory_budget
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import TableFormat, write_table

from bms_preprocess.engine import run_on_workers
from bms_preprocess.preprocessing import load_known, run_in_memory
from bms_preprocess.stages import judged_before
from bms_preprocess.summary import Summary

# Measured on tables of 1,000,000 rows with all columns and 75 features: the peak of the process over its rows.
BYTES_PER_ROW = 5_000
_ASK_S = 1.0


def rows_in_memory() -> int:
    """Return how many rows may be worked on in memory.

    Raises:
        InvalidArgument: `BMS_MEMORY_BUDGET` is no amount of memory.
    """
    return memory_budget() // BYTES_PER_ROW


@contextmanager
def preprocessed_file(
    run: Run,
    path: Path,
    *,
    chunksize: int,
    chemistry: ChemistryOption,
    output_format: TableFormat,
    model_version: str,
    steps: int,
) -> Iterator[Summary]:
    """Write `cleaned`, `features`, `imputed` and `scaled` into the run's folder and yield the rest.

    The tables are complete when the block ends: until then they may still be being written.

    Args:
        run: The run.
        path: An existing file or folder that the caller may read.
        chunksize: Rows parsed at once.
        chemistry: A profile's name or "auto".
        output_format: Of the tables; the suffix of their names.
        model_version: Stored imputer and scaler to apply; empty fits here.
        steps: Steps of the whole run, of which this makes the first `STEPS`.

    Raises:
        BmsError: as told by the message.
    """
    address, budget = scheduler_address(), memory_budget()

    def seen(rows: int) -> None:
        run.progress(0, steps, f"{rows:,} rows looked at")

    intake = take_in(
        path,
        require=PREPROCESS_REQUIRED,
        chunksize=chunksize,
        chemistry=chemistry,
        most_rows=0 if address else rows_in_memory(),
        told=seen,
    )
    if intake.kept is not None:
        with _in_memory(run, intake, output_format, model_version, steps) as summary:
            yield summary
        return
    why = why_workers(intake.plan.rows, BYTES_PER_ROW, budget)
    run.log.info(why)
    summary = run_on_workers(
        intake,
        partial(load_known, model_version or None),
        folder=run.folder,
        output_format=output_format,
        budget=budget,
        tell=partial(run.progress, 1, steps),
    )
    yield replace(summary, notes=[*summary.notes, why])


@contextmanager
def _in_memory(
    run: Run, intake: Intake, output_format: TableFormat, model_version: str, steps: int
) -> Iterator[Summary]:
    """Write each table in the background as soon as it stands, while what comes next is being computed."""
    writing: list[Future[Path]] = []

    def tell(done: int, _: int, message: str) -> None:
        run.progress(done, steps, message)

    with ThreadPoolExecutor(1, thread_name_prefix="tables") as pool:

        def emit(name: str, frame: pd.DataFrame) -> None:
            writing.append(pool.submit(write_table, frame, run.path(f"{name}.{output_format}")))

        try:
            tell(0, steps, "cleaning")
            table, known = intake.table(), model_version or None
            yield run_in_memory(
                table, judged_before(intake.source.names), known, report=tell, emit=emit
            ).summary
            while wait(writing, timeout=_ASK_S).not_done:
                tell(steps, steps, "writing tables")
            for written in writing:
                written.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
