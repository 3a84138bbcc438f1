"""How high healthy rows score: counts that add up over the parts of a table and are stored with a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STEP, HIGHEST = 0.01, 12.0  # decades; a score beyond the highest counts as the highest
EDGES = np.arange(0.0, HIGHEST + STEP, STEP)
# Of healthy rows lie in the events of the default call, days before a fault began or where none was, and so are
# missing from the counts. Measured on simulated fleets (seeds 0-9).
IN_EVENTS = 0.005


@dataclass(frozen=True)
class HealthyScores:
    """Counts of the scores of rows that lie in no event.

    Args:
        counts: Rows whose score lies between two neighbouring `EDGES`, the last of them open, shape (1200,).
    """

    counts: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray) -> HealthyScores:
        """Count scores of shape (n,); NaN, a row without a reading, is left out."""
        known = scores[np.isfinite(scores)]
        return cls(np.histogram(np.clip(known, 0.0, HIGHEST - STEP / 2), EDGES)[0])

    @classmethod
    def together(cls, parts: Sequence[HealthyScores]) -> HealthyScores:
        """Return the counts of a table from those of its parts."""
        return cls(np.sum([part.counts for part in parts], axis=0))

    def threshold(self, rate: float) -> float:
        """Return the lowest score that at most this share of the healthy rows reaches, those in events included.

        >>> round(HealthyScores.of(np.array([0.5, 1.0, 2.0, 3.0])).threshold(0.26), 2)
        2.01
        """
        reaching = np.append(np.cumsum(self.counts[::-1])[::-1], 0)  # rows at or above each edge
        wanted = max(rate - IN_EVENTS, rate / 2.0)
        return float(EDGES[np.argmax(reaching <= wanted * max(reaching[0], 1))])
