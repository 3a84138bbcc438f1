"""The SDV-ready folder: `battery.csv` and `metadata.json` (V2), one table of readings."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import IMPUTED
from bms_schema.data.columns import CELL_ID, IS_DEAD, MEASURED_NAMES, STRING, TIMESTAMP, flag_of
from bms_schema.run.tables import write_table

FOLDER, TABLE = "sdv_dataset", "battery"
MOST_ROWS = 50_000  # SDV's quality report samples at random above this, and fitting takes minutes
FEWEST_CELLS = 24  # [U] one string of a 48 V bank: cells enough to learn how cells differ


def sdv_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what SDV shall learn from: ids, time, readings (imputed ones missing again), `IsDead`.

    More than 50,000 rows are cut to whole cells, string by string in hash order, so that the cells kept share
    their strings; where fewer than 24 cells fit, each of 24 gives its first readings.

    Args:
        frame: A cleaned canonical frame.
    """
    measured = [name for name in MEASURED_NAMES if name in frame]
    names = [CELL_ID, STRING, *([TIMESTAMP] if TIMESTAMP in frame else []), *measured]
    table = frame[names].copy()
    for name in measured:
        table[name] = table[name].mask(frame[flag_of(name)] == IMPUTED)
    if IS_DEAD in frame:
        table[IS_DEAD] = frame[IS_DEAD].astype("Int64")
    if len(table) <= MOST_ROWS:
        return table
    return table.iloc[_whole_cells(frame)]


def _whole_cells(frame: pd.DataFrame) -> np.ndarray:
    cells = frame.groupby(CELL_ID).agg(string=(STRING, "first"), rows=(STRING, "size"))
    order = np.lexsort((_hash(pd.Series(cells.index)), _hash(cells["string"])))
    names, rows = cells.index.to_numpy()[order], cells["rows"].to_numpy()[order]
    fitting = int((np.cumsum(rows) <= MOST_ROWS).sum())
    chosen = max(fitting, min(FEWEST_CELLS, len(names)))
    keep = frame[CELL_ID].isin(names[:chosen]).to_numpy()
    if chosen > fitting:
        by = [TIMESTAMP] if TIMESTAMP in frame else []
        ordered = frame.sort_values([*by, "source_row"]).groupby(CELL_ID).cumcount().reindex(frame.index)
        keep &= (ordered < MOST_ROWS // chosen).to_numpy()
    return np.flatnonzero(keep)


def _hash(names: pd.Series) -> np.ndarray:
    return pd.util.hash_pandas_object(names.astype(str), index=False).to_numpy()


def sdv_metadata(table: pd.DataFrame, limits: dict[str, tuple[float, float]]) -> dict[str, Any]:
    """Return the metadata of `sdv_table`'s result as SDV 2.0 reads it.

    Ranges are the plausible ones of the column table, not the extremes seen: those would give data away, and
    later data beyond them would be refused.
    """
    columns: dict[str, dict[str, Any]] = {}
    for name in table:
        if name in (CELL_ID, STRING, IS_DEAD):
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


def write_sdv_folder(frame: pd.DataFrame, limits: dict[str, tuple[float, float]], folder: Path) -> int:
    """Write `battery.csv` and `metadata.json` into `folder` and return the rows written."""
    table = sdv_table(frame)
    write_table(table, folder / f"{TABLE}.csv")
    text = json.dumps(sdv_metadata(table, limits), indent=2, ensure_ascii=False)
    (folder / "metadata.json").write_text(text, encoding="utf-8")
    return len(table)


def _time_format(stamps: pd.Series) -> str:
    """Return the format `write_table` gives this column: decimals only where a stamp has them."""
    nanoseconds = stamps.dropna().astype("int64") % 1_000_000_000
    return "%Y-%m-%dT%H:%M:%S" if (nanoseconds == 0).all() else "%Y-%m-%dT%H:%M:%S.%f"
