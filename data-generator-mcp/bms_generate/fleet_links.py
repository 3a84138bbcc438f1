"""Tables of cell series that refer to other tables: made for themselves, then given synthetic rows to refer to."""

import numpy as np

from bms_generate.dataset import Tables
from bms_generate.fleet_twin import is_fleet
from bms_generate.metadata_file import Metadata, foreign_keys


def find_fleets(tables: Tables, metadata: Metadata) -> list[str]:
    """Return the tables that `FleetSynthesizer` can make: nobody's parent, each cell bound to one row for good."""
    parents = {link["parent_table_name"] for link in metadata["relationships"]}
    return [
        name
        for name, frame in tables.items()
        if name not in parents and is_fleet(frame, metadata["tables"][name], foreign_keys(metadata, name))
    ]


def link_fleets(made: Tables, metadata: Metadata, fleets: list[str]) -> list[str]:
    """Let the cells of synthetic fleets refer to synthetic rows, one after the other; tables change in place.

    Returns:
        What that leaves out, in words.
    """
    notes = []
    for link in metadata["relationships"]:
        child, parent, key = (
            link[name] for name in ("child_table_name", "parent_table_name", "child_foreign_key")
        )
        if child not in fleets:
            continue
        column, rows = made[child][key], made[parent][link["parent_primary_key"]].to_numpy()
        names = column.dropna().unique()
        made[child][key] = column.map(dict(zip(names, np.resize(rows, len(names)), strict=True)))
        notes.append(
            f"{child}: made as a fleet, so that its cells keep their memory; {key} names the rows of {parent} in "
            f"turn, whose other columns say nothing of the cell's readings"
        )
    return notes
