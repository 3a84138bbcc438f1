"""Reading a table right or not at all: text (plain or packed), Parquet or a folder, as a stream of chunks.

Nothing is interpreted here but the file's own form (encoding, delimiter, header, one column per cell). Values
stay text, so that a later step can say what it did to each of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

from bms_schema.data.parquet_table import ParquetTable
from bms_schema.data.table_files import SUFFIXES, is_parquet, is_table, partition_values, tables_at
from bms_schema.data.text_table import TextTable
from bms_schema.data.wide import WideLayout, find_wide, melt, probes_that_read
from bms_schema.run.errors import InvalidArgument, NotEnoughData, UnreadableTable

__all__ = ["DEFAULT_CHUNKSIZE", "SUFFIXES", "RawTable", "TableSource", "is_table", "open_table", "read_table"]

DEFAULT_CHUNKSIZE = 100_000
Layout = Literal["cells", "as_is"]
_ROWS_LOOKED_AT_ONCE = 10_000
_FEWEST_WIDE_ROWS = 1000


@dataclass
class RawTable:
    """A table as it stands in the file.

    Args:
        frame: Text columns (`string`, missing where the field is blank); Parquet keeps its own types.
        notes: What the reader found and did, in words.
        decimal_comma: Whether numbers are written `2,23`.
    """

    frame: pd.DataFrame
    notes: list[str] = field(default_factory=list)
    decimal_comma: bool = False


@dataclass
class _Part:
    """One file of a source."""

    table: TextTable | ParquetTable
    values: dict[str, str]
    layout: WideLayout | None

    @property
    def names(self) -> list[str]:
        own = self.table.names
        return (self.layout.long_names(own) if self.layout else own) + list(self.values)

    @property
    def notes(self) -> list[str]:
        return [*self.table.notes, *([self.layout.note] if self.layout else [])]

    @property
    def bytes(self) -> int:
        """Bytes of the long table, if wide: as many more as it has more values."""
        if self.layout is None:
            return self.table.bytes
        return self.table.bytes * len(self.layout.numbers) * len(self.names) // len(self.table.names)


class TableSource:
    """A file or folder as a stream of chunks, which may be gone through more than once. See `open_table`."""

    def __init__(self, path: Path, parts: list[_Part], notes: list[str], chunksize: int) -> None:
        self.path = path
        self._parts, self._notes, self._chunksize = parts, notes, chunksize
        marks = {part.table.decimal_comma for part in parts} - {None}
        if len(marks) > 1:
            raise UnreadableTable(
                f"The files in '{path}' mix decimal commas and decimal points.",
                expected="one notation",
                fix="Read them one by one.",
            )
        self.decimal_comma = True in marks
        self.names = list(dict.fromkeys(name for part in parts for name in part.names))

    @property
    def notes(self) -> list[str]:
        """What was found and done, in words; complete once the chunks have been gone through."""
        many = len(self._parts) > 1
        found = [
            f"{part.table.path.name}: {note}" if many else note for part in self._parts for note in part.notes
        ]
        return [*self._notes, *found]

    @property
    def bytes(self) -> int:
        """About how many bytes the table is as text, wide ones after melting; told without reading it."""
        return sum(part.bytes for part in self._parts)

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in order, with columns `names` and an index that goes on from chunk to chunk.

        Text is `string[pyarrow]`, stripped, missing where blank; Parquet keeps its types. Chunks have at most
        `chunksize` rows.

        Raises:
            UnreadableTable: a row contradicts the file's form; says the line.
            NotEnoughData: there are no rows.
        """
        row = file_row = 0
        for part in self._parts:
            for frame in part.table.frames(self._rows_at_once(part)):
                rows = self._long(frame, part, file_row)
                file_row += len(frame)
                for start in range(0, len(rows), self._chunksize):
                    chunk = rows.iloc[start : start + self._chunksize]
                    chunk.index = pd.RangeIndex(row, row + len(chunk))
                    row += len(chunk)
                    yield chunk
        if not row:
            raise NotEnoughData(
                f"'{self.path.name}' has a header but no rows.",
                expected="at least one row",
                fix="Check the export.",
            )

    def _rows_at_once(self, part: _Part) -> int:
        """Rows of the file that make a chunk; of a wide one enough to be worth the columns' cost."""
        if part.layout is None:
            return self._chunksize
        return max(_FEWEST_WIDE_ROWS, self._chunksize // len(part.layout.numbers))

    def _long(self, frame: pd.DataFrame, part: _Part, first_row: int) -> pd.DataFrame:
        if part.layout:
            frame = melt(frame, part.layout, first_row=first_row, decimal_comma=self.decimal_comma)
        if frame.columns.tolist() == self.names:
            return frame
        blank = pd.array([pd.NA], dtype="string[pyarrow]").take([0] * len(frame))
        absent = dict.fromkeys([name for name in self.names if name not in frame], blank)
        absent |= {
            name: pd.array([value], dtype="string[pyarrow]").take([0] * len(frame))
            for name, value in part.values.items()
        }
        return frame.assign(**absent)[self.names]


def open_table(path: Path, *, chunksize: int = DEFAULT_CHUNKSIZE, layout: Layout = "cells") -> TableSource:
    """Open a file, or every table of a folder in name order, as a stream of chunks.

    Args:
        path: An existing `.csv`, `.tsv`, `.txt` or `.log` (also as `.gz` or `.zip`), a `.parquet` file or folder,
            or a folder of them.
        chunksize: Rows parsed at once; never changes the rows.
        layout: "cells" brings a wide table to one row per cell; "as_is" leaves every table as it stands.

    Raises:
        InvalidArgument: chunksize is not positive.
        UnreadableTable: not a table; says the line and the reason.
        NotEnoughData: a file is empty.
    """
    if chunksize < 1:
        raise InvalidArgument(f"chunksize is {chunksize}.", expected="at least 1", fix="Leave it at 100000.")
    files, notes = tables_at(path)
    parts = [_part(file, path, layout) for file in files]
    if len({part.layout.numbers for part in parts if part.layout}) > 1:
        raise UnreadableTable(
            f"The files in '{path}' are wide with different cells, so of different batteries.",
            expected="one battery, or one row per cell with a column that names the string",
            fix="Read them one by one.",
        )
    return TableSource(path, parts, notes, chunksize)


def read_table(path: Path, *, chunksize: int = DEFAULT_CHUNKSIZE, layout: Layout = "cells") -> RawTable:
    """Read a whole table into memory; arguments and errors as of `open_table`, and NotEnoughData without rows."""
    source = open_table(path, chunksize=chunksize, layout=layout)
    frame = pd.concat(list(source.chunks()), ignore_index=True)
    return RawTable(frame, source.notes, source.decimal_comma)


def _part(file: Path, path: Path, layout: Layout) -> _Part:
    table = ParquetTable(file) if is_parquet(file) else TextTable(file)
    values = {key: value for key, value in partition_values(file, path).items() if key not in table.names}
    wide = find_wide(table.names) if layout == "cells" else None
    return _Part(table, values, _without_idle_probes(table, wide) if wide and wide.probes else wide)


def _without_idle_probes(table: TextTable | ParquetTable, layout: WideLayout) -> WideLayout:
    """Find the probes that never read: 0 °C may be weather, but not from the first row to the last."""
    probes, comma = list(layout.probes), bool(table.decimal_comma)
    seen: set[str] = set()
    for frame in table.frames(_ROWS_LOOKED_AT_ONCE):
        seen |= probes_that_read(frame[[name for name in probes if name not in seen]], comma)
        if len(seen) == len(probes):
            break
    return layout.without([name for name in probes if name not in seen] if seen else [])
