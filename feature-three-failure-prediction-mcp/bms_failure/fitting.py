"""Boosters for the folds and for all: one after another in this process, or side by side on Dask workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from bms_failure.booster import LearningSet, fit_booster

if TYPE_CHECKING:
    import xgboost

Waiting = Callable[[], None]
# From what to learn, the seed, and what is called meanwhile, to the boosters in order, each as soon as it stands.
Fit = Callable[[Sequence[Callable[[], LearningSet]], int, Waiting], "Iterator[xgboost.Booster]"]


def nothing_to_tell() -> None:
    """Stand in for a caller that tells nobody how far it is."""


def fit_here(
    sets: Sequence[Callable[[], LearningSet]], seed: int, waiting: Waiting
) -> Iterator[xgboost.Booster]:
    """Yield a booster for each set, trained in this process.

    Args:
        sets: Each returns what to learn from when it is called, so that only one is held at a time.
        seed: Of row and column sampling.
        waiting: Called before each; may raise to stop.
    """
    for make in sets:
        waiting()
        yield fit_booster(make(), seed)
