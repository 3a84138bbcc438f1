"""What SDV does not get to see of a table, and how it comes back afterwards.

Time stamps, cell names and what is constant in a cell, columns without variation, free identifiers and
categories that follow from another are no random variables: sampling them makes rows that contradict themselves.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import SITE_COLUMNS, normalised

from bms_generate.missingness import split_missingness
from bms_generate.normal_scores import Marginal, to_normal_scores
from bms_generate.time_grid import Grid, SeriesColumns, find_series, real_grids

# No leading underscores: see MASK_PREFIX.
TUPLE_LABEL = "(identifiers)"
# SDV's other kinds are names, addresses and their like.
MODELLED = ("numerical", "datetime", "categorical", "ordinal", "boolean")
# More distinct labels than this are no categories a copula could learn from.
_MOST_LABELS = 1000


@dataclass
class TablePlan:
    """One table, split into what is modelled and what is put back.

    Args:
        columns: Column order of the real table.
        modelled: What SDV sees.
        specs: Its column descriptions.
        constants: Column -> its only value (missing included).
        followers: Column -> (leading column, lookup from its values).
        free_ids: Identifier columns that get new values, with a real example each.
        number_from: Primary key that is renumbered -> its first number.
        pseudonymised: Non-key identifier columns whose real values must not come out.
        attributes: Per real cell, what is constant in it, the entity columns included; one row per grid.
        series: Cell and time columns, if the table is a set of series.
        series_key: The foreign key that names the cell, where the cell is a row of another table.
        grids: Time stamps of the real cells.
        offsets: Further time columns, modelled as seconds after the time stamp.
        marginals: Numeric and time columns, modelled as normal scores -> their distributions.
        masks: Category of missingness -> the columns it blanks.
        tuples: Real combinations of identifiers that name things together, by the label that stands for them.
    """

    columns: list[str]
    modelled: pd.DataFrame
    specs: dict[str, dict[str, Any]]
    constants: dict[str, Any] = field(default_factory=dict)
    followers: dict[str, tuple[str, pd.Series]] = field(default_factory=dict)
    free_ids: dict[str, Any] = field(default_factory=dict)
    number_from: dict[str, int] = field(default_factory=dict)
    pseudonymised: list[str] = field(default_factory=list)
    attributes: pd.DataFrame | None = None
    series: SeriesColumns | None = None
    series_key: str | None = None
    grids: list[Grid] = field(default_factory=list)
    offsets: list[str] = field(default_factory=list)
    masks: dict[str, list[str]] = field(default_factory=dict)
    marginals: dict[str, Marginal] = field(default_factory=dict)
    tuples: pd.DataFrame | None = None

    def drop(self, *names: str) -> None:
        """Take columns out of what SDV sees."""
        self.modelled = self.modelled.drop(columns=list(names))
        for name in names:
            del self.specs[name]


def unique_keys(spec: dict[str, Any]) -> list[str]:
    """Return a table's primary key, then its alternate keys."""
    primary = spec.get("primary_key")
    return [*([primary] if isinstance(primary, str) else []), *spec.get("alternate_keys", [])]


def plan_table(
    frame: pd.DataFrame, spec: dict[str, Any], foreign_keys: set[str], *, alone: bool, by_sdv: bool
) -> TablePlan:
    """Decide what of a table is modelled.

    Args:
        frame: The typed table.
        spec: Its metadata.
        foreign_keys: Its columns that name rows of other tables.
        alone: No other table refers to it, so that its primary key may be renumbered.
        by_sdv: SDV models it, which invents names, addresses and their kin by itself; else they are identifiers.
    """
    specs = {name: dict(column) for name, column in spec["columns"].items()}
    plan = TablePlan(list(frame), frame.copy(), {name: specs[name] for name in frame})
    for column in plan.specs.values():
        column.pop("range_is_nullable", None)  # sentinels have become missing
    primary, keys = spec.get("primary_key"), foreign_keys.union(unique_keys(spec))
    _plan_series(plan, spec, foreign_keys, keys)
    gappy = [name for name, column in plan.specs.items() if column["sdtype"] in {"numerical", "datetime"}]
    plan.modelled, plan.masks = split_missingness(plan.modelled, [name for name in gappy if name not in keys])
    plan.specs |= {mask: {"sdtype": "categorical"} for mask in plan.masks}
    _plan_constants(plan, keys)
    if alone and isinstance(primary, str) and pd.api.types.is_integer_dtype(frame[primary]):
        plan.number_from[primary] = int(frame[primary].min())
        plan.drop(primary)
    _plan_ids(plan, keys, by_sdv)
    _plan_followers(plan, keys)
    _plan_tuples(plan)
    for name, column in plan.specs.items():
        if column["sdtype"] in {"numerical", "datetime"} and name not in keys:
            plan.modelled[name], plan.marginals[name] = to_normal_scores(plan.modelled[name])
            plan.specs[name] = {"sdtype": "numerical"}
    return plan


def _plan_series(plan: TablePlan, spec: dict[str, Any], foreign_keys: set[str], keys: set[str]) -> None:
    frame = plan.modelled
    series = find_series(spec, frame)
    if series is None or set(series.entity) & (keys - foreign_keys):
        return
    plan.series, plan.grids = series, real_grids(frame, series)
    linked = [name for name in series.entity if name in foreign_keys]
    if linked:
        plan.series_key = linked[0]
        plan.grids = real_grids(frame, SeriesColumns(linked[:1], series.time))
    else:
        groups = frame.dropna(subset=[*series.entity, series.time]).groupby(series.entity, sort=False)
        distinct = groups.nunique(dropna=False)
        steady = [
            name
            for name in distinct
            if name not in keys and name != series.time and distinct[name].max() == 1
        ]
        plan.attributes = groups[steady].first().reset_index()
        plan.drop(*plan.attributes.columns)
        plan.pseudonymised += [name for name in plan.attributes if spec["columns"][name]["sdtype"] == "id"]
    for name in [name for name, column in plan.specs.items() if column["sdtype"] == "datetime"]:
        if name != series.time and not _is_constant(plan.modelled[name].dropna()):
            plan.modelled[name] = (plan.modelled[name] - plan.modelled[series.time]).dt.total_seconds()
            plan.specs[name] = {"sdtype": "numerical"}
            plan.offsets.append(name)
    plan.drop(series.time)


def _plan_constants(plan: TablePlan, keys: set[str]) -> None:
    for name in [name for name in plan.modelled if name not in keys]:
        column = plan.modelled[name]
        if _is_constant(column):
            plan.constants[name] = column.iloc[0]
            if plan.specs[name]["sdtype"] == "id":
                plan.pseudonymised.append(name)
            plan.drop(name)


def _is_constant(column: pd.Series) -> bool:
    """Whether there is at most one value, missing counted as one."""
    return len(column.unique()) <= 1


def _plan_ids(plan: TablePlan, keys: set[str], by_sdv: bool) -> None:
    """Give unique identifiers new values; repeated ones are modelled as categories and renamed."""
    for name, spec in list(plan.specs.items()):
        if name in keys or spec["sdtype"] in MODELLED or (by_sdv and spec["sdtype"] != "id"):
            continue
        column = plan.modelled[name].dropna()
        if column.nunique() > min(_MOST_LABELS, len(column) / 2):
            plan.free_ids[name] = column.iloc[0]
            plan.drop(name)
        else:
            plan.specs[name] = {"sdtype": "categorical"}
            plan.pseudonymised.append(name)


def _plan_followers(plan: TablePlan, keys: set[str]) -> None:
    """Find categories that another one determines (a site's serial number): they are looked up, not sampled."""
    labels = [
        name for name, spec in plan.specs.items() if spec["sdtype"] == "categorical" and name not in keys
    ]
    codes = {name: pd.factorize(plan.modelled[name], use_na_sentinel=False) for name in labels}
    codes = {
        name: (code, len(distinct))
        for name, (code, distinct) in codes.items()
        if len(distinct) <= _MOST_LABELS
    }
    leaders: list[str] = []
    for name in sorted(codes, key=lambda label: -codes[label][1]):
        code, count = codes[name]
        for leader in leaders:
            leading, leading_count = codes[leader]
            enough = len(code) >= 2 * leading_count
            if enough and len(np.unique(leading.astype("int64") * count + code)) == leading_count:
                pairs = plan.modelled[[leader, name]].drop_duplicates().dropna(subset=[leader])
                if plan.modelled[leader].notna().all():
                    plan.followers[name] = (leader, pairs.set_index(leader)[name])
                    break
        else:
            leaders.append(name)
    plan.drop(*plan.followers)


def _plan_tuples(plan: TablePlan) -> None:
    """Keep identifiers together that name a thing only together, as site and rack do."""
    sites = {normalised(name) for name in SITE_COLUMNS}
    names = [name for name in plan.specs if name in plan.pseudonymised or normalised(name) in sites]
    names = [name for name in names if plan.specs[name]["sdtype"] == "categorical"]
    combinations = plan.modelled[names].drop_duplicates(ignore_index=True)
    if len(names) < 2 or len(combinations) > min(_MOST_LABELS, len(plan.modelled) / 2):
        return
    plan.tuples = combinations
    labels = plan.modelled[names].merge(combinations.reset_index(names=TUPLE_LABEL), on=names, how="left")
    plan.modelled[TUPLE_LABEL] = labels[TUPLE_LABEL].to_numpy()
    plan.specs[TUPLE_LABEL] = {"sdtype": "categorical"}
    plan.drop(*names)
