"""From raw scores to tail probabilities: how often would a normal row score at least this high?"""

from dataclasses import dataclass

import numpy as np

# Above this quantile of the held-out scores an exponential tail takes over from counting.
TAIL_QUANTILE = 0.95


@dataclass(frozen=True)
class TailCalibration:
    """Survival function of held-out scores with an exponential tail.

    Args:
        scores: Held-out scores below the tail, sorted, shape (m,).
        threshold: Where the tail begins.
        rate: Decay of the tail per unit of score.
        share: Share of the held-out scores above `threshold`.
    """

    scores: np.ndarray
    threshold: float
    rate: float
    share: float

    @classmethod
    def fitted(cls, held_out: np.ndarray) -> "TailCalibration":
        """Learn the tail of `held_out` scores (n,), which no member was fitted on.

        The rate is that of a peaks-over-threshold fit with an exponential excess (Pickands 1975, shape 0):
        the mean excess is estimated by the median, which a few strays among the held-out rows cannot move.
        """
        ordered = np.sort(held_out)
        threshold = float(np.quantile(ordered, TAIL_QUANTILE))
        excess = ordered[ordered > threshold] - threshold
        spread = float(np.quantile(ordered, 0.9) - np.quantile(ordered, 0.5)) or 1.0
        mean_excess = float(np.median(excess)) / np.log(2.0) if excess.size else spread
        share = max(excess.size, 1) / (len(ordered) + 1)
        return cls(ordered[ordered <= threshold], threshold, 1.0 / max(mean_excess, 1e-3 * spread), share)

    def log10_tail(self, scores: np.ndarray) -> np.ndarray:
        """Return -log10 of the tail probability, shape (n,): 0 = common, 3 = one normal row in a thousand.

        Strictly growing beyond the largest held-out score, without a bound.
        """
        n = len(self.scores) / (1.0 - self.share)
        rank = np.interp(scores, self.scores, np.arange(len(self.scores)), left=0.0)
        counted = np.maximum(1.0 - rank / n, self.share)
        beyond = np.maximum(scores - self.threshold, 0.0) * self.rate / np.log(10.0)
        decades: np.ndarray = -np.log10(counted) + beyond
        return decades

    def score_at(self, probability: float) -> float:
        """Return the score that this share of rows like the held-out ones exceeds, in (0, 1)."""
        if probability <= self.share:
            return self.threshold + float(np.log(self.share / probability)) / self.rate
        n = len(self.scores) / (1.0 - self.share)
        return float(np.interp((1.0 - probability) * n, np.arange(len(self.scores)), self.scores))
