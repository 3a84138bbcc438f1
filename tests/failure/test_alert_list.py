"""Who stands on the alert list now."""

from dataclasses import replace
from typing import Any

import pandas as pd
from bms_failure.scoring import rank_by_model
from bms_failure.storage import load_model
from bms_failure.watch import watch
from bms_schema.data.columns import SENSOR_NAMES
from bms_schema.data.table import canonical_table


def test_who_is_likelier_to_die_than_not_is_listed_whatever_the_budget(
    readings: pd.DataFrame, trained: dict[str, Any], version: str
) -> None:
    model, _ = load_model(version, measured=SENSOR_NAMES, chemistry="lead_acid_flooded")
    days = watch(canonical_table(readings)).moments
    # Every cell on its worst day: some of them die soon after.
    worst = (
        days.assign(risk=model.risk_at(days, model.judged_days))
        .sort_values("risk")
        .groupby("Cell ID")
        .tail(1)
    )
    worst = worst.reset_index(drop=True)
    risk = worst.pop("risk").to_numpy()
    assert (risk >= 0.5).any() and (risk < 0.5).any()
    strict, lax = (rank_by_model(worst, replace(model, alert_threshold=at)).table for at in (0.999, 0.1))
    assert strict["failing"].sum() == (risk >= 0.5).sum()
    assert lax["failing"].sum() == (risk >= 0.1).sum()
