"""The SDV-ready folder: `battery.csv` and `metadata.json` (V2), one table of readings."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import IMPUTED
from bms_schema.data.columns import CELL_ID, IS_DEAD, MEASURED_NAMES, SOURCE_ROW, STRING, TIMESTAMP, flag_of
from bms_schema.run.tables import write_table

FOLDER, TABLE = "sdv_dataset", "battery"
MOST_ROWS = 50_000  # SDV's quality report samples at random above this, and fitting takes minutes
FEWEST_CELLS = 24  # [U] one string of a 48 V bank: cells enough to learn how cells differ


@dataclass(frozen=True)
class CellChoice:
    """The cells SDV shall learn from.

    Args:
        cells: Their names; None takes every row of every cell.
        most_rows: First readings taken of each; None takes all.
    """

    cells: frozenset[str] | None = None
    most_rows: int | None = None

    def rows_of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the chosen rows among whole cells of a canonical frame, in its order."""
        if self.cells is None:
            return frame
        chosen = frame[frame[CELL_ID].isin(self.cells)]
        if self.most_rows is None:
            return chosen
        by = [name for name in (TIMESTAMP, SOURCE_ROW) if name in chosen]
        number = chosen.sort_values(by).groupby(CELL_ID, observed=True).cumcount().reindex(chosen.index)
        return chosen[(number < self.most_rows).to_numpy()]


def choose_cells(cells: pd.DataFrame) -> CellChoice:
    """Choose whole cells, string by string in hash order, so that the cells kept share their strings.

    No more than 50,000 rows; where fewer than 24 cells fit, each of 24 gives its first readings.

    Args:
        cells: One row per cell: `Cell ID`, `string`, `rows`.
    """
    if cells["rows"].sum() <= MOST_ROWS:
        return CellChoice()
    order = np.lexsort((_hash(cells[CELL_ID]), _hash(cells[STRING])))
    names, rows = cells[CELL_ID].astype(str).to_numpy()[order], cells["rows"].to_numpy()[order]
    fitting = int((np.cumsum(rows) <= MOST_ROWS).sum())
    chosen = max(fitting, min(FEWEST_CELLS, len(names)))
    return CellChoice(frozenset(names[:chosen]), MOST_ROWS // chosen if chosen > fitting else None)


def sdv_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what SDV shall learn from: ids, time, readings (imputed ones missing again), `IsDead`.

    Args:
        frame: The chosen rows of a cleaned canonical frame.
    """
    measured = [name for name in MEASURED_NAMES if name in frame]
    names = [CELL_ID, STRING, *([TIMESTAMP] if TIMESTAMP in frame else []), *measured]
    table = frame[names].copy()
    for name in measured:
        table[name] = table[name].mask(frame[flag_of(name)] == IMPUTED)
    if IS_DEAD in frame:
        table[IS_DEAD] = frame[IS_DEAD].astype("Int64")
    return table


def _hash(names: pd.Series) -> np.ndarray:
    return pd.util.hash_pandas_object(names.astype(str), index=False).to_numpy()


def sdv_metadata(table: pd.DataFrame, limits: dict[str, tuple[float, float]]) -> dict[str, Any]:
    """Return the metadata of `sdv_table`'s result as SDV 2.0 reads it.

    Ranges are the plausible ones of the column table, not the extremes seen: those would give data away, and
    later data beyond them would be refused.
    """
    columns: dict[str, dict[str, Any]] = {}
    for name in table:
        if name in (CELL_ID, STRING):
            columns[str(name)] = {"sdtype": "id"}  # a twin gets made-up names
        elif name == IS_DEAD:
            columns[str(name)] = {"sdtype": "categorical"}
        elif name == TIMESTAMP:
            columns[str(name)] = {"sdtype": "datetime", "datetime_format": _time_format(table[TIMESTAMP])}
        else:
            low, high = limits[str(name)]
            columns[str(name)] = {
                "sdtype": "numerical",
                "range_min": low,
                "range_max": high,
                "range_is_nullable": True,
            }
    return {"METADATA_SPEC_VERSION": "V2", "tables": {TABLE: {"columns": columns}}, "relationships": []}


def write_sdv_folder(table: pd.DataFrame, limits: dict[str, tuple[float, float]], folder: Path) -> int:
    """Write `battery.csv` and `metadata.json` into `folder` and return the rows written.

    Args:
        table: From `sdv_table`.
        limits: Plausible range of every measured column.
        folder: Where to.
    """
    write_table(table, folder / f"{TABLE}.csv")
    text = json.dumps(sdv_metadata(table, limits), indent=2, ensure_ascii=False)
    (folder / "metadata.json").write_text(text, encoding="utf-8")
    return len(table)


def _time_format(stamps: pd.Series) -> str:
    """Return the format `write_table` gives this column: decimals only where a stamp has them."""
    nanoseconds = stamps.dropna().astype("int64") % 1_000_000_000
    return "%Y-%m-%dT%H:%M:%S" if (nanoseconds == 0).all() else "%Y-%m-%dT%H:%M:%S.%f"
