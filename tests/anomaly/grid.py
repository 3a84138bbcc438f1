"""The rows of a small hourly fleet: which cell, which string, when."""

import pandas as pd

START = pd.Timestamp("2026-01-01")


def hourly_rows(moments: int, strings: int, cells: int) -> tuple[pd.DataFrame, pd.Series]:
    """Return `source_row`, `Cell ID`, `string` and `Timestamp` in time order, and each row's number of the cell."""
    index = pd.MultiIndex.from_product([range(moments), range(strings), range(cells)])
    moment, string, cell = (pd.Series(index.get_level_values(level)) for level in range(3))
    names = string.map("S{}".format)
    rows = pd.DataFrame(
        {
            "source_row": range(len(index)),
            "Cell ID": names + "/" + cell.astype(str),
            "string": names,
            "Timestamp": START + pd.to_timedelta(moment, unit="h"),
        }
    )
    return rows, cell
