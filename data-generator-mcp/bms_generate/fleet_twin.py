"""A twin of one table of cell series by `FleetSynthesizer`; what is no signal or state is put back afterwards."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bms_generate.fleet_synthesizer import LEAST_MOMENTS, FleetSynthesizer
from bms_generate.identifiers import Pseudonyms, fresh_ids
from bms_generate.set_aside import MODELLED
from bms_generate.telemetry_roles import TelemetryRoles, find_roles, string_codes

# Stands for the string where only the beginning of the cell's name tells it.
_STRING = "(string)"


def is_fleet(frame: pd.DataFrame, spec: dict[str, Any], foreign_keys: Collection[str] = ()) -> bool:
    """Whether a table holds series of cells, long enough to learn behaviour from, with numbers to learn.

    Args:
        frame: The typed table.
        spec: Its metadata.
        foreign_keys: Columns that must be constant in every cell.
    """
    roles = find_roles(frame, spec)
    if not roles.is_series or not roles.signals:
        return False
    cells = frame.dropna(subset=[*roles.entity, roles.time]).groupby(roles.entity, sort=False)
    readings = cells.size()
    if not len(readings) or readings.max() < LEAST_MOMENTS:
        return False
    return all(cells[key].nunique(dropna=False).max() == 1 for key in foreign_keys if key not in roles.entity)


@dataclass(frozen=True)
class _Aside:
    """Columns that are put back: of one value, numbered row by row, or times as seconds after the time stamp."""

    constants: dict[str, Any]
    numbered: dict[str, Any]
    offsets: list[str]


def twin_of_fleet(
    frame: pd.DataFrame, spec: dict[str, Any], *, rows: int | None, scale: float, seed: int
) -> tuple[pd.DataFrame, list[str]]:
    """Make a synthetic fleet.

    Args:
        frame: A typed table for which `is_fleet` holds.
        spec: Its metadata.
        rows: Rows to make; None for `scale` times those that are learnt from.
        scale: See `rows`.
        seed: Same table and seed, same rows.

    Returns:
        The columns of the table; and what was left out, in words.
    """
    roles = find_roles(frame, spec)
    aside = _set_aside(frame, spec, roles)
    named = [*roles.entity, roles.time]
    left = frame.drop(columns=[*aside.constants, *aside.numbered])
    known = left.dropna(subset=named).drop_duplicates(named, keep="last")
    lost = len(frame) - len(known)
    notes = (
        [f"{lost:,} row(s) without cell or time, or with both repeated, are not learnt from"] if lost else []
    )
    for name in aside.offsets:
        known = known.assign(**{name: (known[name] - known[roles.time]).dt.total_seconds()})
    string = {"columns": roles.string, "prefix": [_STRING], "whole": [], "cell": roles.entity}[
        roles.strings_by
    ]
    if roles.strings_by == "prefix":
        known = known.assign(**{_STRING: string_codes(known, roles.entity, roles.strings_by, roles.string)})
    fleet = FleetSynthesizer(roles.entity, str(roles.time), string).fit(known)
    made = fleet.sample(max(1, round(scale * len(known))) if rows is None else rows, seed)
    return _put_back(made, frame, spec, roles, aside), notes + fleet.notes


def _set_aside(frame: pd.DataFrame, spec: dict[str, Any], roles: TelemetryRoles) -> _Aside:
    named = {*roles.entity, *roles.string, roles.time}
    others = [name for name in frame if name not in named]
    constants = {name: frame[name].iloc[0] for name in others if len(frame[name].unique()) <= 1}
    kinds = {name: spec["columns"][name]["sdtype"] for name in others if name not in constants}
    key = spec.get("primary_key")
    by_cell = frame.groupby(roles.entity, sort=False)
    free = [
        name
        for name, kind in kinds.items()
        if name == key or (kind not in MODELLED and by_cell[name].nunique(dropna=False).max() > 1)
    ]
    offsets = [name for name, kind in kinds.items() if kind == "datetime" and name not in free]
    return _Aside(constants, {name: frame[name].dropna().min() for name in free}, offsets)


def _put_back(
    made: pd.DataFrame, frame: pd.DataFrame, spec: dict[str, Any], roles: TelemetryRoles, aside: _Aside
) -> pd.DataFrame:
    for name in aside.offsets:
        seconds = pd.to_timedelta(made[name].astype("float64").round(), unit="s")
        made[name] = made[roles.time] + seconds
    for name, value in aside.constants.items():
        made[name] = value
    for name, first in aside.numbered.items():
        whole = isinstance(first, int | np.integer)
        made[name] = np.arange(first, first + len(made)) if whole else fresh_ids(first, len(made))
    names = Pseudonyms()
    for name in frame:
        if name not in aside.numbered and spec["columns"][name]["sdtype"] not in MODELLED:
            made[name] = names.of(made[name])
    return made[list(frame)]
