"""A table as a chain of decision trees: each column drawn given those before it.

Sequential CART synthesis (Reiter 2005; Nowok, Raab & Dibben 2016, `synthpop`): a tree predicts a column from
the columns before it, and a synthetic row takes from its leaf the label of a random real row, or a number between
two neighbouring ones. A Gaussian copula sees one correlation per pair; a tree sees steps, mixtures and categories
that depend on each other. Labels come first, those with fewest values at the head, then numbers. A leaf never has
fewer than ten real rows, and no number is copied, so that rows are equal to real ones hardly more than by chance.
"""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.run.threads import thread_count

from bms_generate.mutual_information import binned, label_codes, strongest

LEAST_LEAF = 10
# More predictors than this add time and no accuracy: the rest tells nothing new.
_MOST_PREDICTORS = 12
# A classification tree's time grows with its labels; more are split by regression on their codes.
_MOST_CLASSES = 64
# Splits must explain as much as so many average rows. For numbers it is what the best of some dozen splits gains
# by chance, for splits by chance lead to copies of real rows; labels are pruned, which takes most of them back.
_LEAST_GAIN_NUMBER, _LEAST_GAIN_LABEL = 5, 2
_TREE_SEED = 0


@dataclass(frozen=True)
class _Leaves:
    """A column's real values by leaf.

    Args:
        predictors: Columns the tree reads.
        tree: Fitted; None where there is nothing to predict from.
        values: Scores or label codes, ascending within their leaf.
        leaves: The leaf of each of `values`, ascending.
    """

    predictors: list[str]
    tree: Any
    values: np.ndarray
    leaves: np.ndarray

    def draw_labels(self, known: dict[str, np.ndarray], rows: int, random: np.random.Generator) -> np.ndarray:
        """Return the label of a random real row of each synthetic row's leaf."""
        first, count = self._leaf_of(known, rows)
        return self.values[first + (random.random(rows) * count).astype(int)]

    def draw_numbers(
        self, known: dict[str, np.ndarray], rows: int, random: np.random.Generator
    ) -> np.ndarray:
        """Return a number between two neighbouring real ones of each synthetic row's leaf."""
        first, count = self._leaf_of(known, rows)
        # Half a gap beyond the first and the last one, so that leaves keep their spread.
        place = random.random(rows) * count - 0.5
        below = np.clip(np.floor(place), 0, np.maximum(count - 2, 0)).astype(int)
        above = np.minimum(below + 1, count - 1)
        low, high = self.values[first + below], self.values[first + above]
        return low + (place - below) * (high - low)

    def _leaf_of(self, known: dict[str, np.ndarray], rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where the leaf of each synthetic row begins, and how many real rows it has."""
        if self.tree is None:
            return np.zeros(rows, dtype=int), np.full(rows, len(self.values))
        leaf = self.tree.apply(_matrix(known, self.predictors))
        first = np.searchsorted(self.leaves, leaf)
        return first, np.searchsorted(self.leaves, leaf, side="right") - first


@dataclass
class SequentialTrees:
    """The chain, fitted once and sampled at will.

    Args:
        given: Columns that are not drawn but handed to `sample` (a parent's columns).
    """

    given: tuple[str, ...] = ()
    _labels: dict[str, np.ndarray] = field(default_factory=dict, init=False)
    _columns: dict[str, _Leaves] = field(default_factory=dict, init=False)

    def fit(self, frame: pd.DataFrame, scores: Collection[str]) -> "SequentialTrees":
        """Learn a table.

        Args:
            frame: At least one row.
            scores: Its columns that are normal scores, without gaps; the others hold labels, missing included.
        """
        codes: dict[str, np.ndarray] = {name: frame[name].to_numpy(dtype=float) for name in scores}
        for name in [name for name in frame if name not in codes]:
            codes[name], self._labels[name] = label_codes(frame[name])
        bins = {name: binned(codes[name], labels=name in self._labels) for name in frame}
        drawn = sorted(
            (name for name in frame if name not in self.given),
            key=lambda name: len(self._labels.get(name, ())) or np.inf,
        )
        order = [*self.given, *drawn]
        predictors = {
            name: strongest(bins, name, order[: order.index(name)], _MOST_PREDICTORS) for name in drawn
        }
        with ThreadPoolExecutor(thread_count()) as threads:
            grown = threads.map(
                lambda name: _grow(codes, predictors[name], codes[name], len(self._labels.get(name, ()))),
                drawn,
            )
            self._columns = dict(zip(drawn, grown, strict=True))
        return self

    def sample(
        self, rows: int, random: np.random.Generator, given: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Draw rows.

        Args:
            rows: How many.
            random: Where the draws come from.
            given: The `given` columns of each row; labels that `fit` has not seen count as the rarest.

        Returns:
            The drawn columns, without those given.
        """
        known: dict[str, np.ndarray] = {}
        for name in self.given:
            assert given is not None
            known[name] = self._codes_of(name, given[name])
        drawn = {}
        for name, column in self._columns.items():
            if name in self._labels:
                codes = known[name] = column.draw_labels(known, rows, random)
                drawn[name] = pd.Series(self._labels[name][codes]).infer_objects()
            else:
                known[name] = drawn[name] = column.draw_numbers(known, rows, random)
        return pd.DataFrame(drawn, index=range(rows))

    def _codes_of(self, name: str, column: pd.Series) -> np.ndarray:
        if name not in self._labels:
            return column.to_numpy(dtype=float)
        places = {label: code for code, label in enumerate(self._labels[name])}
        return column.astype(object).map(places).fillna(len(places) - 1).to_numpy(dtype=int)


def _grow(codes: dict[str, np.ndarray], predictors: list[str], target: np.ndarray, labels: int) -> _Leaves:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if not predictors:
        return _Leaves([], None, np.sort(target), np.zeros(len(target)))
    by_class = 0 < labels <= min(_MOST_CLASSES, len(target) / 2)
    shares = np.bincount(target) / len(target) if by_class else np.zeros(1)
    impurity = 1 - (shares**2).sum() if by_class else np.var(target)
    gain = (_LEAST_GAIN_LABEL if by_class else _LEAST_GAIN_NUMBER) * impurity / len(target)
    # A label is split until splits together gain too little, as two labels may tell only together; a number
    # until one does, as more splits bring rows nearer to real ones.
    tree = (
        DecisionTreeClassifier(min_samples_leaf=LEAST_LEAF, ccp_alpha=gain, random_state=_TREE_SEED)
        if by_class
        else DecisionTreeRegressor(
            min_samples_leaf=LEAST_LEAF, min_impurity_decrease=gain, random_state=_TREE_SEED
        )
    )
    matrix = _matrix(codes, predictors)
    leaves = tree.fit(matrix, target).apply(matrix)
    order = np.lexsort((target, leaves))
    return _Leaves(predictors, tree, target[order], leaves[order])


def _matrix(codes: dict[str, np.ndarray], names: list[str]) -> np.ndarray:
    return np.column_stack([codes[name] for name in names]).astype("float32")
