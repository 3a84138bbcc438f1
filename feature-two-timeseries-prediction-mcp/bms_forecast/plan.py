"""How a history is divided in time: training, then a calibration part, then the part the metrics come from."""

from dataclasses import dataclass, field

import numpy as np
from bms_schema.data.splits import rolling_origins

# At most this share of the readings is kept from the first training, in at most so many windows.
HELD_BACK_SHARE = 0.35
MOST_WINDOWS = 40
# A window, and with it the model's reach, is the horizon or at most this share of the history.
LONGEST_WINDOW_SHARE = 1 / 6


@dataclass(frozen=True)
class Plan:
    """Columns of the grid at which the parts begin.

    Args:
        window: Steps of a backtest window: the most the model is asked to look ahead.
        calibrate_from: First column the first training must not read; calibration begins here.
        report_from: First column of the part that metrics come from.
        end: One past the last column.
        read: Whether anything was read in each column, shape (end,).
    """

    window: int
    calibrate_from: int
    report_from: int
    end: int
    read: np.ndarray = field(repr=False, compare=False)

    @property
    def reportable(self) -> bool:
        """Whether a window follows each part's beginning."""
        return self.calibrate_from + 2 * self.window <= self.report_from + self.window <= self.end

    def after(self, column: int) -> "Plan":
        """Return the plan with nothing held back before `column`, where a stored model's training ended."""
        if column <= self.calibrate_from:
            return self
        windows = (self.end - column) // self.window
        report_from = self.end - max(windows // 2, 1) * self.window
        return Plan(self.window, column, max(report_from, column), self.end, self.read)

    def report_origins(self) -> list[int]:
        """Return the last known column of every reported window in which anything was read, oldest first."""
        windows = (self.end - self.report_from) // self.window
        counts = rolling_origins(self.end, self.window, windows, self.report_from)
        return [count - 1 for count in counts if self.read[count : count + self.window].any()]


def make_plan(read: np.ndarray, horizon: int) -> Plan:
    """Divide a history for forecasts of `horizon` steps by what was read: a gap of days holds nothing to test on.

    Args:
        read: Whether anything was read in each column, shape (T,); at least two are true, the last one too.
        horizon: Steps.

    >>> make_plan(np.full(720, True), 24)
    Plan(window=24, calibrate_from=480, report_from=600, end=720)
    >>> make_plan(np.full(20, True), 24)
    Plan(window=3, calibrate_from=14, report_from=17, end=20)
    >>> make_plan(np.repeat([True, False, True], [700, 5000, 20]), 24)
    Plan(window=24, calibrate_from=480, report_from=600, end=5720)
    """
    columns = np.flatnonzero(read)
    length = len(columns)
    window = min(horizon, max(int(length * LONGEST_WINDOW_SHARE), 1))
    windows = min(max(int(length * HELD_BACK_SHARE / window), 2), MOST_WINDOWS)
    reported = windows // 2
    return Plan(
        window=window,
        calibrate_from=int(columns[length - windows * window]),
        report_from=int(columns[length - reported * window]),
        end=len(read),
        read=read,
    )
