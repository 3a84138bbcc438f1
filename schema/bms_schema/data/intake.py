"""From a file to a plan for it and its canonical rows, chunk by chunk; small tables are parsed once only."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bms_schema.data.chemistry import ChemistryOption
from bms_schema.data.plan import TablePlan, apply_plan, make_plan
from bms_schema.data.reading import TableSource, open_table
from bms_schema.data.required import check_present
from bms_schema.data.survey import Survey, survey_chunk
from bms_schema.data.table import BatteryTable

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Intake:
    """A table whose plan is made and whose rows are still to be read.

    Args:
        plan: What is done to every row.
        source: Where the rows come from.
        types: Arrow types of the columns as read, one for all chunks.
        kept: The chunks as read, where the whole table fits into memory; else None.
    """

    plan: TablePlan
    source: TableSource
    types: "pa.Schema"
    kept: list[pd.DataFrame] | None

    def frames(self) -> Iterator[pd.DataFrame]:
        """Yield the canonical chunks; their index is the row's place in the whole table.

        Chunks that were kept are let go meanwhile, so that a table is never held twice: ask once.
        """
        first = 0
        for chunk in self.source.chunks() if self.kept is None else _let_go(self.kept):
            yield apply_plan(chunk, self.plan, first).set_axis(np.arange(first, first + len(chunk)))
            first += len(chunk)

    def table(self) -> BatteryTable:
        """Return the canonical table in memory; ask once, as of `frames`."""
        frame = pd.concat(list(self.frames()), ignore_index=True)
        return BatteryTable(frame, self.plan.chemistry, self.plan.notes, self.plan.corrections)


def _let_go(chunks: list[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    while chunks:
        yield chunks.pop(0)


def take_in(
    path: Path,
    *,
    require: Sequence[str],
    chunksize: int,
    chemistry: ChemistryOption,
    most_rows: int | None,
    told: Callable[[int], None],
) -> Intake:
    """Look at every row of a file or folder once and decide what is done to all of them.

    Args:
        path: An existing file or folder that the caller may read.
        require: Columns that must be there with at least one usable value (see `make_plan`).
        chunksize: Rows parsed at once; never changes the result.
        chemistry: A profile's name or "auto".
        most_rows: Largest table that is kept in memory; None keeps any.
        told: Called with the rows seen so far; may raise to stop.

    Raises:
        InputError: unreadable, empty, or without a required column.
    """
    import pyarrow as pa

    source = open_table(path, chunksize=chunksize)
    check_present(source.names, require)  # before reading gigabytes
    kept: list[pd.DataFrame] | None = []
    survey: Survey | None = None
    types: pa.Schema | None = None
    rows = 0
    for chunk in source.chunks():
        seen = survey_chunk(chunk, decimal_comma=source.decimal_comma)
        survey = seen if survey is None else survey.merge(seen)
        types = common_types(types, pa.Schema.from_pandas(chunk.head(0), preserve_index=False))
        rows += len(chunk)
        if kept is not None:
            kept = [*kept, chunk] if most_rows is None or rows <= most_rows else None
        told(rows)
    assert survey is not None and types is not None  # a source without rows has raised
    plan = make_plan(
        survey,
        require=require,
        chemistry=chemistry,
        notes=source.notes,
        decimal_comma=source.decimal_comma,
    )
    return Intake(plan, source, types, kept)


def common_types(known: "pa.Schema | None", more: "pa.Schema") -> "pa.Schema":
    """Return one Arrow schema for two chunks of the same columns; types that do not go together become text."""
    import pyarrow as pa

    fields = []
    for field in more:
        both = [field] if known is None else [known.field(field.name), field]
        try:
            schema = pa.unify_schemas([pa.schema([item]) for item in both], promote_options="permissive")
            fields.append(schema.field(0))
        except pa.ArrowTypeError:
            fields.append(pa.field(field.name, pa.string()))
    return pa.schema(fields)
