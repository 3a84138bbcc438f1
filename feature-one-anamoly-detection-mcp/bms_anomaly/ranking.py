"""Which cells to look at first: cells with a fault before cells of which only the sensor has one."""

import pandas as pd
from bms_schema.data.columns import CELL_ID, STRING

RANKING_COLUMNS = [
    CELL_ID,
    STRING,
    "kind",
    "about",
    "evidence",
    "share",
    "weight",
    "peak_score",
    "events",
    "anomalous_rows",
]


def rank_cells(rows: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Return one row per cell with events, the worst first, with the columns `RANKING_COLUMNS`.

    `kind`, `about`, `evidence` and `peak_score` are those of the cell's weightiest event. `share` is the part of
    its answered rows that lies in events of the cell, or, where only the sensor is at fault, of the sensor;
    `weight` is the same with each event counted by its peak score: strength times duration. A cell is judged by
    its own rows and events alone.

    Args:
        rows: Scored rows of whole cells (`FleetScores.rows`).
        events: Their events, with the columns of `kinds.EVENT_COLUMNS`.
    """
    if events.empty:
        return pd.DataFrame(columns=RANKING_COLUMNS)
    scored = rows[rows[CELL_ID].isin(events[CELL_ID])]
    of_cell = scored.groupby(CELL_ID)
    # A row of which cleaning took out every reading is scored too, so it counts as answered.
    answered, anomalous = of_cell["anomaly_score"].count(), of_cell["anomaly"].sum()
    judged = events.assign(mass=events["readings"] * events["peak_score"], sensor=events["about"] == "sensor")
    judged = judged.sort_values(["sensor", "mass", "start"], ascending=[True, False, True], kind="stable")
    first = judged.drop_duplicates(CELL_ID).set_index(CELL_ID)
    counted = judged[judged["sensor"].eq(judged[CELL_ID].map(first["sensor"]))].groupby(CELL_ID)
    table = first[[STRING, "kind", "about", "evidence", "peak_score"]].assign(
        share=counted["readings"].sum() / answered,
        weight=counted["mass"].sum() / answered,
        events=events.groupby(CELL_ID).size(),
        anomalous_rows=anomalous,
    )
    return worst_first(table.reset_index())


def worst_first(table: pd.DataFrame) -> pd.DataFrame:
    """Return a ranking, or several put together, with the worst cell first."""
    by = ["about", "weight", "peak_score", CELL_ID]
    return table[RANKING_COLUMNS].sort_values(by, ascending=[True, False, False, True], ignore_index=True)
