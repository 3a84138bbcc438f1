"""Whole strings to Parquet parts that fit a worker: a string is never split between parts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bms_schema.data.columns import CLEANED_NAMES, COLUMNS, SOURCE_ROW, STRING, flag_of
from bms_schema.run.tables import as_arrow, dictionary_columns, disk_problem

if TYPE_CHECKING:
    import pyarrow as pa

# Measured: 250,000 rows take a worker 1.0 GiB at most; with 500,000 it is no faster.
GROUP_ROWS = 250_000
BUFFER_BYTES = 128 * 2**20  # written at once: large row groups, little memory
GROUP, ROW = "part", "__row__"


@dataclass(frozen=True)
class Group:
    """Strings that one worker does together.

    Args:
        number: Its place in the results.
        strings: Their names.
        rows: Rows of them together.
    """

    number: int
    strings: tuple[str, ...]
    rows: int

    def __str__(self) -> str:
        names = ", ".join(f"'{name}'" for name in self.strings[:3])
        more = f" and {len(self.strings) - 3} more" if len(self.strings) > 3 else ""
        return f"string {names}{more} ({self.rows:,} rows)"


def group_strings(rows: Mapping[str, int], target: int = GROUP_ROWS) -> list[Group]:
    """Return groups of whole strings in name order, each closed before it exceeds the target.

    Args:
        rows: Rows of each string.
        target: Rows aimed at; a longer string is a group of its own.

    >>> [group.strings for group in group_strings({"b": 4, "a": 3, "c": 9}, target=8)]
    [('a', 'b'), ('c',)]
    """
    groups: list[Group] = []
    names: list[str] = []
    total = 0
    for name in sorted(rows):
        if names and total + rows[name] > target:
            groups.append(Group(len(groups), tuple(names), total))
            names, total = [], 0
        names.append(name)
        total += rows[name]
    return [*groups, Group(len(groups), tuple(names), total)] if names else groups


def is_worked_on(name: str) -> bool:
    """Whether a canonical column is read by any server; every other one is only carried along."""
    return name in {SOURCE_ROW, *COLUMNS, *(flag_of(column) for column in CLEANED_NAMES)}


def parts_schema(frame: pd.DataFrame, carried: "pa.Schema") -> "pa.Schema":
    """Return the Arrow types of all canonical chunks.

    Args:
        frame: The first chunk; its columns are kept.
        carried: Types that suit the whole table as read: of columns that are only carried along.
    """
    import pyarrow as pa

    fields = []
    for field in as_arrow(frame).schema:
        kind = field.type
        if not is_worked_on(field.name) and field.name in carried.names:
            kind = carried.field(field.name).type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        fields.append(pa.field(field.name, pa.string() if pa.types.is_null(kind) else kind))
    return pa.schema(fields)


def write_groups(
    frames: Iterable[pd.DataFrame],
    groups: list[Group],
    schema: "pa.Schema",
    folder: Path,
    told: Callable[[int], None],
) -> None:
    """Sort canonical frames into `folder/<group number>/*.parquet`.

    Args:
        frames: Canonical chunks; their index is the row's place in the whole table.
        groups: From `group_strings`.
        schema: Arrow types of the canonical columns, one for all chunks.
        folder: Where to; made here.
        told: Called with the rows written so far; may raise to stop.

    Raises:
        MachineProblem: the disk refuses.
    """
    import pyarrow as pa

    number_of = {name: group.number for group in groups for name in group.strings}
    buffered: list[pa.Table] = []
    written = files = 0
    for frame in frames:
        table = as_arrow(frame).replace_schema_metadata(None).select(schema.names).cast(schema)
        numbers = frame[STRING].map(number_of).to_numpy(dtype="int32")
        table = table.append_column(ROW, pa.array(frame.index.to_numpy()))
        buffered.append(table.append_column(GROUP, pa.array(numbers)))
        written += len(frame)
        if sum(item.nbytes for item in buffered) >= BUFFER_BYTES:
            _write(pa.concat_tables(buffered), folder, files)
            buffered, files = [], files + 1
            told(written)
    if buffered:
        _write(pa.concat_tables(buffered), folder, files)
    told(written)


def _write(table: "pa.Table", folder: Path, number: int) -> None:
    import pyarrow as pa
    import pyarrow.dataset

    parquet = pyarrow.dataset.ParquetFileFormat()
    try:
        pyarrow.dataset.write_dataset(
            table,
            folder,
            format=parquet,
            partitioning=pyarrow.dataset.partitioning(pa.schema([(GROUP, pa.int32())])),
            basename_template=f"{number:06d}-{{i}}.parquet",
            existing_data_behavior="overwrite_or_ignore",
            file_options=parquet.make_write_options(use_dictionary=dictionary_columns(table.schema)),
        )
    except OSError as error:
        raise disk_problem(folder, error) from error


def read_group(folder: Path, group: Group, columns: list[str] | None = None) -> "pa.Table":
    """Return the rows of a group in the table's order, text dictionary-encoded, with `ROW`.

    Args:
        folder: As given to `write_groups`.
        group: One of its groups.
        columns: Columns wanted; None takes all.
    """
    import pyarrow as pa
    import pyarrow.parquet

    files = sorted((folder / str(group.number)).glob("*.parquet"))
    text = [
        field.name
        for field in pyarrow.parquet.read_schema(files[0])
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]
    names = None if columns is None else [*columns, ROW]
    parts = [pyarrow.parquet.read_table(file, columns=names, read_dictionary=text) for file in files]
    table = pa.concat_tables(parts).unify_dictionaries()
    rows = table.column(ROW).to_numpy()
    return table if (np.diff(rows) > 0).all() else table.take(np.argsort(rows, kind="stable"))
