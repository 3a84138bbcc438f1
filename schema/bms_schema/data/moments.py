"""Cells and moments: the order of rows within a cell, and which rows of a string belong together."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bms_schema.data.columns import CELL_ID, SOURCE_ROW, STRING, TIMESTAMP

# A pause of more than this many usual steps is a gap: nothing is carried, differenced or lagged across it.
GAP_STEPS = 5.0


@dataclass(frozen=True)
class CellOrder:
    """Rows sorted by cell and time.

    Args:
        order: Positions of the frame's rows in (cell, time, source_row) order, shape (n,).
        cell: Cell code of each sorted row, shape (n,).
        seconds: Time of each sorted row [s since 1970]; the reading's number within the cell where there are
            no time stamps, shape (n,).
        segment: Code that changes with the cell and after every gap, shape (n,).
        step_s: The usual step of each sorted row's cell [s], shape (n,).
    """

    order: np.ndarray
    cell: np.ndarray
    seconds: np.ndarray
    segment: np.ndarray
    step_s: np.ndarray

    def restore(self, values: np.ndarray) -> np.ndarray:
        """Bring sorted values (n,) back into the frame's row order."""
        restored = np.empty_like(values)
        restored[self.order] = values
        return restored


def order_cells(frame: pd.DataFrame) -> CellOrder:
    """Sort the rows of a canonical frame by cell and time, and find the gaps.

    Rows without a time stamp come last in their cell and each is a segment of its own.
    """
    cells = pd.factorize(frame[CELL_ID], sort=True)[0]
    source = frame[SOURCE_ROW].to_numpy()
    stamps = frame[TIMESTAMP].to_numpy(dtype="datetime64[ns]") if TIMESTAMP in frame else None
    if stamps is None or np.isnat(stamps).all():
        order = np.lexsort((source, cells))
        sorted_cells = cells[order]
        number = np.arange(len(frame)) - _first_of_each(sorted_cells)
        return CellOrder(order, sorted_cells, number.astype(float), sorted_cells, np.ones(len(frame)))
    missing = np.isnat(stamps)
    instants = stamps.astype("int64")
    order = np.lexsort((source, np.where(missing, np.iinfo("int64").max, instants), cells))
    sorted_cells = cells[order]
    seconds = np.where(missing[order], np.nan, instants[order] / 1e9)
    step = _usual_steps(sorted_cells, seconds)
    with np.errstate(invalid="ignore"):
        gap = ~(np.diff(seconds, prepend=np.nan) <= GAP_STEPS * step)
    starts = gap | (np.diff(sorted_cells, prepend=-1) != 0)
    return CellOrder(order, sorted_cells, seconds, np.cumsum(starts), step)


def moment_codes(frame: pd.DataFrame) -> np.ndarray:
    """Return a code per row, equal for rows of one string at one moment, shape (n,).

    Where the cells of a string are logged under differing time stamps, a moment is one usual step long.
    Without time stamps it is the reading's number within its cell. Rows without a time stamp are moments
    of their own.
    """
    order = order_cells(frame)
    when = order.restore(order.seconds)
    strings = pd.factorize(frame[STRING], sort=True)[0]
    step = order.restore(order.step_s)
    string_step = pd.Series(step).groupby(strings).transform("median").to_numpy()
    together = pd.Series(when).groupby([strings, when], sort=False).transform("size").to_numpy(dtype=float)
    cells = pd.Series(order.restore(order.cell)).groupby(strings).transform("nunique").to_numpy()
    typical = pd.Series(together).groupby(strings).transform("median").to_numpy()
    scattered = (cells > 1) & (typical < 2)
    bucket = np.where(scattered, np.floor(when / string_step), when)
    lonely = np.isnan(bucket)
    bucket[lonely] = -1.0 - np.arange(int(lonely.sum()))
    return np.asarray(pd.DataFrame({"s": strings, "b": bucket}).groupby(["s", "b"], sort=True).ngroup())


def _first_of_each(codes: np.ndarray) -> np.ndarray:
    """Return for each row of a sorted code array the position where its code begins."""
    starts = np.flatnonzero(np.diff(codes, prepend=codes[0] - 1 if len(codes) else 0) != 0)
    return np.repeat(starts, np.diff(np.append(starts, len(codes))))


def _usual_steps(cells: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Return the median positive step of each row's cell [s]; 1.0 where a cell has a single reading."""
    steps = pd.Series(np.diff(seconds, prepend=np.nan))
    steps[np.diff(cells, prepend=-1) != 0] = np.nan
    steps = steps.where(steps > 0)
    return steps.groupby(cells).transform("median").fillna(1.0).to_numpy()
