"""A few real and synthetic cells over time, side by side: what distributions cannot show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bms_schema.data.labels import parse_labels
from bms_schema.run.plot_theme import COLOURS, new_figure

from bms_generate.plot_text import wrapped
from bms_generate.telemetry_roles import TelemetryRoles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TYPICAL, FARTHEST, LABELLED = "typical", "farthest", "labelled"
RULE = "typical: mean nearest to the cells' median; farthest: mean farthest from it"
SIDES = ("real", "synthetic")
_MOST_READINGS = 1000  # of a cell, the last ones: more would run into a band
_GAP_STEPS = 1.5  # a step longer than this many usual ones is a gap
_FEWEST_READINGS = 2
_LONGEST_TITLE, _LONGEST_LABEL = 48, 20


@dataclass(frozen=True)
class CellSeries:
    """The chosen cells' readings.

    Args:
        table: Columns `side` (real, synthetic), `role`, `cell`, `time`, `value` (NaN in gaps).
        roles: The roles, top down.
        label: The label column by which a labelled cell was chosen; None where there is none.
        last_only: Whether only each cell's last readings are in the table.
    """

    table: pd.DataFrame
    roles: list[str]
    label: str | None
    last_only: bool


def prepare_cells(
    real: pd.DataFrame, synthetic: pd.DataFrame, roles: TelemetryRoles, column: str
) -> CellSeries | None:
    """Choose cells of both tables by the same rule and give their readings.

    Args:
        real: The real table, typed.
        synthetic: The synthetic one.
        roles: Of the real table; it holds series.
        column: Numerical.

    Returns:
        None where a side has no cell with two readings.
    """
    parts, last_only = [], False
    for side, frame in zip(SIDES, (real, synthetic), strict=True):
        known = frame.dropna(subset=[*roles.entity, roles.time]).sort_values(roles.time, kind="stable")
        cells = known.groupby(roles.entity, sort=False)
        for role, cell in choose_cells(known, roles, column).items():
            readings = cells.get_group(cell)
            last_only |= len(readings) > _MOST_READINGS
            series = _with_gaps(readings[roles.time], readings[column])
            name = "/".join(map(str, (*cell[1:], cell[0])))
            parts.append(series.assign(side=side, role=role, cell=name))
        if not parts or parts[-1]["side"].iloc[0] != side:
            return None
    table = pd.concat(parts, ignore_index=True)
    shown = [role for role in (TYPICAL, FARTHEST, LABELLED) if (table["role"] == role).any()]
    return CellSeries(table, shown, roles.label, last_only)


def choose_cells(frame: pd.DataFrame, roles: TelemetryRoles, column: str) -> dict[str, tuple[object, ...]]:
    """Choose a typical cell, the one farthest from the others, and the one with most rows of the label.

    Args:
        frame: Rows with cell and time.
        roles: Its columns.
        column: Numerical.

    Returns:
        Role -> the cell's values in the entity columns; a cell has one role, the label's first.
    """
    cells = frame.groupby(roles.entity, sort=True)
    means, counts = cells[column].mean(), cells[column].count()
    means = means[counts >= _FEWEST_READINGS]
    chosen: dict[str, object] = {}
    if roles.label is not None and len(means):
        true = pd.Series(parse_labels(frame[roles.label], blank_is_alive=False) == 1, index=frame.index)
        labelled = true.groupby([frame[name] for name in roles.entity]).sum()
        labelled = labelled[labelled.index.isin(means.index)]
        if labelled.max() > 0:
            chosen[LABELLED] = labelled.idxmax()
    distance = (means - means.median()).abs().drop(list(chosen.values()))
    if len(distance):
        chosen[TYPICAL] = distance.idxmin()
    if len(distance) > 1:
        chosen[FARTHEST] = distance.drop([chosen[TYPICAL]]).idxmax()
    return {role: cell if isinstance(cell, tuple) else (cell,) for role, cell in chosen.items()}


def _with_gaps(times: pd.Series, values: pd.Series) -> pd.DataFrame:
    """Return the last readings in order, with a missing one in every gap, so that a line breaks there."""
    stamps = times.to_numpy(dtype="datetime64[ns]")[-_MOST_READINGS:]
    numbers = values.to_numpy(dtype="float64")[-_MOST_READINGS:]
    steps = np.diff(stamps).astype("int64")
    usual = np.median(steps[steps > 0]) if (steps > 0).any() else 0.0
    before = np.flatnonzero(steps > _GAP_STEPS * usual)
    middles = stamps[before] + (steps[before] // 2).astype("timedelta64[ns]")
    return pd.DataFrame(
        {"time": np.insert(stamps, before + 1, middles), "value": np.insert(numbers, before + 1, np.nan)}
    )


def missing_run(frame: pd.DataFrame, roles: TelemetryRoles, column: str) -> float:
    """Return how many readings in a row a cell misses on average; NaN where none is missing.

    >>> table = pd.DataFrame({"c": [1] * 5, "t": pd.date_range("2026", periods=5), "v": [1, None, None, 2, None]})
    >>> roles = TelemetryRoles(["c"], "t", "cell", [], [], ["v"], [], None)
    >>> missing_run(table, roles, "v")
    1.5
    """
    ordered = frame.dropna(subset=[*roles.entity, roles.time]).sort_values(
        [*roles.entity, str(roles.time)], kind="stable"
    )
    missing = ordered[column].isna()
    before = missing.groupby([ordered[name] for name in roles.entity], sort=False).shift(fill_value=False)
    starts = int((missing & ~before).sum())
    return float(missing.sum()) / starts if starts else float("nan")


def draw_cells(cells: CellSeries, title: str, label: str) -> Figure:
    """Draw the cells, real ones on the left, all on the same axis of values.

    Args:
        cells: From `prepare_cells`.
        title: Title of the picture.
        label: Axis label with the unit.
    """
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    rows = len(cells.roles)
    figure, axes = new_figure(
        rows, 2, width=10.0, height=1.2 + 1.9 * rows, sharex="col", sharey=True, squeeze=False
    )
    by_place = dict(list(cells.table.groupby(["role", "side"], sort=False)))
    for row, role in enumerate(cells.roles):
        for place, side in enumerate(SIDES):
            panel, series = axes[row, place], by_place.get((role, side))
            if series is None:
                panel.set_title(f"{side}: no {role} cell", loc="left")
                continue
            colour = COLOURS["blue" if side == "real" else "orange"]
            panel.plot(
                series["time"], series["value"], color=colour, linewidth=0.9, marker=".", markersize=2.5
            )
            name = f"{side}, {role}: {series['cell'].iloc[0]}"
            panel.set_title(wrapped(name, _LONGEST_TITLE), loc="left", fontsize=10)
            locator = AutoDateLocator()
            panel.xaxis.set_major_locator(locator)
            panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axes[row, 0].set_ylabel(wrapped(label, _LONGEST_LABEL))
    last = f" (each cell's last {_MOST_READINGS:,} readings)" if cells.last_only else ""
    labelled = f"; labelled: most rows with {cells.label}" if LABELLED in cells.roles else ""
    figure.suptitle(f"{title}: cells over time{last}", x=0.01, ha="left", fontsize=12, fontweight="bold")
    figure.supxlabel(f"{RULE}{labelled}", fontsize=8)
    return figure
