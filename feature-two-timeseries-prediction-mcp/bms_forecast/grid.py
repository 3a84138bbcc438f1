"""Irregular readings on one regular grid: duplicates averaged, gaps left open, columns common in time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from bms_schema.data.columns import STRING
from bms_schema.run.errors import InvalidArgument, NotEnoughData

ID, WHEN, VALUE = "unique_id", "ds", "y"
DAY_S = 86_400.0
# A daily season must repeat at least twice before anything can be learnt from it.
SEASONS_NEEDED = 2
# A grid wider than this per series is cut to its newest part: memory stays bounded whatever a stray clock says.
LONGEST_GRID = 100_000


@dataclass(frozen=True)
class Grid:
    """Several series on one step; a column is one moment, to within a step, for all of them.

    Each series keeps its own phase, so that its last reading lies exactly on the grid.

    Args:
        ids: Series ids, sorted, length n.
        ends: Column of each series' last reading, shape (n,).
        end_s: Time of that reading [s since 1970], shape (n,).
        step_s: The common step [s].
        values: The target, shape (n, T), NaN = no reading.
        exogenous: {name: values of the same shape} known up to each moment, never ahead.
        future: {name: values (n, T + steps ahead)} of covariates that are known ahead.
        strings: Number of each series' string, shape (n,); all 0 where the frame does not tell strings apart.
    """

    ids: list[str]
    ends: np.ndarray
    end_s: np.ndarray
    step_s: float
    values: np.ndarray
    exogenous: dict[str, np.ndarray]
    future: dict[str, np.ndarray] = field(default_factory=dict)
    strings: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))

    @property
    def length(self) -> int:
        """Columns of the grid."""
        return int(self.values.shape[1])

    @property
    def season(self) -> int:
        """Steps of a day, 0 where the step does not divide it or fewer than two days are there."""
        return daily_season(self.step_s, self.length)

    @property
    def read(self) -> np.ndarray:
        """Whether any series was read in each column, shape (T,)."""
        return np.isfinite(self.values).any(axis=0)

    def starts(self) -> np.ndarray:
        """Return the column of each series' first reading, shape (n,); the grid's length where it has none."""
        there = np.isfinite(self.values)
        return np.where(there.any(axis=1), there.argmax(axis=1), self.length)

    def seconds(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the time of grid places [s since 1970]; columns past the end lie in the future."""
        return self.end_s[rows] + (columns - self.ends[rows]) * self.step_s


def daily_season(step_s: float, length: int) -> int:
    """Return how many steps make a day; 0 where that is no whole number above 1 or history is below two days.

    >>> daily_season(3600.0, 720), daily_season(3600.0, 40), daily_season(7.0, 10**6)
    (24, 0, 0)
    """
    steps = DAY_S / step_s
    whole = round(steps)
    return whole if whole > 1 and abs(steps - whole) < 1e-6 and length >= SEASONS_NEEDED * whole else 0


def usual_step_s(seconds: np.ndarray) -> float:
    """Return the median positive step of ascending times [s]; NaN where there is none.

    >>> usual_step_s(np.array([0.0, 60.0, 60.0, 120.0, 900.0]))
    60.0
    """
    steps = np.diff(np.sort(seconds))
    steps = steps[steps > 0]
    return float(np.round(np.median(steps), 3)) if steps.size else float("nan")


def make_grid(
    frame: pd.DataFrame,
    *,
    step_s: float | None = None,
    exogenous: Sequence[str] = (),
    future: Sequence[str] = (),
    ahead: int = 0,
) -> Grid:
    """Put a tidy frame on a grid; row order changes nothing.

    Args:
        frame: `unique_id`, `ds` (datetime64), `y` (float, NaN = no reading), the covariates, and `string` if known.
        step_s: Step [s]; None takes the median of the series' usual steps.
        exogenous: Numeric columns to bring along up to each series' last reading.
        future: Numeric columns to bring along so many steps further.
        ahead: Steps past a series' last reading that `future` reaches.

    Raises:
        InvalidArgument: a column is missing or `ds` holds no times.
        NotEnoughData: no series has two readings at different times.
    """
    _check(frame, [*exogenous, *future])
    rows = frame[frame[WHEN].notna()].sort_values([ID, WHEN], kind="stable")
    seconds = rows[WHEN].to_numpy(dtype="datetime64[ns]").astype("int64") / 1e9
    codes, names = pd.factorize(rows[ID].astype(str), sort=True)
    known = np.isfinite(rows[VALUE].to_numpy(dtype=float))
    if step_s is None:
        each = [usual_step_s(seconds[(codes == code) & known]) for code in range(len(names))]
        step_s = float(np.nanmedian(each)) if np.isfinite(each).any() else float("nan")
    if not np.isfinite(step_s):
        raise NotEnoughData(
            "No series has two readings at different times.", expected="a history", fix="Pass a longer one."
        )
    end_s = np.full(len(names), -np.inf)
    np.maximum.at(end_s, codes[known], seconds[known])
    usable = np.isfinite(end_s)
    newest = end_s[usable].max()
    # Who ended longer ago than a grid is long has no place on it.
    usable &= end_s > newest - (LONGEST_GRID // 2) * step_s
    behind = np.where(usable, np.floor((np.where(usable, end_s, newest) - newest) / step_s + 1e-6), 0.0)
    offset = np.rint((seconds - np.where(usable, end_s, 0.0)[codes]) / step_s)
    place = offset + behind[codes]
    inside = usable[codes] & (place > -LONGEST_GRID)
    length = int(1 - place[inside & known & (offset <= 0)].min())
    inside &= place > -length

    def gridded(name: str, reach: int) -> np.ndarray:
        taken = inside & (offset <= reach)
        spot = codes[taken] * (length + reach) + (place[taken] + length - 1).astype(int)
        values = rows[name].to_numpy(dtype=float)[taken]
        return _mean_by_place(values, spot, len(names) * (length + reach)).reshape(len(names), -1)[usable]

    strings = np.zeros(len(names), dtype=int)
    if STRING in rows:
        strings[codes] = pd.factorize(rows[STRING].astype(str), sort=True)[0]
    return Grid(
        [str(name) for name, there in zip(names, usable, strict=True) if there],
        (behind + length - 1)[usable].astype(int),
        end_s[usable],
        step_s,
        gridded(VALUE, 0),
        {name: gridded(name, 0) for name in exogenous},
        {name: gridded(name, ahead) for name in future},
        strings[usable],
    )


def _mean_by_place(values: np.ndarray, spot: np.ndarray, size: int) -> np.ndarray:
    known = np.isfinite(values)
    count = np.bincount(spot[known], minlength=size)
    total = np.bincount(spot[known], weights=values[known], minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, total / count, np.nan)


def _check(frame: pd.DataFrame, exogenous: Sequence[str]) -> None:
    missing = [name for name in (ID, WHEN, VALUE, *exogenous) if name not in frame]
    if missing:
        raise InvalidArgument(
            f"The frame lacks {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}.",
            expected=f"columns {ID}, {WHEN}, {VALUE}",
            fix="Rename its columns.",
        )
    if not pd.api.types.is_datetime64_any_dtype(frame[WHEN]):
        raise InvalidArgument(
            f"'{WHEN}' is of type {frame[WHEN].dtype}.",
            expected="datetime64",
            fix=f"Convert it with pandas.to_datetime(frame['{WHEN}']).",
        )


def as_times(seconds: np.ndarray) -> np.ndarray:
    """Return datetime64[ns] of times [s since 1970], to the millisecond."""
    return np.rint(seconds * 1e3).astype("int64").astype("datetime64[ms]").astype("datetime64[ns]")
