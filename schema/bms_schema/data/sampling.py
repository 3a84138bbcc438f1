"""Samples that do not depend on chunks, row order or partitions."""

import numpy as np
import pandas as pd

from bms_schema.data.columns import CELL_ID, SOURCE_ROW, TIMESTAMP


def row_hashes(frame: pd.DataFrame) -> np.ndarray:
    """Return a hash of (Cell ID, Timestamp) for every row, uint64.

    Where there is no time the `source_row` stands in. A row's hash depends on nothing but the row: not on the
    columns' types (text or categories, any unit of time) and not on the part of a table that it comes in.

    Args:
        frame: A canonical frame, or part of one.
    """
    key = frame[SOURCE_ROW].to_numpy(dtype="int64")
    if TIMESTAMP in frame:
        times = frame[TIMESTAMP].to_numpy(dtype="datetime64[ns]")
        key = np.where(np.isnat(times), key, times.view("int64"))
    codes, cells = pd.factorize(frame[CELL_ID])  # each name is hashed once
    names = pd.CategoricalDtype(pd.Index(cells).astype(str))
    cell = pd.Categorical.from_codes(codes, dtype=names)  # type: ignore[arg-type]
    hashes = pd.util.hash_pandas_object(pd.DataFrame({"cell": cell, "key": key}), index=False)
    return hashes.to_numpy(dtype="uint64")


def hash_sample(frame: pd.DataFrame, size: int) -> np.ndarray:
    """Return the positions of `size` rows with the smallest hash of (Cell ID, Timestamp), sorted by that hash.

    All rows where there are no more than `size`. Where there is no time the row's `source_row` stands in.

    Args:
        frame: A canonical frame.
        size: Most rows wanted.
    """
    return np.lexsort((frame[SOURCE_ROW].to_numpy(), row_hashes(frame)))[:size]
