"""A simulated fleet as one file of any size, written string by string; kept for the next benchmark run."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from bms_generate.simulate import simulate_string

CELLS, DAYS, MINUTES = 24, 30, 10
ROWS_PER_STRING = CELLS * DAYS * 24 * 60 // MINUTES
BLANK_SHARE, SENTINEL_SHARE = 0.05, 0.02


def fleet_file(folder: Path, rows: int, suffix: str) -> Path:
    """Return a `.csv` or `.parquet` of at least `rows` rows: strings of 24 cells, 30 days, every 10 minutes.

    5 % of voltage, temperature and gravity are blank, 2 % of the rows unanswered; strings follow each other.
    """
    path = folder / f"fleet-{rows}{suffix}"
    if path.is_file():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    writer = None
    for index in range(-(-rows // ROWS_PER_STRING)):
        readings = simulate_string(
            index,
            cells_per_string=CELLS,
            days=DAYS,
            interval_minutes=MINUTES,
            seed=5,
            sentinel_fraction=SENTINEL_SHARE,
        ).readings
        rng = np.random.default_rng(index)
        for name in ("CellVoltage", "CellTemperature", "CellSpecificGravity"):
            readings.loc[rng.random(len(readings)) < BLANK_SHARE, name] = np.nan
        table = pa.Table.from_pandas(readings, preserve_index=False).replace_schema_metadata(None)
        if writer is None:
            kind = pyarrow.csv.CSVWriter if suffix == ".csv" else pq.ParquetWriter
            writer = kind(draft, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    draft.rename(path)
    return path
