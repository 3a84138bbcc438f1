"""Features at moments of prediction: trailing windows over a cell's quarter-day blocks."""

import numpy as np
import pandas as pd
from bms_schema.data.chemistry import Chemistry
from bms_schema.data.columns import CELL_ID, STRING, TIMESTAMP
from bms_schema.data.features import trailing_statistics
from bms_schema.data.moments import CellOrder, order_cells
from bms_schema.run.errors import NotEnoughData

from bms_failure.blocks import AT, LIFE, condense
from bms_failure.feature_set import FEATURES, RECENT_DAYS
from bms_failure.residuals import block_residuals
from bms_failure.signals import reading_signals

DAY_S = 86_400.0
HISTORY_DAYS = "history_days"
# The shortest window of a feature: with less history a model would see almost only missing values.
SHORTEST_HISTORY_DAYS = 1.0
SETTLED_DAYS, SETTLED_SHARE = 30.0, 0.25
# A slope needs readings spread over half its window: sigma of the times ≥ half that of a uniform spread.
SMALLEST_SPREAD = 0.5 / np.sqrt(12.0)


def cell_moments(frame: pd.DataFrame, chemistry: Chemistry, life: np.ndarray) -> pd.DataFrame:
    """Return one row per cell, life and quarter day with every feature as known at its last reading.

    Args:
        frame: Canonical frame with `Timestamp`.
        chemistry: Its profile.
        life: From `cell_lives`, or zeros; shape (n,).

    Returns:
        `Cell ID`, `string`, `life`, `at`, the columns of `FEATURE_NAMES` (NaN = unknown), the block's own
        `voltage_mv` and `history_days` since the life's first block; sorted by cell and time.
    """
    blocks = condense(frame, reading_signals(frame, chemistry), life)
    lives = blocks.assign(**{CELL_ID: blocks[CELL_ID].astype(str) + "\0" + blocks[LIFE].astype(str)})
    order = order_cells(lives[[CELL_ID, TIMESTAMP, "source_row"]])
    blocks = pd.concat([blocks, block_residuals(blocks, order)], axis=1)
    windows: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = {}

    def window(signal: str, days: int) -> tuple[np.ndarray, np.ndarray]:
        if (signal, days) not in windows:
            windows[signal, days] = _window(blocks[signal].to_numpy(), order, days)
        return windows[signal, days]

    columns = {}
    for feature in FEATURES:
        if feature.statistic == "level":
            columns[feature.name] = window(feature.signal, feature.days)[0]
        elif feature.statistic == "volatility":
            columns[feature.name] = window(feature.signal, feature.days)[1]
        elif feature.statistic == "change":
            recent = window(feature.signal, RECENT_DAYS.get(feature.signal, 1))[0]
            columns[feature.name] = recent - window(feature.signal, feature.days)[0]
        else:
            columns[feature.name] = _slope(blocks[feature.signal].to_numpy(), order, feature.days)
    head = blocks[[CELL_ID, STRING, LIFE, AT, "voltage_mv"]].copy()
    first = blocks.groupby([CELL_ID, LIFE], observed=True)[AT].transform("min")
    head[HISTORY_DAYS] = (blocks[AT] - first) / pd.Timedelta(days=1)
    return pd.concat([head, pd.DataFrame(columns, index=blocks.index)], axis=1)


def is_daily(moments: pd.DataFrame) -> np.ndarray:
    """Return whether a moment is the last of its cell's life on its calendar day, shape (n,)."""
    keys = [moments[CELL_ID], moments[LIFE], moments[AT].dt.floor("D")]
    return (moments.groupby(keys, observed=True)[AT].transform("max") == moments[AT]).to_numpy()


def is_latest(moments: pd.DataFrame) -> np.ndarray:
    """Return whether a moment is its cell's last, shape (n,)."""
    return (moments.groupby(CELL_ID, observed=True)[AT].transform("max") == moments[AT]).to_numpy()


def is_settled(moments: pd.DataFrame) -> np.ndarray:
    """Return whether a cell has been watched long enough to learn from it and to judge by it, shape (n,).

    Thirty days, or a quarter of the record where that is less. Before, windows are half empty, and what a model
    would learn is how young the record is: labels permuted by cell then still give an AUROC of 0.6 (measured).
    """
    record = (moments[AT].max() - moments[AT].min()) / pd.Timedelta(days=1)
    enough = min(SETTLED_DAYS, SETTLED_SHARE * record)
    return (moments[HISTORY_DAYS] >= enough).to_numpy()


def require_history(latest: pd.DataFrame) -> None:
    """Refuse to score a fleet of which half the cells have been watched for less than a day.

    Raises:
        NotEnoughData: too short a history for a model to judge by.
    """
    days = float(latest[HISTORY_DAYS].median())
    if days < SHORTEST_HISTORY_DAYS:
        raise NotEnoughData(
            f"Half of the cells have {days:.2f} days of readings or fewer.",
            expected=f"at least {SHORTEST_HISTORY_DAYS:g} day, better 30, for a stored model to judge by",
            fix="Pass a longer log.",
        )


def _window(values: np.ndarray, order: CellOrder, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation over the trailing days, outages included."""
    return trailing_statistics(values, order, days * DAY_S, across_gaps=True)


def _slope(values: np.ndarray, order: CellOrder, days: int) -> np.ndarray:
    """Return the least-squares slope per day over the trailing window, NaN where it is too sparsely filled."""
    start = order.seconds.min() if len(order.seconds) else 0.0
    day = order.restore((order.seconds - start) / DAY_S)
    when = np.where(np.isnan(values), np.nan, day)
    mean_t, mean_v, mean_tt, mean_tv = (
        _window(part, order, days)[0] for part in (when, values, when * when, when * values)
    )
    variance = mean_tt - mean_t * mean_t
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (mean_tv - mean_t * mean_v) / variance
    return np.where(variance >= (SMALLEST_SPREAD * days) ** 2, slope, np.nan)
