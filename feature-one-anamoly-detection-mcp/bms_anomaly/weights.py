"""How much each member counts: what experience says, times what it shows on the rows at hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from bms_schema.data.metrics import auroc

# In the order of `ensemble.MEMBERS`. Nearest neighbours alone beat equal weights on tables of normal rows; the
# others add most where the training rows hold anomalies. Chosen on 58 public tables that no result is quoted for.
PRIOR = np.array([1.0, 1.0, 1.0, 10.0, 1.0])
NOISE_SIGMAS = 0.5


def skills(raw_scores: Callable[[np.ndarray], np.ndarray], held_out: np.ndarray, seed: int) -> np.ndarray:
    """Return how well each member tells held-out rows (n, d) from made-up ones, (m,): 0 = not at all, 1 = always.

    Made up are rows with every column shuffled on its own, which breaks what the columns have to do with each
    other, and rows with noise of half a standard deviation added. No label is looked at.

    Args:
        raw_scores: Scores rows, (n, d) to (n, m).
        held_out: Scaled rows that the members were not fitted on.
        seed: Of the made-up rows.
    """
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(held_out, axis=0)
    noisy = held_out + NOISE_SIGMAS * held_out.std(axis=0) * rng.standard_normal(held_out.shape)
    real, odd = raw_scores(held_out), np.stack([raw_scores(shuffled), raw_scores(noisy)])
    truth = np.r_[np.zeros(len(held_out)), np.ones(len(held_out))]
    told = [[auroc(truth, np.r_[real[:, m], made[:, m]]) for m in range(real.shape[1])] for made in odd]
    return np.clip(2.0 * np.mean(told, axis=0) - 1.0, 0.0, 1.0)


def weights(skill: np.ndarray) -> np.ndarray:
    """Return the members' weights, (m,), that sum to 1: the prior times the skill; the prior where none has any.

    >>> weights(np.array([0.5, 0.0, 0.5, 0.5, 0.5])).tolist()
    [0.07692307692307693, 0.0, 0.07692307692307693, 0.7692307692307693, 0.07692307692307693]
    """
    weight = PRIOR * skill
    weight = weight if weight.sum() > 0 else PRIOR
    return np.asarray(weight / weight.sum())
