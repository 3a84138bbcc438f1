"""Splits that nothing leaks through: by time, by group."""

from collections.abc import Iterator

import numpy as np


def grouped_folds(groups: np.ndarray, n_folds: int, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (train, test) positions such that no group is in both; groups are spread evenly by size.

    Args:
        groups: Group of each row, shape (n,).
        n_folds: At most the number of groups.
        seed: Order in which groups of one size are dealt.

    Raises:
        ValueError: fewer than two folds, or more folds than groups.
    """
    names, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if not 2 <= n_folds <= len(names):
        raise ValueError(f"{n_folds} folds of {len(names)} groups; expected 2 to {len(names)} folds.")
    shuffled = np.random.default_rng(seed).permutation(len(names))
    order = shuffled[np.argsort(-counts[shuffled], kind="stable")]
    load, fold_of = np.zeros(n_folds), np.empty(len(names), dtype=int)
    for group in order:
        fold_of[group] = int(np.argmin(load))
        load[fold_of[group]] += counts[group]
    for fold in range(n_folds):
        test = fold_of[codes] == fold
        yield np.flatnonzero(~test), np.flatnonzero(test)


def rolling_origins(length: int, horizon: int, windows: int, smallest_train: int) -> list[int]:
    """Return the origins (number of training points) of a rolling backtest, oldest first.

    Each origin is followed by `horizon` points; origins are `horizon` apart and end at the series' end.

    >>> rolling_origins(length=10, horizon=2, windows=3, smallest_train=5)
    [6, 8]
    """
    origins = [length - horizon * (step + 1) for step in range(windows)]
    return sorted(origin for origin in origins if origin >= smallest_train)
