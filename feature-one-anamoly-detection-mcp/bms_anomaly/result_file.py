"""Reading a detection result back."""

from pathlib import Path

import pandas as pd
from bms_schema.data.cleaning import to_numbers
from bms_schema.data.columns import CELL_ID, MEASURED_NAMES, SOURCE_ROW
from bms_schema.data.reading import read_table
from bms_schema.run.errors import MissingColumn, NotEnoughData

NEEDED = (SOURCE_ROW, CELL_ID, "anomaly_score", "anomaly")


def read_result(path: Path) -> pd.DataFrame:
    """Read a `result_csv` of detect_anomalies; scores and measured columns become float64.

    Raises:
        UnreadableTable, NotEnoughData: no table, or one without rows.
        MissingColumn: not a detection result; names what it lacks.
    """
    frame = read_table(path).frame
    missing = [name for name in NEEDED if name not in frame]
    if missing:
        raise MissingColumn(
            f"'{path.name}' is no detection result: it has no column {', '.join(missing)}.",
            expected=f"columns {', '.join(NEEDED)} and the readings",
            fix="Pass the result_csv that detect_anomalies returned.",
        )
    for name in ("anomaly_score", "anomaly", *(name for name in MEASURED_NAMES if name in frame)):
        frame[name], _ = to_numbers(frame[name])
    if not frame["anomaly_score"].notna().any():
        raise NotEnoughData(
            f"No row of '{path.name}' has a score.",
            expected="at least one",
            fix="Run detect_anomalies on data with readings.",
        )
    return frame
