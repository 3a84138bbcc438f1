"""What is wrong with the time stamps: gaps, repeated and backward ones."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, SOURCE_ROW, TIMESTAMP
from bms_schema.data.moments import CellOrder, order_cells


@dataclass(frozen=True)
class Timeline:
    """Time stamps of a table.

    Args:
        start: First time stamp, ISO 8601; None without time stamps.
        end: Last time stamp.
        usual_step_s: Median of the cells' usual steps [s].
        without_time: Rows without a readable time stamp.
        duplicates: Rows whose (cell, time) an earlier row of the file has already.
        backward: Rows that are older than the row of the same cell before them in the file.
        gaps: One row per gap (see `order_cells`): `Cell ID`, `from`, `to`, `hours`, longest first.
    """

    start: str | None
    end: str | None
    usual_step_s: float | None
    without_time: int
    duplicates: pd.Series
    backward: pd.Series
    gaps: pd.DataFrame


def examine_timeline(frame: pd.DataFrame) -> Timeline:
    """Look at the time stamps of a canonical frame, cell by cell."""
    nothing = pd.Series(False, index=frame.index)
    no_gaps = pd.DataFrame({CELL_ID: [], "from": [], "to": [], "hours": []})
    if TIMESTAMP not in frame or frame[TIMESTAMP].isna().all():
        return Timeline(None, None, None, len(frame), nothing, nothing, no_gaps)
    stamps, order = frame[TIMESTAMP], order_cells(frame)
    in_file_order = frame[[CELL_ID, TIMESTAMP]].iloc[np.argsort(frame[SOURCE_ROW].to_numpy(), kind="stable")]
    duplicated = in_file_order.duplicated() & in_file_order[TIMESTAMP].notna()
    # Compared with the last known time, so that a blank stamp hides no jump back.
    known = in_file_order.dropna(subset=[TIMESTAMP])
    steps = known.groupby(CELL_ID, sort=False)[TIMESTAMP].diff()
    backward = (steps < pd.Timedelta(0)).reindex(frame.index, fill_value=False)
    return Timeline(
        start=stamps.min().isoformat(),
        end=stamps.max().isoformat(),
        usual_step_s=float(np.median(order.step_s)),
        without_time=int(stamps.isna().sum()),
        duplicates=duplicated.reindex(frame.index),
        backward=backward,
        gaps=_gaps(frame, order),
    )


def _gaps(frame: pd.DataFrame, order: CellOrder) -> pd.DataFrame:
    seconds = order.seconds
    pause = np.diff(seconds, prepend=np.nan)
    at = np.flatnonzero(order.after_gap)
    gaps = pd.DataFrame(
        {
            CELL_ID: frame[CELL_ID].to_numpy()[order.order[at]],
            "from": pd.to_datetime(seconds[at - 1], unit="s").round("us"),
            "to": pd.to_datetime(seconds[at], unit="s").round("us"),
            "hours": pause[at] / 3600.0,
        }
    )
    return gaps.sort_values(["hours", CELL_ID, "from"], ascending=[False, True, True], ignore_index=True)
