"""One text table on disk as a stream of frames."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa

from bms_schema.data.file_form import find_form
from bms_schema.data.table_files import FIX, damage_told, open_bytes, text_bytes
from bms_schema.data.text_blocks import TextFindings, text_blocks
from bms_schema.data.text_rows import RowParser
from bms_schema.run.errors import NotEnoughData

_HEAD_BYTES = 256 * 1024
_LEAST_BLOCK, _LARGEST_BLOCK = 64 * 1024, 32 * 1024**2
_ROWS_AT_ONCE = 100_000
_TEXT_DTYPE = pd.StringDtype("pyarrow")


class TextTable:
    """A `.csv`, `.tsv`, `.txt` or `.log`, plain or packed.

    Args:
        path: An existing file.

    Raises:
        UnreadableTable: no table, damaged, or with values that have no name.
        NotEnoughData: nothing in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._findings = TextFindings()
        with damage_told(path):
            self.bytes = text_bytes(path)
            head = self._head()
            self.form = find_form(head, path)
            self._line_bytes = max(1, len(head.encode()) // max(1, head.count("\n")))
            if self.form.decimal_comma is None and self.form.readings:
                self.form = replace(self.form, decimal_comma=self._mark_below_the_head())

    @property
    def names(self) -> list[str]:
        """Column names, unique."""
        return list(self.form.names)

    @property
    def decimal_comma(self) -> bool | None:
        """Whether numbers are written `2,23`; None where no column with readings has a fraction."""
        return self.form.decimal_comma

    @property
    def notes(self) -> list[str]:
        """What the head showed and what the latest pass met."""
        return [*self.form.notes, *(["decimal comma"] if self.decimal_comma else []), *self._findings.notes]

    def frames(self, rows: int) -> Iterator[pd.DataFrame]:
        """Yield frames of text (`string[pyarrow]`), of `rows` rows each but the last."""
        self._findings = TextFindings()
        parser = RowParser(self.form, self.path, self._findings)
        with damage_told(self.path):
            for table in _cut_to(self._tables(parser, rows), rows):
                yield table.combine_chunks().to_pandas(types_mapper=lambda _: _TEXT_DTYPE)

    def _tables(self, parser: RowParser, rows: int) -> Iterator[pa.Table]:
        size = min(max(rows * self._line_bytes, _LEAST_BLOCK), _LARGEST_BLOCK)
        skip = self.form.body_line
        with open_bytes(self.path) as stream:
            for block in text_blocks(stream, size, self.path, parser.findings):
                while skip and block:
                    _, _, block = block.partition(b"\n")
                    skip -= 1
                if block:
                    yield parser.parse(block)
        parser.finish()

    def _head(self) -> str:
        """Return whole lines of the file's beginning."""
        lines = b""
        with open_bytes(self.path) as stream:
            for block in text_blocks(stream, _HEAD_BYTES, self.path, TextFindings()):
                lines += block
                if len(lines) >= _LEAST_BLOCK:
                    break
        if not lines.strip():
            raise NotEnoughData(
                f"'{self.path.name}' holds only blank lines.", expected="a header line and rows", fix=FIX
            )
        return lines.decode()

    def _mark_below_the_head(self) -> bool | None:
        """Look through the rows for the first fraction where the head shows none: `2,23` must not be missed."""
        open_to_both = replace(self.form, decimal_comma=True)
        parser = RowParser(open_to_both, self.path, TextFindings())
        for _ in self._tables(parser, _ROWS_AT_ONCE):
            marks = set().union(*parser.notations.values())
            if marks:
                return "," in marks
        return None


def _cut_to(tables: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Yield the same rows in tables of `rows` rows each but the last."""
    waiting: list[pa.Table] = []
    count = 0
    for table in tables:
        waiting.append(table)
        count += len(table)
        if count < rows:
            continue
        whole = pa.concat_tables(waiting)
        for start in range(0, count - rows + 1, rows):
            yield whole.slice(start, rows)
        waiting, count = [whole.slice(count - count % rows)], count % rows
    if count:
        yield pa.concat_tables(waiting)
