"""From drawn numbers to logged ones: real range, real decimals, and real distribution where it was missed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bms_generate.normal_scores import decimals_of

# Kolmogorov-Smirnov distance up to which a drawn distribution is left as it is.
_MISSED = 0.1
# Share of values that may stand at an end of the range beyond those that really do.
_PILED = 0.01
_QUANTILES = 2001


@dataclass(frozen=True)
class LoggedForm:
    """How values of one signal are logged.

    Args:
        drawn, real: What is drawn, ascending, and what is logged for it; straight lines between.
        decimals: Decimal places; None where there are more than nine.
    """

    drawn: NDArray[np.float64]
    real: NDArray[np.float64]
    decimals: int | None

    @classmethod
    def fit(cls, drawn: NDArray[np.float64], real: NDArray[np.float64]) -> "LoggedForm":
        """Learn the form of a signal.

        Mixtures are bell-shaped. A signal that rests on one value or has edges, at which values out of range would
        pile up, is brought back by quantiles; others are only kept in range, for in sparse tails quantiles of two
        samples never agree.

        Args:
            drawn: Values that the model draws, NaN-free, shape (n,).
            real: Real values, NaN-free, shape (m,).

        >>> LoggedForm.fit(np.zeros(9), np.array([1.0, 1.25])).apply(np.array([0.0, np.nan, 7.0])).tolist()
        [1.25, nan, 1.25]
        """
        from scipy.stats import ks_2samp

        limits = np.array([real.min(), real.max()])
        as_drawn = cls(limits, limits, decimals_of(real))
        if not len(drawn):
            return as_drawn
        kept = as_drawn.apply(drawn)
        piled = max(np.mean(kept == limit) - np.mean(real == limit) for limit in limits)
        if piled <= _PILED and ks_2samp(kept, real).statistic <= _MISSED:
            return as_drawn
        share = np.linspace(0.0, 1.0, _QUANTILES)
        return cls(np.quantile(drawn, share), np.quantile(real, share), as_drawn.decimals)

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values as they would be logged; NaN stays, same shape."""
        placed = np.where(np.isnan(values), np.nan, np.interp(values, self.drawn, self.real))
        return placed if self.decimals is None else np.round(placed, self.decimals) + 0.0
