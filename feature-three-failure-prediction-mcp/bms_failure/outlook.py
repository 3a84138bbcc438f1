"""When a cell is expected to die, in words: a number of days with its interval, or "more than" the curve tells."""

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID

from bms_failure.hazard import risk_between

MOST_CURVES, POINTS = 6, 57
FLEET = "middle cell of the fleet"


def word_outlooks(times: pd.DataFrame, end_days: float) -> list[str]:
    """Return a sentence's end for each cell, see `word_outlook`.

    Args:
        times: `median`, `lo`, `hi` [days], NaN = beyond the curve; from `FailureModel.time_to_failure`.
        end_days: How far the model's curve reaches.
    """
    columns = (times[name].to_numpy(dtype=float) for name in ("median", "lo", "hi"))
    return [word_outlook(median, low, high, end_days) for median, low, high in zip(*columns, strict=True)]


def word_outlook(median: float, low: float, high: float, end_days: float) -> str:
    """Say when half, a tenth and nine tenths of cells like this one have died.

    Args:
        median: Days until half have died, NaN = beyond the curve.
        low: Days until a tenth have.
        high: Days until nine tenths have.
        end_days: How far the curve reaches [days].

    >>> word_outlook(23.1, 8.9, 51.0, 56)
    'about 23 days (9 to 51)'
    >>> word_outlook(23.1, 8.9, float("nan"), 56)
    'about 23 days (9 to more than 56)'
    >>> word_outlook(float("nan"), 12.4, float("nan"), 56)
    'more than 56 days (1 in 10 within 12)'
    >>> word_outlook(0.4, 0.1, 2.0, 56)
    'less than a day (up to 2)'
    >>> word_outlook(float("nan"), float("nan"), float("nan"), 56)
    'more than 56 days'
    """
    if np.isnan(median):
        soon = "" if np.isnan(low) else f" (1 in 10 within {_days(low)})"
        return f"more than {_days(end_days)} days{soon}"
    latest = f"more than {_days(end_days)}" if np.isnan(high) else _days(high)
    if median < 1.0:
        return f"less than a day (up to {latest})"
    return f"about {_days(median)} day{'' if round(median) == 1 else 's'} ({_days(low)} to {latest})"


def _days(value: float) -> str:
    """Whole days; less than one is told as 1, which no reader takes for a promise."""
    return f"{max(round(value), 1)}"


def prepare_survival(table: pd.DataFrame, horizons: tuple[int, ...]) -> pd.DataFrame:
    """Return the probability to be alive over the days ahead, days as index: the worst six cells, then the fleet's.

    Between two horizons the hazard is constant, as in the model. The fleet's curve is the median over cells.

    Args:
        table: From `Ranking`, with a `risk_<days>d` column per horizon.
        horizons: Their days, ascending.
    """
    risks = table[[f"risk_{days}d" for days in horizons]].to_numpy(dtype=float)
    middle = np.median(risks, axis=0)
    rows = np.vstack([risks[:MOST_CURVES], middle])
    days = np.unique(np.r_[np.linspace(0.0, horizons[-1], POINTS), horizons])
    alive = [1.0 - risk_between(rows, horizons, np.full(len(rows), day)) for day in days]
    names = [*table[CELL_ID].head(MOST_CURVES).astype(str), FLEET]
    return pd.DataFrame(alive, index=days, columns=names)
