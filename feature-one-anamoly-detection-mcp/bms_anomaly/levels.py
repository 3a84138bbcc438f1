"""A cell's own level against its string, and how far cells usually stray from it."""

import numpy as np
import pandas as pd
from bms_schema.data.features import MAD_TO_SIGMA

# A level is looked for within this many spreads of the string: a cell that died early, or drifted for most
# of the file, must not become its own reference. Chosen on simulated fleets.
REACH = 5.0
SMALLEST_SHARE = 0.05  # of its readings that must lie within reach for a cell to have a level of its own [U]
CELLS_FOR_SPREAD = 5  # fewer cells at a moment cannot tell the spread of that moment [U]


def own_level(deviation: np.ndarray, cells: np.ndarray, resolution: float) -> tuple[np.ndarray, float]:
    """Return the own level of each row's cell, shape (n,), and the usual spread of the levels.

    The level is the median of those deviations that a healthy cell could show; 0 where too few are.

    Args:
        deviation: From the string, shape (n,), NaN = none.
        cells: Cell codes, shape (n,).
        resolution: Smallest believable spread, in the unit of `deviation`.
    """
    series = pd.Series(deviation)
    grouped = series.groupby(cells)
    medians, counts = grouped.median(), grouped.count()
    within = (series - grouped.transform("median")).abs().groupby(cells).median()
    spread = max(resolution, MAD_TO_SIGMA * _median(medians.abs()))
    reach = REACH * float(np.hypot(spread, MAD_TO_SIGMA * _median(within)))
    believable = series.where(series.abs() <= reach).groupby(cells)
    enough = believable.count() >= SMALLEST_SHARE * counts
    level = believable.median().where(enough, 0.0).fillna(0.0)
    return level.reindex(cells).to_numpy(), spread


def moment_sigma(own: np.ndarray, moments: np.ndarray, resolution: float) -> np.ndarray:
    """Return the sigma to judge each row by, shape (n,): its moment's, never below the file's usual one.

    A discharge spreads all cells of a string, and that is no fault of any.

    Args:
        own: Deviation less the cell's own level, shape (n,), NaN = none.
        moments: From `moment_codes`, shape (n,).
        resolution: Smallest sigma, in the unit of `own`.
    """
    distance = pd.Series(np.abs(own))
    grouped = distance.groupby(moments)
    spread = MAD_TO_SIGMA * grouped.transform("median").where(grouped.transform("count") >= CELLS_FOR_SPREAD)
    sigma: np.ndarray = np.fmax(spread.to_numpy(), max(resolution, MAD_TO_SIGMA * _median(distance)))
    return sigma


def _median(values: pd.Series) -> float:
    """Return the median of what is known, 0 where nothing is."""
    median = float(values.median())
    return median if np.isfinite(median) else 0.0
