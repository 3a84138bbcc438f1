"""A file of any size to its fleet: in this process where it fits, else on Dask; the same values either way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from bms_schema.data.chemistry import ChemistryOption
from bms_schema.data.columns import STRING
from bms_schema.data.intake import Intake, take_in
from bms_schema.data.reading import DEFAULT_CHUNKSIZE
from bms_schema.run.dask_workers import scheduler_address, why_workers
from bms_schema.run.memory import memory_budget
from bms_schema.run.partitions import group_strings
from bms_schema.run.run_folder import Run

from bms_failure.census import Census
from bms_failure.condensing import Condensed, condense_strings
from bms_failure.engine import watched_on_workers
from bms_failure.fitting import Fit, fit_here
from bms_failure.needs import REQUIRED
from bms_failure.watch import Watched, look_at

# Measured on 5 million rows: the peak grows by 250 bytes per hourly row, by 520 per row every four hours (more days
# of cells among as many rows); and a tenth more.
BYTES_PER_ROW = 570

# Called with the share of the work done and what is being done; may raise to stop everything.
Tell = Callable[[float, str], None]


def rows_in_memory() -> int:
    """Return how many rows may be worked on in memory.

    Raises:
        InvalidArgument: `BMS_MEMORY_BUDGET` is no amount of memory.
    """
    return memory_budget() // BYTES_PER_ROW


@contextmanager
def watched_file(
    run: Run, path: Path, *, chemistry: ChemistryOption, tell: Tell
) -> Iterator[tuple[Watched, Fit]]:
    """Yield the fleet of a file and what trains on it; workers, where there are any, live as long as the block.

    Args:
        run: The run.
        path: An existing file or folder that the caller may read.
        chemistry: A profile's name or "auto".
        tell: Called with the share done of reading and condensing.

    Raises:
        BmsError: as told by the message.
    """
    address, budget = scheduler_address(), memory_budget()
    intake = take_in(
        path,
        require=REQUIRED,
        chunksize=DEFAULT_CHUNKSIZE,
        chemistry=chemistry,
        most_rows=0 if address else rows_in_memory(),
        told=lambda rows: tell(0.0, f"{rows:,} rows looked at"),
    )
    if intake.kept is not None:
        yield _watched_here(intake, tell), fit_here
        return
    why = why_workers(intake.plan.rows, BYTES_PER_ROW, budget)
    run.log.info(why)
    with watched_on_workers(intake, why, folder=run.folder, budget=budget, tell=tell) as found:
        yield found


def _watched_here(intake: Intake, tell: Tell) -> Watched:
    """Return the fleet, its readings let go group after group."""
    census, groups = Census(), group_strings(intake.plan.rows_per_string)
    number_of = {name: group.number for group in groups for name in group.strings}
    pieces: list[list[pd.DataFrame]] = [[] for _ in groups]
    passed = 0
    for frame in census.watch(intake):
        for number, rows in frame.groupby(frame[STRING].map(number_of), sort=False):
            pieces[int(number)].append(rows)
        passed += len(frame)
        tell(0.5 * passed / intake.plan.rows, f"{passed:,} of {intake.plan.rows:,} rows cleaned")
    parts: list[Condensed] = []
    for group in groups:
        tell(
            0.5 + 0.5 * len(parts) / len(groups), f"{len(parts)} of {len(groups)} groups of strings condensed"
        )
        rows = pd.concat(pieces[group.number], ignore_index=True)
        pieces[group.number].clear()
        parts.append(condense_strings(rows, intake.plan.chemistry))
    return look_at(census.source(intake, "pandas"), parts)
