"""What is wrong with the time stamps: gaps, repeated and backward ones, cells that log at different moments."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, SOURCE_ROW, TIMESTAMP
from bms_schema.data.moments import CellOrder, order_cells
from bms_schema.data.sessions import PAUSE_S

MOST_GAPS = 20
UNDATED_S = 366 * 86_400.0  # a record that begins in 1970 has no dates: no battery was logged then
NO_TIME = np.iinfo("int64").min  # how numpy writes NaT


@dataclass(frozen=True)
class Timeline:
    """Time stamps of a table.

    Args:
        timed: Rows with a readable time stamp, shape (n,).
        duplicates: Rows whose (cell, time) an earlier row of the file has already, shape (n,).
        backward: Rows that are older than the row of the same cell before them in the file, shape (n,).
        after_gap: Rows that follow a gap within their cell, shape (n,).
        gaps: One row per gap (see `order_cells`): `Cell ID`, `from`, `to`, `hours`, longest first.
    """

    timed: np.ndarray
    duplicates: np.ndarray
    backward: np.ndarray
    after_gap: np.ndarray
    gaps: pd.DataFrame


def examine_timeline(frame: pd.DataFrame, order: CellOrder | None = None) -> Timeline:
    """Look at the time stamps of a canonical frame, cell by cell.

    Args:
        frame: A canonical frame of whole cells.
        order: Its `order_cells`, where it is at hand already.
    """
    order = order or order_cells(frame)
    stamps = instants(frame)
    timed = stamps != NO_TIME
    if not timed.any():
        nothing = np.zeros(len(frame), dtype=bool)
        return Timeline(timed, nothing, nothing, nothing, _gaps(frame, order, np.array([], dtype="int64")))
    ordered, cell = stamps[order.order], order.cell
    repeated = (np.diff(ordered, prepend=NO_TIME) == 0) & (np.diff(cell, prepend=-1) == 0)
    gap = order.after_gap & ~_laid_out(order)
    return Timeline(
        timed=timed,
        duplicates=order.restore(repeated & (ordered != NO_TIME)),
        backward=_backward(frame[SOURCE_ROW].to_numpy(), order.restore(cell), stamps),
        after_gap=order.restore(gap),
        gaps=_gaps(frame, order, np.flatnonzero(gap)),
    )


def instants(frame: pd.DataFrame) -> np.ndarray:
    """Return the time of each row [ns since 1970], `NO_TIME` where there is none, shape (n,)."""
    if TIMESTAMP not in frame:
        return np.full(len(frame), NO_TIME)
    return frame[TIMESTAMP].to_numpy(dtype="datetime64[ns]").astype("int64")


def _backward(source: np.ndarray, cells: np.ndarray, stamps: np.ndarray) -> np.ndarray:
    """Compare with the last known time of the cell in the file's order: a blank stamp hides no jump back."""
    known = np.flatnonzero(stamps != NO_TIME)
    in_file_order = known[np.lexsort((source[known], cells[known]))]
    back = np.zeros(len(stamps), dtype=bool)
    same_cell = np.diff(cells[in_file_order]) == 0
    back[in_file_order[1:]] = same_cell & (np.diff(stamps[in_file_order]) < 0)
    return back


def _laid_out(order: CellOrder) -> np.ndarray:
    """Return the sorted rows before which tests without dates were laid a day apart by the reader, shape (n,)."""
    return np.asarray((order.seconds < UNDATED_S) & (np.diff(order.seconds, prepend=np.nan) >= PAUSE_S))


def _gaps(frame: pd.DataFrame, order: CellOrder, at: np.ndarray) -> pd.DataFrame:
    seconds = order.seconds
    gaps = pd.DataFrame(
        {
            CELL_ID: frame[CELL_ID].to_numpy(dtype=object)[order.order[at]],
            "from": pd.to_datetime(seconds[at - 1], unit="s").round("us"),
            "to": pd.to_datetime(seconds[at], unit="s").round("us"),
            "hours": (seconds[at] - seconds[at - 1]) / 3600.0,
        }
    )
    return _longest_first(gaps)


def longest_gaps(gaps: pd.DataFrame) -> pd.DataFrame:
    """Keep the 20 longest gaps."""
    return _longest_first(gaps).head(MOST_GAPS)


def _longest_first(gaps: pd.DataFrame) -> pd.DataFrame:
    return gaps.sort_values(["hours", CELL_ID, "from"], ascending=[False, True, True], ignore_index=True)
