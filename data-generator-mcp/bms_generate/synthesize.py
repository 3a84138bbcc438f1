"""From real tables to synthetic ones: set aside, fit, sample, put back, each group of tables on its route.

Only `FleetSynthesizer` keeps memory in time; the other models draw every row of a cell for itself.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.run.errors import InvalidArgument, NotEnoughData

from bms_generate.dataset import Dataset, Tables
from bms_generate.derived import Derived, recompute
from bms_generate.derived_search import derived_columns
from bms_generate.fleet_links import find_fleets, link_fleets
from bms_generate.fleet_twin import twin_of_fleet
from bms_generate.metadata_file import Metadata, foreign_keys
from bms_generate.modelling import Progress, sample_route
from bms_generate.put_back import restore_table
from bms_generate.routes import Method, Route, plan_routes
from bms_generate.seeded_sdv import require_keys, require_rows
from bms_generate.set_aside import TablePlan, plan_table, unique_keys

LEAST_ROWS = 10
MOST_ROWS = 2_000_000


@dataclass(frozen=True)
class Twin:
    """Synthetic tables.

    Args:
        tables: As the real ones, columns in their order.
        models: What made each.
        notes: What was done and what is lost, in words.
    """

    tables: Tables
    models: dict[str, str]
    notes: list[str]


def synthesize(
    dataset: Dataset,
    *,
    rows: int | None,
    scale: float,
    seed: int,
    method: Method = "auto",
    progress: Progress,
) -> Twin:
    """Make synthetic tables.

    Args:
        dataset: The real tables.
        rows: Rows to make, for a folder with one table; None for `scale` times the real ones.
        scale: Size of the result against the real tables.
        seed: Same data, arguments and seed give the same tables.
        method: See `plan_routes`.
        progress: Called with (done, total, message) between the phases; may raise to stop.

    Raises:
        InputError: the data or the arguments do not allow it.
    """
    dataset = replace(dataset, metadata=_without_empty_links(dataset))
    require_rows(dataset.tables, dataset.metadata, least=LEAST_ROWS)
    require_keys(dataset.tables, dataset.metadata)
    sizes = {name: len(frame) for name, frame in dataset.tables.items()}
    scale = _scale(sizes, rows, scale)
    fleets = find_fleets(dataset.tables, dataset.metadata) if method == "auto" else []
    routes = plan_routes(dataset.metadata, sizes, method, fleets)
    made: Tables = {}
    models: dict[str, str] = {}
    notes: list[str] = []
    for number, route in enumerate(routes):
        # Reading is the first of four quarters, writing the last.
        told = _part(progress, 1 + 2 * number / len(routes), 2 / len(routes))
        random = np.random.default_rng([seed, number])
        made |= _synthesize_group(dataset, route, rows, scale, random, told, notes)
        models |= dict.fromkeys(route.tables, route.model)
    notes += link_fleets(made, dataset.metadata, fleets)
    return Twin({name: made[name] for name in sizes}, {name: models[name] for name in sizes}, notes)


def _synthesize_group(
    dataset: Dataset,
    route: Route,
    rows: int | None,
    scale: float,
    random: np.random.Generator,
    progress: Progress,
    notes: list[str],
) -> Tables:
    if route.model == "FleetSynthesizer":
        return _synthesize_fleet(dataset, route.tables[0], rows, scale, random, progress, notes)
    names = ", ".join(route.tables)
    if route.instead:
        notes.append(f"{names}: made by parent-child trees, as {route.instead}")
    progress(0, 3, f"{names}: looking for columns that follow from others")
    plans: dict[str, TablePlan] = {}
    derived: dict[str, list[Derived]] = {}
    by_sdv = route.model in {"GaussianCopula", "HMA"}
    for name in route.tables:
        left, spec, derived[name] = _without_derived(dataset, name, notes)
        foreign = foreign_keys(dataset.metadata, name)
        plans[name] = plan_table(left, spec, foreign, alone=len(route.tables) == 1, by_sdv=by_sdv)
    if len(plans) == 1 and next(iter(plans.values())).modelled.columns.empty:
        raise NotEnoughData(
            f"No column of table '{names}' varies.",
            expected="at least one that does",
            fix="There is nothing to synthesize.",
        )
    sampled = sample_route(route, plans, dataset.metadata, scale, random, progress, notes)
    restored = {name: restore_table(plan, sampled[name]) for name, plan in plans.items()}
    return {name: recompute(frame, dataset.tables[name], derived[name]) for name, frame in restored.items()}


def _synthesize_fleet(
    dataset: Dataset,
    name: str,
    rows: int | None,
    scale: float,
    random: np.random.Generator,
    progress: Progress,
    notes: list[str],
) -> Tables:
    progress(0, 3, f"{name}: looking for columns that follow from others")
    left, spec, derived = _without_derived(dataset, name, notes)
    progress(1, 3, f"{name}: fitting and sampling strings and cells")
    made, said = twin_of_fleet(left, spec, rows=rows, scale=scale, seed=int(random.integers(2**32)))
    notes += [f"{name}: {note}" for note in said]
    return {name: recompute(made, dataset.tables[name], derived)}


def _without_derived(
    dataset: Dataset, name: str, notes: list[str]
) -> tuple[pd.DataFrame, dict[str, Any], list[Derived]]:
    """Return a table and its metadata without the columns that follow from others, and these; `notes` gets them."""
    frame, spec = dataset.tables[name], dataset.metadata["tables"][name]
    derived = derived_columns(frame, spec, foreign_keys(dataset.metadata, name).union(unique_keys(spec)))
    if derived:
        rules = "; ".join(item.words for item in derived)
        notes.append(f"{name}: computed from other columns, not sampled: {rules}")
    left = frame.drop(columns=[item.column for item in derived])
    return left, spec | {"columns": {column: spec["columns"][column] for column in left}}, derived


def _without_empty_links(dataset: Dataset) -> Metadata:
    """Leave out relationships whose foreign key is missing in every row; the column is carried as it is."""
    links = [
        link
        for link in dataset.metadata["relationships"]
        if dataset.tables[link["child_table_name"]][link["child_foreign_key"]].notna().any()
    ]
    return dataset.metadata | {"relationships": links}


def _scale(sizes: dict[str, int], rows: int | None, scale: float) -> float:
    real = sum(sizes.values())
    if rows is not None and len(sizes) > 1:
        raise InvalidArgument(
            f"rows={rows} does not say which of {len(sizes)} tables is meant.",
            expected="scale",
            fix="Pass scale=0.5, 1, 2 …",
        )
    if rows is not None and scale != 1:
        raise InvalidArgument(
            f"rows={rows} and scale={scale:g} both say how many rows to make.",
            expected="one of them",
            fix="Leave one out.",
        )
    wanted = rows if rows is not None else round(real * scale)
    if wanted > MOST_ROWS:
        raise InvalidArgument(
            f"{wanted:,} rows were asked for.", expected=f"at most {MOST_ROWS:,}", fix="Lower rows or scale."
        )
    return scale if rows is None else rows / real


def _part(progress: Progress, start: float, share: float) -> Progress:
    """Return a progress of its own for a part of the work."""
    return lambda done, total, message: progress(start + share * done / total, 4, message)
