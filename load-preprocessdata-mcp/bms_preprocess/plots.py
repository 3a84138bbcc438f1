"""The pictures of the quality report, each only where it has something to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bms_preprocess.plot_cells import draw_deviations, draw_traces, draw_voltage, prepare_deviations
from bms_preprocess.plot_missing import (
    draw_maps,
    draw_missing,
    draw_reasons,
    prepare_missing,
    prepare_reasons,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bms_preprocess.quality import PartQuality


SMALLEST_SHARE = 0.005  # below it a heat map is blank


@dataclass(frozen=True)
class Picture:
    """A picture: a name for its file, how to read it, and the figure."""

    name: str
    caption: str
    figure: Figure


def draw_pictures(seen: PartQuality, report: Mapping[str, Any]) -> list[Picture]:
    """Return the pictures of a report.

    Args:
        seen: The merged part that the report was made of.
        report: From `quality_report`.
    """
    pictures = []
    shares, reasons = prepare_missing(report), prepare_reasons(report)
    if report["cells"] > 1 and shares.to_numpy().max(initial=0.0) >= SMALLEST_SHARE:
        caption = (
            "Share of a cell's rows without a reading of the column, or with one whose unit or sign was put right. "
            "A dark column is a cell that does not answer, a dark row a sensor that is missing throughout."
        )
        pictures.append(Picture("missing", caption, draw_missing(shares, report["cells"])))
    if len(reasons.columns):
        caption = "Readings missing or changed, by reason. Everything else is as the file says."
        pictures.append(Picture("reasons", caption, draw_reasons(reasons)))
    if seen.maps:
        caption = (
            "One line per cell. The stronger a colour, the more of the stretch's readings of voltage, temperature "
            "and gravity are missing for that reason. A vertical stripe is the whole string at once, a horizontal "
            "one a single cell."
        )
        pictures.append(Picture("availability", caption, draw_maps(seen.maps)))
    if seen.bands:
        caption = (
            "Cleaned, nothing filled in. Dips of the whole band are discharges; a band that widens towards its end "
            "has cells that drift apart."
        )
        figure = draw_voltage(seen.bands, report["strings"], report["float_window"])
        pictures.append(Picture("voltage", caption, figure))
    deviations = prepare_deviations(seen.cells)
    if deviations:
        caption = (
            "Point: usual distance of the cell from the median of its string at the same moment; bar: 90 % of its "
            "readings. Red: it is beyond six robust sigmas often and for long."
        )
        pictures.append(Picture("deviation", caption, draw_deviations(deviations, report["cells"])))
    if seen.traces:
        caption = (
            "The 160 readings with most masked ones, of the cells with most. Crosses were in the file and count as "
            "missing from here on."
        )
        pictures.append(Picture("masked", caption, draw_traces(seen.traces)))
    return pictures
