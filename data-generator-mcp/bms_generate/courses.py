"""The whole life of a cell that ends in a state which lasts, such as a death."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_SMOOTH = 3
# Times in which the string bore a load after the cell's end, from which on they tell how the cell bears it.
_LEAST_BUSY = 2


@dataclass(frozen=True)
class Course:
    """How a cell came to its end, and how it bears the string's load then: a dead one collapses in an outage.

    Args:
        residual: Distance from what the cell's traits say while the string is near rest, (moments, signals).
        states: Codes, (moments, state columns).
        lasting: Moment from which the last state holds.
        burden: Further distance per unit of the string's excursion once the state holds, for excursions below and
            above 0, (2, signals); NaN where the log does not show it.
    """

    residual: NDArray[np.float64]
    states: NDArray[np.int16]
    lasting: int
    burden: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        residual: NDArray[np.float64],
        states: NDArray[np.int16],
        lasting: int,
        excursion: NDArray[np.float64],
        calm: NDArray[np.bool_],
    ) -> "Course":
        """Learn a cell's course; hours in which its string was far from rest are bridged, and tell the burden.

        Args:
            residual: NaN where missing, (moments, signals).
            states: Without gaps, (moments, state columns).
            lasting: See above.
            excursion: Of the string, (moments, signals).
            calm: Moments in which it was near rest, (moments,).
        """
        kept = pd.DataFrame(np.where(calm[:, None], residual, np.nan))
        parts = [kept.iloc[:lasting], kept.iloc[lasting:]]
        smooth = pd.concat([part.rolling(_SMOOTH, center=True, min_periods=1).median() for part in parts])
        bridged = smooth.interpolate(limit_direction="both").fillna(0.0).to_numpy()
        busy = ~calm & (np.arange(len(residual)) >= lasting)
        left = np.where(busy[:, None], residual - bridged, np.nan)
        burden = [_slopes(np.where(side, left, np.nan), excursion) for side in (excursion < 0, excursion > 0)]
        return cls(bridged, states, lasting, np.array(burden))

    def over(
        self, excursion: NDArray[np.float64], active: NDArray[np.bool_], stretch: float, strength: float
    ) -> tuple[NDArray[np.float64], NDArray[np.int16], NDArray[np.bool_]]:
        """Lay the course over another string so that both end together.

        Args:
            excursion: Of that string, (moments, signals).
            active: Whether it is far from rest, (moments,).
            stretch: How much longer it takes.
            strength: How much farther it leads.

        Returns:
            What is added to the cell, (moments, signals); its states; and where it has begun, (moments,).
        """
        moments = len(excursion)
        back = (moments - 1 - np.arange(moments)) / stretch
        when = len(self.residual) - 1 - np.round(back).astype(int)
        place = np.maximum(when, 0)
        burdened = (active & (when >= self.lasting))[:, None]
        slope = np.nan_to_num(np.where(excursion < 0, *self.burden))
        added = self.residual[place] * strength + np.where(burdened, slope * excursion, 0.0)
        return np.where((when >= 0)[:, None], added, 0.0), self.states[place], when >= 0


def shared_burden(courses: list[Course]) -> NDArray[np.float64]:
    """Return the usual burden, (2, signals), for cells whose log shows none; NaN where none at all is shown."""
    burdens = np.array([course.burden for course in courses])
    known = np.isfinite(burdens)
    middle = np.nanmedian(np.where(known.any(axis=0), burdens, 0.0), axis=0)
    return np.where(known.any(axis=0), middle, np.nan)


def _slopes(values: NDArray[np.float64], excursion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least squares through 0, per column; NaN where fewer than two values are known."""
    known = np.isfinite(values)
    power = np.where(known, excursion**2, 0.0).sum(axis=0)
    product = np.where(known, values * excursion, 0.0).sum(axis=0)
    told = (known.sum(axis=0) >= _LEAST_BUSY) & (power > 0)
    return np.where(told, np.divide(product, power, out=np.zeros_like(power), where=told), np.nan)
