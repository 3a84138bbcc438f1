"""Which cells are outside their window, and which are most likely to leave it: every cell's likeliest alarm."""

from typing import Literal

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID

from bms_forecast.alarms import Ahead, Crossing, find_crossings, quantile_table
from bms_forecast.fleet import FleetForecast
from bms_forecast.grid import ID
from bms_forecast.limits import Limits

Place = Literal["outside", "inside", "stopped", "not judged"]
PLACES: tuple[Place, ...] = ("outside", "inside", "stopped", "not judged")
RISK_COLUMNS = (
    *(CELL_ID, "place", "rank", "probability", "target", "limit"),
    *("last_value", "words", "last_reading"),
)


def fleet_crossings(fleet: FleetForecast, limits: Limits) -> dict[str, list[Crossing]]:
    """Return {cell: its alarms, those crossed already before the likeliest}; unjudged cells are left out."""
    alarms = Limits(tuple(limit for limit in limits.items if limit.alarm))
    needed = {name for limit in alarms.items for name in (limit.target, limit.over) if name}
    ahead: dict[str, dict[str, Ahead]] = {}
    for target in sorted(needed & set(fleet.targets)):
        for cell, known in _ahead(fleet, target).items():
            ahead.setdefault(cell, {})[target] = known
    found = {cell: find_crossings(alarms, known) for cell, known in sorted(ahead.items())}
    return {cell: crossings for cell, crossings in found.items() if crossings}


def risk_table(fleet: FleetForecast, crossings: dict[str, list[Crossing]]) -> pd.DataFrame:
    """Return one row per cell with its likeliest alarm; columns `RISK_COLUMNS`.

    First the cells outside their window already, the deepest first; then those inside, the likeliest to leave
    it first, which `rank` counts; then those that stopped long ago, whose forecast is past; then those that no
    limit could be held against.
    """
    stopped = set(fleet.stopped)
    rows = [
        (
            cell,
            _place(cell, crossings, stopped),
            *_alarm(crossings.get(cell, [])),
            fleet.newest.get(cell, pd.NaT),
            crossings[cell][0].depth if cell in crossings else np.nan,
        )
        for cell in fleet.cells
    ]
    table = pd.DataFrame(rows, columns=[name for name in (*RISK_COLUMNS, "depth") if name != "rank"])
    table["place"] = pd.Categorical(table["place"], PLACES, ordered=True)
    table["likely"] = table["probability"].where(table["place"] != "outside", 1.0)
    table = table.sort_values(
        ["place", "likely", "depth"], ascending=[True, False, False], kind="stable", ignore_index=True
    )
    inside = table["place"] == "inside"
    table["rank"] = inside.cumsum().where(inside).astype("Int64")
    return table.astype({"place": str})[list(RISK_COLUMNS)]


def _place(cell: str, crossings: dict[str, list[Crossing]], stopped: set[str]) -> Place:
    if cell not in crossings:
        return "not judged"
    if cell in stopped:
        return "stopped"
    return "outside" if crossings[cell][0].now else "inside"


def _alarm(crossings: list[Crossing]) -> tuple[float, str, str, float, str]:
    """Return (probability, target, limit, last value, words) of a cell's first alarm."""
    if not crossings:
        return np.nan, "", "", np.nan, "no limit could be held against it"
    first = crossings[0]
    return first.probability, first.limit.target, first.limit.words, first.last, first.words


def _ahead(fleet: FleetForecast, target: str) -> dict[str, Ahead]:
    """Return {cell: forecast, last reading and courses} of one target."""
    item = fleet.targets[target]
    quantiles, levels = quantile_table(item.forecast)
    ids = item.forecast[ID].to_numpy()[:: fleet.steps]
    by_name = dict(zip(ids, quantiles.reshape(len(ids), fleet.steps, -1), strict=True))
    read = fleet.history.loc[fleet.history[target].notna(), [CELL_ID, target]]
    last = read.groupby(read[CELL_ID].astype(str))[target].last()
    return {
        cell: Ahead(by_name[name], levels, item.step_s, float(last.get(cell, np.nan)), item.state.courses)
        for cell, name in item.per_cell
        if name in by_name
    }
