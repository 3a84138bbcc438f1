"""Cells and moments: the order of rows within a cell, and which rows of a string belong together."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bms_schema.data.columns import CELL_ID, SOURCE_ROW, STRING, TIMESTAMP

# A pause of more than this many steps of the cell's rhythm is a gap: nothing is carried, differenced or lagged
# across it. The rhythm is read from the readings before, so that what comes later cannot make a gap of it, and
# from the longer ones among them, so that an hourly log with a burst of seconds in it stays whole.
GAP_STEPS = 5.0
RHYTHM_READINGS, RHYTHM_QUANTILE = 50, 0.9


@dataclass(frozen=True)
class CellOrder:
    """Rows sorted by cell and time.

    Args:
        order: Positions of the frame's rows in (cell, time, source_row) order, shape (n,).
        cell: Cell code of each sorted row, shape (n,).
        seconds: Time of each sorted row [s since 1970]; the reading's number within the cell where there are
            no time stamps, shape (n,).
        segment: Code that changes with the cell and after every gap, shape (n,).
        step_s: The usual step of each sorted row's cell over the whole file [s], shape (n,).
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

    @property
    def after_gap(self) -> np.ndarray:
        """Which sorted rows follow a gap within their cell, shape (n,)."""
        same_cell = np.diff(self.cell, prepend=-1) == 0
        new_segment = np.diff(self.segment, prepend=-1) != 0
        return np.asarray(same_cell & new_segment & np.isfinite(self.seconds))

    def one_axis(self, window_s: float, *, across_gaps: bool) -> tuple[np.ndarray, pd.DatetimeIndex]:
        """Lay all cells on one rising time axis, out of each other's reach, for one rolling pass over all.

        Args:
            window_s: Width of the window that must not reach from one cell into the next [s].
            across_gaps: Whether it may reach over a gap within a cell.

        Returns:
            Which sorted rows have a time, shape (n,), and the place of each of those on the axis.
        """
        timed = np.isfinite(self.seconds)
        if not timed.any():
            return timed, pd.DatetimeIndex([])
        # Whole microseconds: in float seconds a window's edge moves with the number of cells, and in
        # nanoseconds the axis ends after 292 years, which a few hundred cells fill in one.
        micros = np.round(self.seconds[timed] * 1e6).astype("int64")
        steps = np.diff(micros, prepend=micros[0])
        unit = (self.cell if across_gaps else self.segment)[timed]
        steps[np.diff(unit, prepend=-1) != 0] = round(1e6 * window_s) + 1_000_000
        return timed, pd.DatetimeIndex(np.cumsum(steps).astype("datetime64[us]"))


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
    steps = _steps(sorted_cells, seconds)
    usual = steps.groupby(sorted_cells).transform("median").fillna(1.0).to_numpy()
    starts = np.isnan(np.diff(seconds, prepend=np.nan)) | (np.diff(sorted_cells, prepend=-1) != 0)
    starts |= (steps > GAP_STEPS * _rhythm(sorted_cells, steps)).to_numpy()
    return CellOrder(order, sorted_cells, seconds, np.cumsum(starts), usual)


def moment_codes(frame: pd.DataFrame, order: CellOrder | None = None) -> np.ndarray:
    """Return a code per row, equal for rows of one string at one moment, shape (n,).

    Where the cells of a string are logged under differing time stamps, a moment is one usual step long.
    Without time stamps it is the reading's number within its cell. Rows without a time stamp are moments
    of their own.

    Args:
        frame: A canonical frame.
        order: Its `order_cells`, where it is at hand already.
    """
    order = order or order_cells(frame)
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


def _steps(cells: np.ndarray, seconds: np.ndarray) -> pd.Series:
    """Return the time since the cell's reading before [s], NaN where there is none or it is not positive."""
    steps = pd.Series(np.diff(seconds, prepend=np.nan))
    steps[np.diff(cells, prepend=-1) != 0] = np.nan
    return steps.where(steps > 0)


def _rhythm(cells: np.ndarray, steps: pd.Series) -> pd.Series:
    """Return the step that most of a cell's steps before a row did not exceed [s], NaN before the second step."""
    before = steps.groupby(cells).shift(1)
    rolling = before.groupby(cells).rolling(RHYTHM_READINGS, min_periods=1)
    return rolling.quantile(RHYTHM_QUANTILE).droplevel(0)
