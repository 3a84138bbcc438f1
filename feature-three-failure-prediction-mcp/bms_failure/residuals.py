"""What a cell reads against what its own past foretold, and how several channels agree on it.

The forecast of a block is the level of the blocks of 14 to 90 days before, or of 7 to 30 days before while the
cell is younger; its spread there makes the residual a number of sigmas. Both are of the deviation from the
string, so that seasons, outages and set-points are gone before. Blocks that drift away do not enter their own
forecast for two weeks.
"""

import numpy as np
import pandas as pd
from bms_schema.data.moments import CellOrder
from bms_schema.data.trailing import DAY_S, TrailingWindow

# Signal, suspect direction, bound of a believable deviation, smallest sigma believed; bounds and sigmas are
# about what dead cells and a block's median of a usual BMS show [U].
CHANNELS: dict[str, tuple[str, int, float, float]] = {
    "voltage_residual": ("voltage_mv", -1, 150.0, 1.5),
    "temperature_residual": ("temperature_c", 1, 6.0, 0.15),
    "gravity_residual": ("gravity", -1, 0.08, 0.0007),
}
JOINT, SECOND = "joint_residual", "second_residual"
_LONG_PAST_DAYS, _SHORT_PAST_DAYS = (14, 90), (7, 30)
_FEWEST_BLOCKS = 8  # two days' worth [U]
# A residual beyond these says "far", not how far: a sensor that fails must not drown the other channels [U].
_BEST, _WORST = -6.0, 10.0


def block_residuals(blocks: pd.DataFrame, order: CellOrder) -> pd.DataFrame:
    """Return the residuals of quarter-day blocks, rows as given, NaN = unknown.

    Args:
        blocks: From `condense`.
        order: Of the blocks, by cell and life.

    Returns:
        `voltage_residual`, `temperature_residual`, `gravity_residual` [sigma, sign of the signal] and, in the
        suspect direction, `joint_residual` (mean over the channels known) and `second_residual` (the second
        largest, NaN with fewer than two: a sign that another sensor confirms).
    """
    found, suspect = {}, []
    windows = {days: TrailingWindow(order, days * DAY_S, across_gaps=True) for days in (7, 14, 30, 90)}
    for name, (signal, direction, bound, floor) in CHANNELS.items():
        values = np.clip(blocks[signal].to_numpy(dtype=float)[order.order], -bound, bound)
        level, spread = _past(values, windows, *_LONG_PAST_DAYS)
        young = np.isnan(level)
        if young.any():
            young_level, young_spread = _past(values, windows, *_SHORT_PAST_DAYS)
            level, spread = np.where(young, young_level, level), np.where(young, young_spread, spread)
        sigmas = direction * (values - level) / np.maximum(spread, floor)
        suspect.append(np.clip(sigmas, _BEST, _WORST))
        found[name] = order.restore(direction * suspect[-1])
    both = np.sort(np.stack(suspect), axis=0)  # NaN last
    known = np.isfinite(both).sum(axis=0)
    with np.errstate(invalid="ignore"):
        found[JOINT] = order.restore(np.nansum(both, axis=0) / np.where(known, known, np.nan))
    second = np.take_along_axis(both, np.maximum(known - 2, 0)[None], axis=0)[0]
    found[SECOND] = order.restore(np.where(known >= 2, second, np.nan))
    return pd.DataFrame(found, index=blocks.index)


def _past(
    values: np.ndarray, windows: dict[int, TrailingWindow], newest_days: int, oldest_days: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation over the blocks of (t - oldest, t - newest], sorted, each (n,)."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    parts = [known.astype(float), filled, filled * filled]
    count, total, squares = (
        windows[oldest_days].total(part) - windows[newest_days].total(part) for part in parts
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        count = np.where(count >= _FEWEST_BLOCKS - 0.5, count, np.nan)
        level = total / count
        return level, np.sqrt(np.maximum(squares / count - level * level, 0.0))
