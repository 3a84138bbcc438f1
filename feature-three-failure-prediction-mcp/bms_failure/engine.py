"""Watching a fleet beyond memory: the functions that work in memory, mapped over groups of whole strings by Dask.

Passes: sort the rows that are needed into groups of strings; on the workers condense each to its cell-days, which
fit into memory; train on the workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bms_schema.data.chemistry import Chemistry
from bms_schema.data.intake import Intake
from bms_schema.run.dask_workers import each_done, memory_for, require_shared_files, workers
from bms_schema.run.part_files import scratch_folder
from bms_schema.run.partitions import Group, group_strings, parts_schema, read_group, write_groups

from bms_failure.census import Census
from bms_failure.condensing import Condensed, condense_strings
from bms_failure.dask_fitting import fit_on_workers
from bms_failure.fitting import Fit
from bms_failure.watch import Watched, look_at

if TYPE_CHECKING:
    from distributed import Client

Tell = Callable[[float, str], None]
# Measured on hourly readings: what condensing takes per row, and a tenth more.
WORKER_BYTES_PER_ROW = 600


@dataclass(frozen=True)
class Job:
    """What all groups of a run have in common.

    Args:
        readings: Folder with the groups' canonical rows (see `write_groups`).
        types: pandas types of their columns.
        chemistry: The profile in force.
    """

    readings: Path
    types: dict[str, Any]
    chemistry: Chemistry


def condense_group(group: Group, job: Job) -> Condensed:
    """Return what is left of a group's readings."""
    table = read_group(job.readings, group).select(list(job.types))
    return condense_strings(table.to_pandas().astype(job.types), job.chemistry)


@contextmanager
def watched_on_workers(
    intake: Intake, why: str, *, folder: Path, budget: int, tell: Tell
) -> Iterator[tuple[Watched, Fit]]:
    """Yield the fleet and what trains on it; the workers are gone with the block.

    Args:
        intake: The file.
        why: It is done here, in words.
        folder: Of the run.
        budget: Bytes that local workers may take together.
        tell: Called with the share done at least every few seconds; may raise to stop everything.

    Raises:
        MachineProblem: a string is too long for the memory, or as of `workers`.
    """
    groups = group_strings(intake.plan.rows_per_string)
    need = memory_for(groups, WORKER_BYTES_PER_ROW, budget)
    with scratch_folder(folder, "readings") as scratch, workers(scratch, budget, need) as client:
        census = Census()
        job = _sort_rows(intake, groups, census, scratch / "readings", tell)
        require_shared_files(client, next(job.readings.rglob("*.parquet")))
        parts = _condense(client, groups, job, tell)
        watched = look_at(census.source(intake, "dask", why), parts)
        yield watched, partial(fit_on_workers, client=client)


def _sort_rows(intake: Intake, groups: list[Group], census: Census, readings: Path, tell: Tell) -> Job:
    """Write every group's rows and return the job for the workers."""

    def told(rows: int) -> None:
        total = intake.plan.rows
        tell(0.5 * rows / total, f"{rows:,} of {total:,} rows cleaned and sorted by string")

    frames = census.watch(intake)
    first = next(frames)
    write_groups(chain([first], frames), groups, parts_schema(first, intake.types), readings, told)
    return Job(readings, census.types, intake.plan.chemistry)


def _condense(client: Client, groups: list[Group], job: Job, tell: Tell) -> list[Condensed]:
    """Have every group condensed; parts in the order of the groups."""
    done: dict[Group, Condensed] = {}

    def waiting() -> None:
        share = 0.5 + 0.5 * len(done) / len(groups)
        tell(share, f"{len(done)} of {len(groups)} groups of strings condensed")

    for group, part in each_done(client, partial(condense_group, job=job), groups, str, waiting):
        done |= {group: part}
    return [done[group] for group in groups]
