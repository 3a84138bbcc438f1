"""Which states of cells are usual, which are events, and which of these never end."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A state other than the usual one that holds more often is no event.
_RARE = 0.25


@dataclass(frozen=True)
class UsualStates:
    """What state columns show nearly always.

    Args:
        usual: The most frequent code of each, missing left out, shape (state columns,).
        rare: Whether a column is seldom other than usual, bool, shape (state columns,).
    """

    usual: NDArray[np.int16]
    rare: NDArray[np.bool_]

    @classmethod
    def of(cls, states: Sequence[NDArray[np.int16]]) -> "UsualStates":
        """Count the codes of all strings, each of shape (moments, cells, state columns), -1 where missing."""
        columns = [
            np.concatenate([string[:, :, number].ravel() for string in states])
            for number in range(states[0].shape[2])
        ]
        known = [column[column >= 0] for column in columns]
        usual = [np.bincount(codes, minlength=1).argmax() for codes in known]
        unusual = [np.count_nonzero(codes != most) for codes, most in zip(known, usual, strict=True)]
        rare = [count <= _RARE * len(column) for count, column in zip(unusual, columns, strict=True)]
        return cls(np.array(usual, dtype=np.int16), np.array(rare, dtype=bool))

    def events_of(self, states: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return state codes with missing and frequent ones as if nothing were the matter."""
        return np.where(self.rare & (states >= 0), states, self.usual)


def lasting_from(unusual: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return, per cell, the moment from which an unusual state holds to the end for the first time; else `moments`.

    Args:
        unusual: Shape (moments, cells, state columns).
    """
    moments = len(unusual)
    usual_again = ~unusual
    last_usual = np.where(usual_again.any(axis=0), moments - 1 - usual_again[::-1].argmax(axis=0), -1)
    start = last_usual + 1
    only_run = unusual.sum(axis=0) == moments - start
    started = np.where((start < moments) & only_run, start, moments)
    return started.min(axis=1, initial=moments)
