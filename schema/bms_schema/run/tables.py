"""Writing tables: CSV through pyarrow (ten times pandas' writer) or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bms_schema.run.errors import MachineProblem

if TYPE_CHECKING:
    import pandas as pd

TableFormat = Literal["csv", "parquet"]


def write_table(frame: pd.DataFrame, path: Path) -> Path:
    """Write `frame` without its index; the suffix (`.csv` or `.parquet`) chooses the format.

    Missing values are empty fields in CSV. Time stamps are ISO 8601 with as many decimals as they need.

    Raises:
        MachineProblem: the disk refuses.
    """
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if path.suffix == ".parquet":
            pyarrow.parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
        else:
            pyarrow.csv.write_csv(
                pa.Table.from_pandas(_with_plain_times(frame), preserve_index=False),
                path,
                pyarrow.csv.WriteOptions(quoting_style="needed"),
            )
    except OSError as error:
        raise MachineProblem(
            f"'{path.name}' cannot be written: {error}.",
            expected="free disk space",
            fix="Free some and run again.",
        ) from error
    return path


def _with_plain_times(frame: pd.DataFrame) -> pd.DataFrame:
    """Render datetimes as `2026-01-31T12:00:00`, with decimals only where a column has them."""
    times = frame.select_dtypes(include=["datetime", "datetimetz"]).columns
    if not len(times):
        return frame
    plain = frame.copy()
    for name in times:
        column = frame[name]
        if column.dt.tz is not None:
            column = column.dt.tz_convert("UTC").dt.tz_localize(None)
        whole = bool((column.dropna().astype("int64") % 1_000_000_000 == 0).all())
        text = column.to_numpy().astype("datetime64[s]" if whole else "datetime64[us]").astype(str)
        plain[name] = text
        plain.loc[column.isna(), name] = None
    return plain
