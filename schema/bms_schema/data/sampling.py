"""Samples that do not depend on chunks, row order or partitions."""

import numpy as np
import pandas as pd

from bms_schema.data.columns import CELL_ID, SOURCE_ROW, TIMESTAMP


def hash_sample(frame: pd.DataFrame, size: int) -> np.ndarray:
    """Return the positions of `size` rows with the smallest hash of (Cell ID, Timestamp), sorted by that hash.

    All rows where there are no more than `size`. Without time stamps the row's `source_row` stands in.

    Args:
        frame: A canonical frame.
        size: Most rows wanted.
    """
    key = frame[TIMESTAMP] if TIMESTAMP in frame and frame[TIMESTAMP].notna().any() else frame[SOURCE_ROW]
    keys = pd.DataFrame({"cell": frame[CELL_ID].astype(str).to_numpy(), "key": key.to_numpy()})
    hashes = pd.util.hash_pandas_object(keys, index=False).to_numpy()
    order = np.lexsort((frame[SOURCE_ROW].to_numpy(), hashes))
    return order[:size]
