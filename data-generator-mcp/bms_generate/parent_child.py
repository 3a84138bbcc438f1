"""Related tables of any number and depth, as parent-child pairs: each child is drawn given its synthetic parent.

What HMA does with the parameters of copulas is done here with trees: a parent carries, as columns of its own, how
many children it has and the mean of each of their numbers; children are drawn as deviations from these means,
given them and the parent's own columns. A child is the parent of the next pair, so every foreign key names a
synthetic row; rows that name no parent are drawn by themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bms_generate.identifiers import fresh_ids
from bms_generate.normal_scores import Marginal, to_normal_scores
from bms_generate.trees import SequentialTrees

Tables = dict[str, pd.DataFrame]
_SUBSAMPLE_SEED = 0


@dataclass(frozen=True)
class Link:
    """A relationship: `child.key` names rows of `parent`."""

    parent: str
    child: str
    key: str

    @property
    def count(self) -> str:
        """Column of the parent: its number of children."""
        return f"rows of {self.child}.{self.key}"

    def mean_of(self, column: str) -> str:
        """Column of the parent: the mean of its children's column."""
        return f"mean by {self.child}.{self.key} of {column}"


@dataclass(frozen=True)
class RelatedTable:
    """What is to be modelled of a table.

    Args:
        frame: Keys, labels and normal scores.
        scores: Its columns that are normal scores.
        unique: Columns with a new value in every row; the first is the primary key.
        links: Those to its parents; it is drawn given the first.
    """

    frame: pd.DataFrame
    scores: list[str]
    unique: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    @property
    def own(self) -> list[str]:
        """Columns that are no keys."""
        keys = {*self.unique, *(link.key for link in self.links)}
        return [name for name in self.frame if name not in keys]

    @property
    def means(self) -> dict[str, str]:
        """Own numbers, and the given column with their mean over the parent's children: deviations are learnt."""
        link = self.links[0]
        return {name: f"{link.parent}: {link.mean_of(name)}" for name in self.own if name in self.scores}


@dataclass(frozen=True)
class _Extended:
    """A table's own columns with the counts and means of its children.

    Args:
        frame: One row per row of the table.
        scores: Its columns that are normal scores.
        counts: Distribution of the number of children per link.
    """

    frame: pd.DataFrame
    scores: list[str]
    counts: dict[Link, Marginal]


class ParentChildTrees:
    """Trees for tables that refer to each other.

    Args:
        tables: By name, parents before their children.
        most_rows: Says of how many rows of a table to learn at most.
    """

    def __init__(self, tables: dict[str, RelatedTable], most_rows: Callable[[pd.DataFrame], int]) -> None:
        self._tables, self._most_rows = tables, most_rows
        self._extended: dict[str, _Extended] = {}
        self._below: dict[str, SequentialTrees] = {}
        self._alone: dict[str, tuple[SequentialTrees, int]] = {}

    def fit(self) -> "ParentChildTrees":
        """Learn each table's rows given their first parent, and those without one by themselves."""
        for name, table in self._tables.items():
            learnt = self._extended[name] = self._extend(name)
            alone = learnt.frame
            if table.links:
                given, above_scores = self._real_parents(table)
                frame = pd.concat([alone.loc[given.index], given], axis="columns")
                frame = frame.assign(**{own: frame[own] - given[mean] for own, mean in table.means.items()})
                alone = alone.drop(index=given.index)
                if len(frame):
                    trees = SequentialTrees(tuple(given))
                    self._below[name] = trees.fit(self._some(frame, table), [*learnt.scores, *above_scores])
            if len(alone):
                trees = SequentialTrees().fit(self._some(alone, table), learnt.scores)
                self._alone[name] = trees, len(alone)
        return self

    def sample(self, scale: float, random: np.random.Generator) -> Tables:
        """Draw `scale` times the rows that have no parent, and the children that belong to them."""
        drawn: dict[str, pd.DataFrame] = {}
        made: Tables = {}
        for name, table in self._tables.items():
            parents = {link: self._places_of_parents(link, drawn[link.parent]) for link in table.links}
            given = None
            if name in self._below:
                first = table.links[0]
                given = self._above(first, drawn[first.parent]).iloc[parents[first]]
            drawn[name] = frame = self._draw(name, given, scale, random)
            keys = {column: fresh_ids(table.frame[column].iloc[0], len(frame)) for column in table.unique}
            for link in table.links:
                values = made[link.parent][self._tables[link.parent].unique[0]].to_numpy()
                if link is table.links[0]:
                    named = pd.Series(values[parents[link] if given is not None else []])
                    keys[link.key] = named.reindex(frame.index)
                else:
                    missing = table.frame[link.key].isna().mean()
                    keys[link.key] = _at_random(values, parents[link], len(frame), missing, random)
            made[name] = frame[table.own].assign(**keys)[list(table.frame)]
        return made

    def _draw(
        self, name: str, given: pd.DataFrame | None, scale: float, random: np.random.Generator
    ) -> pd.DataFrame:
        """Return a child of each of the given parents, then rows without a parent; at least one row.

        Siblings are given rows of one index.
        """
        parts, means = [], self._tables[name].means if given is not None else {}
        if given is not None:
            family, given = given.index.to_numpy(), given.reset_index(drop=True)
            frame = self._below[name].sample(len(given), random, given)
            sums = {own: given[mean] + _about_nought(frame[own], family) for own, mean in means.items()}
            parts.append(frame.assign(**sums))
        if name in self._alone:
            trees, real_rows = self._alone[name]
            if rows := round(scale * real_rows) or int(not parts):
                parts.append(trees.sample(rows, random))
        frame = pd.concat(parts, ignore_index=True)
        # Mean and deviation are drawn one after the other: ranks give their sum the real distribution.
        return frame.assign(**{own: to_normal_scores(frame[own])[0] for own in means})

    def _some(self, frame: pd.DataFrame, table: RelatedTable) -> pd.DataFrame:
        most = self._most_rows(table.frame)
        return frame if len(frame) <= most else frame.sample(most, random_state=_SUBSAMPLE_SEED)

    def _extend(self, name: str) -> _Extended:
        table = self._tables[name]
        columns, counts = dict(table.frame[table.own].items()), {}
        scores = [column for column in table.own if column in table.scores]
        children = [
            (child, link) for child in self._tables.values() for link in child.links if link.parent == name
        ]
        for child, link in children:
            keys, groups = table.frame[table.unique[0]], child.frame.groupby(link.key)
            numbers = keys.map(groups.size()).fillna(0).astype(float)
            columns[link.count], counts[link] = to_normal_scores(numbers)
            scores.append(link.count)
            if link is child.links[0]:
                for column in [column for column in child.own if column in child.scores]:
                    # A parent without children has no mean; zero is the middle of normal scores.
                    columns[link.mean_of(column)] = keys.map(groups[column].mean()).fillna(0.0)
                    scores.append(link.mean_of(column))
        return _Extended(pd.DataFrame(columns, index=table.frame.index), scores, counts)

    def _above(self, link: Link, parents: pd.DataFrame) -> pd.DataFrame:
        """Return what a child is drawn given of each parent, under names that no child's column has."""
        means = [name for name in parents if name.startswith(link.mean_of(""))]
        return parents[[*self._tables[link.parent].own, link.count, *means]].add_prefix(f"{link.parent}: ")

    def _real_parents(self, table: RelatedTable) -> tuple[pd.DataFrame, list[str]]:
        """Return the row of the first parent beside each row that has one, and which of its columns are scores."""
        link = table.links[0]
        parent, learnt = self._tables[link.parent], self._extended[link.parent]
        places = pd.Index(parent.frame[parent.unique[0]]).get_indexer(table.frame[link.key])
        given = self._above(link, learnt.frame).iloc[places[places >= 0]]
        given = given.set_axis(table.frame.index[places >= 0])
        return given, [name for name in given if name.removeprefix(f"{link.parent}: ") in learnt.scores]

    def _places_of_parents(self, link: Link, parents: pd.DataFrame) -> np.ndarray:
        """Return the row number of the parent of each child, by the drawn numbers of children; at least one."""
        counts = self._extended[link.parent].counts[link].restore(parents[link.count])
        places = np.repeat(np.arange(len(parents)), counts.round().astype(int))
        return places if len(places) else np.zeros(1, dtype=int)


def _about_nought(deviations: pd.Series, family: np.ndarray) -> pd.Series:
    """Let the deviations of a parent's children have mean 0, as the real ones have, at the same spread."""
    groups = deviations.groupby(family)
    size = groups.transform("size")
    return (deviations - groups.transform("mean")) * np.sqrt(size / np.maximum(size - 1, 1))


def _at_random(
    keys: np.ndarray, parents: np.ndarray, rows: int, missing: float, random: np.random.Generator
) -> pd.Series:
    """Return a foreign key to a table other than the first parent."""
    named = pd.Series(keys[np.resize(random.permutation(parents), rows)])
    gaps = random.random(rows) < missing
    return named.mask(gaps) if gaps.any() else named
