"""Keys and relationships of tables, told from columns of one name whose values fit together."""

from dataclasses import dataclass, field

import pandas as pd


@dataclass
class Links:
    """What holds the tables together.

    Args:
        primary_keys: Table -> the column whose values tell its rows apart.
        relationships: As SDV's metadata wants them.
        remarks: What was seen and not linked, in words.
    """

    primary_keys: dict[str, str] = field(default_factory=dict)
    relationships: list[dict[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def link_tables(identifiers: dict[str, pd.DataFrame]) -> Links:
    """Find each table's key and the tables that refer to it.

    A column is the key of the table in which all its values differ and none is missing; a table with a column
    of that name whose values all occur there is its child. Of several tables that could be the parent the one
    with the most rows is; a table has one key, that which most tables refer to.

    Args:
        identifiers: Per table its identifier columns, as text.
    """
    links = Links()
    unique = {
        table: [name for name in frame if frame[name].notna().all() and frame[name].is_unique]
        for table, frame in identifiers.items()
    }
    shared: dict[str, list[str]] = {}
    for table, frame in identifiers.items():
        for name in frame:
            shared.setdefault(str(name), []).append(table)
    for name in sorted(shared, key=lambda key: -len(shared[key])):
        parents = [table for table in shared[name] if name in unique[table]]
        if parents and len(shared[name]) > 1:
            parent = max(parents, key=lambda table: len(identifiers[table]))
            _link_children(links, identifiers, name, parent, shared[name])
    referring = {(link["child_table_name"], link["child_foreign_key"]) for link in links.relationships}
    for table, names in unique.items():
        free = [name for name in names if (table, name) not in referring]
        if free:
            links.primary_keys.setdefault(table, free[0])
    return links


def _link_children(
    links: Links, identifiers: dict[str, pd.DataFrame], name: str, parent: str, tables: list[str]
) -> None:
    if links.primary_keys.get(parent, name) != name:
        links.remarks.append(f"{parent} has one key, {links.primary_keys[parent]}; {name} links no tables")
        return
    known = set(identifiers[parent][name])
    for child in tables:
        column = identifiers[child][name].dropna()
        if child == parent:
            continue
        if unknown := len(set(column) - known):
            links.remarks.append(
                f"{child}.{name} has {unknown:,} values that {parent} lacks, so the tables are not linked"
            )
        elif column.is_unique and column.str.fullmatch(r"\d+").all():
            links.remarks.append(
                f"{name} numbers the rows of {child} and those of {parent}, so it links neither"
            )
        elif not _descends(links, parent, child):
            links.primary_keys[parent] = name
            links.relationships.append(
                {
                    "parent_table_name": parent,
                    "parent_primary_key": name,
                    "child_table_name": child,
                    "child_foreign_key": name,
                }
            )


def _descends(links: Links, table: str, ancestor: str) -> bool:
    """Whether `table` is below `ancestor`, so that the other way round would close a circle."""
    parents = [link["parent_table_name"] for link in links.relationships if link["child_table_name"] == table]
    return any(parent == ancestor or _descends(links, parent, ancestor) for parent in parents)
