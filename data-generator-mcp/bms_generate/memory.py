"""Memory in time, to which SDV's reports are blind: rows may be shuffled without changing their scores."""

import numpy as np
import pandas as pd

from bms_generate.dataset import Dataset, Tables
from bms_generate.time_grid import SeriesColumns, find_series

LAG1_COLUMNS = ["table", "column", "real", "synthetic"]
# An autocorrelation of fewer pairs says nothing.
_LEAST_PAIRS = 3


def lag1_autocorrelation(frame: pd.DataFrame, series: SeriesColumns, columns: list[str]) -> dict[str, float]:
    """Return the mean over cells of the correlation between each reading and the cell's next one.

    Pairs with a missing value do not count, nor do cells with fewer than 3 pairs or without variation;
    NaN where no cell is left.

    Args:
        frame: A typed table, rows in any order.
        series: Its cell and time columns.
        columns: Numeric columns.

    >>> table = pd.DataFrame({"c": [1] * 4, "t": pd.date_range("2026", periods=4), "v": [1.0, 2.0, 3.0, 4.0]})
    >>> lag1_autocorrelation(table, SeriesColumns(["c"], "t"), ["v"])
    {'v': 1.0}
    """
    ordered = frame.dropna(subset=[*series.entity, series.time]).sort_values(
        [*series.entity, series.time], kind="stable"
    )
    cells = ordered.groupby(series.entity, sort=False)
    numbers = cells.ngroup()
    means = {}
    for name in columns:
        pairs = pd.DataFrame({"now": ordered[name], "next": cells[name].shift(-1), "cell": numbers}).dropna()
        means[name] = _mean_correlation(pairs)
    return means


def _mean_correlation(pairs: pd.DataFrame) -> float:
    """Average Pearson's r over the cells."""
    values = pairs[["now", "next"]] - pairs.groupby("cell")[["now", "next"]].transform("mean")
    products = pd.DataFrame(
        {
            "xy": values["now"] * values["next"],
            "xx": values["now"] ** 2,
            "yy": values["next"] ** 2,
            "cell": pairs["cell"],
        }
    )
    sums = products.groupby("cell").sum()
    enough = (pairs.groupby("cell").size() >= _LEAST_PAIRS) & (sums["xx"] > 0) & (sums["yy"] > 0)
    correlations = sums["xy"][enough] / np.sqrt(sums["xx"][enough] * sums["yy"][enough])
    return round(float(correlations.mean()), 4) if len(correlations) else float("nan")


def compare_memory(real: Dataset, synthetic: Tables) -> pd.DataFrame:
    """Compare lag-1 autocorrelations of every table that holds series.

    Returns:
        Columns `table`, `column`, `real`, `synthetic`; empty where no table has cell and time.
    """
    rows = []
    for name, frame in real.tables.items():
        spec = real.metadata["tables"][name]
        series = find_series(spec, frame)
        if series is None:
            continue
        columns = [column for column, kind in spec["columns"].items() if kind["sdtype"] == "numerical"]
        before = lag1_autocorrelation(frame, series, columns)
        after = lag1_autocorrelation(synthetic[name], series, columns)
        rows += [
            (name, column, before[column], after[column]) for column in columns if np.isfinite(before[column])
        ]
    return pd.DataFrame(rows, columns=LAG1_COLUMNS)
