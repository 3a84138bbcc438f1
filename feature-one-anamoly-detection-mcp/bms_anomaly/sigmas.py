"""Evidence that is not normally distributed, told in sigmas: how far out a normal deviation as rare would lie.

What healthy sensors and cells show now and then must not look rarer than it is, next to features that are normal.
"""

import math

import numpy as np
from bms_schema.data.stuck import MOST_CHANCE

# Most cells of a string sit close together and a few far off, and the spread is read from few cells: healthy
# levels have the tails of Student's t with about so many degrees of freedom [U].
LEVEL_FREEDOM = 4.0


def level_sigmas(level: np.ndarray) -> np.ndarray:
    """Return cells' own levels, given in spreads of their string's levels, in sigmas, shape (n,).

    z² = (ν + 1) ln(1 + t² / ν): where a normal density has fallen as far as the density of t.

    >>> level_sigmas(np.array([-1.0, 0.0, 4.0])).round(2).tolist()
    [-1.06, 0.0, 2.84]
    """
    squared = (LEVEL_FREEDOM + 1.0) * np.log1p(level**2 / LEVEL_FREEDOM)
    return np.asarray(np.sign(level) * np.sqrt(squared))


def repeat_sigmas(surprise: np.ndarray) -> np.ndarray:
    """Return runs of repeated values, given as -ln of their chance, in sigmas, shape (n,).

    A normal deviation of z has a chance of about exp(-z² / 2). What a live sensor does less than once in a million
    times is a fault: from there on the surprise counts whole, once that is more.

    >>> repeat_sigmas(np.array([0.0, 2.0, 8.0, 50.0])).round(1).tolist()
    [0.0, 2.0, 4.0, 36.2]
    """
    return np.asarray(np.maximum(np.sqrt(2.0 * surprise), surprise + math.log(MOST_CHANCE)))
