"""Failure labels: when a cell died, which moments are labelled, and which cannot be known.

t_d is the first time that IsDead = 1 holds for at least three samples. For the horizon H a moment t is 1 where
0 < t_d - t ≤ H, 0 where t_d - t > H or where the cell never died and was observed beyond t + H, else unknown.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, IS_DEAD, STRING, TIMESTAMP
from bms_schema.data.moments import order_cells

from bms_failure.blocks import AT, LIFE

SAMPLES_TO_CONFIRM = 3
DEAD = -1
HORIZONS_DAYS = (1, 2, 3, 5, 7, 14, 30, 56, 90, 180, 365)
# [U] with more than a third of the moments unknown, the known ones no longer stand for the fleet.
LARGEST_UNKNOWN_SHARE = 1.0 / 3.0
FEWEST_CELLS, FEWEST_GROUPS = 2, 2  # of each class


@dataclass(frozen=True)
class Lives:
    """The lives of the cells.

    Args:
        of_row: Life number within the cell of each row of the frame, `DEAD` while the cell is dead, shape (n,).
        table: One row per life: `Cell ID`, `string`, `life`, `death` (NaT where it did not die), `observed_until`
            (last moment whose label is sure), `watched_until` (up to when a death would have been seen, whether
            or not there was one: a survivor's own `observed_until`, else the last of its string).
        dead_at_end: Cells that are dead at the end of the data, sorted.
    """

    of_row: np.ndarray
    table: pd.DataFrame
    dead_at_end: list[str]


def cell_lives(frame: pd.DataFrame) -> Lives:
    """Split each cell's rows into lives: a cell replaced under the same number starts a new one.

    Runs of fewer than three equal labels confirm nothing. Without an `IsDead` column every cell has one life.

    Args:
        frame: Canonical frame with `Timestamp`.
    """
    order = order_cells(frame)
    cell = order.cell
    label = (
        frame[IS_DEAD].to_numpy(dtype=float)[order.order] if IS_DEAD in frame else np.full(len(frame), np.nan)
    )
    dead = _confirmed(label, cell)
    new_cell = np.diff(cell, prepend=-1) != 0
    revived = ~dead & np.r_[False, dead[:-1]] & ~new_cell
    number = np.cumsum(revived)
    life = number - number[new_cell][np.cumsum(new_cell) - 1] if len(frame) else number
    rows = pd.DataFrame(
        {
            CELL_ID: frame[CELL_ID].to_numpy()[order.order],
            STRING: frame[STRING].to_numpy()[order.order],
            LIFE: life,
            "when": frame[TIMESTAMP].to_numpy(dtype="datetime64[ns]")[order.order],
            "dead": dead,
            "sure": _sure(label, dead, cell),
        }
    )
    keys = [CELL_ID, LIFE]
    table = rows.groupby(keys, sort=True)[[STRING]].first()
    table["death"] = rows[rows.dead].groupby(keys).when.min()
    table["observed_until"] = rows[rows.sure & ~rows.dead].groupby(keys).when.max()
    of_string = table.groupby(STRING)["observed_until"].transform("max")
    of_the_dead = of_string.where(of_string > table["death"], table["death"])
    table["watched_until"] = table["observed_until"].where(table["death"].isna(), of_the_dead)
    last_dead = rows.groupby(CELL_ID, sort=True).dead.last()
    of_row = order.restore(np.where(dead, DEAD, life))
    return Lives(of_row, table.reset_index(), [str(name) for name in last_dead.index[last_dead]])


def label_moments(moments: pd.DataFrame, lives: Lives, horizon_days: float) -> np.ndarray:
    """Return 1.0, 0.0 or NaN (unknown) for each moment, shape (n,).

    Args:
        moments: Rows with `Cell ID`, `life` and `at`.
        lives: From `cell_lives` of the same data.
        horizon_days: H.
    """
    known = moments[[CELL_ID, LIFE, AT]].merge(lives.table, on=[CELL_ID, LIFE], how="left")
    horizon = pd.Timedelta(days=horizon_days)
    ahead = known["death"] - known[AT]
    positive = (ahead > pd.Timedelta(0)) & (ahead <= horizon)
    negative = (ahead > horizon) | (known["death"].isna() & (known["observed_until"] > known[AT] + horizon))
    return np.where(positive, 1.0, np.where(negative, 0.0, np.nan))


def days_to_death(moments: pd.DataFrame, lives: Lives) -> np.ndarray:
    """Return t_d - t [days] of each moment, NaN where the life has no death, shape (n,)."""
    known = moments[[CELL_ID, LIFE, AT]].merge(lives.table, on=[CELL_ID, LIFE], how="left")
    return ((known["death"] - known[AT]) / pd.Timedelta(days=1)).to_numpy(dtype=float)


def days_watched(moments: pd.DataFrame, lives: Lives) -> np.ndarray:
    """Return for how long after each moment a death would have been seen [days], NaN where never, shape (n,).

    Judging only moments whose whole horizon was watched keeps the last days honest: there the rule of
    `label_moments` knows the cells that died, and nobody else.
    """
    known = moments[[CELL_ID, LIFE]].merge(lives.table, on=[CELL_ID, LIFE], how="left")
    ahead = known["watched_until"].to_numpy() - moments[AT].to_numpy()
    return np.asarray(ahead / np.timedelta64(1, "D"), dtype=float)


def choose_horizon(moments: pd.DataFrame, groups: np.ndarray, lives: Lives, asked_days: int) -> int | None:
    """Return the largest horizon up to the asked one that this data can label, None where none can be.

    A horizon qualifies where at most a third of the moments are unknown and the others can judge a model, see
    `can_judge`.

    Args:
        moments: Rows with `Cell ID`, `life` and `at`.
        groups: Group of each moment that folds keep together, shape (n,).
        lives: From `cell_lives`.
        asked_days: The horizon asked for.
    """
    candidates = sorted({asked_days, *(days for days in HORIZONS_DAYS if days < asked_days)}, reverse=True)
    for horizon in candidates:
        unknown = np.isnan(label_moments(moments, lives, horizon)).mean()
        if unknown <= LARGEST_UNKNOWN_SHARE and can_judge(moments, groups, lives, horizon):
            return horizon
    return None


def can_judge(moments: pd.DataFrame, groups: np.ndarray, lives: Lives, horizon_days: float) -> bool:
    """Return whether moments whose whole horizon was watched hold both classes, each in two cells and two groups.

    Deaths in the last days alone do not do: nobody could say there how many cells were rightly left alone.

    Args:
        moments: Rows with `Cell ID`, `life` and `at`.
        groups: Group of each moment that folds keep together, shape (n,).
        lives: From `cell_lives`.
        horizon_days: H.
    """
    judged = days_watched(moments, lives) > horizon_days
    dying = days_to_death(moments, lives) <= horizon_days
    cells = moments[CELL_ID].to_numpy()
    return all(
        len(np.unique(cells[rows])) >= FEWEST_CELLS and len(np.unique(groups[rows])) >= FEWEST_GROUPS
        for rows in (judged & dying, judged & ~dying)
    )


def _confirmed(label: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return whether the cell is dead at each sorted row; unknown labels keep the state before them."""
    known = np.isfinite(label)
    value, owner = label[known], cell[known]
    starts = (np.diff(value, prepend=np.nan) != 0) | (np.diff(owner, prepend=-1) != 0)
    run = np.cumsum(starts) - 1
    length = np.bincount(run, minlength=1)[run] if len(run) else run
    state = np.where(length >= SAMPLES_TO_CONFIRM, value, np.nan)
    full = np.full(len(label), np.nan)
    full[known] = state
    return pd.Series(full).groupby(cell).ffill().fillna(0.0).to_numpy() == 1.0


def _sure(label: np.ndarray, dead: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return up to where a cell's labels are sure, shape (n,).

    False for the last rows where IsDead = 1 came too late to be confirmed, and after; and where no known label
    follows: a cell is observed only as long as somebody says whether it lives.
    """
    doubtful = (label == 1.0) & ~dead
    open_end = doubtful & ~_happens_later(label == 0.0, cell)
    confirmed = pd.Series(open_end.astype(float)).groupby(cell).cummax().to_numpy() == 0.0
    return confirmed & _happens_later(np.isfinite(label), cell)


def _happens_later(what: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return whether `what` holds at a row or at a later one of its cell, shape (n,)."""
    return pd.Series(what[::-1].astype(float)).groupby(cell[::-1]).cummax().to_numpy()[::-1] == 1.0
