"""Pieces of self-contained HTML pages in one look. Every text is escaped, and cut where no page can bear it."""

import re
from collections.abc import Collection, Mapping, Sequence
from html import escape

from bms_schema.run.page_style import STYLE
from bms_schema.run.plot_theme import embedded

LONGEST_TEXT, LONGEST_CELL = 1_500, 160
Cell = str | tuple[str, ...]
_UNIT = re.compile(r"(?<=\d) (?=(?:%|mV|V|A|°C|d)(?:\W|$))")
_HEAD = "<meta charset=utf-8><meta name=viewport content='width=device-width, initial-scale=1'>"


def page(title: str, header: str, main: str, style: str = "") -> str:
    """Return a page that loads nothing.

    Args:
        title: Plain text for the browser's tab.
        header: HTML above the cards.
        main: HTML of the cards, see `section`.
        style: CSS of this page alone.
    """
    head = f"<head>{_HEAD}<title>{said(title, 150)}</title><style>{STYLE}{style}</style></head>"
    body = f"<body><header>{header}</header><main>{main}</main></body>"
    return f"<!doctype html><html lang=en>{head}{body}</html>"


def said(text: object, longest: int = LONGEST_TEXT) -> str:
    r"""Escape a text, cut where it is too long, control characters replaced, units kept with their numbers.

    >>> said("<b>", 10), said("x" * 20, 10), said("96 % of 3 A")
    ('&lt;b&gt;', 'xxxxxxxxx…', '96\xa0% of 3\xa0A')
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
    rows: Sequence[Sequence[Cell]],
    *,
    text_columns: int = 1,
    wide: int = -1,
    marked: Collection[int] = (),
) -> str:
    """Return a table that scrolls by itself.

    Args:
        head: Names of the columns.
        rows: Texts; several in one cell stand below each other.
        text_columns: All but so many columns from the first are set as numbers.
        wide: Position of the column that gets the room.
        marked: Positions of the rows that stand out.
    """

    def line(cells: Sequence[Cell], tag: str) -> str:
        return "".join(
            f"<{tag}{_class_of(place, text_columns, wide)}>{_lines(cell)}</{tag}>"
            for place, cell in enumerate(cells)
        )

    body = "".join(
        f"<tr{' class=marked' if place in marked else ''}>{line(row, 'td')}</tr>"
        for place, row in enumerate(rows)
    )
    return f"<div class=scroll><table><thead><tr>{line(head, 'th')}</tr></thead><tbody>{body}</tbody></table></div>"


def _lines(cell: Cell) -> str:
    return "<br>".join(said(text, LONGEST_CELL) for text in ((cell,) if isinstance(cell, str) else cell))


def _class_of(place: int, text_columns: int, wide: int) -> str:
    if place == wide:
        return " class=wide"
    return " class=number" if place >= text_columns else ""


def picture(caption: str, png: bytes, title: str = "") -> str:
    """Return an image within the page and how to read it, under a title if there is one."""
    heading = f"<h3>{said(title)}</h3>" if title else ""
    image = f'<img alt="{said(title or caption)}" src="{embedded(png)}">'
    return f"<figure>{heading}{image}<figcaption>{said(caption)}</figcaption></figure>"
