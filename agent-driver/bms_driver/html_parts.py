"""Pieces of HTML. Every text goes through `html.escape` here and nowhere else."""

import base64
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bms_driver.tables import Table, shown

# A picture over this size is linked instead: the report must stay one small file.
MAX_PICTURE_BYTES = 3_000_000
MAX_LISTED = 12
# [U] A text longer than this reads badly inside a row of short figures.
LONG_TEXT = 60


def tag(name: str, *inner: str, **attributes: str) -> str:
    """Return an element around already escaped parts; attribute values are escaped here."""
    given = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{''.join(inner)}</{name}>"


def text(value: Any) -> str:
    """Return a value as escaped text."""
    return escape(shown(value))


def table(content: Table, caption: str = "") -> str:
    """Return a table that scrolls sideways on its own."""
    top = tag("caption", text(caption)) if caption else ""
    header = tag("thead", tag("tr", *(tag("th", text(name), scope="col") for name in content.columns)))
    body = tag("tbody", *(tag("tr", *(tag("td", text(cell)) for cell in row)) for row in content.rows))
    remark = tag("p", text(content.remark), class_="remark") if content.remark else ""
    return tag("div", tag("table", top, header, body), class_="scroll") + remark


def nested(name: str, values: Mapping[str, Any]) -> str:
    """Return a dict as a small table: {row: {column: value}}, or {name: value} as two columns."""
    inner = [value for value in values.values() if isinstance(value, Mapping)]
    rows = list(values.items())[:MAX_LISTED]
    remark = f"{len(values) - MAX_LISTED} more in pipeline.json" if len(values) > MAX_LISTED else ""
    if not inner:
        return table(Table([name, "value"], [[key, brief(value)] for key, value in rows], remark))
    columns = list(dict.fromkeys(key for value in inner for key in value))[:MAX_LISTED]
    cells = [
        [key, *(brief(value.get(column)) for column in columns)]
        if isinstance(value, Mapping)
        else [key, brief(value), *[""] * (len(columns) - 1)]
        for key, value in rows
    ]
    return table(Table([name, *columns], cells, remark))


def brief(value: Any) -> str:
    """Return any value as one short text; what is nested deeper is named, not spread out."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {brief(item)}" for key, item in list(value.items())[:MAX_LISTED]) or "–"
    if isinstance(value, Sequence) and not isinstance(value, str):
        listed = ", ".join(brief(item) for item in value[:MAX_LISTED])
        return f"{listed}, … ({len(value)})" if len(value) > MAX_LISTED else listed or "none"
    return shown(value)


def figures(values: Mapping[str, Any]) -> str:
    """Return single values as a list of name and value."""
    pairs = (tag("div", tag("dt", text(label(key))), tag("dd", text(value))) for key, value in values.items())
    return tag("dl", *pairs, class_="figures")


def sentences(value: Any) -> list[str]:
    """Return a list of texts that need a line each, [] for anything else."""
    listed = value if isinstance(value, list) else []
    texts = [item for item in listed if isinstance(item, str)]
    return texts[:MAX_LISTED] if any(len(item) > LONG_TEXT for item in texts) else []


def bullets(lines: list[str]) -> str:
    """Return lines as a bullet list, nothing when there are none."""
    return tag("ul", *(tag("li", text(line)) for line in lines), class_="lines") if lines else ""


def label(key: str) -> str:
    """Return a result key as words.

    >>> label("rows_in")
    'rows in'
    """
    return key.replace("_", " ")


def picture(path: str, alt: str) -> str:
    """Return a PNG inlined as base64; nothing when it cannot be read or is too large."""
    try:
        file = Path(path)
        if file.stat().st_size > MAX_PICTURE_BYTES:
            return ""
        content = base64.b64encode(file.read_bytes()).decode("ascii")
    except OSError:
        return ""
    image = f'<img src="data:image/png;base64,{content}" alt="{escape(alt)}">'
    return tag("figure", image, tag("figcaption", text(alt)))


def link(path: str, name: str, out: Path) -> str:
    """Return a link to a local file: relative beside the report's folder, else a file address."""
    target = Path(path)
    relative = target.is_relative_to(out.parent)
    address = Path(os.path.relpath(target, out)).as_posix() if relative else target.as_uri()
    return tag("a", text(name), href=quote(address) if relative else address)
