"""Uncertainty of a ranking when moments come in cells: whole cells are drawn with replacement."""

import numpy as np

DRAWS = 200


def weighted_auroc(labels: np.ndarray, score: np.ndarray, weights: np.ndarray) -> float:
    """Return the AUROC with row weights, ties counting half; NaN where one class has no weight.

    >>> weighted_auroc(np.array([0, 1, 1]), np.array([1.0, 2.0, 0.0]), np.array([1.0, 1.0, 0.0]))
    1.0
    """
    _, tie = np.unique(score, return_inverse=True)
    positive = np.bincount(tie, weights * labels)
    negative = np.bincount(tie, weights * (1 - labels))
    below = np.cumsum(negative) - negative
    pairs = positive.sum() * negative.sum()
    return float(np.sum(positive * (below + negative / 2)) / pairs) if pairs > 0 else float("nan")


def auroc_draws(
    labels: np.ndarray, scores: dict[str, np.ndarray], cells: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """Return the AUROC of each score in the same 200 draws of cells, each shape (200,).

    Args:
        labels: 0/1, shape (n,).
        scores: Higher = worse, each (n,).
        cells: Cell of each row, shape (n,).
        seed: Of the draws.
    """
    code = np.unique(cells, return_inverse=True)[1]
    n_cells = int(code.max()) + 1 if len(code) else 0
    counts = np.random.default_rng(seed).multinomial(
        n_cells, np.full(n_cells, 1 / max(n_cells, 1)), size=DRAWS
    )
    return {
        name: np.array([weighted_auroc(labels, score, draw[code].astype(float)) for draw in counts])
        for name, score in scores.items()
    }
