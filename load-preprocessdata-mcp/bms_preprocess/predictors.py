"""What MICE may look at: the row's own readings, the string's other cells, and the cell's past."""

import numpy as np
import pandas as pd
from bms_schema.data.columns import GRAVITY, MEASURED_NAMES, SOC, TEMPERATURE, VOLTAGE
from bms_schema.data.features import lag_within, trailing_statistics
from bms_schema.data.moments import moment_codes, order_cells

from bms_preprocess.shared_signals import fill_shared, median_of_others

CELL_SIGNALS = (VOLTAGE, TEMPERATURE, GRAVITY, SOC)
USUAL_WINDOW_S = 24 * 3600.0
OTHERS, USUAL, PREVIOUS = " of others", " usual deviation", " before"


def predictor_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns MICE works on, float64, rows as in `frame`.

    First the measured columns, shared signals already taken over from the other cells of the string. Then for
    every signal of a cell: the median of the string's other cells at that moment, the cell's usual deviation
    from it (mean over the 24 h before, this reading left out) and the cell's reading before. Never `IsDead`,
    nothing later than the row's own moment.

    Args:
        frame: A canonical frame.
    """
    order = order_cells(frame)
    moments = moment_codes(frame, order)
    columns = {name: frame[name].to_numpy(dtype=float, copy=True) for name in MEASURED_NAMES if name in frame}
    columns |= fill_shared(frame, moments)
    for name in CELL_SIGNALS:
        if name in columns:
            values = columns[name]
            others = median_of_others(values, moments)
            before = lag_within(values - others, order, 1)
            columns[name + OTHERS] = others
            columns[name + USUAL] = trailing_statistics(before, order, USUAL_WINDOW_S)[0]
            columns[name + PREVIOUS] = lag_within(values, order, 1)
    return pd.DataFrame(columns, index=frame.index)


def reading_bounds(name: str, limits: dict[str, tuple[float, float]]) -> tuple[float, float]:
    """Return the plausible range of a predictor column; deviations have none."""
    base = name.removesuffix(OTHERS).removesuffix(PREVIOUS)
    return limits.get(base, (-np.inf, np.inf))
