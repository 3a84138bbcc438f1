"""The models of the routes, fitted to what was not set aside and sampled."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from bms_generate.dataset import Tables
from bms_generate.metadata_file import Metadata
from bms_generate.parent_child import Link, ParentChildTrees, RelatedTable
from bms_generate.routes import Route
from bms_generate.seeded_sdv import fit_related, fit_single, sample_related, sample_single
from bms_generate.set_aside import TablePlan, unique_keys

# A copula's correlations are settled long before; beyond, fitting only gets slower.
MOST_COPULA_ROWS = 20_000
# Trees gain from more rows for longer; so many values are half a minute on two cores.
MOST_TREE_ROWS, MOST_TREE_VALUES = 50_000, 1_000_000
_MOST_ORPHANS = 0.5
Progress = Callable[[float, float, str], None]
Plans = dict[str, TablePlan]


def sample_route(
    route: Route,
    plans: Plans,
    metadata: Metadata,
    scale: float,
    random: np.random.Generator,
    progress: Progress,
    notes: list[str],
) -> Tables:
    """Fit the route's model and draw `scale` times the real rows.

    Args:
        route: Tables and model.
        plans: What is modelled of each.
        metadata: That of the whole folder.
        scale: Size of the result against the real tables.
        random: Where all draws come from.
        progress: Called with 1 of 3 before fitting and 2 of 3 before sampling.
        notes: Gets what the model leaves out.

    Raises:
        InputError: SDV refuses data or metadata.
    """
    names = ", ".join(plans)
    progress(1, 3, f"{names}: fitting {route.model}")
    if route.model in {"SequentialTrees", "ParentChildTrees"}:
        trees = _fit_trees(plans, metadata, notes)
        progress(2, 3, f"{names}: sampling")
        return trees.sample(scale, random)
    description = _modelled_metadata(metadata, plans)
    scores = {name: list(plan.marginals) for name, plan in plans.items()}
    modelled = {name: plan.modelled for name, plan in plans.items()}
    seed = int(random.integers(2**32))
    if route.model == "HMA":
        related = fit_related(modelled, description, scores)
        progress(2, 3, f"{names}: sampling")
        return sample_related(related, scale, seed)
    ((name, frame),) = modelled.items()
    copula = fit_single({name: _some_rows(frame, name, notes)}, description, scores)
    progress(2, 3, f"{names}: sampling")
    return sample_single(copula, name, max(1, round(scale * len(frame))), seed)


def _fit_trees(plans: Plans, metadata: Metadata, notes: list[str]) -> ParentChildTrees:
    tables = {}
    for name, plan in plans.items():
        spec = metadata["tables"][name]
        links = [
            Link(link["parent_table_name"], name, link["child_foreign_key"])
            for link in metadata["relationships"]
            if link["child_table_name"] == name
        ]
        # The parent with most rows says most about a child, unless most children have none.
        orphans = {link: plan.modelled[link.key].isna().mean() > _MOST_ORPHANS for link in links}
        links.sort(key=lambda link: (orphans[link], -len(plans[link.parent].modelled)))
        notes += [
            f"{name}: {link.key} names rows of {link.parent} as often as in the real table, but independently of "
            f"{name}'s other columns, which follow {links[0].parent}"
            for link in links[1:]
        ]
        unique = [key for key in unique_keys(spec) if key in plan.modelled]
        tables[name] = RelatedTable(plan.modelled, list(plan.marginals), unique, links)
        most = _most_tree_rows(plan.modelled)
        if len(plan.modelled) > most:
            notes.append(f"{name}: fitted on {most:,} of {len(plan.modelled):,} rows")
    return ParentChildTrees(tables, _most_tree_rows).fit()


def _most_tree_rows(frame: pd.DataFrame) -> int:
    return min(MOST_TREE_ROWS, MOST_TREE_VALUES // max(1, frame.shape[1]))


def _some_rows(frame: pd.DataFrame, name: str, notes: list[str]) -> pd.DataFrame:
    """Take the rows with the smallest hash: the same ones whatever the order of the file."""
    if len(frame) <= MOST_COPULA_ROWS:
        return frame
    notes.append(f"{name}: fitted on {MOST_COPULA_ROWS:,} of {len(frame):,} rows")
    hashes = pd.util.hash_pandas_object(frame.astype(str), index=False)
    return frame.loc[hashes.sort_values(kind="stable").index[:MOST_COPULA_ROWS]].sort_index()


def _modelled_metadata(metadata: Metadata, plans: Plans) -> Metadata:
    """Describe to SDV what is left of the tables: columns and keys."""
    tables = {}
    for name, plan in plans.items():
        spec = metadata["tables"][name]
        table = {"columns": plan.specs}
        if spec.get("primary_key") in plan.specs:
            table["primary_key"] = spec["primary_key"]
        if alternate := [key for key in spec.get("alternate_keys", []) if key in plan.specs]:
            table["alternate_keys"] = alternate
        tables[name] = table
    links = [link for link in metadata["relationships"] if link["child_table_name"] in plans]
    return {"METADATA_SPEC_VERSION": "V2", "tables": tables, "relationships": links}
