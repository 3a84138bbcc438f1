"""Blocks of whole cells: what of a long string is worked on at once."""

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID


def cell_blocks(frame: pd.DataFrame, most_rows: int) -> list[np.ndarray]:
    """Return row positions of blocks of whole cells, each closed before it exceeds `most_rows`, rows in order.

    >>> frame = pd.DataFrame({"Cell ID": ["a", "b", "a", "c"]})
    >>> [block.tolist() for block in cell_blocks(frame, 3)]
    [[0, 1, 2], [3]]
    """
    if len(frame) <= most_rows:
        return [np.arange(len(frame))]
    cells, names = pd.factorize(frame[CELL_ID])
    block_of_cell = np.zeros(len(names), dtype=int)
    rows = block = 0
    for cell, count in enumerate(np.bincount(cells, minlength=len(names))):
        if rows and rows + count > most_rows:
            rows, block = 0, block + 1
        rows += count
        block_of_cell[cell] = block
    blocks = block_of_cell[cells]
    order = np.argsort(blocks, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(blocks[order])) + 1)
