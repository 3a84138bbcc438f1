"""A cell's own level against its string, and how far cells usually stray from it."""

import numpy as np
import pandas as pd
from bms_schema.data.features import MAD_TO_SIGMA

# A level is looked for within this many spreads of the string: a cell that died early, or drifted for most
# of the file, must not become its own reference. Chosen on simulated fleets.
REACH = 5.0
SMALLEST_SHARE = 0.05  # of its readings that must lie within reach for a cell to have a level of its own [U]
CELLS_FOR_SPREAD = 5  # fewer cells at a moment cannot tell the spread of that moment [U]


def believable_rows(deviation: np.ndarray, cells: np.ndarray, resolution: float) -> tuple[np.ndarray, float]:
    """Return which deviations a healthy cell could show, shape (n,), and the usual spread of the cells' levels.

    Args:
        deviation: From the string, shape (n,), NaN = none; what is unknown is believed.
        cells: Cell codes, shape (n,).
        resolution: Smallest believable spread, in the unit of `deviation`.
    """
    series = pd.Series(deviation)
    grouped = series.groupby(cells)
    within = (series - grouped.transform("median")).abs().groupby(cells).median()
    spread = max(resolution, MAD_TO_SIGMA * _median(grouped.median().abs()))
    reach = REACH * float(np.hypot(spread, MAD_TO_SIGMA * _median(within)))
    return ~(np.abs(deviation) > reach), spread


def own_level(deviation: np.ndarray, healthy: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return the own level of each row's cell, shape (n,): the median of its healthy rows, 0 where they are few.

    Args:
        deviation: From the string, shape (n,), NaN = none.
        healthy: Rows believable in every signal, shape (n,): a dead cell's warmth is no level of its own.
        cells: Cell codes, shape (n,).
    """
    series = pd.Series(deviation)
    believed = series.where(healthy).groupby(cells)
    enough = believed.count() >= SMALLEST_SHARE * series.groupby(cells).count()
    return believed.median().where(enough, 0.0).fillna(0.0).reindex(cells).to_numpy()


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
