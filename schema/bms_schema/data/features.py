"""Physical features, in two stages: against the string at one moment, then within a cell's own past.

Every window is trailing and measured in time; nothing crosses cells or, below a day, gaps; nothing looks ahead.
Which features there are depends on the columns that the table has readings in, given once for all its parts, so
that the parts of a table computed apart are those of the whole. `feature_table` documents each.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from bms_schema.data.columns import MEASURED_NAMES, RESOLUTION, TIMESTAMP
from bms_schema.data.deviation import (
    MAD_TO_SIGMA,
    SMALLEST_CELLS,
    deviation_within,
    moment_matrices,
    string_deviation,
)
from bms_schema.data.feature_table import SIGNALS, Feature, feature_names, feature_table
from bms_schema.data.moments import CellOrder, moment_codes, order_cells
from bms_schema.data.own_past import (
    SortedCells,
    ageing_features,
    deviation_features,
    load_features,
    row_features,
    signal_features,
)
from bms_schema.data.resistance import LOAD_STEP_A, load_step_resistance
from bms_schema.data.trailing import lag_within, trailing_statistics

__all__ = [
    "LOAD_STEP_A",
    "MAD_TO_SIGMA",
    "SMALLEST_CELLS",
    "Feature",
    "add_features",
    "available_columns",
    "cell_features",
    "feature_names",
    "feature_table",
    "lag_within",
    "load_step_resistance",
    "string_deviation",
    "string_features",
    "trailing_statistics",
]


def available_columns(frame: pd.DataFrame) -> list[str]:
    """Return the measured columns, and `Timestamp`, that hold at least one value in the whole table."""
    return [name for name in (*MEASURED_NAMES, TIMESTAMP) if name in frame and frame[name].notna().any()]


def add_features(frame: pd.DataFrame, columns: Collection[str] | None = None) -> pd.DataFrame:
    """Return the frame with the features that its columns support appended (float64), rows and order unchanged.

    Args:
        frame: A canonical frame (see `BatteryTable`).
        columns: From `available_columns` of the whole table, where the frame is a part of it.
    """
    columns = available_columns(frame) if columns is None else columns
    order = order_cells(frame)
    string_part = string_features(frame, moment_codes(frame, order), columns)
    own_part = cell_features(frame, string_part, order, columns)
    made = {name: part[name] for part in (string_part, own_part) for name in part}
    kept = {name: frame[name] for name in frame if name not in set(feature_names())}
    # Not `concat`, which would copy every column twice.
    columns_of_both = kept | {name: made[name] for name in feature_names(columns)}
    return pd.DataFrame(columns_of_both, index=frame.index, copy=False)


def string_features(
    frame: pd.DataFrame, moments: np.ndarray, columns: Collection[str] | None = None
) -> pd.DataFrame:
    """Return what needs the string's other cells: deviation and robust z of every signal, rows as in the frame.

    Args:
        frame: Whole strings of a canonical frame.
        moments: From `moment_codes`, shape (n,).
        columns: From `available_columns` of the whole table; None takes those of the frame.
    """
    columns = available_columns(frame) if columns is None else columns
    matrices = moment_matrices(moments)
    found: dict[str, np.ndarray] = {}
    for signal in SIGNALS:
        if signal.column in columns:
            values = frame[signal.column].to_numpy(dtype=float)
            deviation, robust_z = deviation_within(values, matrices, RESOLUTION[signal.column])
            found |= {signal.named("deviation"): deviation, f"{signal.short}_robust_z": robust_z}
    return pd.DataFrame(found, index=frame.index, copy=False)


def cell_features(
    frame: pd.DataFrame,
    string_part: pd.DataFrame,
    order: CellOrder,
    columns: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return every other feature, rows as in the frame.

    Args:
        frame: Whole cells of a canonical frame.
        string_part: `string_features` of the same rows, computed with the whole string at hand.
        order: `order_cells` of the frame.
        columns: From `available_columns` of the whole table; None takes those of the frame.
    """
    columns = available_columns(frame) if columns is None else columns
    cells = SortedCells(frame, order)
    found = row_features(cells, columns) | load_features(cells, columns) | ageing_features(cells, columns)
    for signal in SIGNALS:
        if signal.column in columns:
            found |= signal_features(cells, signal, columns)
        if signal.column in columns and TIMESTAMP in columns:
            robust_z = string_part[f"{signal.short}_robust_z"].to_numpy()[order.order]
            found |= deviation_features(cells, signal, robust_z)
    restored = {name: order.restore(found.pop(name)) for name in list(found)}
    return pd.DataFrame(restored, index=frame.index, copy=False)
