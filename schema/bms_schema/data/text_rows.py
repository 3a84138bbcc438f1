"""From lines to rows: a block of a text table as an Arrow table of strings, fast where it is clean.

Arrow parses blocks in which every row has the expected number of values. What it refuses (ragged rows, line
breaks inside quotes, stray comments) Python's csv module reads row by row, to the same values.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from bms_schema.data.file_form import COMMA_NUMBER, POINT_NUMBER, FileForm, is_comment
from bms_schema.data.table_files import FIX
from bms_schema.data.text_blocks import TextFindings
from bms_schema.run.errors import UnreadableTable

_TEXT = pa.large_string()  # what pandas' `string[pyarrow]` stands on
_END = "\x1e"  # a line of its own behind a block: an open quotation mark would swallow it


@dataclass
class RowParser:
    """Parses the blocks of one pass over a text table, in order.

    Args:
        form: How the table is written.
        path: For messages.
        findings: Gets what is met on the way.
        rows: Rows parsed so far.
        notations: Decimal marks met so far, by the position of a column with readings.
    """

    form: FileForm
    path: Path
    findings: TextFindings
    rows: int = 0
    _line: int = 0
    _open: bytes = b""  # a row begun in quotes that the last block did not end
    notations: dict[int, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._line = self.form.body_line + 1

    def parse(self, block: bytes) -> pa.Table:
        """Parse whole lines into columns of text: stripped, null where blank, named `form.names`.

        Raises:
            UnreadableTable: more values than names, an endless quotation, two notations of numbers, or a second
                header with other columns; says where.
        """
        block = self._open + block
        table = self._fast(block)
        if table is None:
            table, self._open = self._careful(block.decode())
        else:
            self._open = b""
        self._line += block.count(b"\n") - self._open.count(b"\n")
        table = self._without_headers(_stripped(table))
        self._check_notation(table)
        self.rows += len(table)
        return table

    def finish(self) -> None:
        """Refuse a file that ends inside quotes which an earlier line opened."""
        if self._open:
            raise self._unclosed(self._line)

    def _fast(self, block: bytes) -> pa.Table | None:
        """Parse with Arrow; None where it refuses or could see a row end inside quotes."""
        quoted = b'"' in block
        if (quoted and b' "' in block) or not block.endswith(b"\n"):
            return None  # Arrow opens no quotes behind a space; a cut-off end needs a closer look
        fields = [str(position) for position in range(self.form.width)]
        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(block),
                read_options=pyarrow.csv.ReadOptions(column_names=fields),
                parse_options=pyarrow.csv.ParseOptions(delimiter=self.form.delimiter),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(fields, _TEXT),
                    null_values=[""],
                    strings_can_be_null=True,
                    check_utf8=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        if quoted and any(pc.any(pc.match_substring(column, "\n")).as_py() for column in table.columns):
            return None
        names = list(self.form.names)
        if any(column.null_count < len(column) for column in table.columns[len(names) :]):
            return None
        columns = table.columns[: len(names)]
        columns += [pa.nulls(len(table), _TEXT)] * (len(names) - len(columns))
        return pa.table(columns, names=names)

    def _careful(self, text: str) -> tuple[pa.Table, bytes]:
        """Parse row by row; returns the rows, and the text of a row that goes on in the next block."""
        ends_here = bool(text) and not text.endswith("\n")  # only a file's last line has no end
        lines = text.removesuffix("\n").split("\n") if text else []
        records: list[list[str]] = []
        for start, values, closed in self._records(lines):
            line, last = self._line + start, ends_here and start == len(lines) - 1
            if not closed and not last:
                if ends_here:
                    raise self._unclosed(line)
                return self._table(records), "\n".join([*lines[start:], ""]).encode()
            short = len(values) < min(self.form.width, len(self.form.names))
            record = (
                self._cut_off(values, line) if last and (short or not closed) else self._fitted(values, line)
            )
            if record is not None:
                records.append(record)
        return self._table(records), b""

    def _records(self, lines: list[str]) -> Iterator[tuple[int, list[str], bool]]:
        """Yield (line the row starts on, from 0; its values; whether its quotes are closed)."""
        reader = csv.reader(
            (f"{line}\n" for line in [*lines, _END]), delimiter=self.form.delimiter, skipinitialspace=True
        )
        start = 0
        try:
            for values in reader:
                if reader.line_num > len(lines):
                    if values != [_END]:
                        yield start, values, False
                    return
                yield start, values, True
                start = reader.line_num
        except csv.Error as error:  # a value beyond 128 KiB: quotes that close much later, if at all
            raise self._unclosed(self._line + start) from error

    def _unclosed(self, line: int) -> UnreadableTable:
        return UnreadableTable(
            f"'{self.path.name}', line {line:,} opens a quotation mark that does not close.",
            expected="quotation marks in pairs",
            fix=FIX,
        )

    def _fitted(self, values: list[str], line: int) -> list[str] | None:
        """Return a row of as many values as names; None for a line that is no row."""
        names = len(self.form.names)
        if len(values) <= 1 and not "".join(values).strip():
            return None
        if is_comment(values) and names > 1:
            self.findings.add("{count} comment line(s) skipped (first: line {first})", line)
            return None
        if any(value.strip() for value in values[names:]):
            raise UnreadableTable(
                f"'{self.path.name}' names {names} columns, but line {line:,} has {len(values)} values.",
                expected="a name for every value",
                fix=FIX,
            )
        if self.form.width < len(values) and names > self.form.width:
            self.findings.add("{count} row(s) with more values than the others (first: line {first})", line)
        if len(values) < min(self.form.width, names):
            self.findings.add(
                "{count} row(s) with fewer values than names, the missing ones blank (first: line {first})",
                line,
            )
        return values[:names] + [""] * (names - len(values))

    def _cut_off(self, values: list[str], line: int) -> list[str] | None:
        """Return what is sure of a row in which the file ends; None where nothing is."""
        kept = values[:-1][: len(self.form.names)]
        self.findings.cut_off = (
            f"the file breaks off in line {line:,}, in value {len(values)} of {self.form.width}: that value and "
            "the ones after it are taken as blank"
        )
        return kept + [""] * (len(self.form.names) - len(kept)) if any(map(str.strip, kept)) else None

    def _table(self, records: list[list[str]]) -> pa.Table:
        columns = zip(*records, strict=True) if records else [[] for _ in self.form.names]
        return pa.table([pa.array(column, _TEXT) for column in columns], names=list(self.form.names))

    def _without_headers(self, table: pa.Table) -> pa.Table:
        """Take out repeated header lines, as joined exports have them."""
        header = self.form.header
        first = next((place for place, name in enumerate(header) if name), 0)
        suspects = pc.is_in(table.column(first), pa.array([name for name in header if name], _TEXT))
        if len(header) < 2 or not pc.any(suspects).as_py():
            return table
        rows = pc.indices_nonzero(pc.fill_null(suspects, False))
        lines = table.take(rows).to_pylist()
        drop = set()
        for row, record in zip(rows.to_pylist(), lines, strict=True):
            values = [value or "" for value in record.values()]
            if values == list(header):
                drop.add(row)
                self.findings.add(
                    "the header line again {count} time(s), skipped (first: below row {first})",
                    self.rows + row,
                )
            elif sum(value in header for value in values if value) > max(2, len(header) / 2):
                raise UnreadableTable(
                    f"'{self.path.name}' has another header below row {self.rows + row:,}: {values[:6]}.",
                    expected=f"one header ({', '.join(header[:6])} …)",
                    fix="Split the file there.",
                )
        return table.take([row for row in range(len(table)) if row not in drop]) if drop else table

    def _check_notation(self, table: pa.Table) -> None:
        """Refuse readings with a decimal comma among readings with a point, however late they come."""
        if self.form.delimiter == "," and not self.form.decimal_comma:
            return
        for position in self.form.readings:
            column = table.column(position)
            seen = self.notations.setdefault(position, set())
            for mark, pattern in ((",", COMMA_NUMBER), (".", POINT_NUMBER)):
                occurs = mark not in seen and pc.any(pc.match_substring(column, mark)).as_py()
                if occurs and pc.any(pc.match_substring_regex(column, pattern)).as_py():
                    seen.add(mark)
            if len(seen) == 2 or ("," in seen and self.form.decimal_comma is False):
                raise UnreadableTable(
                    f"'{self.path.name}' mixes decimal commas and decimal points in '{self.form.names[position]}' "
                    f"(by row {self.rows + len(table):,}).",
                    expected="one notation",
                    fix="Split the file where the notation changes, or export it again.",
                )


def _stripped(table: pa.Table) -> pa.Table:
    """Strip every value; what is blank then is null."""
    columns = []
    for column in table.columns:
        if column.null_count == len(column):
            columns.append(column)
            continue
        text = pc.utf8_trim_whitespace(column)
        blank = pc.equal(text, "")
        columns.append(pc.if_else(blank, pa.scalar(None, _TEXT), text) if pc.any(blank).as_py() else text)
    result = pa.table(columns, names=table.column_names)
    # In a table of one column a blank line looks like a blank value, and no reader can tell them apart.
    return result.drop_null() if len(columns) == 1 else result
