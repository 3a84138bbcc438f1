"""Another budget of alerts for a stored model: the thresholds that training found worth having."""

from collections.abc import Sequence
from typing import Any

import pandas as pd


def budget_steps(curve: pd.DataFrame) -> list[dict[str, float]]:
    """Return the rows of an alert curve at which more alerts bring a better balance (F1), and its first.

    The best threshold within any budget is one of these, as in `budget_threshold`.

    Args:
        curve: From `alert_curve`: `threshold` falling, `per_week`, `recall`, `precision`, `f1`.

    >>> curve = pd.DataFrame({"threshold": [0.9, 0.8, 0.7], "per_week": [1.0, 2.0, 9.0], "recall": [0.1, 0.5, 0.5],
    ...                       "precision": [1.0, 0.9, 0.5], "f1": [0.2, 0.6, 0.5]})
    >>> [step["threshold"] for step in budget_steps(curve)]
    [0.9, 0.8]
    """
    best_before = curve["f1"].cummax().shift(fill_value=-1.0)
    steps = curve[curve["f1"] > best_before]
    return [{str(key): float(value) for key, value in row.items()} for row in steps.to_dict("records")]


def threshold_within(steps: Sequence[dict[str, Any]], per_week: float) -> float:
    """Return the threshold of the best balance within a budget, the strictest where even that exceeds it.

    Args:
        steps: From `budget_steps`.
        per_week: Alerts per week and 1,000 cells.
    """
    within = [step for step in steps if step["per_week"] <= per_week]
    return float(max(within, key=lambda step: step["f1"])["threshold"] if within else steps[0]["threshold"])
