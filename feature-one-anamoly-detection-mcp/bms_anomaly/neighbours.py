"""The nearest-neighbour member: distance to the closest of few, of more and of many rows of the crowd.

One nearest neighbour among a small random block of rows (Sugiyama and Borgwardt 2013; averaged over blocks, Pang
et al. 2015) is not fooled by anomalies that come in clusters: they are too few to be in most blocks. A large block
sees finer structure. Blocks of three sizes, nested in one bounded core set, share the cost of one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

CORE_ROWS = 2_048
# Blocks of a 32nd, an 8th and a half of the core; smaller than this they know only the middle of the crowd.
BLOCKS, SMALLEST_BLOCK = (32, 8, 2), 16
# Of the columns as they are, and decorrelated: the latter sees what breaks the columns' correlation, but little of
# what lies along it.
SPACE_WEIGHTS = (2.0, 1.0)
# Rows scored at once: the distances stay in the processor's cache (measured: 2.5 times as fast).
# Single precision takes half the time of double; what else is scored with a row can move its score by 1e-5.
CHUNK = 256
SMALLEST_VARIANCE = 0.01  # of the mean: directions with less spread count as if they had this much


@dataclass(frozen=True)
class Space:
    """A linear view of the scaled rows, (d, k), and the core set in it, (m, k)."""

    axes: np.ndarray
    core: np.ndarray

    def nearest(self, z: np.ndarray, blocks: int, device: str | None = None) -> np.ndarray:
        """Return the distance of scaled rows (n, d) to the nearest core row of each block, shape (n, blocks).

        Core row i belongs to block i % blocks. A torch device takes all rows at once, numpy (None) a few.
        """
        squares = np.einsum("ij,ij->i", self.core, self.core)
        # |a - b|² = |a|² + (|b|² - 2 a·b): the bracket in one product of matrices.
        core = np.vstack([-2.0 * self.core.T, squares])
        rows = np.column_stack([z @ self.axes, np.ones(len(z))]).astype(np.float32)
        if device is not None:
            return _nearest_by_torch(rows, core, blocks, device)
        result = np.empty((len(z), blocks), dtype=np.float32)
        for start in range(0, len(z), CHUNK):
            chunk = rows[start : start + CHUNK]
            least = _least_of_blocks(chunk @ core, blocks)
            least += np.einsum("ij,ij->i", chunk[:, :-1], chunk[:, :-1])[:, None]
            result[start : start + CHUNK] = np.sqrt(np.maximum(least, 0.0))
        return result


@dataclass(frozen=True)
class Neighbours:
    """The core set in several spaces.

    Args:
        spaces: The scaled columns as they are, and decorrelated.
        keys: Hash of each core row, (m,): a row is no neighbour of itself.
        blocks: Numbers of blocks, falling, each a multiple of the next; m is a multiple of the first.
        device: Torch device for the distances; None: numpy.
    """

    spaces: Sequence[Space]
    keys: np.ndarray
    blocks: Sequence[int]
    device: str | None = None

    @classmethod
    def fitted(cls, z: np.ndarray, seed: int) -> Neighbours:
        """Choose the core among scaled rows of the crowd (n, d), n >= 2."""
        n = min(len(z), CORE_ROWS)
        blocks = [count for count in BLOCKS if n // count >= SMALLEST_BLOCK] or [BLOCKS[-1]]
        core = z[np.random.default_rng(seed).permutation(len(z))[: n - n % blocks[0]]]
        views = (np.eye(z.shape[1]), _decorrelating(z))
        return cls(
            [Space(axes, np.asarray(core @ axes, dtype=np.float32)) for axes in views], _keys(core), blocks
        )

    def score(self, z: np.ndarray) -> np.ndarray:
        """Return the log distance of scaled rows (n, d) to the nearest core row, mean over blocks and spaces, (n,).

        A core row that equals the scored one is taken for that row itself: its blocks say nothing.
        """
        own = pd.Series(np.arange(len(self.keys)), index=self.keys)
        own = own[~own.index.duplicated()].reindex(_keys(z)).fillna(-1).to_numpy(dtype=np.int64)
        of_spaces = [
            self._over_sizes(space.nearest(z, self.blocks[0], self.device), own) for space in self.spaces
        ]
        return np.asarray(np.average(of_spaces, axis=0, weights=SPACE_WEIGHTS))

    def _over_sizes(self, nearest: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Return the log distance over block sizes, (n,), of the nearest of each smallest block, (n, blocks)."""
        itself = np.flatnonzero(own >= 0)
        block = own[itself] % self.blocks[0]
        logs = np.zeros(len(nearest))
        for count in self.blocks:
            joined = self.blocks[0] // count
            of_blocks = nearest.reshape(len(nearest), count, joined).min(axis=2)
            of_blocks[itself, block // joined] = np.nan
            logs += np.log(np.maximum(np.nanmean(of_blocks, axis=1), 1e-6))
        return logs / len(self.blocks)


def _nearest_by_torch(rows: np.ndarray, core: np.ndarray, blocks: int, device: str) -> np.ndarray:
    """Do what the loop in `Space.nearest` does, on a torch device."""
    import torch

    points = torch.as_tensor(rows, device=device)
    products = points @ torch.as_tensor(core, device=device)
    least = products.view(len(rows), -1, blocks).amin(dim=1)
    least += points[:, :-1].square().sum(dim=1, keepdim=True)
    return np.asarray(least.clamp(min=0.0).sqrt().cpu().numpy())


def _least_of_blocks(values: np.ndarray, blocks: int) -> np.ndarray:
    """Return the least value of each block, shape (n, blocks), of values (n, m); overwrites them.

    Halving with long rows takes two thirds of the time of a minimum over an axis.
    """
    size = values.shape[1] // blocks
    while size > 1:
        kept = (size + 1) // 2
        folded = values[:, : (size - kept) * blocks]
        np.minimum(folded, values[:, kept * blocks : size * blocks], out=folded)
        size = kept
    return values[:, :blocks]


def _decorrelating(z: np.ndarray) -> np.ndarray:
    """Return axes (d, d) along which the rows have no correlation and unit variance, faint directions held back."""
    variance, axes = np.linalg.eigh(np.atleast_2d(np.cov(z, rowvar=False)))
    floor = SMALLEST_VARIANCE * max(float(variance.mean()), 1e-12)
    return np.asarray(axes / np.sqrt(np.maximum(variance, 0.0) + floor))


def _keys(z: np.ndarray) -> np.ndarray:
    return pd.util.hash_pandas_object(pd.DataFrame(z), index=False).to_numpy()
