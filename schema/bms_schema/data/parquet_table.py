"""One Parquet file as a stream of frames whose column types do not depend on where it is cut."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from bms_schema.data.file_form import unique
from bms_schema.data.table_files import FIX, damage_told
from bms_schema.run.errors import UnreadableTable

_BYTES_PER_VALUE = 8
_TEXT = pa.large_string()
_PANDAS_TYPES = {_TEXT: pd.StringDtype("pyarrow"), pa.bool_(): pd.BooleanDtype()}


class ParquetTable:
    """A Parquet file.

    Args:
        path: An existing file.

    Raises:
        UnreadableTable: no Parquet, or damaged.
    """

    decimal_comma = None
    notes: list[str] = []

    def __init__(self, path: Path) -> None:
        self.path = path
        with damage_told(path), _open(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
            # An index without a name only numbers rows; one with a name is a column like any other.
            self._columns = [
                place for place, name in enumerate(schema.names) if not name.startswith("__index_level_")
            ]
            self.names = unique(schema.names[place] for place in self._columns)
            groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
            flat = metadata.num_columns == len(schema.names)  # a nested column counts once for each leaf
            self._types = [
                _steady_type(schema.field(place), gaps=not flat or _has_gaps(groups, place))
                for place in self._columns
            ]
            packed = sum(group.total_byte_size for group in groups)
            self.bytes = max(packed, metadata.num_rows * len(self.names) * _BYTES_PER_VALUE)

    def frames(self, rows: int) -> Iterator[pd.DataFrame]:
        """Yield frames of at most `rows` rows; text is `string[pyarrow]`."""
        with damage_told(self.path), _open(self.path) as file:
            try:
                for batch in file.iter_batches(batch_size=rows):
                    batch.validate(full=True)  # a damaged page may hold text that is none
                    columns = [
                        batch.column(place) if kind is None else batch.column(place).cast(kind)
                        for place, kind in zip(self._columns, self._types, strict=True)
                    ]
                    if len(batch):
                        yield pa.table(columns, names=self.names).to_pandas(types_mapper=_PANDAS_TYPES.get)
            except pa.ArrowException as error:
                raise _no_parquet(self.path, error) from error


def _open(path: Path) -> pyarrow.parquet.ParquetFile:
    try:
        return pyarrow.parquet.ParquetFile(path)
    except pa.ArrowException as error:
        raise _no_parquet(path, error) from error


def _no_parquet(path: Path, error: Exception) -> UnreadableTable:
    return UnreadableTable(f"'{path.name}' is no valid Parquet: {error}.", expected="a Parquet file", fix=FIX)


def _steady_type(field: pa.Field, *, gaps: bool) -> pa.DataType | None:
    """Return the type to read a column as; None for its own.

    pandas makes whole numbers with gaps floats: then they are floats in every cut of the file.
    """
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _TEXT
    if pa.types.is_decimal(kind) or (pa.types.is_integer(kind) and gaps):
        return pa.float64()
    return None if kind == field.type else kind


def _has_gaps(groups: list[Any], place: int) -> bool:
    """Whether a column has missing values, or the file does not say."""
    statistics = [group.column(place).statistics for group in groups]
    return any(item is None or not item.has_null_count or item.null_count for item in statistics)
