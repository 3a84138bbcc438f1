"""The small page of a picture: what it shows in words, the chart to zoom into, and the pictures themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bms_schema.run.page import page, paragraph, picture, said
from bms_schema.run.plot_theme import CYCLE

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Without the network there is no plotly.js: then the empty chart gives way to a line that says so. The line stands
# first, so that it is there too while a slow network is waited for and where scripts are forbidden.
_NO_CHART = (
    "The chart to zoom into is drawn by plotly.js, which is loaded from cdn.plot.ly: without a network it stays "
    "away. The picture below shows the same."
)
_SHOW_ONE = (
    "<script>{const chart=document.currentScript.previousElementSibling;"
    "(window.Plotly?chart.previousElementSibling:chart).hidden=true}</script>"
)


def write_page(path: Path, title: str, finding: str, chart: go.Figure, pictures: list[Path]) -> Path:
    """Write the page; without a network a line stands in the place of the chart and the pictures say the same.

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
        paragraph(_NO_CHART, soft=True),
        chart.to_html(full_html=False, include_plotlyjs="cdn", default_height="26rem"),
        _SHOW_ONE,
        *(picture("", item.read_bytes(), item.stem) for item in pictures),
    ]
    header = f"<h1>{said(title)}</h1>{paragraph(finding)}"
    path.write_text(page(title, header, f"<section>{''.join(parts)}</section>"), encoding="utf-8")
    return path
