"""A file of any size to its scored rows: in memory where it fits, else on Dask; the same values either way."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from bms_schema.data.chemistry import ChemistryOption
from bms_schema.data.columns import VOLTAGE
from bms_schema.data.intake import take_in
from bms_schema.data.reading import DEFAULT_CHUNKSIZE
from bms_schema.run.dask_workers import scheduler_address, why_workers
from bms_schema.run.memory import memory_budget
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import write_table

from bms_anomaly.detected import Detected, Step
from bms_anomaly.engine import detect_on_workers
from bms_anomaly.in_memory import detect_in_memory
from bms_anomaly.learned import Asked

# Measured on a million rows with all columns: what the peak of the process grows by, and a tenth more.
BYTES_PER_ROW = 1_700


def detect_in_file(
    run: Run, path: Path, asked: Asked, *, chemistry: ChemistryOption, result: str
) -> Detected:
    """Write the scored rows of a file into the run's folder and return the rest.

    Args:
        run: The run.
        path: An existing file or folder that the caller may read.
        asked: What is to be found.
        chemistry: A profile's name or "auto".
        result: Name of the table, `.csv` or `.parquet`; in memory its rows are in the file's order, on Dask
            string after string (Parquet as a folder of parts).

    Raises:
        BmsError: as told by the message.
    """

    def tell(step: float, text: str) -> None:
        run.progress(step, Step.DONE, text)

    address, budget = scheduler_address(), memory_budget()
    intake = take_in(
        path,
        require=(VOLTAGE,),
        chunksize=DEFAULT_CHUNKSIZE,
        chemistry=chemistry,
        most_rows=0 if address else budget // BYTES_PER_ROW,
        told=lambda rows: tell(Step.READ, f"{rows:,} rows looked at"),
    )
    if intake.kept is None:
        why = why_workers(intake.plan.rows, BYTES_PER_ROW, budget)
        run.log.info(why)
        return detect_on_workers(intake, asked, why, result=run.path(result), budget=budget, tell=tell)

    def emit(rows: pd.DataFrame) -> None:
        write_table(rows, run.path(result))

    return detect_in_memory(intake, asked, emit=emit, tell=tell)
