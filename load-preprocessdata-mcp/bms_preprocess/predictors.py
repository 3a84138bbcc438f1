"""What MICE may look at: the row's own readings, the string's other cells, and the cell's past.

Two stages, so that a string is looked at once and the rest runs on blocks of whole cells: `string_predictors`
needs all cells of a string, `cell_predictors` any set of whole cells. Neither depends on how strings or cells
are spread over parts, and nothing looks later than the row's own moment.
"""

import numpy as np
import pandas as pd
from bms_schema.data.columns import (
    AMBIENT,
    CURRENT,
    GRAVITY,
    MEASURED_NAMES,
    SOC,
    STRING_VOLTAGE,
    TEMPERATURE,
    VOLTAGE,
)
from bms_schema.data.deviation import moment_matrices
from bms_schema.data.moments import CellOrder, moment_codes, order_cells
from bms_schema.data.trailing import DAY_S, TrailingWindow, sorted_lag

from bms_preprocess.expected import Past, carried, expected_charge, expected_reading
from bms_preprocess.shared_signals import (
    fill_shared,
    median_of_others,
)
from bms_preprocess.string_voltage import voltage_from_total

DEVIATING = (VOLTAGE, TEMPERATURE, GRAVITY)
OTHERS, USUAL, RECENT, LAST = " of others", " usual deviation", " recent deviation", " last deviation"
EXPECTED = " expected"


def predictor_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return both stages for whole strings: the columns MICE works on, float64, rows as in `frame`.

    Args:
        frame: A canonical frame.
    """
    order = order_cells(frame)
    return cell_predictors(frame, string_predictors(frame, moment_codes(frame, order), order), order)


def string_predictors(
    frame: pd.DataFrame, moments: np.ndarray, order: CellOrder | None = None
) -> pd.DataFrame:
    """Return what the other cells of a string say at the same moment, float64, rows as in `frame`.

    Shared signals under their own name, taken over from the other cells where they are missing; the voltage,
    where the string's total gives it. `<name> of others`: the median of the string's other cells. For voltage,
    temperature and gravity each cell's usual deviation (mean over the 24 h before) is taken out of that median,
    which would jump with every cell that drops out, and stands beside it.

    Args:
        frame: A canonical frame of whole strings.
        moments: From `moment_codes`, shape (n,).
        order: Its `order_cells`, where it is at hand already.
    """
    order = order or order_cells(frame)
    matrices = moment_matrices(moments, smallest=2)
    day = TrailingWindow(order, DAY_S, across_gaps=True)
    columns = fill_shared(frame, moments)
    if VOLTAGE in frame and STRING_VOLTAGE in frame:
        columns[VOLTAGE] = voltage_from_total(frame, moments)
    for name in (name for name in DEVIATING if name in frame):
        values = columns.get(name, frame[name].to_numpy(dtype=float))
        deviation = values - median_of_others(values, matrices)
        usual = order.restore(day.mean(sorted_lag(deviation[order.order], order, 1)))
        columns[name + OTHERS] = median_of_others(values - np.nan_to_num(usual), matrices)
        columns[name + USUAL] = usual
    if SOC in frame:
        columns[SOC + OTHERS] = median_of_others(columns[SOC], matrices)
    return pd.DataFrame(columns, index=frame.index)


def cell_predictors(frame: pd.DataFrame, string_part: pd.DataFrame, order: CellOrder) -> pd.DataFrame:
    """Return the columns MICE works on, float64, rows as in `frame`; nothing later than the row's own moment.

    First the measured columns, as far as physics fills them; then the columns of `string_predictors`. From
    readings before this one: for voltage, temperature and gravity the mean deviation from the others over 3 h,
    the last one, and the reading expected from it; for state of charge the one expected (see `expected`); for
    current and ambient the reading before. Never `IsDead`.

    Args:
        frame: A canonical frame of whole cells.
        string_part: Its rows of `string_predictors`.
        order: Its `order_cells`.
    """
    measured = [name for name in MEASURED_NAMES if name in frame]
    source = {name: string_part if name in string_part else frame for name in measured}
    source |= dict.fromkeys(string_part, string_part)
    columns = {name: table[name].to_numpy(dtype=float)[order.order] for name, table in source.items()}
    past = Past(order)
    for name in (name for name in DEVIATING if name in frame):
        before = past.before(columns[name] - columns[name + OTHERS])
        columns[name + RECENT] = past.recent.mean(before)
        columns[name + LAST] = carried(before, order)
        columns[name + EXPECTED] = expected_reading(name, columns[name], columns[name + OTHERS], past)
    if SOC in frame:
        columns[SOC + EXPECTED] = expected_charge(columns[SOC], columns[SOC + OTHERS], past)
    for name in (name for name in (CURRENT, AMBIENT) if name in frame):
        columns[name + EXPECTED] = past.last(columns[name])
    restored = {name: order.restore(values) for name, values in columns.items()}
    return pd.DataFrame(restored, index=frame.index)


def first_guess(table: pd.DataFrame) -> pd.DataFrame:
    """Return what to guess for each value of a predictor table: what is expected of a reading, else NaN."""
    nothing = np.full(len(table), np.nan)
    return pd.DataFrame({name: table.get(name + EXPECTED, nothing) for name in table}, index=table.index)


def reading_bounds(name: str, limits: dict[str, tuple[float, float]]) -> tuple[float, float]:
    """Return the plausible range of a predictor column; deviations have none."""
    return limits.get(name.removesuffix(OTHERS).removesuffix(EXPECTED), (-np.inf, np.inf))
