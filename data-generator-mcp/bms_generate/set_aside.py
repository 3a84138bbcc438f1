"""What SDV does not get to see of a table, and how it comes back afterwards.

Time stamps, cell names and what is constant in a cell, columns without variation, free identifiers and
categories that follow from another are no random variables: sampling them makes rows that contradict themselves.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bms_generate.identifiers import Pseudonyms, fresh_ids
from bms_generate.missingness import join_missingness, split_missingness
from bms_generate.normal_scores import Marginal, to_normal_scores
from bms_generate.time_grid import (
    Grid,
    SeriesColumns,
    find_series,
    real_grids,
    share_rows,
    stretch,
    usual_step,
)

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

    def drop(self, *names: str) -> None:
        """Take columns out of what SDV sees."""
        self.modelled = self.modelled.drop(columns=list(names))
        for name in names:
            del self.specs[name]


def plan_table(
    frame: pd.DataFrame, spec: dict[str, Any], foreign_keys: set[str], *, alone: bool
) -> TablePlan:
    """Decide what of a table is modelled.

    Args:
        frame: The typed table.
        spec: Its metadata.
        foreign_keys: Its columns that name rows of other tables.
        alone: It is the only table, so that its primary key may be renumbered.
    """
    specs = {name: dict(column) for name, column in spec["columns"].items()}
    plan = TablePlan(list(frame), frame.copy(), {name: specs[name] for name in frame})
    for column in plan.specs.values():
        column.pop("range_is_nullable", None)  # sentinels have become missing
    primary = spec.get("primary_key")
    keys = (
        foreign_keys
        | ({primary} if isinstance(primary, str) else set())
        | set(spec.get("alternate_keys", []))
    )
    _plan_series(plan, spec, foreign_keys, keys)
    gappy = [name for name, column in plan.specs.items() if column["sdtype"] in {"numerical", "datetime"}]
    plan.modelled, plan.masks = split_missingness(plan.modelled, [name for name in gappy if name not in keys])
    plan.specs |= {mask: {"sdtype": "categorical"} for mask in plan.masks}
    _plan_constants(plan, keys)
    if alone and isinstance(primary, str) and pd.api.types.is_integer_dtype(frame[primary]):
        plan.number_from[primary] = int(frame[primary].min())
        plan.drop(primary)
    _plan_ids(plan, keys)
    _plan_followers(plan, keys)
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
            plan.drop(name)


def _is_constant(column: pd.Series) -> bool:
    """Whether there is at most one value, missing counted as one."""
    return len(column.unique()) <= 1


def _plan_ids(plan: TablePlan, keys: set[str]) -> None:
    """Give unique identifiers new values; repeated ones are modelled as categories and renamed."""
    for name in [name for name, spec in plan.specs.items() if spec["sdtype"] == "id" and name not in keys]:
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


def restore_table(plan: TablePlan, sampled: pd.DataFrame) -> pd.DataFrame:
    """Put back what was set aside.

    Args:
        plan: The table's plan.
        sampled: SDV's rows of what was modelled; rows of a set of series come out in cell and time order.
    """
    frame = sampled.reset_index(drop=True)
    for name, marginal in plan.marginals.items():
        frame[name] = marginal.restore(frame[name])
    if plan.series is not None:
        frame = _with_linked_grids(plan, frame) if plan.series_key else _with_own_grids(plan, frame)
        for name in plan.offsets:
            seconds = pd.to_timedelta(frame[name].astype("float64").round(), unit="s")
            frame[name] = frame[plan.series.time] + seconds
    for name, (leader, lookup) in plan.followers.items():
        frame[name] = frame[leader].map(lookup)
    for name, value in plan.constants.items():
        frame[name] = value
    frame = join_missingness(frame, plan.masks)
    for name, first in plan.number_from.items():
        frame[name] = np.arange(first, first + len(frame))
    for name, example in plan.free_ids.items():
        frame[name] = fresh_ids(example, len(frame))
    names = Pseudonyms()
    for name in plan.pseudonymised:
        frame[name] = names.of(frame[name])
    return frame[plan.columns]


def _with_own_grids(plan: TablePlan, frame: pd.DataFrame) -> pd.DataFrame:
    """Hand the rows out to the real cells' grids, in proportion to their readings."""
    assert plan.attributes is not None and plan.series is not None
    counts = share_rows([len(grid.stamps) for grid in plan.grids], len(frame))
    step = usual_step(plan.grids)
    cells = plan.attributes.loc[plan.attributes.index.repeat(counts)].reset_index(drop=True)
    grids = [
        stretch(grid.stamps, count, step) for grid, count in zip(plan.grids, counts, strict=True) if count
    ]
    return pd.concat([cells, frame], axis="columns").assign(**{plan.series.time: np.concatenate(grids)})


def _with_linked_grids(plan: TablePlan, frame: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of each synthetic parent the grid of one real cell, taken in turn."""
    assert plan.series_key is not None and plan.series is not None
    frame = frame.sort_values(plan.series_key, kind="stable").reset_index(drop=True)
    frame[plan.series.time] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    step = usual_step(plan.grids)
    for turn, rows in enumerate(frame.groupby(plan.series_key, sort=False).indices.values()):
        grid = plan.grids[turn % len(plan.grids)]
        frame.loc[rows, plan.series.time] = stretch(grid.stamps, len(rows), step)
    return frame
