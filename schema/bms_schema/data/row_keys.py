"""Whether a given `source_row` names every row: together with its cell no number may come twice."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bms_schema.data.identity import Key
from bms_schema.data.text import parse_numbers

# Exact up to as many rows; beyond, an even sample of the keys: one repeated row in a thousand is missed in 0.005 %.
_MOST_KEYS = 10_000


@dataclass(frozen=True)
class RowKeys:
    """The smallest hashes of (cell, source_row) and how often each came; the same whatever order rows come in.

    Args:
        hashes: uint64, sorted.
        counts: int64, rows of each.
        whole: Whether every number was given and whole.
    """

    hashes: np.ndarray
    counts: np.ndarray
    whole: bool

    @classmethod
    def of(cls, numbers: pd.Series, codes: np.ndarray, keys: list[Key]) -> "RowKeys":
        """Count a chunk's keys."""
        rows, _ = parse_numbers(numbers)
        whole = bool((np.isfinite(rows) & (rows == np.rint(rows))).all())
        cells = pd.util.hash_array(np.array(["\t".join(map(str, key)) for key in keys], dtype=object))
        mixed = pd.util.hash_array(np.where(np.isfinite(rows), rows, -1).astype("int64")) ^ cells[codes]
        hashes, counts = np.unique(pd.util.hash_array(mixed), return_counts=True)
        return cls(hashes[:_MOST_KEYS], counts[:_MOST_KEYS].astype("int64"), whole)

    def merge(self, other: "RowKeys") -> "RowKeys":
        """Return the keys of both."""
        hashes, place = np.unique(np.concatenate([self.hashes, other.hashes]), return_inverse=True)
        counts = np.bincount(place, weights=np.concatenate([self.counts, other.counts])).astype("int64")
        return RowKeys(hashes[:_MOST_KEYS], counts[:_MOST_KEYS], self.whole and other.whole)

    @property
    def name_rows(self) -> bool:
        """Whether the numbers can be kept. Files cleaned one by one each count from 0: theirs cannot."""
        return self.whole and bool((self.counts == 1).all())
