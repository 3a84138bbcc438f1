"""Findings on time stamps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bms_schema.data.columns import CELL_ID
from bms_schema.data.moments import GAP_STEPS
from bms_schema.run.wording import counted

from bms_preprocess.finding import Finding, hours, moment, named, percent, short

if TYPE_CHECKING:
    from bms_preprocess.quality import PartQuality

TOGETHER_SHARE = 0.5  # cells of a string that have a row at the same moment
MISSING_SHARE = 0.01


def gaps(seen: PartQuality, record: Mapping[str, Any]) -> list[Finding]:
    """Tell the pauses, and the longest."""
    if not record["gaps"]:
        return []
    longest, most = record["longest_gaps"][0], int(seen.cells["gaps"].max())
    text = (
        f"{counted(record['gaps'], 'pause')} of more than {GAP_STEPS:g} usual steps, counted cell by cell (at most "
        f"{most:,} in one cell); the longest is {hours(longest['hours'])}, in cell {short(longest[CELL_ID])} from "
        f"{moment(longest['from'])}. Nothing was carried, differenced or lagged across a pause."
    )
    return [Finding("note", "Gaps in time", text)]


def stamps(record: Mapping[str, Any]) -> list[Finding]:
    """Tell time stamps that repeat, go back or are missing."""
    found = []
    repeated, backward = record["duplicate_rows"], record["backward_time_stamps"]
    if repeated or backward:
        text = (
            f"{counted(repeated, 'row')} with the time of another row of the same cell, "
            f"{counted(backward, 'row')} at which a cell's clock goes back. All were kept, and sorted by time "
            "where order matters. Check for double exports, clock changes, and a resolution of the time column "
            "coarser than the log's."
        )
        found.append(Finding("note", "Repeated or backward time stamps", text))
    without, rows = record["time"]["rows_without_time"], record["rows"]
    if without == rows:
        text = "No row has a time stamp: windows count readings, and gaps cannot be seen."
        found.append(Finding("note", "No time stamps", text))
    elif without > MISSING_SHARE * rows:
        text = (
            f"{without:,} of {rows:,} rows ({percent(without / rows)}) have no readable time stamp; they stand "
            "alone, without lags and windows."
        )
        found.append(Finding("check", "Rows without a time", text))
    return found


def scattered(seen: PartQuality) -> list[Finding]:
    """Name the strings whose cells log at different moments."""
    strings = seen.strings[(seen.strings["cells"] > 1) & (seen.strings["moments"] > 0)]
    together = strings["timed"] / strings["moments"] / strings["cells"]
    telling = strings[together < TOGETHER_SHARE]
    if telling.empty:
        return []
    listed = [
        (row["string"] or "the only string", f"{row['timed'] / row['moments']:.3g} of {row['cells']} cells")
        for row in telling.head(5).to_dict("records")
    ]
    text = (
        f"{named(listed, len(telling))}: cells with a row at one moment, on average. Where hardly two cells share "
        "a moment, readings within one usual step are compared as if they were simultaneous."
    )
    return [Finding("note", "Cells of a string log at different moments", text)]
