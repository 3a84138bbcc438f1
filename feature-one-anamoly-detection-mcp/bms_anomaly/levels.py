"""A cell's own level against its string, and how far cells usually stray from it."""

import numpy as np
import pandas as pd
from bms_schema.data.columns import CURRENT
from bms_schema.data.deviation import MAD_TO_SIGMA, deviation_within, row_medians
from bms_schema.data.features import LOAD_STEP_A

# A level is looked for within this many spreads of the string: a cell that died early, or drifted for most
# of the file, must not become its own reference. Chosen on simulated fleets.
REACH = 5.0
SMALLEST_SHARE = 0.05  # of its readings that must lie within reach for a cell to have a level of its own [U]
CELLS_FOR_SPREAD = 5  # fewer cells at a moment cannot tell the spread of that moment [U]


def load_state(frame: pd.DataFrame) -> np.ndarray:
    """Return -1 where the string discharges, +1 where it charges by more than `LOAD_STEP_A`, else 0; shape (n,)."""
    if CURRENT not in frame:
        return np.zeros(len(frame))
    current = frame[CURRENT].fillna(0.0).to_numpy(dtype=float)
    return np.asarray(np.sign(current) * (np.abs(current) >= LOAD_STEP_A))


def deviation_from_usual(
    values: np.ndarray, matrices: list[np.ndarray], cells: np.ndarray, load: np.ndarray
) -> np.ndarray:
    """Return the deviation from the string; in too small a string, from the cell's usual value at this load.

    Args:
        values: Readings, shape (n,), NaN = none.
        matrices: From `moment_matrices`.
        cells: Cell codes, shape (n,).
        load: From `load_state`, shape (n,).
    """
    deviation, _ = deviation_within(values, matrices, 1.0)
    alone = np.isnan(deviation) & np.isfinite(values)
    if not alone.any():
        return deviation
    usual = pd.Series(values).groupby([cells, load]).transform("median").to_numpy()
    return np.where(alone, values - usual, deviation)


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


def moment_sigma(
    own: np.ndarray, excursion: np.ndarray, matrices: list[np.ndarray], resolution: float
) -> np.ndarray:
    """Return the sigma to judge each row by, shape (n,): its moment's, never below the string's usual one.

    A discharge spreads all cells of a string, and that is no fault of any. Nor is it a fault what three cells do
    at once, such as the cells of a module that is polled at another instant of the load: the sigma is never
    below the third largest excursion of the moment.

    Args:
        own: Deviation less the cell's own level, shape (n,), NaN = none.
        excursion: How far that is from what is usual for the cell around then, shape (n,).
        matrices: From `moment_matrices`.
        resolution: Smallest sigma, in the unit of `own`.
    """
    distance, excursion = np.abs(own), np.nan_to_num(np.abs(excursion))
    usual = max(resolution, MAD_TO_SIGMA * _median(pd.Series(distance)))
    sigma = np.full(len(own), usual)
    for rows in matrices:
        if rows.shape[1] >= CELLS_FOR_SPREAD:
            answered = (~np.isnan(distance[rows])).sum(axis=1) >= CELLS_FOR_SPREAD
            spread = MAD_TO_SIGMA * row_medians(distance[rows])
            third = np.partition(excursion[rows], -3, axis=1)[:, -3]
            common = np.fmax(spread, third)
            sigma[rows] = np.where(answered, np.fmax(common, usual), usual)[:, None]
    return sigma


def _median(values: pd.Series) -> float:
    """Return the median of what is known, 0 where nothing is."""
    known = values.dropna()
    return float(known.median()) if len(known) else 0.0
