"""Reading a table as text: CSV, CSV.gz, Parquet or a folder of them, right or not at all.

Nothing is interpreted here but the file's own form (encoding, delimiter, header). Values stay text, so
that a later step can say what it did to each of them.
"""

import csv
import gzip
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pandas as pd

from bms_schema.data.columns import match_columns
from bms_schema.run.errors import InvalidArgument, NotEnoughData, UnreadableTable

SUFFIXES = (".csv", ".csv.gz", ".parquet")
DEFAULT_CHUNKSIZE = 100_000
_SAMPLE_BYTES = 256 * 1024
_DELIMITERS = (",", ";", "\t", "|")
_FIX = "Export it again as a CSV with one header line, or convert it to Parquet."


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


def is_table(path: Path) -> bool:
    """Whether the file's name ends like a table we read."""
    return path.name.lower().endswith(SUFFIXES)


def read_table(path: Path, *, chunksize: int = DEFAULT_CHUNKSIZE) -> RawTable:
    """Read a file, or every table of a folder in name order.

    Args:
        path: An existing `.csv`, `.csv.gz`, `.parquet` or a folder of them.
        chunksize: Rows parsed at once; never changes the result.

    Raises:
        InvalidArgument: chunksize is not positive.
        UnreadableTable: not a table; says the line and the reason.
        NotEnoughData: the table has no rows.
    """
    if chunksize < 1:
        raise InvalidArgument(f"chunksize is {chunksize}.", expected="at least 1", fix="Leave it at 100000.")
    files = [path]
    if path.is_dir():
        files = sorted(item for item in path.iterdir() if item.is_file() and is_table(item))
        if not files:
            raise UnreadableTable(
                f"The folder '{path}' holds no table.", expected=f"{', '.join(SUFFIXES)} files", fix=_FIX
            )
    elif not is_table(path):
        raise UnreadableTable(
            f"'{path.name}' is no kind of table read here.", expected=f"{', '.join(SUFFIXES)}", fix=_FIX
        )
    tables = [_read_file(item, chunksize) for item in files]
    if any(table.decimal_comma != tables[0].decimal_comma for table in tables):
        raise UnreadableTable(
            f"The files in '{path}' mix decimal commas and decimal points.",
            expected="one notation",
            fix="Read them one by one.",
        )
    frame = (
        tables[0].frame
        if len(tables) == 1
        else pd.concat([table.frame for table in tables], ignore_index=True)
    )
    if frame.empty:
        raise NotEnoughData(
            f"'{path.name}' has a header but no rows.", expected="at least one row", fix="Check the export."
        )
    notes = [
        f"{item.name}: {note}" if len(files) > 1 else note
        for item, table in zip(files, tables, strict=True)
        for note in table.notes
    ]
    return RawTable(frame, notes, tables[0].decimal_comma)


def _read_file(path: Path, chunksize: int) -> RawTable:
    if path.stat().st_size == 0:
        raise NotEnoughData(
            f"'{path.name}' is empty.", expected="a header line and rows", fix="Check the export."
        )
    try:
        return _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path, chunksize)
    except (OSError, EOFError, UnicodeError) as error:
        raise UnreadableTable(
            f"'{path.name}' cannot be read: {error}.", expected="an undamaged file", fix=_FIX
        ) from error


def _read_parquet(path: Path) -> RawTable:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        frame = pyarrow.parquet.read_table(path).to_pandas()
    except pa.ArrowException as error:
        raise UnreadableTable(
            f"'{path.name}' is no valid Parquet: {error}.", expected="a Parquet file", fix=_FIX
        ) from error
    frame.columns = [str(name) for name in frame.columns]
    return RawTable(frame.reset_index(drop=True))


def _read_csv(path: Path, chunksize: int) -> RawTable:
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "rb") as stream:
        head = stream.read(_SAMPLE_BYTES)
    encoding, notes = _encoding_of(head, path)
    form = _form_of(head.decode(encoding, errors="ignore"), path)
    notes += form.notes
    with opener(path, "rt", encoding=encoding, newline="") as text:
        frame = _parse(text, form, chunksize, path)
    return RawTable(frame, notes, form.decimal_comma)


def _parse(text: IO[str], form: "_Form", chunksize: int, path: Path) -> pd.DataFrame:
    """Parse the rows as text, `chunksize` at once."""
    try:
        reader = pd.read_csv(
            text,
            sep=form.delimiter,
            header=0,
            names=form.names,
            usecols=range(len(form.names)) if form.extra_blank else None,
            dtype="string[pyarrow]",
            keep_default_na=False,
            na_values=[""],
            skipinitialspace=True,
            index_col=False,
            chunksize=chunksize,
            on_bad_lines="error",
        )
        chunks = [chunk.apply(lambda column: column.str.strip().replace("", pd.NA)) for chunk in reader]
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise UnreadableTable(
            f"'{path.name}' breaks off: {reason}.", expected="as many values as names", fix=_FIX
        ) from error
    return pd.concat(chunks, ignore_index=True) if chunks else pd.DataFrame(columns=form.names)


def _encoding_of(head: bytes, path: Path) -> tuple[str, list[str]]:
    """Name the encoding by BOM, else UTF-8 if it decodes, else Windows-1252 with a note."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", []
    if b"\0" in head:
        raise UnreadableTable(f"'{path.name}' holds binary data.", expected="text", fix=_FIX)
    try:
        # The sample may end inside a character: an error in its last bytes is none of the file's.
        head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4 or len(head) < _SAMPLE_BYTES:
            return "cp1252", ["not UTF-8; read as Windows-1252"]
    return "utf-8-sig", []


@dataclass
class _Form:
    delimiter: str
    names: list[str]
    decimal_comma: bool
    extra_blank: bool
    notes: list[str]


def _form_of(sample: str, path: Path) -> _Form:
    """Find delimiter and header in the first lines, and check the rows against the header."""
    lines = [line for line in sample.splitlines()[:2000] if line.strip()]
    if not lines:
        raise NotEnoughData(
            f"'{path.name}' holds only blank lines.", expected="a header line and rows", fix=_FIX
        )
    delimiter = max(_DELIMITERS, key=lambda mark: (lines[0].count(mark), -_DELIMITERS.index(mark)))
    complete = lines if len(sample) < _SAMPLE_BYTES or len(lines) == 1 else lines[:-1]
    try:
        rows = list(csv.reader(io.StringIO("\n".join(complete)), delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise UnreadableTable(f"'{path.name}' is no CSV: {error}.", expected="a CSV", fix=_FIX) from error
    names = _header(rows[0], path)
    widths = {len(row) for row in rows[1:]}
    notes: list[str] = []
    extra_blank = False
    if widths and min(widths) > len(names):
        extra_blank = all(not value.strip() for row in rows[1:] for value in row[len(names) :])
        if not extra_blank:
            raise UnreadableTable(
                f"'{path.name}' names {len(names)} columns, but line 2 has {len(rows[1])} values.",
                expected="a name for every value",
                fix=_FIX,
            )
    elif widths and max(widths) < len(names):
        notes.append(_short_rows_note(names, max(widths)))
    decimal_comma = delimiter != "," and any(_is_decimal_comma(value) for row in rows[1:] for value in row)
    if delimiter != ",":
        notes.append(f"delimiter {delimiter!r}" + (", decimal comma" if decimal_comma else ""))
    return _Form(delimiter, names, decimal_comma, extra_blank, notes)


def _header(row: list[str], path: Path) -> list[str]:
    """Return unique column names; a first line of numbers is no header."""
    names = [name.strip() for name in row]
    if all(_is_number(name) for name in names):
        raise UnreadableTable(
            f"'{path.name}' has no header: line 1 is {names[:4]}.", expected="column names", fix=_FIX
        )
    seen: dict[str, int] = {}
    unique = []
    for position, name in enumerate(names):
        name = name or f"column {position + 1}"
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique


def _short_rows_note(names: list[str], width: int) -> str:
    """Word the case of more names than values: which column is missing cannot be told from the file."""
    known = set(match_columns(names).values())
    last_known = max((position for position, name in enumerate(names) if name in known), default=-1)
    sure = f"the columns BMS-Flux uses end at '{names[last_known]}' (number {last_known + 1})"
    return (
        f"{len(names)} names over {width} values in every row looked at: somewhere a value is missing and what "
        f"follows stands too far left; {sure}, the last {len(names) - width} name(s) stay blank"
    )


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ".") if text.count(",") == 1 else text)
    except ValueError:
        return False
    return True


def _is_decimal_comma(text: str) -> bool:
    whole, comma, fraction = text.strip().partition(",")
    return bool(comma) and whole.lstrip("+-").isdigit() and fraction.isdigit()
