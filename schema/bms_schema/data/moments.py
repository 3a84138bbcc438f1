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
ROWS_AT_ONCE = 100_000  # 40 MB of steps to take a rhythm from


@dataclass(frozen=True)
class CellOrder:
    """Rows sorted by cell and time.

    Args:
        order: Positions of the frame's rows in (cell, time, source_row) order, shape (n,).
        cell: Cell code of each sorted row, shape (n,).
        seconds: Time of each sorted row [s since 1970], NaN where the row has no time stamp; the reading's number
            within the cell where the whole cell has none, shape (n,).
        timed: Whether `seconds` is a time stamp, shape (n,).
        segment: Code that changes with the cell and after every gap, shape (n,).
        step_s: The usual step of each sorted row's cell over the whole file [s], shape (n,).
    """

    order: np.ndarray
    cell: np.ndarray
    seconds: np.ndarray
    timed: np.ndarray
    segment: np.ndarray
    step_s: np.ndarray

    def restore(self, values: np.ndarray) -> np.ndarray:
        """Bring sorted values (n,) back into the frame's row order."""
        restored = np.empty_like(values)
        restored[self.order] = values
        return restored

    @property
    def elapsed_s(self) -> np.ndarray:
        """Time since the cell's first reading [s] of each sorted row, shape (n,)."""
        return np.asarray(self.seconds - self.seconds[_first_of_each(self.cell)])

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

    Rows without a time stamp come last in their cell and each is a segment of its own; a cell without any is
    ordered by `source_row`, its readings numbered.
    """
    cells = _small_codes(pd.factorize(frame[CELL_ID], sort=True)[0])
    source = frame[SOURCE_ROW].to_numpy()
    stamps = np.full(len(frame), np.datetime64("NaT", "ns"))
    if TIMESTAMP in frame:
        stamps = frame[TIMESTAMP].to_numpy(dtype="datetime64[ns]")
    known, instants = ~np.isnat(stamps), stamps.astype("int64")
    order = np.lexsort((source, np.where(known, instants, np.iinfo("int64").max), cells))
    cell, timed = cells[order].astype("int64"), known[order]
    first = _first_of_each(cell)
    numbered = ~timed[first]  # rows with a time stamp come first, so the cell has none
    seconds = np.where(timed, instants[order] / 1e9, np.nan)
    seconds[numbered] = (np.arange(len(cell)) - first)[numbered]
    steps = _steps(cell, seconds)
    starts = (np.arange(len(cell)) == first) | np.isnan(seconds) | _is_gap(steps, first)
    usual = pd.Series(steps).groupby(cell).transform("median").fillna(1.0).to_numpy()
    return CellOrder(order, cell, seconds, timed, np.cumsum(starts), usual)


def moment_codes(frame: pd.DataFrame, order: CellOrder | None = None) -> np.ndarray:
    """Return a code per row, equal for rows of one string at one moment, shape (n,).

    Where the cells of a string are logged under differing time stamps, a moment is one usual step long.
    Without time stamps it is the reading's number within its cell. Rows without a time stamp are moments
    of their own, and so is every further row of a cell at the same moment, together with those of the others.

    Args:
        frame: A canonical frame.
        order: Its `order_cells`, where it is at hand already.
    """
    order = order or order_cells(frame)
    when, step = order.restore(order.seconds), order.restore(order.step_s)
    # Numbered readings are no times: a cell without time stamps shares moments only with others like it.
    strings = 2 * pd.factorize(frame[STRING], sort=True)[0] + order.restore(order.timed)
    string_step = pd.Series(step).groupby(strings).transform("median").to_numpy()
    together = pd.Series(when).groupby([strings, when], sort=False).transform("size").to_numpy(dtype=float)
    cells = pd.Series(order.restore(order.cell)).groupby(strings).transform("nunique").to_numpy()
    typical = pd.Series(together).groupby(strings).transform("median").to_numpy()
    scattered = (cells > 1) & (typical < 2)
    bucket = np.where(scattered, np.floor(when / string_step), when)
    lonely = np.isnan(bucket)
    bucket[lonely] = -1.0 - np.arange(int(lonely.sum()))
    moments = np.asarray(pd.DataFrame({"s": strings, "b": bucket}).groupby(["s", "b"], sort=True).ngroup())
    return _one_row_per_cell(moments, order)


def _one_row_per_cell(moments: np.ndarray, order: CellOrder) -> np.ndarray:
    """Tell apart the rows that one cell has at the same moment, shape (n,): a cell is no neighbour of itself.

    The first rows of all cells belong together, then the second ones.
    """
    ordered = moments[order.order]
    again = (np.diff(ordered, prepend=-1) == 0) & (np.diff(order.cell, prepend=-1) == 0)
    if not again.any():
        return moments
    place = np.arange(len(ordered))
    number = place - np.maximum.accumulate(np.where(again, 0, place))
    apart = moments * (number.max() + 1) + order.restore(number)
    return np.asarray(np.unique(apart, return_inverse=True)[1])  # without holes: codes serve as places


def _small_codes(codes: np.ndarray) -> np.ndarray:
    """Return the codes in 16 bits where they fit, which numpy sorts in a fraction of the time."""
    return codes.astype("int16") if len(codes) and codes.max() < 2**15 else codes


def _first_of_each(codes: np.ndarray) -> np.ndarray:
    """Return for each row of a sorted code array the position where its code begins."""
    starts = np.flatnonzero(np.diff(codes, prepend=codes[0] - 1 if len(codes) else 0) != 0)
    return np.repeat(starts, np.diff(np.append(starts, len(codes))))


def _steps(cell: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Return the time since the cell's reading before [s], NaN where there is none or it is not positive."""
    steps = np.diff(seconds, prepend=np.nan)
    return np.where((np.diff(cell, prepend=-1) == 0) & (steps > 0), steps, np.nan)


def _is_gap(steps: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return which steps are longer than `GAP_STEPS` of the rhythm before them, shape (n,).

    The rhythm is the step that most of the `RHYTHM_READINGS` steps before did not exceed. It is worked out only
    where a step is long beside the cell's shortest, since it cannot be below that.

    Args:
        steps: From `_steps`, shape (n,).
        first: Position of the first row of each row's cell, shape (n,).
    """
    gaps = np.zeros(len(steps), dtype=bool)
    shortest = pd.Series(steps).groupby(first).transform("min").to_numpy()
    with np.errstate(invalid="ignore"):
        long = np.flatnonzero(steps > GAP_STEPS * shortest)
    for rows in np.array_split(long, len(long) // ROWS_AT_ONCE + 1):
        before = rows[:, None] - np.arange(1, RHYTHM_READINGS + 1)
        window = np.where(before >= first[rows, None], steps[np.maximum(before, 0)], np.nan)
        gaps[rows] = steps[rows] > GAP_STEPS * _row_quantiles(window, RHYTHM_QUANTILE)
    return gaps


def _row_quantiles(window: np.ndarray, quantile: float) -> np.ndarray:
    """Return the quantile of each row's values, interpolated, NaN left out; NaN where a row has none."""
    ascending = np.sort(window, axis=1)  # NaN last
    place = quantile * np.maximum((~np.isnan(ascending)).sum(axis=1) - 1, 0)
    lower, row = place.astype(int), np.arange(len(window))
    low, high = ascending[row, lower], ascending[row, np.ceil(place).astype(int)]
    return np.asarray(low + (high - low) * (place - lower))
