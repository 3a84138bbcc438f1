"""The middle of a string's cells at each moment, about which the cells spread.

The median stands still when one cell fails. Where a charger holds the voltage of the whole string it is the mean
that stands still: what a dying cell lacks, the others take over. Which one it is, each signal shows by itself.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bms_generate.string_levels import filled

# The mean has to be this much steadier, so that chance does not choose it.
_CLEARLY_STEADIER = 0.85


def medians(own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of the cells, gaps bridged; (moments, cells, signals) to (moments, signals)."""
    known = np.isfinite(own).any(axis=1)
    middle = np.nanmedian(np.where(known[:, None], own, 0.0), axis=1)
    return filled(np.where(known, middle, np.nan))


def means(own: NDArray[np.float64], usual: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean of the cells; a reading that is missing or not `usual` (moments, cells) is bridged first."""
    moments, cells, signals = own.shape
    kept = np.where(usual[:, :, None], own, np.nan).reshape(moments, -1)
    silent = np.isnan(kept).all(axis=0).reshape(cells, signals)
    bridged = filled(kept).reshape(own.shape)
    return np.where(silent, 0.0, bridged).sum(axis=1) / np.maximum((~silent).sum(axis=0), 1)


def mean_is_steadier(
    by_median: Sequence[NDArray[np.float64]], by_mean: Sequence[NDArray[np.float64]]
) -> NDArray[np.bool_]:
    """Return, per signal, whether the strings' means move less about their levels than their medians do."""
    # A signal that rests on one value has no spread at rest, and its median does not leave that value.
    by_mean_spread, by_median_spread = (
        np.median(np.abs(np.concatenate([values - np.median(values, axis=0) for values in strings])), axis=0)
        for strings in (by_mean, by_median)
    )
    return by_mean_spread < _CLEARLY_STEADIER * by_median_spread
