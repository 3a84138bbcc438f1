"""Series of strings, and the levels that tell one string from the next."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Bandwidth of the smoothed bootstrap of the levels, as a share of their spread (Silverman 1986, section 6.4).
_LEVEL_BANDWIDTH = 0.25
MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class Signals:
    """The series of one string.

    Args:
        stamps: Time stamps, datetime64[ns], shape (moments,).
        values: One column per signal, finite, shape (moments, signals).
    """

    stamps: NDArray[np.datetime64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """Synthetic series of one string.

    Args:
        values: Shape (moments, signals).
        excursions: The same less the string's own levels.
    """

    values: NDArray[np.float64]
    excursions: NDArray[np.float64]


class Levels:
    """The usual level of every signal in every string.

    Attributes:
        real: Medians, shape (strings, signals).
    """

    def fit(self, strings: Sequence[Signals]) -> "Levels":
        """Take the medians."""
        self.real = np.array([np.median(string.values, axis=0) for string in strings])
        return self

    def sample(self, strings: int, random: np.random.Generator) -> NDArray[np.float64]:
        """Draw levels by smoothed bootstrap; each string is a twin of the real one in its turn."""
        apart = self.real - self.real.mean(axis=0)
        count = len(apart)
        shrink = np.sqrt(1.0 - _LEVEL_BANDWIDTH**2)
        drawn = []
        for _ in range(-(-strings // count)):
            # A rotation keeps correlations; mean and spread of the fleet are then put back where they were.
            noise = rotation(count, random) @ apart
            moved = shrink * apart + _LEVEL_BANDWIDTH * (noise - noise.mean(axis=0))
            spread = moved.std(axis=0)
            moved *= np.divide(apart.std(axis=0), spread, out=np.ones_like(spread), where=spread > 0)
            drawn.append(self.real.mean(axis=0) + moved)
        return np.concatenate(drawn)[:strings]


def rotation(size: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw an orthogonal matrix (Stewart 1980, doi:10.1137/0717034)."""
    turned, upper = np.linalg.qr(random.normal(size=(size, size)))
    return turned * np.sign(np.diag(upper))


def robust_spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard deviation of a bell curve with the same median absolute deviation, per column.

    Where more than half of the values are equal, the standard deviation of the middle 98 % is taken.
    """
    distance = np.abs(values - np.median(values, axis=0))
    middle = np.clip(values, *np.quantile(values, [0.01, 0.99], axis=0)).std(axis=0)
    return np.where(np.median(distance, axis=0) > 0, MAD_TO_SD * np.median(distance, axis=0), middle)


def filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return series with their gaps closed by straight lines; 0 where a series has no value at all."""
    return pd.DataFrame(values).interpolate(limit_direction="both").fillna(0.0).to_numpy()
