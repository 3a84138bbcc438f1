"""The truth of a simulated string as tables, and the same truth per row of the readings."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bms_generate.simulator.deaths import Death
from bms_generate.simulator.faults import Fault
from bms_generate.simulator.sensors import TEMPERATURE_SENTINEL, VOLTAGE_SENTINEL
from bms_generate.simulator.settings import Settings

TRUTH_COLUMNS = ("Cell ID", "string", "kind", "start", "end", "magnitude", "onset_of_precursor", "death")


def truth_table(
    settings: Settings, string: str, cell_ids: np.ndarray, deaths: list[Death], faults: list[Fault]
) -> pd.DataFrame:
    """One row per event of one string, in the order of its cells and then of time."""
    times = settings.timestamps
    rows = [
        (
            cell_ids[d.cell],
            string,
            f"death_{d.kind}",
            times[d.onset],
            times[-1],
            d.voltage_drop_v,
            times[d.onset] if d.onset < d.died else np.datetime64("NaT"),
            settings.stamps(np.array(d.died))[()],
        )
        for d in deaths
    ]
    nat = np.datetime64("NaT")
    rows += [
        (cell_ids[f.cell], string, f.kind, times[f.first], times[f.last], f.magnitude, nat, nat)
        for f in faults
    ]
    return as_truth_table(pd.DataFrame(rows, columns=list(TRUTH_COLUMNS))).sort_values(
        ["Cell ID", "start"], kind="stable", ignore_index=True
    )


def as_truth_table(table: pd.DataFrame) -> pd.DataFrame:
    """Give the truth its types, so that a fleet without events has them too."""
    texts = {"Cell ID": "object", "string": "object", "kind": "object", "magnitude": "float64"}
    times = dict.fromkeys(("start", "end", "onset_of_precursor", "death"), "datetime64[ns]")
    return table.astype(texts | times)


def join_truth(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Join the truths of several strings, also where none or only some of them have events."""
    eventful = [table for table in tables if len(table)]
    return as_truth_table(pd.concat(eventful, ignore_index=True)) if eventful else tables[0]


def mark_rows(readings: pd.DataFrame, truth: pd.DataFrame) -> pd.Series:
    """True for every reading inside an event of its cell, False for no-answer rows; any row order."""
    inside = np.zeros(len(readings), dtype=bool)
    times = readings["Timestamp"].to_numpy()
    rows_of_cell = readings.groupby("Cell ID", sort=False).indices
    events = zip(truth["Cell ID"], truth["start"].to_numpy(), truth["end"].to_numpy(), strict=True)
    for cell_id, start, end in events:
        rows = rows_of_cell.get(cell_id, np.empty(0, dtype=np.intp))
        inside[rows[(times[rows] >= start) & (times[rows] <= end)]] = True
    silent = readings["CellVoltage"].eq(VOLTAGE_SENTINEL) & readings["CellTemperature"].eq(
        TEMPERATURE_SENTINEL
    )
    return pd.Series(inside & ~silent.to_numpy(), index=readings.index, name="anomaly")
