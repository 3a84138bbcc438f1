"""Which cell to forecast when the user names none."""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

CELL_COLUMN, VOLTAGE_COLUMN = "Cell ID", "CellVoltage"
_EMPTY = frozenset({"", "nan", "na", "null", "none"})


@dataclass(frozen=True)
class CellChoice:
    """The chosen cell and the sentence that tells why."""

    cell_id: str
    why: str


def choose_cell(cleaned_csv: Path) -> CellChoice:
    """Return the cell with the most voltage readings; of several, the first in the file.

    Args:
        cleaned_csv: CSV with the columns `Cell ID` and `CellVoltage` [V]; read line by line.

    Raises:
        ValueError: A column is missing, the file is no CSV text, or no cell has a reading.
        OSError: The file cannot be read.
    """
    readings: Counter[str] = Counter()
    try:
        with cleaned_csv.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file)
            header = next(rows, [])
            missing = [name for name in (CELL_COLUMN, VOLTAGE_COLUMN) if name not in header]
            if missing:
                raise ValueError(
                    f"{cleaned_csv} has no column {' and '.join(missing)}; name a cell: --cell-id"
                )
            cell, voltage = header.index(CELL_COLUMN), header.index(VOLTAGE_COLUMN)
            for row in rows:
                if len(row) > max(cell, voltage) and row[cell]:
                    readings[row[cell]] += row[voltage].strip().lower() not in _EMPTY
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{cleaned_csv} cannot be read as CSV ({error}); name a cell: --cell-id") from error
    if not readings or max(readings.values()) == 0:
        raise ValueError(f"no cell in {cleaned_csv} has a voltage reading, so there is nothing to forecast")
    # max() keeps the first of equals, and a Counter keeps the order of the file.
    best = max(readings, key=readings.__getitem__)
    count = readings[best]
    tied = sum(value == count for value in readings.values())
    reason = f"the most voltage readings ({count:,}) of {len(readings)} cells"
    if tied > 1:
        reason = f"the first of {tied} cells with the most voltage readings ({count:,})"
    return CellChoice(best, f"Cell {best} was chosen: {reason}.")
