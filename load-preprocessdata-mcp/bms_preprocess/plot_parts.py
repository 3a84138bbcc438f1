"""What the report's pictures share: colours of reasons, names that fit an axis, axes of time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from bms_schema.data.cleaning import (
    BLANK,
    IMPUTED,
    NOT_A_NUMBER,
    OUT_OF_RANGE,
    SENTINEL,
    SIGN_RESTORED,
    SPIKE,
    STUCK,
    UNIT_CONVERTED,
)
from bms_schema.run.plot_theme import COLOURS

from bms_preprocess.timeline import UNDATED_S

REASON_COLOURS = {
    BLANK: COLOURS["grey"],
    NOT_A_NUMBER: COLOURS["purple"],
    SENTINEL: COLOURS["red"],
    OUT_OF_RANGE: COLOURS["orange"],
    SPIKE: "#1B2330",
    STUCK: COLOURS["blue"],
    UNIT_CONVERTED: "#BFDDBF",
    SIGN_RESTORED: COLOURS["green"],
    IMPUTED: COLOURS["sky"],
}
_DAY_NS = 86_400e9
MOST_LABELS, MOST_BORDERS, LONGEST_LABEL = 32, 24, 22


def natural(name: str) -> str:
    """Pad numbers, so that cell 10 follows cell 9."""
    return re.sub(r"\d+", lambda match: match.group().zfill(12), name)


def fitting(name: str) -> str:
    """Cut a name that is too long for an axis, and take the mathematics out of `$`."""
    cut = name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 13]}…{name[-12:]}"
    return "".join(character if character.isprintable() else "?" for character in cut).replace("$", r"\$")


def label_cells(axis: Any, cells: Sequence[str], *, rotation: float = 0.0) -> None:
    """Write cell names along an axis at 0, 1, …; of many every n-th."""
    every = -(-len(cells) // MOST_LABELS)
    shown = range(0, len(cells), max(every, 1))
    axis.set_ticks(list(shown), [fitting(cells[at]) for at in shown], rotation=rotation, fontsize=7)


def string_borders(strings: Sequence[str]) -> list[float]:
    """Return the places between 0, 1, … where the string changes; none where so many would hide the picture."""
    borders = [at - 0.5 for at in range(1, len(strings)) if strings[at] != strings[at - 1]]
    return borders if len(borders) <= MOST_BORDERS else []


def on_axis(times: np.ndarray) -> np.ndarray:
    """Return times as drawn: datetimes, days where the record has no dates, or source rows as they are."""
    if _dated(times) or not np.issubdtype(times.dtype, np.datetime64):
        return times
    return np.asarray(times.astype("int64") / _DAY_NS)


def label_time(axes: Any, times: np.ndarray) -> None:
    """Label the x axis of what was drawn at `on_axis(times)`."""
    if _dated(times):
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator()
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    else:
        undated = np.issubdtype(times.dtype, np.datetime64)
        axes.set_xlabel("days as laid out, without dates" if undated else "row of the input", fontsize=8)


def _dated(times: np.ndarray) -> bool:
    """Whether the record has dates: none was logged in 1970."""
    if not np.issubdtype(times.dtype, np.datetime64):
        return False
    return bool(times.max() > np.datetime64(int(UNDATED_S), "s"))
