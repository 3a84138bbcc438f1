"""The voltage of a string is the sum of its cells: one silent cell can be had from the total."""

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, STRING, STRING_VOLTAGE, VOLTAGE
from bms_schema.data.deviation import MAD_TO_SIGMA

# [U] Complete moments that a robust sigma of the remainder needs.
FEWEST_MOMENTS = 30


def voltage_from_total(frame: pd.DataFrame, moments: np.ndarray) -> np.ndarray:
    """Return cell voltages (n,), where one cell alone is missing filled by total - sum of the others.

    Whether a string's total is good enough is judged from the moments at which all its cells answered: after
    taking out the median of total - sum (a calibration error, or the connectors' share), what remains must
    scatter less than the cells scatter about their own usual deviation from the string's median. A total in
    steps of 0.1 V over 24 cells does not pass: the cell's neighbours and past tell more.

    Args:
        frame: A canonical frame of whole strings with `StringVoltage` [V].
        moments: From `moment_codes`, shape (n,).
    """
    voltage = frame[VOLTAGE].to_numpy(dtype=float, copy=True)
    by_moment = pd.DataFrame(
        {"string": frame[STRING], "cell": frame[CELL_ID], "v": voltage, "total": frame[STRING_VOLTAGE]}
    ).groupby(moments)
    said = by_moment["v"].agg(["sum", "count", "size", "median"])
    said["string"], said["total"] = by_moment["string"].first(), by_moment["total"].median()
    cells = frame.groupby(STRING, observed=True)[CELL_ID].nunique()
    all_rows = (said["size"] == said["string"].map(cells)) & (by_moment["cell"].nunique() == said["size"])
    remainder = said["total"] - said["sum"]

    complete = all_rows & (said["count"] == said["size"]) & remainder.notna()
    offset = remainder[complete].groupby(said["string"][complete]).median()
    scatter = _sigma(remainder[complete] - said["string"][complete].map(offset), said["string"][complete])
    scatter = scatter[complete.groupby(said["string"]).sum().reindex(scatter.index) >= FEWEST_MOMENTS]
    good = scatter.index[
        scatter < _scatter_of_cells(frame, said["median"].to_numpy()[moments]).reindex(scatter.index)
    ]

    one_left = all_rows & (said["count"] == said["size"] - 1) & said["string"].isin(good)
    estimate = (remainder - said["string"].map(offset)).where(one_left).reindex(moments).to_numpy()
    gaps = np.isnan(voltage)
    voltage[gaps] = estimate[gaps]
    return voltage


def _scatter_of_cells(frame: pd.DataFrame, median_v: np.ndarray) -> pd.Series:
    """Return how far the cells of each string stray from their own usual deviation [V], by string."""
    deviation = frame[VOLTAGE] - median_v
    usual = deviation.groupby(frame[CELL_ID], observed=True).transform("median")
    return _sigma(deviation - usual, frame[STRING])


def _sigma(centred: pd.Series, groups: pd.Series) -> pd.Series:
    """Return the robust standard deviation of centred values by group."""
    return MAD_TO_SIGMA * centred.abs().groupby(groups, observed=True).median()
