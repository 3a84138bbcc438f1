"""Pieces of the evaluation's page. Every text is escaped, and cut where no page can bear it."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from bms_schema.run.plot_theme import embedded

from bms_generate.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST_TEXT = 900
_UNIT = re.compile(r"(?<=\d) (?=(?:%|V|A|°C)(?:\W|$))")
_CLASSES = {"yes": "yes", "with care": "care", "no": "no"}


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


def verdict_card(question: str, verdict: Verdict, note: str = "") -> str:
    """Return the answer to a question with its reasons, the gravest first."""
    reasons = "".join(
        f"<li class={_CLASSES[reason.answer]}><b>{said(reason.answer)}</b>{said(reason.text)}</li>"
        for reason in verdict.reasons
    )
    return (
        f"<section class={_CLASSES[verdict.answer]}><h2>{said(question)}</h2>"
        f"<p class=answer>{said(verdict.answer.capitalize())}</p><ul>{reasons}</ul>{paragraph(note)}</section>"
    )


def paragraph(text: str) -> str:
    """Return a soft paragraph of plain text, nothing for an empty one."""
    return f"<p class=soft>{said(text)}</p>" if text else ""


def figures(values: Mapping[str, str]) -> str:
    """Return large figures with their names below."""
    items = "".join(
        f"<div><dd>{said(value)}</dd><dt>{said(name)}</dt></div>" for name, value in values.items()
    )
    return f"<dl class=figures>{items}</dl>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int = 1) -> str:
    """Return a table that scrolls by itself; all but the first `text_columns` are set as numbers."""

    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=number' if place >= text_columns else ''}>{said(text, 120)}</{tag}>"
            for place, text in enumerate(cells)
        )

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<div class=scroll><table><thead><tr>{line(head, 'th')}</tr></thead><tbody>{body}</tbody></table></div>"


def picture(title: str, caption: str, figure: Figure) -> str:
    """Return a picture within the page, its title and how to read it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_png(stream)
    image = f'<img alt="{said(title)}" src="{embedded(stream.getvalue())}">'
    return f"<figure><h3>{said(title)}</h3>{image}<figcaption>{said(caption)}</figcaption></figure>"
