"""Another budget of alerts for a stored model: its alert curve travels with it."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from bms_failure.alerts import pick_threshold

NEEDED = ("threshold", "per_week", "precision", "f1", "deaths_per_week")


def budget_steps(curve: pd.DataFrame) -> list[dict[str, float]]:
    """Return what a threshold is picked by, as plain numbers for `meta.json`.

    Args:
        curve: From `alert_curve`.
    """
    names = [name for name in NEEDED if name in curve]
    return [{name: float(f"{row[name]:.6g}") for name in names} for row in curve[names].to_dict("records")]


def cells_lost(steps: Sequence[dict[str, Any]]) -> float | None:
    """Return how many cells per week and 1,000 the fleet of the steps lost, None where nobody counted.

    >>> cells_lost([{"deaths_per_week": 26.0}]), cells_lost([])
    (26.0, None)
    """
    lost = steps[0].get("deaths_per_week") if steps else None
    return None if lost is None else float(lost)


def threshold_within(steps: Sequence[dict[str, Any]], per_week: float) -> float:
    """Return the threshold for a budget, by the rule that training itself goes by.

    Args:
        steps: From `budget_steps`.
        per_week: Alerts per week and 1,000 cells.
    """
    return pick_threshold(pd.DataFrame(list(steps)).astype(float), per_week)
