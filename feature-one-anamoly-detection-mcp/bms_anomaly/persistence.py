"""From the oddness of rows to that of stretches: what lasts, or belongs to something that lasts, counts more."""

import numpy as np
import pandas as pd
from bms_schema.data.moments import CellOrder

from bms_anomaly.windows import centred_median, window_s

LASTING_H, LASTING_READINGS = 72.0, 72
# A stretch is where the lasting score stays at or above this: half a decade rarer than a usual row. Chosen on
# simulated fleets (seeds 0-2), as is the cap, beyond which a stretch's peak says nothing more about its edges.
STRETCH_LEVEL, STRETCH_CAP = 0.5, 6.0
# A lone row counts by itself at two decades less: a fleet has some 100,000 rows in a month, and a spike has no
# neighbours to speak for it. At one decade less there were four times as many false events (simulated fleets).
LONELY_DISCOUNT = 2.0


def persistent_score(row_score: np.ndarray, order: CellOrder, *, timed: bool) -> np.ndarray:
    """Return max((row + lasting + stretch) / 2, row - 2) in decades, shape (n,); NaN where `row_score` is.

    lasting: the median of the cell's row scores within 72 h around the row; it keeps the edges of a step.
    stretch: the highest lasting score of the unbroken stretch of the cell that the row belongs to, at most 6;
    0 outside of any. So the faint beginning of a drift shares in what it grew into.

    Args:
        row_score: -log10 tail probabilities, shape (n,), NaN = no reading.
        order: From `order_cells`.
        timed: Whether the rows have time stamps.
    """
    lasting = centred_median(row_score, order, window_s(order, LASTING_H if timed else 0.0, LASTING_READINGS))
    ordered = np.nan_to_num(lasting)[order.order]
    inside = ordered >= STRETCH_LEVEL
    begins = (np.diff(inside, prepend=False)) | (np.diff(order.segment, prepend=-1) != 0)
    peak = pd.Series(np.where(inside, ordered, 0.0)).groupby(np.cumsum(begins)).transform("max").to_numpy()
    stretch = order.restore(np.minimum(peak, STRETCH_CAP))
    together = (row_score + np.nan_to_num(lasting) + stretch) / 2.0
    return np.asarray(np.maximum(together, row_score - LONELY_DISCOUNT))
