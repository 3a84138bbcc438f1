"""What is forecast: (series, origin, steps ahead) triples, and how those that teach are chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, SOURCE_ROW, TIMESTAMP
from bms_schema.data.sampling import hash_sample

from bms_forecast.grid import Grid, as_times


@dataclass(frozen=True)
class Samples:
    """(series, origin column, steps ahead) triples, each of shape (m,)."""

    rows: np.ndarray
    origins: np.ndarray
    horizons: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def targets(self) -> np.ndarray:
        """Columns that are forecast."""
        return np.asarray(self.origins + self.horizons)

    def select(self, keep: np.ndarray | slice) -> Samples:
        """Return the triples of a boolean mask, of indices or of a slice."""
        return Samples(self.rows[keep], self.origins[keep], self.horizons[keep])

    @classmethod
    def joined(cls, parts: Sequence[Samples]) -> Samples:
        """Return the triples of all parts one after the other."""
        return cls(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.origins for part in parts]),
            np.concatenate([part.horizons for part in parts]),
        )

    def by_origin(self, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (series, origin, which of these each triple has): every pair once, shapes (u,), (u,) and (m,).

        What is known at an origin is the same for all horizons: it is computed once.

        Args:
            length: Columns of the grid.
        """
        places, which = np.unique(self.rows * length + self.origins, return_inverse=True)
        return places // length, places % length, which.reshape(-1)

    def pieces(self, size: int) -> Iterator[Samples]:
        """Yield the triples in order, at most `size` at once."""
        for start in range(0, len(self), size):
            yield self.select(slice(start, start + size))


def crossed(rows: np.ndarray, origins: np.ndarray, horizons: np.ndarray) -> Samples:
    """Return every combination of series, origins and horizons, in that order."""
    return Samples(*(item.ravel() for item in np.meshgrid(rows, origins, horizons, indexing="ij")))


def training_origins(grid: Grid, until: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (series, origin) of readings before column `until`: the `count` smallest hashes of (series, time)."""
    rows, origins = np.nonzero(np.isfinite(grid.values[:, : max(until - 1, 0)]))
    places = pd.DataFrame(
        {
            CELL_ID: np.asarray(grid.ids, dtype=object)[rows],
            TIMESTAMP: as_times(grid.seconds(rows, origins)),
            SOURCE_ROW: np.arange(len(rows)),
        }
    )
    chosen = hash_sample(places, count)
    return rows[chosen], origins[chosen]


def windows_within(grid: Grid, rows: np.ndarray, start: int, end: int, window: int, most: int) -> Samples:
    """Return the windows of some series in columns [start, end), thinned to about `most` triples."""
    origins = np.arange(end - 1 - window, start - 2, -1)
    wanted = max(most // (len(rows) * window), 1)
    stride = max(-(-len(origins) // wanted), 1)
    return crossed(rows, np.maximum(origins[::stride][::-1], 0), np.arange(1, window + 1))
