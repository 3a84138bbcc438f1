"""The report as files: `report.json`, the pictures, and the page that shows them."""

import json
from pathlib import Path

from bms_schema.run.plot_theme import save_png

from bms_preprocess.plots import draw_pictures
from bms_preprocess.quality_page import quality_page
from bms_preprocess.summary import Summary


def write_report(summary: Summary, source: str, folder: Path) -> None:
    """Write the report on a run into its folder.

    Args:
        summary: What the run found and did.
        source: Name of what was read, for the title.
        folder: Where to.
    """
    text = json.dumps(summary.report, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "report.json").write_text(text, encoding="utf-8")
    pictures = [
        (picture.caption, save_png(picture.figure, folder / f"{picture.name}.png"))
        for picture in draw_pictures(summary.quality, summary.report)
    ]
    page = quality_page(summary.report, source, pictures)
    (folder / "report.html").write_text(page, encoding="utf-8")
