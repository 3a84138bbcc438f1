"""Another budget of alerts for a stored model: its alert curve travels with it."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from bms_failure.alerts import pick_threshold

NEEDED = ("threshold", "per_week", "precision", "f1")


def budget_steps(curve: pd.DataFrame) -> list[dict[str, float]]:
    """Return what a threshold is picked by, as plain numbers for `meta.json`.

    Args:
        curve: From `alert_curve`.
    """
    return [
        {name: float(f"{row[name]:.6g}") for name in NEEDED} for row in curve[list(NEEDED)].to_dict("records")
    ]


def threshold_within(steps: Sequence[dict[str, Any]], per_week: float) -> float:
    """Return the threshold for a budget, by the rule that training itself goes by.

    Args:
        steps: From `budget_steps`.
        per_week: Alerts per week and 1,000 cells.
    """
    return pick_threshold(pd.DataFrame(list(steps)).astype(float), per_week)
