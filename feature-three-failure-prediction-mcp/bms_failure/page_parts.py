"""Pieces of the report page. Every text passes `said`, which escapes it and cuts what no page can bear."""

import re
from collections.abc import Collection, Mapping, Sequence
from html import escape
from pathlib import Path

from bms_schema.run.plot_theme import embedded

LONGEST_TEXT = 1_500
_UNIT = re.compile(r"(?<=\d) (?=(%|mV|°C|d)(\W|$))")


def said(text: object, longest: int = LONGEST_TEXT) -> str:
    """Escape a text, cut where it is too long, control characters replaced, units kept with their numbers.

    >>> said("<b>", 10), said("x" * 20, 10), said("96 % of 3 d")
    ('&lt;b&gt;', 'xxxxxxxxx…', '96\xa0% of 3\xa0d')
    """
    plain = str(text)
    cut = plain if len(plain) <= longest else f"{plain[: longest - 1]}…"
    clean = "".join(letter if letter.isprintable() else " " for letter in cut)
    return escape(_UNIT.sub("\xa0", clean))


def section(title: str, *content: str) -> str:
    """Return a titled card of parts that are HTML already; nothing where all of them are empty."""
    inner = "".join(content)
    return f"<section><h2>{said(title)}</h2>{inner}</section>" if inner else ""


def paragraph(text: str, *, soft: bool = False) -> str:
    """Return a paragraph of plain text, nothing for an empty one."""
    return f"<p{' class=soft' if soft else ''}>{said(text)}</p>" if text else ""


def bullets(texts: Sequence[str]) -> str:
    """Return a list of plain texts, nothing for none."""
    return f"<ul>{''.join(f'<li>{said(text)}</li>' for text in texts)}</ul>" if texts else ""


def figures(values: Mapping[str, str]) -> str:
    """Return large figures with their names below."""
    items = "".join(
        f"<div><dd>{said(value)}</dd><dt>{said(name)}</dt></div>" for name, value in values.items()
    )
    return f"<dl class=figures>{items}</dl>"


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: int = 0,
    wide: int = -1,
    marked: Collection[int] = (),
) -> str:
    """Return a table that scrolls by itself.

    Args:
        head: Names of the columns.
        rows: Texts; a line break within one starts a new line.
        numbers: So many columns from the first are text, the others are set as numbers; 0 sets none.
        wide: Position of the column that gets the room.
        marked: Positions of the rows that stand out.
    """

    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{_class_of(place, numbers, wide)}>"
            f"{'<br>'.join(said(part, 300) for part in text.split(chr(10)))}</{tag}>"
            for place, text in enumerate(cells)
        )

    body = "".join(
        f"<tr{' class=marked' if place in marked else ''}>{line(row, 'td')}</tr>"
        for place, row in enumerate(rows)
    )
    return f"<div class=scroll><table><thead><tr>{line(head, 'th')}</tr></thead><tbody>{body}</tbody></table></div>"


def _class_of(place: int, numbers: int, wide: int) -> str:
    if place == wide:
        return " class=wide"
    return " class=number" if 0 < numbers <= place else ""


def picture(caption: str, path: Path) -> str:
    """Return an image within the page and how to read it."""
    text, source = said(caption), embedded(path.read_bytes())
    return f'<figure><img alt="{text}" src="{source}"><figcaption>{text}</figcaption></figure>'
