"""Looking for the derived columns of one table: what may be a target or a source, and what a moment is."""

from collections.abc import Callable
from typing import Any

import pandas as pd
from bms_schema.data.columns import STRING, match_columns

from bms_generate.derived import Candidates, Derived, find_derived
from bms_generate.derived_rules import RULES
from bms_generate.normal_scores import decimals_of
from bms_generate.time_grid import SeriesColumns, find_series

# Pairs grow with the square: 40 numbers have 780.
_MOST_NUMBERS = 40


def derived_columns(frame: pd.DataFrame, spec: dict[str, Any], keys: set[str]) -> list[Derived]:
    """Return the columns of a table that others determine; see `find_derived`.

    Args:
        frame: The typed table.
        spec: Its metadata.
        keys: Primary, alternate and foreign keys; they and identifiers are neither targets nor sources.
    """
    sdtypes = {name: column["sdtype"] for name, column in spec["columns"].items()}
    series = find_series(spec, frame)
    fixed = keys | (
        set() if series is None else {*series.entity, *_strings(series, list(frame)), series.time}
    )
    varying = [name for name in frame if len(frame[name].dropna().unique()) > 1 and sdtypes[name] != "id"]
    times = [name for name in varying if sdtypes[name] == "datetime" and name not in keys]
    numbers = [name for name in varying if sdtypes[name] == "numerical" and name not in keys][:_MOST_NUMBERS]
    candidates = Candidates(
        frame,
        sorted(times, key=lambda name: series is None or name != series.time),
        numbers,
        None if series is None else moments_of(series),
        {name: _step(frame[name]) for name in numbers},
    )
    return find_derived(candidates, [name for name in varying if name not in fixed], RULES)


def moments_of(series: SeriesColumns) -> Callable[[pd.DataFrame], pd.Series]:
    """Return a function that numbers the moments of a table: one per string and time stamp.

    The string is named by the columns beside the cell's own, else by a string column, else by the part before the
    slash of `<string>/<cell>`; without any of these the table is one string.
    """

    def moments(frame: pd.DataFrame) -> pd.Series:
        heads = [frame[name] for name in _strings(series, list(frame))]
        heads = heads or [frame[series.entity[0]].astype(str).str.rpartition("/")[0]]
        return frame.groupby([*heads, frame[series.time]], sort=False, dropna=False).ngroup()

    return moments


def _strings(series: SeriesColumns, names: list[str]) -> list[str]:
    matched = match_columns(names)
    return series.entity[1:] or ([matched[STRING]] if STRING in matched else [])


def _step(column: pd.Series) -> float:
    places = decimals_of(column.dropna().to_numpy())
    return 0.0 if places is None else float(10.0**-places)
