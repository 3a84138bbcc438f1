"""Which model makes which tables: one route per group of related tables, by their shape and size alone."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from bms_schema.run.errors import InvalidArgument

from bms_generate.metadata_file import METADATA_NAME, Metadata

Links = list[tuple[str, str]]
Method = Literal["auto", "trees", "copula"]
Model = Literal["FleetSynthesizer", "SequentialTrees", "GaussianCopula", "ParentChildTrees", "HMA"]
# HMASynthesizer refuses more (sdv/multi_table/hma.py, _validate_schema_complexity).
MOST_TABLES, MOST_LEVELS = 5, 2
# HMA fits a copula per parent row, about 0.1 s each (measured on 2 cores).
MOST_HMA_PARENTS, MOST_HMA_ROWS = 300, 100_000


@dataclass(frozen=True)
class Route:
    """A group of tables and what makes them.

    Args:
        tables: Names, parents before their children.
        model: The model.
        instead: Why it is not the one that is taken first, in words.
    """

    tables: tuple[str, ...]
    model: Model
    instead: str = ""


def plan_routes(
    metadata: Metadata, sizes: dict[str, int], method: Method, fleets: Collection[str] = ()
) -> list[Route]:
    """Return the routes of a folder, each table on one.

    Args:
        metadata: Tables and relationships.
        sizes: Rows of each table.
        method: "trees" or "copula" (SDV's models) for all; "auto" takes `FleetSynthesizer` for tables of cell
            series, SDV's hierarchical model (HMA) for related tables where it applies, trees elsewhere.
        fleets: Tables of cell series to which no other table refers; each goes by itself.

    Raises:
        InvalidArgument: SDV's model was asked for and refuses the tables.
    """
    routes = []
    # In the order parent, child.
    links = [
        (link["parent_table_name"], link["child_table_name"])
        for link in metadata["relationships"]
        if link["child_table_name"] not in fleets
    ]
    for tables in _groups(list(metadata["tables"]), links):
        if len(tables) == 1:
            if tables[0] in fleets:
                routes.append(Route(tables, "FleetSynthesizer"))
            else:
                routes.append(Route(tables, "GaussianCopula" if method == "copula" else "SequentialTrees"))
            continue
        obstacle = _hma_obstacle(links, tables, sizes)
        if method == "copula" and obstacle:
            raise InvalidArgument(
                f"{METADATA_NAME} relates {obstacle}.",
                expected=f"at most {MOST_TABLES} tables, {MOST_LEVELS} levels, {MOST_HMA_PARENTS} parent rows and "
                f"{MOST_HMA_ROWS:,} rows in all for SDV's HMA",
                fix="Leave method at 'auto'.",
            )
        if method == "trees" or obstacle:
            why = f"{obstacle} are more than SDV's HMA takes" if method == "auto" else ""
            routes.append(Route(tables, "ParentChildTrees", why))
        else:
            routes.append(Route(tables, "HMA"))
    return routes


def _groups(tables: list[str], links: Links) -> list[tuple[str, ...]]:
    """Return the tables that hang together, parents before their children, groups in the order of `tables`."""
    group = {name: {name} for name in tables}
    for parent, child in links:
        joined = group[parent] | group[child]
        group |= dict.fromkeys(joined, joined)
    ordered = sorted(tables, key=lambda name: _depth(name, links))
    return [
        tuple(name for name in ordered if name in joined)
        for joined in dict.fromkeys(frozenset(group[name]) for name in tables)
    ]


def _depth(name: str, links: Links) -> int:
    """Return how many tables stand above a table on the longest way up."""
    return max((1 + _depth(parent, links) for parent, child in links if child == name), default=0)


def _hma_obstacle(links: Links, tables: tuple[str, ...], sizes: dict[str, int]) -> str:
    levels = 1 + max(_depth(name, links) for name in tables)
    parents = sum(sizes[name] for name in tables if name in {parent for parent, _ in links})
    rows = sum(sizes[name] for name in tables)
    if len(tables) > MOST_TABLES or levels > MOST_LEVELS:
        return f"{len(tables)} tables over {levels} levels"
    if parents > MOST_HMA_PARENTS or rows > MOST_HMA_ROWS:
        return f"{rows:,} rows under {parents:,} parent rows"
    return ""
