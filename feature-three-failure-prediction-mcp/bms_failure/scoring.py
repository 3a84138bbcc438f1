"""The ranked table of the living cells, whichever method answers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, STRING

from bms_failure.blocks import AT
from bms_failure.hazard import risk_between
from bms_failure.model import FailureModel
from bms_failure.outlook import word_outlooks
from bms_failure.ranking import rank_by_indicators
from bms_failure.reasons import MOST_REASONS, word_reasons

REASON_COLUMNS = tuple(f"reason_{number + 1}" for number in range(MOST_REASONS))


# A cell with this risk or more is named whatever the budget.
LIKELIER_THAN_NOT = 0.5


@dataclass(frozen=True)
class Ranking:
    """Living cells, worst first.

    Args:
        table: `Cell ID`, `string`, `risk` (of a death within `days`; NaN where nothing calibrated it),
            `indicator_score` (NaN where a model answers), `rank` 1…n, `failing`, `risk_<days>d` per horizon of
            the model, `days_to_death` (half of such cells have died) with `days_lo80` and `days_hi80` (a tenth,
            nine tenths; NaN = beyond the model's curve), `expected` (the same in words), `reason_1…3` (text,
            empty where nothing speaks), `at`.
        reasons: The same reasons as lists, in the table's order.
        days: What `risk` refers to; None without a model.
        horizons: Days of the `risk_<days>d` columns, ascending; empty without a model.
    """

    table: pd.DataFrame
    reasons: list[list[str]]
    days: int | None = None
    horizons: tuple[int, ...] = ()


def reach(model: FailureModel, asked_days: int | None) -> int:
    """Return the asked horizon as far as the model's curve reaches, its judged one where none was asked for."""
    return min(asked_days or model.judged_days, model.horizons[-1])


def rank_by_model(
    latest: pd.DataFrame,
    model: FailureModel,
    *,
    asked_days: int | None = None,
    threshold: float | None = None,
) -> Ranking:
    """Rank cells by the model's risk; `failing` is a risk at the judged horizon at or above the threshold.

    A risk of one half or more is always failing: where a fleet loses more cells than the budget has alerts, the
    list would else keep quiet about cells that are likelier to die than not.

    Args:
        latest: One moment per living cell, with features.
        model: A fitted model.
        asked_days: What `risk` refers to, see `reach`.
        threshold: Alert from this risk within the judged horizon; None takes the model's own.
    """
    days, risks = reach(model, asked_days), model.risks(latest)

    def within(horizon: int) -> np.ndarray:
        return risk_between(risks, model.horizons, np.full(len(latest), float(horizon)))

    times = model.time_to_failure(risks)
    columns = {f"risk_{horizon}d": risks[:, number] for number, horizon in enumerate(model.horizons)} | {
        "days_to_death": times["median"].to_numpy(),
        "days_lo80": times["lo"].to_numpy(),
        "days_hi80": times["hi"].to_numpy(),
        "expected": word_outlooks(times, model.horizons[-1]),
    }
    budgeted = model.alert_threshold if threshold is None else threshold
    failing = within(model.judged_days) >= min(budgeted, LIKELIER_THAN_NOT)
    reasons = word_reasons(latest, model.weights(latest), either_side=model.method != "classifier")
    table, ordered = _ranked(latest, within(days), np.full(len(latest), np.nan), failing, columns, reasons)
    return Ranking(table, ordered, days, model.horizons)


def rank_without_labels(latest: pd.DataFrame) -> Ranking:
    """Rank cells by risk indicators; `failing` means suspicious, see `rank_by_indicators`.

    Args:
        latest: One moment per living cell, with features.
    """
    found = rank_by_indicators(latest)
    # A reason is a sign that would surprise in a healthy fleet: beyond one robust sigma.
    reasons = word_reasons(latest, (found.z - 1.0).clip(lower=0.0))
    unknown = np.full(len(latest), np.nan)
    columns = {"days_to_death": unknown, "days_lo80": unknown, "days_hi80": unknown, "expected": ""}
    return Ranking(*_ranked(latest, unknown, found.score, found.suspicious, columns, reasons))


def _ranked(
    latest: pd.DataFrame,
    risk: np.ndarray,
    score: np.ndarray,
    failing: np.ndarray,
    columns: dict[str, Any],
    reasons: list[list[str]],
) -> tuple[pd.DataFrame, list[list[str]]]:
    """Put the table together and sort it and the reasons, worst first, equals by name."""
    order_by = np.where(np.isnan(risk), score, risk)
    order = np.lexsort((latest[CELL_ID].astype(str).to_numpy(), -order_by))
    table = latest[[CELL_ID, STRING]].assign(risk=risk, indicator_score=score, failing=failing, **columns)
    for number, name in enumerate(REASON_COLUMNS):
        table[name] = [said[number] if number < len(said) else "" for said in reasons]
    table[AT] = latest[AT]
    table = table.iloc[order].reset_index(drop=True)
    table.insert(4, "rank", np.arange(1, len(table) + 1))
    return table, [reasons[position] for position in order]
