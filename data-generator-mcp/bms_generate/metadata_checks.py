"""What is wrong with a `metadata.json`, told before SDV sees it.

SDV answers a misshapen file with AttributeError or TypeError, takes any unknown version for V1, and names neither
table nor column.
"""

from collections.abc import Iterable, Iterator
from typing import Any

VERSION_KEY = "METADATA_SPEC_VERSION"
_VERSIONS = ("V2", "V1", "MULTI_TABLE_V1", "SINGLE_TABLE_V1")
SDTYPES = ("numerical", "datetime", "categorical", "ordinal", "boolean", "id")
_ENDS = ("parent_table_name", "parent_primary_key", "child_table_name", "child_foreign_key")
_KEYS = ("primary_key", "alternate_keys", "sequence_key", "sequence_index")
_BEFORE_1_0 = (
    "in place of 'columns', as SDV wrote before version 1.0. To convert it, make 'fields' 'columns', each 'type' "
    "'sdtype', each 'format' 'datetime_format', each 'ref' an object of 'relationships' with "
    f"{', '.join(_ENDS)}, and drop 'subtype' and 'path'"
)


def find_flaws(raw: Any) -> Iterator[str]:
    """Yield what is wrong, in words; the later checks hold only for a file that passes the earlier ones."""
    if not isinstance(raw, dict):
        yield f"its root is a {type(raw).__name__}, not an object"
        return
    if "fields" in raw and "columns" not in raw:
        yield f"it has 'fields' {_BEFORE_1_0}"
    version = raw.get(VERSION_KEY, "V2")
    if version not in _VERSIONS:
        yield f"its version is {version!r}; known: {', '.join(_VERSIONS)}"
    tables = raw.get("tables", {"table": raw} if "columns" in raw else None)
    if not isinstance(tables, dict) or not tables:
        yield "it has no object 'tables' with at least one table"
        return
    for name, table in tables.items():
        yield from _table_flaws(name, table)
    relationships = raw.get("relationships", [])
    if not isinstance(relationships, list) or not all(isinstance(item, dict) for item in relationships):
        yield "'relationships' is not a list of objects"
        return
    for link in relationships:
        yield from _relationship_flaws(link, tables)


def _table_flaws(name: str, table: Any) -> Iterator[str]:
    table = table if isinstance(table, dict) else {}
    columns = table.get("columns")
    if not columns and "fields" in table:
        yield f"table '{name}' has 'fields' {_BEFORE_1_0}"
    if not isinstance(columns, dict) or not columns:
        yield f"table '{name}' has no object 'columns' with at least one column"
        return
    for column, spec in columns.items():
        if not isinstance(spec, dict) or not isinstance(spec.get("sdtype"), str):
            yield f"column '{column}' of table '{name}' has no 'sdtype'"
        elif not _is_sdtype(spec["sdtype"]):
            yield (
                f"column '{column}' of table '{name}' has the unknown sdtype '{spec['sdtype']}'; known: "
                f"{', '.join(SDTYPES)}, and SDV's kinds of personal data such as name, email and phone_number"
            )
    for key in _KEYS:
        for column in _each(table.get(key)):
            if not isinstance(column, str) or column not in columns:
                yield f"the {key} '{column}' of table '{name}' is none of its columns: {_listed(columns)}"


def _relationship_flaws(link: dict[str, Any], tables: dict[str, Any]) -> Iterator[str]:
    if missing := [end for end in _ENDS if end not in link]:
        yield f"a relationship lacks {', '.join(missing)}; it has: {_listed(link) or 'nothing'}"
        return
    parent, parent_key, child, child_key = (link[end] for end in _ENDS)
    told = f"the relationship from {child} to {parent}"
    for table in (parent, child):
        if not isinstance(table, str) or table not in tables:
            yield f"{told} names the table '{table}', which is not there; tables: {_listed(tables)}"
            return
    for column in _each(child_key):
        if not isinstance(column, str) or column not in tables[child]["columns"]:
            yield (
                f"{told} names the child_foreign_key '{column}', which is no column of {child}: "
                f"{_listed(tables[child]['columns'])}"
            )
    if parent_key != (key := tables[parent].get("primary_key")):
        yield f"{told} names the parent_primary_key '{parent_key}', but the primary_key of {parent} is {key!r}"


def _is_sdtype(sdtype: str) -> bool:
    if sdtype in SDTYPES:
        return True
    from rdt.transformers.pii.anonymization import SDTYPE_ANONYMIZERS, is_faker_function

    return sdtype == "unknown" or sdtype in SDTYPE_ANONYMIZERS or bool(is_faker_function(sdtype))


def _each(value: Any) -> list[Any]:
    """Return the names in a key: one, several, several of several columns."""
    if isinstance(value, list | tuple):
        return [name for item in value for name in _each(item)]
    return [] if value is None else [value]


def _listed(names: Iterable[Any]) -> str:
    shown = [str(name) for name in names]
    return ", ".join(shown[:30]) + (f" and {len(shown) - 30} more" if len(shown) > 30 else "")
