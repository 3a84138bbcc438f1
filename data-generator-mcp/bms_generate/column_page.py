"""The small page of a picture: what it shows in words, the chart to zoom into, and the pictures themselves."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

from bms_schema.run.plot_theme import CYCLE, embedded

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Without the network there is no plotly.js: then the empty chart gives way to the pictures.
_HIDE_EMPTY = "<script>if(!window.Plotly)document.currentScript.previousElementSibling.hidden=true</script>"
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:1.5rem auto;padding:0 1rem;"
    "color:#222;background:#fff}img{max-width:100%;height:auto;display:block;margin:1rem 0}"
)


def write_page(path: Path, title: str, finding: str, chart: go.Figure, pictures: list[Path]) -> Path:
    """Write the page; without a network the chart stays away and the pictures say the same.

    Args:
        path: Where to.
        title: Heading.
        finding: What is to be seen, in a sentence.
        chart: Interactive chart of bins or shares, never of rows.
        pictures: PNG files to show below.
    """
    chart.update_layout(
        template="plotly_white", colorway=CYCLE, margin={"t": 30}, legend={"orientation": "h", "y": 1.1}
    )
    parts = [
        f"<h1>{html.escape(title)}</h1><p>{html.escape(finding)}</p>",
        chart.to_html(full_html=False, include_plotlyjs="cdn", default_height="26rem"),
        _HIDE_EMPTY,
        *(f'<img alt="{html.escape(item.stem)}" src="{embedded(item.read_bytes())}">' for item in pictures),
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
    )
    page = f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>'
    path.write_text(page, encoding="utf-8")
    return path
