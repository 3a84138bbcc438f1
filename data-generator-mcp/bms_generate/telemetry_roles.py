"""What each column of a table is: cell, time, string, signal, label. Found in the real table, used for both."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from bms_schema.data.columns import IS_DEAD, SITE_COLUMNS, SOURCE_ROW, STRING, match_columns, normalised
from bms_schema.data.labels import parse_labels

from bms_generate.time_grid import find_series

# A column that is one value per string and moment almost always is the string's; a gateway may lag now and then.
_SHARED_IN = 0.99
# Where true is as frequent as false there is no event to predict.
_RARE = 0.5
_JOINT = "/"  # `Cell ID` is '<string>/<cell>' where cells are numbered within strings
StringSource = Literal["columns", "prefix", "whole", "cell"]


@dataclass(frozen=True)
class TelemetryRoles:
    """The columns of a table by what they are.

    Args:
        entity: Columns that name a cell together; none in a table without series.
        time: The time stamp; None in a table without series.
        strings_by: What names the string: `columns`, the `prefix` of the cell's name before '/', nothing because
            the `whole` table is one string, or nothing because each `cell` stands for itself.
        string: The columns that name the string together, for `columns`.
        shared: Numeric signals that all cells of a string share at one moment; none in a table without series.
        cell: Numeric signals of the cell; every number of a table without series.
        categories: Columns of labels and truth values.
        label: The 0/1 column to predict: `IsDead`, else the rarest; None where true is nowhere the rarer.
    """

    entity: list[str]
    time: str | None
    strings_by: StringSource
    string: list[str]
    shared: list[str]
    cell: list[str]
    categories: list[str]
    label: str | None

    @property
    def signals(self) -> list[str]:
        """All numeric signals, the shared ones first."""
        return [*self.shared, *self.cell]

    @property
    def is_series(self) -> bool:
        """Whether the table holds series of cells."""
        return self.time is not None


def find_roles(frame: pd.DataFrame, spec: dict[str, Any] | None = None) -> TelemetryRoles:
    """Find the role of every column. Constant columns, identifiers and second time columns have none.

    Args:
        frame: The real table: sentinels missing, times as datetime64.
        spec: Its SDV metadata; None reads numbers, times and labels off the types.
    """
    spec = spec or {"columns": {name: {"sdtype": _kind(frame[name])} for name in frame}}
    kinds = {name: column["sdtype"] for name, column in spec["columns"].items()}
    series = find_series(spec, frame)
    entity, time = (series.entity, series.time) if series else ([], None)
    strings_by, string = _name_string(frame, entity)
    key = spec.get("primary_key")
    named = {*entity, *string, time, key, *_row_numbers(frame)}
    varied = [name for name in kinds if name not in named and len(frame[name].dropna().unique()) > 1]
    label = _find_label(frame[varied], [name for name in varied if kinds[name] not in ("id", "datetime")])
    numbers = [name for name in varied if kinds[name] == "numerical" and name != label]
    shared: list[str] = []
    if time is not None:
        strings = string_codes(frame, entity, strings_by, string)
        shared = _find_shared(frame, numbers, strings, frame[time])
        if strings_by == "whole" and not shared:
            strings_by = "cell"
    return TelemetryRoles(
        entity=entity,
        time=time,
        strings_by=strings_by,
        string=string,
        shared=shared,
        cell=[name for name in numbers if name not in shared],
        categories=[
            name for name in varied if kinds[name] in ("categorical", "ordinal", "boolean") and name != label
        ],
        label=label,
    )


def entity_codes(frame: pd.DataFrame, entity: list[str]) -> np.ndarray:
    """Return the number of each row's cell, int64 of shape (n,); -1 where its name is missing."""
    known = frame[entity].notna().all(axis=1).to_numpy()
    codes = frame.groupby(entity, sort=True, dropna=False, observed=True).ngroup().to_numpy()
    return np.where(known, codes, -1)


def string_codes(
    frame: pd.DataFrame, entity: list[str], strings_by: StringSource, string: list[str]
) -> np.ndarray:
    """Return the number of each row's string, int64 of shape (n,), in the order of their names."""
    if strings_by == "columns":
        return frame.groupby(string, sort=True, dropna=False, observed=True).ngroup().to_numpy()
    if strings_by == "prefix":
        return pd.factorize(frame[entity[0]].astype(str).str.split(_JOINT).str[0], sort=True)[0]
    return entity_codes(frame, entity) if strings_by == "cell" else np.zeros(len(frame), dtype="int64")


def _kind(column: pd.Series) -> str:
    if pd.api.types.is_datetime64_any_dtype(column):
        return "datetime"
    if pd.api.types.is_bool_dtype(column):
        return "boolean"
    return "numerical" if pd.api.types.is_numeric_dtype(column) else "categorical"


def _row_numbers(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame if normalised(str(name)) == normalised(SOURCE_ROW)]


def _name_string(frame: pd.DataFrame, entity: list[str]) -> tuple[StringSource, list[str]]:
    """Return what names the string of a cell; `whole` until shared signals are looked for."""
    if not entity:
        return "whole", []
    if len(entity) > 1:
        return "columns", entity[1:]
    by_name = {normalised(str(name)): str(name) for name in frame}
    known = match_columns(list(frame))
    wanted = [known.get(STRING), *(by_name.get(normalised(name)) for name in SITE_COLUMNS)]
    cells = frame[entity[0]].nunique()
    for name in (name for name in wanted if name and name not in entity):
        if len(frame[[*entity, name]].drop_duplicates()) == cells and frame[name].nunique() < cells:
            return "columns", [name]
    texts = pd.Series(frame[entity[0]].dropna().unique()).astype(str)
    return ("prefix" if texts.str.contains(_JOINT, regex=False).all() else "whole"), []


def _find_label(frame: pd.DataFrame, names: list[str]) -> str | None:
    """Return the column known as `IsDead`, else the rarest two-valued one true in less than half of the rows."""
    known = match_columns(names).get(IS_DEAD)
    rates = {name: _rate(frame[name]) for name in names}
    if known and np.isfinite(rates[known]):
        return known
    rare = {name: rate for name, rate in rates.items() if 0 < rate < _RARE}
    return min(rare, key=lambda name: rare[name]) if rare else None


def _rate(column: pd.Series) -> float:
    """Return the share of true values; NaN unless the column holds 0 and 1 or false and true alone."""
    if column.nunique() != 2:
        return float("nan")
    labels = parse_labels(column, blank_is_alive=False)[column.notna().to_numpy()]
    return float(labels.mean()) if np.isfinite(labels).all() else float("nan")


def _find_shared(frame: pd.DataFrame, names: list[str], strings: np.ndarray, times: pd.Series) -> list[str]:
    moments = frame[names].groupby([strings, times.to_numpy()], dropna=True)
    several = moments.count() >= 2
    one = moments.max() == moments.min()
    return [name for name in names if several[name].any() and one[name][several[name]].mean() >= _SHARED_IN]
