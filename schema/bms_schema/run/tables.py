"""Writing tables: CSV through pyarrow (ten times pandas' writer) or Parquet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bms_schema.run.errors import MachineProblem
from bms_schema.run.threads import thread_count

if TYPE_CHECKING:
    import pandas as pd

TableFormat = Literal["csv", "parquet"]
# Rows turned to text at once by one thread: large enough that pyarrow's fixed cost per call does not show.
_SLICE_ROWS = 50_000
_TIME_TEXT = "%Y-%m-%dT%H:%M:%S"


def write_table(
    table: pd.DataFrame | Any,
    path: Path,
    *,
    header: bool = True,
    fractions: bool | None = None,
    threads: int | None = None,
) -> Path:
    """Write a table without its index; the suffix (`.csv` or `.parquet`) chooses the format.

    Missing values are empty fields in CSV. Time stamps are ISO 8601.

    Args:
        table: A pandas frame or a pyarrow table.
        path: Where to; folders on the way are made.
        header: Whether the CSV begins with the names; parts appended to another file have none.
        fractions: Whether CSV time stamps show fractions of a second; None: columns that have some show them.
        threads: Threads that turn a CSV's numbers into text; None takes `thread_count()`.

    Raises:
        MachineProblem: the disk refuses.
    """
    import pyarrow.parquet

    data = as_arrow(table)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if path.suffix == ".parquet":
            pyarrow.parquet.write_table(data, path, use_dictionary=dictionary_columns(data.schema))
        else:
            with path.open("wb") as stream:
                for text in csv_text(data, header=header, fractions=fractions, threads=threads):
                    stream.write(text)
    except OSError as error:
        raise disk_problem(path, error) from error
    return path


def as_arrow(table: pd.DataFrame | Any) -> Any:
    """Return a pandas frame as a pyarrow table, NaN as null; a pyarrow table as it is.

    A column of objects of several types becomes text.
    """
    import pyarrow as pa

    if isinstance(table, pa.Table):
        return table
    try:
        return pa.Table.from_pandas(table, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        objects = table.select_dtypes("object").columns
        text = table.assign(**{name: table[name].astype("string") for name in objects})
        return pa.Table.from_pandas(text, preserve_index=False)


def dictionary_columns(schema: Any) -> list[str]:
    """Return the columns worth a dictionary in Parquet: not the measured or engineered numbers.

    Nearly every one of those differs from the others: a dictionary makes writing five times slower and the file
    larger.
    """
    import pyarrow as pa

    return [field.name for field in schema if not pa.types.is_floating(field.type)]


def disk_problem(path: Path, error: OSError) -> MachineProblem:
    """Return the error for a file that the disk refuses."""
    return MachineProblem(
        f"'{path.name}' cannot be written: {error}.",
        expected="free disk space",
        fix="Free some and run again.",
    )


def csv_text(
    data: Any, *, header: bool = True, fractions: bool | None = None, threads: int | None = None
) -> Iterator[Any]:
    """Yield a pyarrow table as CSV in order, a slice of rows at a time, several being made at once.

    Turning numbers into text is most of the work, and pyarrow does it without holding Python's lock.

    Args:
        data: The table.
        header: As for `write_table`.
        fractions: As for `write_table`.
        threads: As for `write_table`.
    """
    import pyarrow as pa
    import pyarrow.csv

    threads = threads or thread_count()
    data = _with_plain_times(data, fractions)

    def text_of(start: int) -> Any:
        sink = pa.BufferOutputStream()
        options = pyarrow.csv.WriteOptions(quoting_style="needed", include_header=header and start == 0)
        pyarrow.csv.write_csv(data.slice(start, _SLICE_ROWS), sink, options)
        return sink.getvalue()

    pending: deque[Future[Any]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="csv") as pool:
        for start in range(0, max(data.num_rows, 1), _SLICE_ROWS):
            pending.append(pool.submit(text_of, start))
            if len(pending) > threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _with_plain_times(data: Any, fractions: bool | None) -> Any:
    """Render time stamps as `2026-01-31T12:00:00`, in UTC where they carry a zone; each distinct one once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for index, field in enumerate(data.schema):
        if not pa.types.is_timestamp(field.type):
            continue
        stamps = data.column(index).combine_chunks().cast(pa.timestamp("us"), safe=False)
        distinct = stamps.unique().drop_null()
        shown = has_fractions(distinct) if fractions is None else fractions
        text = pc.strftime(distinct.cast(pa.timestamp("us" if shown else "s"), safe=False), _TIME_TEXT)
        codes = pc.index_in(stamps, distinct, skip_nulls=True)
        data = data.set_column(index, field.name, pa.DictionaryArray.from_arrays(codes, text))
    return data


def has_fractions(stamps: Any) -> bool:
    """Whether a pyarrow array of time stamps holds fractions of a second."""
    import pyarrow as pa
    import pyarrow.compute as pc

    micros = stamps.cast(pa.timestamp("us"), safe=False)
    whole = micros.cast(pa.timestamp("s"), safe=False).cast(pa.timestamp("us"))
    return bool(pc.any(pc.not_equal(micros, whole)).as_py())
