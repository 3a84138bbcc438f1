"""What the live service calls: the tool's own features and model on readings in memory."""

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, TIMESTAMP, VOLTAGE
from bms_schema.data.table import canonical_table
from bms_schema.run.model_store import LATEST

from bms_failure.moments import cell_moments, is_latest, require_history
from bms_failure.scoring import rank_by_model
from bms_failure.storage import load_model


def score_frame(frame: pd.DataFrame, model_version: str = LATEST) -> pd.DataFrame:
    """Return the risk of every cell in the frame at its last reading, highest first.

    Pass the whole string and up to 30 days of history: features look at both. `IsDead` is not read.

    Args:
        frame: Readings, raw or canonical, one row per cell and time.
        model_version: Version id of model `failure`, or "latest".

    Returns:
        `Cell ID`, `string`, `risk`, `rank`, `failing` (risk at or above the alert threshold), `reason_1…3`
        (empty where nothing speaks), `at`, `horizon_days`, `model_version`.

    Raises:
        InputError: the frame lacks a required column, or spans less than a day.
        ModelError: no such version, or it does not fit the data.
    """
    table = canonical_table(frame, require=(VOLTAGE, CELL_ID, TIMESTAMP))
    model, meta = load_model(model_version, measured=table.measured, chemistry=table.chemistry.profile.name)
    moments = cell_moments(table.frame, table.chemistry, np.zeros(len(table.frame), dtype=int))
    latest = moments[is_latest(moments)].reset_index(drop=True)
    require_history(latest)
    ranked = rank_by_model(latest, model).table
    return ranked.drop(columns="indicator_score").assign(
        horizon_days=model.horizon_days, model_version=meta.version
    )
