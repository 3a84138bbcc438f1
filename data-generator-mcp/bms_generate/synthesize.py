"""From real tables to synthetic ones: set aside, fit, sample, put back.

One table is modelled by a Gaussian copula, related tables by SDV's hierarchical model (HMA). Neither keeps
memory in time: values of successive rows of a synthetic cell are independent of each other.
"""

from collections.abc import Callable

import pandas as pd
from bms_schema.run.errors import InvalidArgument, NotEnoughData

from bms_generate.dataset import Dataset, Tables
from bms_generate.metadata_file import Metadata
from bms_generate.seeded_sdv import (
    fit_related,
    fit_single,
    require_keys,
    require_rows,
    require_simple_schema,
    sample_related,
    sample_single,
)
from bms_generate.set_aside import TablePlan, plan_table, restore_table

LEAST_ROWS = 10
MOST_ROWS = 2_000_000
# A copula's correlations are settled long before; beyond, fitting only gets slower.
MOST_FIT_ROWS = 20_000
# HMA fits a copula per parent row.
MOST_RELATED_ROWS = 500_000
Progress = Callable[[float, float, str], None]


def synthesize(
    dataset: Dataset, *, rows: int | None, scale: float, seed: int, progress: Progress
) -> tuple[Tables, list[str]]:
    """Make synthetic tables.

    Args:
        dataset: The real tables.
        rows: Rows to make, for a folder with one table; None for `scale` times the real ones.
        scale: Size of the result against the real tables.
        seed: Same data, arguments and seed give the same tables.
        progress: Called with (done, total, message) between the phases; may raise to stop.

    Returns:
        Tables as the real ones, columns in their order; and notes.

    Raises:
        InputError: the data or the arguments do not allow it.
    """
    metadata, alone = dataset.metadata, len(dataset.tables) == 1
    require_rows(dataset.tables, metadata, least=LEAST_ROWS)
    require_keys(dataset.tables, metadata)
    wanted = _wanted_rows(dataset, rows, scale, alone)
    if not alone:
        require_simple_schema(metadata)
    progress(1, 4, "setting aside what is no random variable")
    plans = {
        name: plan_table(frame, metadata["tables"][name], _foreign_keys(metadata, name), alone=alone)
        for name, frame in dataset.tables.items()
    }
    modelled = {name: plan.modelled for name, plan in plans.items()}
    description = _modelled_metadata(metadata, plans)
    normal = {name: list(plan.marginals) for name, plan in plans.items()}
    if not alone:
        progress(2, 4, "fitting HMA")
        synthesizer = fit_related(modelled, description, normal)
        progress(3, 4, "sampling")
        sampled, notes = sample_related(synthesizer, scale, seed), []
    else:
        sampled, notes = _single(modelled, description, normal, wanted, seed, progress)
    return {name: restore_table(plan, sampled[name]) for name, plan in plans.items()}, notes


def _single(
    modelled: Tables,
    description: Metadata,
    normal: dict[str, list[str]],
    wanted: int,
    seed: int,
    progress: Progress,
) -> tuple[Tables, list[str]]:
    (name, frame), notes = *modelled.items(), []
    if frame.columns.empty:
        raise NotEnoughData(
            f"No column of table '{name}' varies.",
            expected="at least one that does",
            fix="There is nothing to synthesize.",
        )
    if len(frame) > MOST_FIT_ROWS:
        notes.append(f"fitted on {MOST_FIT_ROWS:,} of {len(frame):,} rows")
        frame = _some_rows(frame)
    progress(2, 4, "fitting the copula")
    synthesizer = fit_single({name: frame}, description, normal)
    progress(3, 4, f"sampling {wanted:,} rows")
    return sample_single(synthesizer, name, wanted, seed), notes


def _some_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Take the rows with the smallest hash: the same ones whatever the order of the file."""
    hashes = pd.util.hash_pandas_object(frame.astype(str), index=False)
    return frame.loc[hashes.sort_values(kind="stable").index[:MOST_FIT_ROWS]].sort_index()


def _wanted_rows(dataset: Dataset, rows: int | None, scale: float, alone: bool) -> int:
    real = sum(len(frame) for frame in dataset.tables.values())
    if rows is not None and not alone:
        raise InvalidArgument(
            f"rows={rows} does not say which of {len(dataset.tables)} tables is meant.",
            expected="scale",
            fix="Pass scale=0.5, 1, 2 …",
        )
    if not alone and real > MOST_RELATED_ROWS:
        raise InvalidArgument(
            f"The related tables have {real:,} rows.",
            expected=f"at most {MOST_RELATED_ROWS:,} for HMA",
            fix="Pass a part of them.",
        )
    wanted = rows if rows is not None else max(1, round(real * scale))
    if wanted > MOST_ROWS:
        raise InvalidArgument(
            f"{wanted:,} rows were asked for.", expected=f"at most {MOST_ROWS:,}", fix="Lower rows or scale."
        )
    return wanted


def _foreign_keys(metadata: Metadata, table: str) -> set[str]:
    return {
        link["child_foreign_key"] for link in metadata["relationships"] if link["child_table_name"] == table
    }


def _modelled_metadata(metadata: Metadata, plans: dict[str, TablePlan]) -> Metadata:
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
    return {"METADATA_SPEC_VERSION": "V2", "tables": tables, "relationships": metadata["relationships"]}
