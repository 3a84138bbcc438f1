"""What was set aside of a table, put back: values of scores, time stamps, made-up names, constants, gaps."""

import numpy as np
import pandas as pd

from bms_generate.identifiers import Pseudonyms, fresh_ids
from bms_generate.missingness import join_missingness
from bms_generate.set_aside import TUPLE_LABEL, TablePlan
from bms_generate.time_grid import share_rows, stretch, usual_step


def restore_table(plan: TablePlan, sampled: pd.DataFrame) -> pd.DataFrame:
    """Put back what was set aside.

    Args:
        plan: The table's plan.
        sampled: SDV's rows of what was modelled; rows of a set of series come out in cell and time order.
    """
    frame = sampled.reset_index(drop=True)
    for name, marginal in plan.marginals.items():
        frame[name] = marginal.restore(frame[name])
    for name, value in plan.constants.items():
        frame[name] = value
    if plan.series is not None:
        frame = _with_linked_grids(plan, frame) if plan.series_key else _with_own_grids(plan, frame)
        for name in plan.offsets:
            seconds = pd.to_timedelta(frame[name].astype("float64").round(), unit="s")
            frame[name] = frame[plan.series.time] + seconds
    if plan.tuples is not None:
        parts = plan.tuples.loc[frame.pop(TUPLE_LABEL)].reset_index(drop=True)
        frame = pd.concat([frame, parts], axis="columns")
    for name, (leader, lookup) in plan.followers.items():
        frame[name] = frame[leader].map(lookup)
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
    """Give the rows of each synthetic parent the grid of one real cell: in turn those that are long enough."""
    assert plan.series_key is not None and plan.series is not None
    frame = frame.sort_values(plan.series_key, kind="stable").reset_index(drop=True)
    frame[plan.series.time] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    step, longest = usual_step(plan.grids), max(len(grid.stamps) for grid in plan.grids)
    fitting: dict[int, list[np.ndarray]] = {}  # by rows wanted: cells and grids may be thousands
    for turn, rows in enumerate(frame.groupby(plan.series_key, sort=False, dropna=False).indices.values()):
        least = min(len(rows), longest)
        if least not in fitting:
            fitting[least] = [grid.stamps for grid in plan.grids if len(grid.stamps) >= least]
        stamps = fitting[least][turn % len(fitting[least])]
        frame.loc[rows, plan.series.time] = stretch(stamps, len(rows), step)
    return frame
