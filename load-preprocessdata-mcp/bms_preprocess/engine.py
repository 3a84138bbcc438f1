"""The whole chain beyond memory: the functions of the chain in memory, mapped over groups of whole strings by Dask.

Passes: sort the canonical rows into groups of strings; on the workers clean and engineer each; fit on the sample
that all groups hand in; on the workers fill and scale each.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from bms_schema.data.columns import (
    MEASURED_NAMES,
    STRING,
    TIMESTAMP,
)
from bms_schema.data.features import available_columns
from bms_schema.data.intake import Intake
from bms_schema.data.plan import TablePlan
from bms_schema.data.sampling import row_hashes
from bms_schema.run.dask_workers import each_done, require_shared_files, workers
from bms_schema.run.part_files import append_file, scratch_folder
from bms_schema.run.partitions import Group, group_strings, is_worked_on, parts_schema, write_groups
from bms_schema.run.tables import TableFormat, as_arrow, has_fractions

from bms_preprocess.imputation import reading_means
from bms_preprocess.imputation_check import check_imputation, part_to_check, strings_to_check
from bms_preprocess.learning import Sample, SmallestHashes, fit
from bms_preprocess.quality import merge_parts
from bms_preprocess.sdv_folder import CellChoice, choose_cells
from bms_preprocess.stages import Facts, judged_before
from bms_preprocess.stored import Fitted
from bms_preprocess.summary import Summary, Treatment, summarise
from bms_preprocess.tasks import TABLES, GroupBlock, GroupFacts, Job, examine_group, finish_block

if TYPE_CHECKING:
    from distributed import Client

Tell = Callable[[str], None]
Known = Callable[[Facts], Fitted | None]
SCRATCH = ("parts", "texts", "predictors", *(f"parts/{table}.parquet" for table in TABLES))


def run_on_workers(
    intake: Intake, known: Known, *, folder: Path, output_format: TableFormat, budget: int, tell: Tell
) -> Summary:
    """Write `cleaned`, `features`, `imputed` and `scaled` below the folder and return the rest.

    CSV tables are files, group after group; Parquet tables are folders with a part per group.

    Args:
        intake: The table.
        known: Returns imputer and scaler to apply to a table of these facts; None fits them on this table.
        folder: The run's folder.
        output_format: Of the tables.
        budget: Bytes that local workers may take together.
        tell: Called with what is being done, at least every few seconds; may raise to stop everything.
    """
    plan = intake.plan
    limits = {name: plan.limits[name] for name in MEASURED_NAMES if name in plan.limits}
    groups = group_strings(plan.rows_per_string)
    with scratch_folder(folder, *SCRATCH) as scratch, workers(scratch, budget) as client:
        census = _Census()
        job = _sort_rows(intake, groups, census, scratch, output_format, tell)
        require_shared_files(client, next(job.readings.rglob("*.parquet")))
        fitted = known(job.facts)
        seen = _examine(client, groups, job if fitted else replace(job, cut=census.hashes.cut), tell)
        quality = merge_parts([found.quality for found in seen.values()])
        tell("fitting imputer and scaler, checking the filling on readings hidden on purpose")
        checks = check_imputation(_check_part(job, groups, plan), limits, fitted.imputer if fitted else None)
        if fitted is None:
            samples = [found.sample for found in seen.values() if found.sample is not None]
            fitted = fit(
                Sample.together(samples), limits, reading_means([found.sums for found in seen.values()])
            )
        blocks = [GroupBlock(group, number) for group in groups for number in range(seen[group].blocks)]
        done = _finish(client, blocks, job, fitted, choose_cells(quality.cells), folder, tell)
        if output_format == "parquet":
            for table in TABLES:
                job.part(table, groups[0]).parent.rename(folder / f"{table}.parquet")
    return summarise(
        quality, plan.chemistry, limits, plan.notes, plan.corrections, fitted, checks, done, "dask"
    )


class _Census:
    """What is to be known of the whole table, gathered while its canonical rows pass by."""

    def __init__(self) -> None:
        self.columns: set[str] = set()
        self.fractions = False
        self.hashes = SmallestHashes()
        self.types: dict[str, Any] = {}

    def watch(self, frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Yield the frames, having looked at each."""
        for frame in frames:
            self.types = self.types or {name: frame[name].dtype for name in frame if is_worked_on(name)}
            self.columns |= set(available_columns(frame))
            self.hashes.add(row_hashes(frame))
            if TIMESTAMP in frame and not self.fractions:
                self.fractions = has_fractions(as_arrow(frame[[TIMESTAMP]]).column(0))
            yield frame


def _sort_rows(
    intake: Intake,
    groups: list[Group],
    census: _Census,
    scratch: Path,
    output_format: TableFormat,
    tell: Tell,
) -> Job:
    """Write every group's canonical rows and return the job for the workers, without a sample to take."""

    def told(rows: int) -> None:
        tell(f"{rows:,} of {intake.plan.rows:,} rows cleaned and sorted by string")

    frames = intake.frames()
    first = next(frames)
    schema = parts_schema(first, intake.types)
    write_groups(census.watch(chain([first], frames)), groups, schema, scratch / "readings", told)
    columns = [name for name in (*MEASURED_NAMES, TIMESTAMP) if name in census.columns]
    return Job(
        readings=scratch / "readings",
        parts=scratch / "parts",
        predictors=scratch / "predictors",
        texts=scratch / "texts" if output_format == "csv" else None,
        facts=Facts(schema.names, columns, judged_before(intake.source.names), intake.plan.chemistry),
        types=census.types,
        schema=schema,
        cut=None,
        fractions=census.fractions,
    )


def _check_part(job: Job, groups: list[Group], plan: TablePlan) -> pd.DataFrame:
    """Return the rows on which the filling is checked, from the cleaned parts."""
    import pyarrow.parquet

    wanted = set(strings_to_check(plan.rows_per_string))
    parts = []
    for group in groups:
        if wanted & set(group.strings):
            path = job.part("cleaned", group)
            table = pyarrow.parquet.read_table(path, filters=[(STRING, "in", wanted)])
            parts.append(part_to_check(job.frame(table)))
    return pd.concat(parts, ignore_index=True)


def _examine(client: "Client", groups: list[Group], job: Job, tell: Tell) -> dict[Group, GroupFacts]:
    """Have every group cleaned and engineered."""
    seen: dict[Group, GroupFacts] = {}

    def waiting() -> None:
        tell(f"{len(seen)} of {len(groups)} groups of strings cleaned and engineered")

    for group, found in each_done(client, partial(examine_group, job=job), groups, str, waiting):
        seen |= {group: found}
    return seen


def _finish(
    client: "Client",
    blocks: list[GroupBlock],
    job: Job,
    fitted: Fitted,
    chosen: CellChoice,
    folder: Path,
    tell: Tell,
) -> Treatment:
    """Have every block filled and scaled; CSV parts are appended to the tables in the order of the blocks."""
    done: dict[GroupBlock, Treatment] = {}

    def waiting() -> None:
        tell(f"{len(done)} of {len(blocks)} blocks of cells filled and scaled")

    work = partial(finish_block, job=job, fitted=fitted, chosen=chosen)
    appended = 0
    for block, treatment in each_done(client, work, blocks, str, waiting):
        done[block] = treatment
        while job.texts is not None and appended < len(blocks) and blocks[appended] in done:
            _append_texts(job, blocks[appended], folder)
            appended += 1
    ordered = [done[block] for block in blocks]
    filled: dict[str, int] = {}
    for treatment in ordered:
        filled = {name: filled.get(name, 0) + count for name, count in treatment.filled.items()}
    return Treatment(
        filled,
        sum(treatment.leftovers for treatment in ordered),
        pd.concat([treatment.sdv for treatment in ordered], ignore_index=True),
    )


def _append_texts(job: Job, block: GroupBlock, folder: Path) -> None:
    """Append a block's CSV parts to the tables."""
    for table in job.outputs:
        part, target = job.output(table, block), folder / f"{table}.csv"
        append_file(part, target)
        part.unlink()
