"""A simulated fleet on disk: one table of readings while it is small, else one per string in a folder."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from bms_schema.run.errors import InvalidArgument
from bms_schema.run.memory import VARIABLE, in_words, memory_budget
from bms_schema.run.tables import TableFormat, write_table
from bms_schema.run.wording import counted

from bms_generate.results import Simulated
from bms_generate.simulate import gather
from bms_generate.simulator.mixes import CELL_FAULTS, SENSOR_FAULTS
from bms_generate.simulator.series_string import simulate_one
from bms_generate.simulator.settings import Settings
from bms_generate.simulator.truth import join_truth

Progress = Callable[[float, float, str], None]

READINGS = "fleet"
MOST_ROWS = 100_000_000
# Above it, sorting the strings into one table would take more memory than the longest string.
MOST_ROWS_IN_ONE_FILE = 2_000_000
# Peak memory of simulating and writing one string, measured with 2 to 6 million rows: 330 to 360.
BYTES_PER_ROW = 400


@dataclass(frozen=True)
class FleetFiles:
    """What was written: `readings` is a file, or the folder of the `parts`; names relative to the target folder."""

    readings: str
    parts: tuple[str, ...]
    truth: pd.DataFrame
    cells: pd.DataFrame


def require_feasible(settings: Settings, n_strings: int) -> None:
    """Refuse a fleet that is too big.

    Raises:
        InvalidArgument: more rows than are allowed, or a string that does not fit into the memory.
    """
    per_string = settings.n_samples * settings.cells_per_string
    rows = n_strings * per_string
    if rows > MOST_ROWS:
        raise InvalidArgument(
            f"These settings make {rows:,} rows.",
            expected=f"at most {MOST_ROWS:,}",
            fix="Lower n_strings, cells_per_string or days, or raise interval_minutes.",
        )
    needed, budget = per_string * BYTES_PER_ROW, memory_budget()
    if needed > budget:
        raise InvalidArgument(
            f"One string makes {per_string:,} rows, for which its simulation takes about {in_words(needed)}.",
            expected=f"at most {budget // BYTES_PER_ROW:,} rows per string ({in_words(budget)}, see {VARIABLE})",
            fix="Lower cells_per_string or days, or raise interval_minutes; more strings cost no memory.",
        )


def write_readings(
    settings: Settings, n_strings: int, folder: Path, table_format: TableFormat, progress: Progress
) -> FleetFiles:
    """Simulate string after string and write the readings; of a big fleet one string is held at a time.

    Args:
        settings: those of the fleet.
        n_strings: strings.
        folder: where to write.
        table_format: the format of the tables.
        progress: told (done, total, message) before each string; may raise to stop.

    Raises:
        MachineProblem: the disk refuses.
    """
    told = _told(n_strings, progress)
    if n_strings * settings.n_samples * settings.cells_per_string <= MOST_ROWS_IN_ONE_FILE:
        fleet = gather([simulate_one(settings, index) for index in told])
        name = f"{READINGS}.{table_format}"
        progress(n_strings, n_strings + 1, "writing")
        write_table(fleet.readings, folder / name)
        return FleetFiles(name, (name,), fleet.truth, fleet.cells)
    parts, truths, cells = zip(
        *(_write_part(settings, index, folder, table_format) for index in told), strict=True
    )
    return FleetFiles(READINGS, parts, join_truth(truths), pd.concat(cells, ignore_index=True))


def count_fates(settings: Settings, fleet: FleetFiles) -> dict[str, Any]:
    """Return `dead_cells`, `dying_cells` (alive at the end) and `fates` {fate: cells}, the most frequent first."""
    end = pd.Timestamp(settings.timestamps[-1])
    return {
        "dead_cells": int((fleet.truth["death"] <= end).sum()),
        "dying_cells": int((fleet.truth["death"] > end).sum()),
        "fates": fleet.cells["fate"].value_counts().to_dict(),
    }


def word_fleet(settings: Settings, fleet: Simulated) -> str:
    """Say in a sentence or two what was simulated."""
    size = (
        f"{counted(fleet.cells, 'cell')} in {counted(fleet.strings, 'string')}, {counted(fleet.rows, 'row')}"
    )
    sensors = sum(fleet.fates.get(kind, 0) for kind in SENSOR_FAULTS)
    hot = sum(fleet.fates.get(kind, 0) for kind in CELL_FAULTS)
    layout = f" One file per string in '{fleet.csv}'." if fleet.rows > MOST_ROWS_IN_ONE_FILE else ""
    verb = "dies" if fleet.dead_cells == 1 else "die"
    fates = (
        f"{counted(fleet.dead_cells, 'cell')} {verb}, {fleet.dying_cells:,} more soon after the end; sensor faults "
        f"in {sensors:,}, hot spells in {hot:,}"
    )
    return f"Simulated {size} (duty {settings.duty}, seed {settings.seed}): {fates}.{layout}"


def _told(n_strings: int, progress: Progress) -> Iterator[int]:
    for index in range(n_strings):
        progress(index, n_strings + 1, f"simulating string {index + 1} of {n_strings}")
        yield index


def _write_part(
    settings: Settings, index: int, folder: Path, table_format: TableFormat
) -> tuple[str, pd.DataFrame, pd.DataFrame]:
    string = simulate_one(settings, index)
    name = f"{READINGS}/{string.name}.{table_format}"
    write_table(string.readings, folder / name)
    return name, string.truth, string.cells
