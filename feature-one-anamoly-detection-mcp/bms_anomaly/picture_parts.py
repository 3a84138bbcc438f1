"""What the pictures share: one colour scale for both sorts of fault, names that fit, axes that are not squashed."""

import re
from typing import Any

import numpy as np
import pandas as pd

SCORE, ABOUT = "anomaly_score", "about"
# From sensor faults (below zero, blue) over nothing odd (pale) to cell faults (orange to dark purple): a scale that
# colour-blind readers can follow, dark = worst. A score of 3 opens an event, and from 10 on nothing gets darker.
TOP_SCORE = 10.0
FAULT_SCALE = (
    (0.0, "#08306B"),
    (0.325, "#56B4E9"),
    (0.4, "#DCEBF3"),
    (0.5, "#F6F5F1"),
    (0.6, "#F3E9D2"),
    (0.675, "#E69F00"),
    (0.8, "#D55E00"),
    (1.0, "#5C1247"),
)
FAULT_COLOURS = {"cell": "#D55E00", "sensor": "#0072B2"}
SCALE_TICKS = (-10, -7, -3, 0, 3, 7, 10)
SCALE_LABELS = ("10+", "7", "3", "0", "3", "7", "10+")
SCALE_TITLE = "sensor fault  ←  anomaly score [decades of rarity]  →  cell fault"
LONGEST_NAME = 22
# An axis goes this many widths of a crowd (its 1st to 99th percentile) beyond it at most.
CROWD, WIDTHS_BEYOND, WIDTHS_BEYOND_OTHERS = (0.01, 0.99), 3.0, 0.5


def signed_scores(rows: pd.DataFrame) -> np.ndarray:
    """Return the scores as the colour scale takes them: those of sensor faults below zero, shape (n,)."""
    score = rows[SCORE].to_numpy(dtype=float)
    return np.where(of_sensor(rows), -score, score)


def of_sensor(rows: pd.DataFrame) -> np.ndarray:
    """Return which rows lie in events that speak of a sensor, not of the cell, shape (n,)."""
    if ABOUT not in rows:
        return np.zeros(len(rows), dtype=bool)
    return (rows[ABOUT] == "sensor").fillna(False).to_numpy(dtype=bool)


def fault_colormap() -> Any:
    """Return the fault scale for matplotlib, drawn between -10 and 10."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("faults", list(FAULT_SCALE))


def crowd_limits(
    values: np.ndarray, crowd: np.ndarray, others: np.ndarray | None = None
) -> tuple[float, float]:
    """Return the ends of an axis that shows the crowd well, whatever the wildest values are.

    The axis ends where the values end, or three widths of the crowd beyond it, whichever comes first.

    >>> crowd_limits(np.array([-99.0, 2.0, 4.0, 5.0]), np.array([2.0, 2.0, 4.0, 4.0]))
    (-4.0, 5.0)

    Args:
        values: All that is to be drawn, any shape, NaN = none.
        crowd: The usual values among them; all are, where it holds none.
        others: Values that are to be seen in any case, save the wildest of them; the axis goes half a width beyond.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0
    usual = crowd[np.isfinite(crowd)]
    low, high = _reach(usual if usual.size else known, WIDTHS_BEYOND)
    if not high > low:
        return float(known.min()), float(known.max())
    if others is not None and np.isfinite(others).any():
        first, last = _reach(others[np.isfinite(others)], WIDTHS_BEYOND_OTHERS)
        low, high = min(low, first), max(high, last)
    return max(float(known.min()), low), min(float(known.max()), high)


def _reach(values: np.ndarray, widths: float) -> tuple[float, float]:
    low, high = np.quantile(values, CROWD)
    return float(low - widths * (high - low)), float(high + widths * (high - low))


def natural(name: str) -> str:
    """Pad the numbers in a name, so that cell 10 follows cell 9.

    >>> sorted(["C10", "C9"], key=natural)
    ['C9', 'C10']
    """
    return re.sub(r"\d+", lambda match: match.group().zfill(12), str(name))


def fitting(name: str, longest: int = LONGEST_NAME) -> str:
    """Cut what is too long for its place, and take the mathematics out of `$`.

    >>> fitting("S1/C07"), fitting("a$b")
    ('S1/C07', 'a\\\\$b')
    """
    cut = name if len(name) <= longest else f"{name[: longest - 1]}…"
    return "".join(character if character.isprintable() else "?" for character in cut).replace("$", r"\$")
