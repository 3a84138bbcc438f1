"""What can be said of every string: its span, and whether its cells log together."""

import numpy as np
import pandas as pd

from bms_preprocess.bands import Stretches
from bms_preprocess.cell_facts import CellCodes
from bms_preprocess.timeline import NO_TIME


def string_facts(
    place: Stretches, cells: CellCodes, stamps: np.ndarray, totals: dict[str, np.ndarray]
) -> pd.DataFrame:
    """Return one row per string: `string`, `rows`, `cells`, `timed` rows, distinct `moments`, `start`, `end`.

    Args:
        place: `cut_stretches` of a frame of whole strings.
        cells: `cell_codes` of the frame.
        stamps: `instants` of the frame.
        totals: `total_facts` of the frame, appended.
    """
    n = len(place.names)
    has_time = stamps != NO_TIME
    empty = np.datetime64("NaT", "ns")
    return pd.DataFrame(
        {
            "string": place.names,
            "rows": np.bincount(place.string, minlength=n),
            "cells": place.count_cells(cells),
            "timed": np.bincount(place.string[has_time], minlength=n),
            "moments": np.where(place.timed, place.moments, 0),
            "start": np.where(place.timed, place.first.astype("datetime64[ns]"), empty),
            "end": np.where(place.timed, place.last.astype("datetime64[ns]"), empty),
            **totals,
        }
    )
