"""Numbers to normal scores and back: the copula sees a bell curve, the result has the real distribution.

SDV fits one beta to each column. Battery columns are spikes with tails (current rests at float, charge at
100 %): a beta collapses to the ends of the range. Ranks have no shape to get wrong, and are fitted faster.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

_TIE_SEED = 0
_MOST_DECIMALS = 9


@dataclass(frozen=True)
class Marginal:
    """The empirical distribution of a column.

    Args:
        values: Sorted, finite, at least one.
        decimals: Decimal places that all of them respect; None where they have more than 9.
        is_time: The values are nanoseconds since 1970.
    """

    values: np.ndarray
    decimals: int | None
    is_time: bool

    def restore(self, scores: pd.Series) -> pd.Series:
        """Return the values at the quantiles of the scores, between neighbours by interpolation."""
        from scipy.special import ndtr

        count = len(self.values)
        places = np.clip(ndtr(scores.to_numpy(dtype=float)) * count - 0.5, 0, count - 1)
        low = np.floor(places).astype(int)
        steps = self.values[np.minimum(low + 1, count - 1)] - self.values[low]
        between = self.values[low] + (places - low) * steps
        if self.is_time:
            return pd.Series(pd.to_datetime(between.round().astype("int64")).floor("s"), index=scores.index)
        rounded = between if self.decimals is None else np.round(between, self.decimals)
        return pd.Series(rounded, index=scores.index)


def to_normal_scores(column: pd.Series) -> tuple[pd.Series, Marginal]:
    """Return each value's normal score (ties broken at random, with a fixed seed) and the way back.

    Args:
        column: float64 or datetime64[ns], nothing missing.

    >>> scores, marginal = to_normal_scores(pd.Series([3.5, 1.0, 2.0]))
    >>> scores.round(2).tolist(), marginal.restore(scores).tolist()
    ([0.97, -0.97, 0.0], [3.5, 1.0, 2.0])
    """
    from scipy.special import ndtri

    is_time = pd.api.types.is_datetime64_any_dtype(column)
    values = (
        column.to_numpy(dtype="datetime64[ns]").astype("int64") if is_time else column.to_numpy(dtype=float)
    )
    ties = np.random.default_rng(_TIE_SEED).random(len(values))
    order = np.lexsort((ties, values))
    ranks = np.empty(len(values))
    ranks[order] = np.arange(len(values)) + 0.5
    marginal = Marginal(values[order], None if is_time else decimals_of(values), is_time)
    return pd.Series(ndtri(ranks / len(values)), index=column.index), marginal


def decimals_of(values: np.ndarray) -> int | None:
    for places in range(_MOST_DECIMALS + 1):
        if np.array_equal(np.round(values, places), values):
            return places
    return None
