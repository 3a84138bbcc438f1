"""The voltage of a string is the sum of its cells: what remains between them tells on the sensors."""

import numpy as np
import pandas as pd
from bms_schema.data.columns import STRING_VOLTAGE, VOLTAGE
from bms_schema.data.features import MAD_TO_SIGMA

from bms_preprocess.bands import Stretches
from bms_preprocess.cell_facts import CellCodes

FEWEST_MOMENTS = 50  # [U] ten in each fifth
_KEYS = ("total", "remainder", "remainder_first", "remainder_last", "remainder_sigma")


def total_facts(
    frame: pd.DataFrame, moments: np.ndarray, place: Stretches, cells: CellCodes
) -> dict[str, np.ndarray]:
    """Return facts on total - sum of the cells per string, each shape (s,); nothing without a total.

    Looked at are the moments at which every cell of the string answered once. `total`: median of the total [V];
    `remainder`: median of total - sum [V]; `remainder_first` and `remainder_last`: the same over the first and
    the last fifth of those moments; `remainder_sigma`: robust scatter within these two [V]. NaN with fewer than 50.

    Args:
        frame: Canonical, whole strings.
        moments: `moment_codes` of the frame.
        place: `cut_stretches` of the frame.
        cells: `cell_codes` of the frame.
    """
    if STRING_VOLTAGE not in frame:
        return {}
    voltage, said = frame[VOLTAGE].to_numpy(dtype=float), frame[STRING_VOLTAGE].to_numpy(dtype=float)
    rows = np.bincount(moments)
    answered = np.bincount(moments, weights=np.isfinite(voltage) & np.isfinite(said))
    summed = np.bincount(moments, weights=np.nan_to_num(voltage))
    first_row = np.zeros(len(rows), dtype="int64")
    first_row[moments[::-1]] = np.arange(len(moments))[::-1]
    string = place.string[first_row]
    complete = (answered == rows) & (rows == place.count_cells(cells)[string]) & place.known[first_row]
    chosen = pd.DataFrame(
        {
            "string": string[complete],
            "when": place.when[first_row][complete],
            "total": said[first_row][complete],
            "remainder": (said[first_row] - summed)[complete],
        }
    ).sort_values(["string", "when"], kind="stable")
    facts = {key: np.full(len(place.names), np.nan) for key in _KEYS}
    for at in np.unique(chosen["string"]):
        part = chosen[chosen["string"] == at]
        if len(part) >= FEWEST_MOMENTS:
            fifth = len(part) // 5
            remainder = part["remainder"].to_numpy()
            ends = [np.median(remainder[:fifth]), np.median(remainder[-fifth:])]
            scatter = np.abs(np.concatenate([remainder[:fifth] - ends[0], remainder[-fifth:] - ends[1]]))
            figures = (part["total"].median(), np.median(remainder), *ends, MAD_TO_SIGMA * np.median(scatter))
            for key, value in zip(_KEYS, figures, strict=True):
                facts[key][at] = value
    return facts
