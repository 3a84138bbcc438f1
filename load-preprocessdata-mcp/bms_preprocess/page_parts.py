"""Pieces of the quality page, every text of the file escaped and cut to a length that a page can bear."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from bms_schema.run.plot_theme import embedded

LONGEST_TEXT = 900


def section(title: str, content: str) -> str:
    """Return a titled card."""
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def paragraph(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{said(text)}</p>"


def bullets(texts: Sequence[str], most: int) -> str:
    """Return a list of at most `most` texts, and how many more there are."""
    if not texts:
        return ""
    shown = [
        *texts[:most],
        *([f"and {len(texts) - most:,} more in report.json"] if len(texts) > most else []),
    ]
    return f"<ul>{''.join(f'<li>{said(text)}</li>' for text in shown)}</ul>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int) -> str:
    """Return a table that scrolls by itself; all but the first `text_columns` are set as numbers."""

    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=number' if place >= text_columns else ''}>{said(text, 80)}</{tag}>"
            for place, text in enumerate(cells)
        )

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<div class=scroll><table><thead><tr>{line(head, 'th')}</tr></thead><tbody>{body}</tbody></table></div>"


def picture(caption: str, path: Path) -> str:
    """Return an image within the page and how to read it."""
    text, source = escape(caption), embedded(path.read_bytes())
    return f'<figure><img alt="{text}" src="{source}"><figcaption>{text}</figcaption></figure>'


def said(text: str, longest: int = LONGEST_TEXT) -> str:
    """Escape a text, cut where it is too long, control characters replaced.

    >>> said("<b>", 10), said("x" * 20, 10)
    ('&lt;b&gt;', 'xxxxxxxxx…')
    """
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return escape("".join(letter if letter.isprintable() else " " for letter in cut))


def number(value: float | None) -> str:
    """Return four digits, a dash where there is none."""
    return "–" if value is None else f"{value:.4g}"


def duration(seconds: float | None) -> str:
    """Return a step of time in the largest unit that it fills."""
    if seconds is None:
        return "?"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
