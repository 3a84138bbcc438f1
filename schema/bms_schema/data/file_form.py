"""The form of a text table, judged from its head: delimiter, header line, unit line, decimal comma.

Later rows are checked against it as they are read (`text_rows`): a head can mislead, silently it cannot.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bms_schema.data.columns import MEASURED_NAMES, match_columns
from bms_schema.data.table_files import FIX
from bms_schema.data.wide_layout import numbered_columns
from bms_schema.run.errors import NotEnoughData, UnreadableTable

_DELIMITERS = (",", ";", "\t", "|")
_ROWS_LOOKED_AT = 200
_PREAMBLE_ROWS = 50
_COMMENT = re.compile(r"\s*(#|//|sep=)")
_UNITS = frozenset(
    (
        *(
            "v",
            "mv",
            "volt",
            "volts",
            "a",
            "ma",
            "amp",
            "amps",
            "%",
            "percent",
            "sg",
            "g/cm3",
            "g/cm³",
            "kg/l",
            "g/ml",
        ),
        *("c", "°c", "degc", "celsius", "f", "°f", "degf", "fahrenheit", "k"),
    )
)
_EXPONENT = r"([eE][+-]?\d+)?"
COMMA_NUMBER = rf"^[+-]?[\d.]*\d,\d+{_EXPONENT}$"
POINT_NUMBER = rf"^[+-]?[\d,]*\d\.\d+{_EXPONENT}$"
_THOUSANDS = re.compile(r"^[+-]?[1-9]\d{0,2}(,\d{3})+$")


@dataclass(frozen=True)
class FileForm:
    """How a text table is written.

    Args:
        delimiter: Between the values.
        header: The column names as written.
        names: The column names, unique and not blank.
        width: How many values a row has: as many as names, unless no row of the head has.
        body_line: Lines before the first row.
        decimal_comma: Whether numbers are written `2,23`; None where the head shows no fraction at all.
        notes: What was found, in words.
    """

    delimiter: str
    header: tuple[str, ...]
    names: tuple[str, ...]
    width: int
    body_line: int
    decimal_comma: bool | None
    notes: tuple[str, ...]

    @property
    def readings(self) -> list[int]:
        """Positions of the columns that hold readings."""
        return reading_positions(self.names)


_Rows = list[tuple[int, list[str]]]  # (line on which the row ends, its values)


def find_form(head: str, path: Path) -> FileForm:
    """Find the form from whole lines (ended by a newline each) of the file's beginning.

    Raises:
        NotEnoughData: nothing but blank lines.
        UnreadableTable: no header, or values without a name; says the line.
    """
    candidates = []
    for order, delimiter in enumerate(_DELIMITERS):
        rows = _split(head, delimiter, path)
        if not rows:
            raise NotEnoughData(
                f"'{path.name}' holds only blank lines.", expected="a header line and rows", fix=FIX
            )
        at = _header_row(rows)
        score = (_known(rows[at][1]), -at, len(rows[at][1]), -order)
        candidates.append((score, delimiter, rows, at))
    _, delimiter, rows, at = max(candidates, key=lambda item: item[0])
    header = tuple(name.strip() for name in rows[at][1])
    names = _unique_names(header, rows[at][0], path)
    below = rows[at + 1 :]
    notes = []
    if at:
        notes.append(f"{at} line(s) before the header (line {rows[at][0]}) skipped")
    if below and _is_unit_row(names, below[0][1]):
        notes.append(f"line {below[0][0]} holds units, not readings; skipped")
        at, below = at + 1, below[1:]
    widths = Counter(len(values) for _, values in below)
    width = len(names) if not widths or len(names) in widths else widths.most_common(1)[0][0]
    notes += _width_notes(names, width, below, path)
    comma = _decimal_comma(names, [values for _, values in below], delimiter)
    if delimiter != ",":
        notes.append(f"delimiter {delimiter!r}")
    return FileForm(delimiter, header, tuple(names), width, rows[at][0], comma, tuple(notes))


def reading_positions(names: Sequence[str]) -> list[int]:
    """Return the positions of the measured columns, one per cell in a wide table."""
    matched = match_columns(list(names))
    readings = {matched[name] for name in MEASURED_NAMES if name in matched} | numbered_columns(names)
    return [position for position, name in enumerate(names) if name in readings]


def is_comment(values: Sequence[str]) -> bool:
    """Whether a row of one value is a comment line."""
    return len(values) == 1 and _COMMENT.match(values[0]) is not None


def unique(names: Iterable[str]) -> list[str]:
    """Name blank columns by their position and number repeated names.

    >>> unique(["V", "", "V"])
    ['V', 'column 2', 'V (2)']
    """
    seen: dict[str, int] = {}
    result: list[str] = []
    for position, name in enumerate(names):
        name = name or f"column {position + 1}"
        candidate, count = name, seen.get(name, 0) + 1
        while candidate in seen:
            candidate, count = f"{name} ({max(count, 2)})", count + 1
        seen[name] = count
        seen.setdefault(candidate, 1)
        result.append(candidate)
    return result


def _split(head: str, delimiter: str, path: Path) -> _Rows:
    reader = csv.reader(io.StringIO(head, newline="\n"), delimiter=delimiter, skipinitialspace=True)
    rows: _Rows = []
    try:
        for values in reader:
            if any(value.strip() for value in values):
                rows.append((reader.line_num, values))
            if len(rows) > _ROWS_LOOKED_AT:
                break
    except csv.Error as error:
        raise UnreadableTable(
            f"'{path.name}' is no CSV: line {reader.line_num}: {error}.", expected="a CSV", fix=FIX
        ) from error
    return rows


def _header_row(rows: _Rows) -> int:
    """Return which row is the header: the first, unless titles or comments stand before it."""
    width = Counter(len(values) for _, values in rows[1:] or rows).most_common(1)[0][0]
    if width == 1:  # not the delimiter, or a table of one column
        return 0
    first = rows[0][1]
    filled = 1 + max(place for place, value in enumerate(first) if value.strip())  # spreadsheets pad a title
    if not _COMMENT.match(first[0]) and filled >= width:
        return 0
    for at, (_, values) in enumerate(rows[:_PREAMBLE_ROWS]):
        if _known(values) >= 2:
            return at
        named = all(value.strip() and not _is_number(value) for value in values) and len(set(values)) == len(
            values
        )
        title_above = _COMMENT.match(first[0]) is not None or filled <= width / 2
        if at and title_above and named and len(values) >= width and not _COMMENT.match(values[0]):
            return at
    return 0


def _known(values: Sequence[str]) -> int:
    """Count the columns BMS-Flux knows by name."""
    names = [re.sub(r"^\s*#\s*", "", value).strip() for value in values]
    return len(match_columns(names)) + len(numbered_columns(names))


def _unique_names(header: Sequence[str], line: int, path: Path) -> list[str]:
    if all(_is_number(name) for name in header):
        raise UnreadableTable(
            f"'{path.name}' has no header: line {line} is {list(header[:4])}.",
            expected="column names",
            fix=FIX,
        )
    return unique([re.sub(r"^#\s*", "", header[0]), *header[1:]])


def _is_unit_row(names: Sequence[str], values: Sequence[str]) -> bool:
    """Whether the row below the header only says units (`V;°C;A`)."""
    readings = [values[position] for position in reading_positions(names) if position < len(values)]
    told = [value.strip().strip("[]()").strip().lower() for value in readings if value.strip()]
    return bool(told) and any(value in _UNITS for value in told) and not any(map(_is_number, told))


def _width_notes(names: Sequence[str], width: int, below: _Rows, path: Path) -> list[str]:
    """Judge rows that are longer or shorter than the header throughout."""
    if width > len(names):
        line, values = next(row for row in below if len(row[1]) == width)
        if any(value.strip() for value in values[len(names) :]):
            raise UnreadableTable(
                f"'{path.name}' names {len(names)} columns, but line {line} has {width} values.",
                expected="a name for every value",
                fix=FIX,
            )
    if width >= len(names):
        return []
    known = set(match_columns(list(names)).values())
    last = max((position for position, name in enumerate(names) if name in known), default=-1)
    sure = f"the columns BMS-Flux uses end at '{names[last]}' (number {last + 1})" if last >= 0 else ""
    return [
        f"{len(names)} names over {width} values in the rows: somewhere a value is missing and what follows "
        f"stands too far left; {sure + ', ' if sure else ''}the last {len(names) - width} name(s) stay blank"
    ]


def _decimal_comma(names: Sequence[str], rows: list[list[str]], delimiter: str) -> bool | None:
    """Tell `2,23` from `2.23` by the columns with readings, or by all where none is known."""
    positions = reading_positions(names) or range(len(names))
    values = [row[position].strip() for row in rows for position in positions if position < len(row)]
    commas = [value for value in values if "," in value and re.match(COMMA_NUMBER, value)]
    if delimiter == "," and all(map(_THOUSANDS.match, commas)):
        commas = []  # "1,234" between commas is a thousand rather than one and a bit
    if commas:
        return True
    return False if delimiter == "," or any(re.match(POINT_NUMBER, value) for value in values) else None


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ".") if text.count(",") == 1 else text)
    except ValueError:
        return False
    return True
