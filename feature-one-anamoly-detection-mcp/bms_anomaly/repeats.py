"""How surprising it is that a sensor repeats one value, in the light of what its neighbours did meanwhile.

The retrospective sister of `bms_schema.data.stuck`: a run is judged as a whole, from its first reading on.
"""

import numpy as np
from bms_schema.data.moments import CellOrder
from bms_schema.data.resolution import smallest_step
from bms_schema.data.stuck import FEWEST_MOVING_FAR, MOST_REPEATING

FAR_STEPS = 1.5


def repeat_surprise(
    values: np.ndarray, order: CellOrder, moments: np.ndarray, calm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return, of the run of equal values that each reading is in, the surprise and the length, each (n,).

    A repeat is worth -ln of the chance of one: how many of the other cells repeated at that moment, or how often
    this cell does in calm rows, whichever is more. It is worth nothing while most others repeat (a string at
    rest, a probe that all share), or while hardly any moves by two steps of its resolution: there, a value's
    place between two steps decides who flickers. A run ends at a gap; a missing reading leaves it as it is.

    Args:
        values: Readings of one string, shape (n,), NaN = none.
        order: From `order_cells`.
        moments: From `moment_codes`, shape (n,).
        calm: Rows that show what is usual for their cell, shape (n,), bool.
    """
    surprise, held = np.full(len(values), np.nan), np.full(len(values), np.nan)
    known = np.isfinite(values)[order.order]
    row = order.order[known]
    if not row.size:
        return surprise, held
    follows = np.diff(order.segment[known], prepend=-1) == 0
    step = np.abs(np.diff(values[row], prepend=np.nan))
    repeats = follows & (step == 0)
    moment, cell = moments[row], order.cell[known]
    far = follows & (step > FAR_STEPS * smallest_step(values[row], cell))
    others = np.bincount(moment, weights=follows)[moment] - follows
    others_repeat = np.bincount(moment, weights=repeats)[moment] - repeats
    usual = follows & calm[row]
    own = (np.bincount(cell, weights=repeats & usual) + 1) / (np.bincount(cell, weights=usual) + 2)
    neighbours = (others_repeat + 1) / (others + 2)
    telling = (neighbours <= MOST_REPEATING) & (
        np.bincount(moment, weights=far)[moment] >= FEWEST_MOVING_FAR * others
    )
    chance = np.where(telling, np.maximum(neighbours, own[cell]), 1.0)
    run = np.cumsum(~repeats) - 1
    surprise[row] = np.bincount(run, weights=np.where(repeats, -np.log(chance), 0.0))[run]
    held[row] = np.bincount(run)[run]
    return surprise, held
