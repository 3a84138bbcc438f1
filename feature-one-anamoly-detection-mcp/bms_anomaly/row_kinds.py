"""Which kind of event each anomalous row belongs to, from the two tables of a result."""

import pandas as pd
from bms_schema.data.columns import CELL_ID, SOURCE_ROW, TIMESTAMP


def row_kinds(rows: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Return `kind` and `about` of every row, rows as in `rows`; "" for rows that belong to no event.

    An anomalous row belongs to the event of its cell that began last, since events of one cell never overlap.

    Args:
        rows: With `Cell ID`, `source_row`, `Timestamp` where given, and `anomaly`, shape (n, …).
        events: With `Cell ID`, `start`, `kind` and `about`; `start` is a time or a `source_row`.
    """
    named = pd.DataFrame({"kind": "", "about": ""}, index=rows.index, dtype=object)
    when = rows[TIMESTAMP if is_timed(events) else SOURCE_ROW].reset_index(drop=True)
    odd = ((rows["anomaly"] == 1).reset_index(drop=True) & when.notna()).to_numpy().nonzero()[0]
    begun = events.dropna(subset=["start"])
    if not len(odd) or begun.empty:
        return named
    asked = pd.DataFrame({"place": odd, CELL_ID: rows[CELL_ID].to_numpy()[odd], "when": when.iloc[odd]})
    found = pd.merge_asof(
        asked.sort_values("when"),
        begun[[CELL_ID, "start", "kind", "about"]].sort_values("start"),
        left_on="when",
        right_on="start",
        by=CELL_ID,
    )
    named.iloc[found["place"].to_numpy()] = found[["kind", "about"]].fillna("").to_numpy()
    return named


def is_timed(events: pd.DataFrame) -> bool:
    """Return whether events begin and end at times, not at row numbers."""
    return pd.api.types.is_datetime64_any_dtype(events["start"])
