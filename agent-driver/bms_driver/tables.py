"""Small tables for the report: the head of a CSV, its best rows, and how a number is shown."""

import csv
import heapq
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEAD_ROWS, HEAD_COLUMNS = 6, 12
# [U] Text this long with a point in it is a measured or computed value, not an id.
LONG_FRACTION = 7


@dataclass(frozen=True)
class Table:
    """Header, rows of text, and a remark on what was left out ("" when nothing was)."""

    columns: list[str]
    rows: list[list[str]]
    remark: str = ""


def records(path: str | None) -> list[dict[str, str]] | None:
    """Return a CSV's rows as {column: text}, None when it cannot be read as such."""
    if path is None:
        return None
    try:
        return list(_iterate(Path(path)))
    except (OSError, UnicodeDecodeError, csv.Error):
        return None


def _iterate(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        for row in rows:
            yield dict(zip(header, row, strict=False))


def head(path: str) -> Table | None:
    """Return the first rows and columns of a CSV, None when it cannot be read or is empty."""
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file)
            header = next(rows, [])
            first = [row for _, row in zip(range(HEAD_ROWS), rows, strict=False)]
            more_rows = next(rows, None) is not None
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    if not header:
        return None
    left_out = []
    if len(header) > HEAD_COLUMNS:
        left_out.append(f"{len(header) - HEAD_COLUMNS} more columns")
    if more_rows:
        left_out.append("more rows")
    cells = [[shown(value) for value in row[:HEAD_COLUMNS]] for row in first]
    remark = f"{' and '.join(left_out)} in the file" if left_out else ""
    return Table(header[:HEAD_COLUMNS], cells, remark)


def largest(
    rows: list[dict[str, str]], key: Callable[[dict[str, str]], float | None], count: int
) -> list[dict[str, str]]:
    """Return the rows with the largest key, largest first; rows without a key come last."""
    return heapq.nlargest(count, rows, key=lambda row: _or_lowest(key(row)))


def _or_lowest(value: float | None) -> float:
    return -math.inf if value is None else value


def number(value: Any) -> float | None:
    """Return a finite number from a number or its text, else None.

    >>> number("2.5"), number("nan"), number(True)
    (2.5, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        parsed = float(value)
    except ValueError:
        return None
    return parsed if math.isfinite(parsed) else None


def shown(value: Any) -> str:
    """Return a value as the report shows it: four digits of a fraction, thousands with commas.

    >>> shown(0.123456), shown(1234567), shown("12.50001"), shown(None)
    ('0.1235', '1,234,567', '12.5', '–')
    """
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, str):
        # Ids such as 1.10 stay as they are; only a long decimal fraction is shortened.
        parsed = number(value) if "." in value and len(value) >= LONG_FRACTION else None
        return value if parsed is None else f"{parsed:.4g}"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return str(value)
