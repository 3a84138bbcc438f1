"""The ranked table of the living cells, whichever method answers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, STRING

from bms_failure.blocks import AT
from bms_failure.model import FailureModel
from bms_failure.ranking import rank_by_indicators
from bms_failure.reasons import MOST_REASONS, word_reasons

REASON_COLUMNS = tuple(f"reason_{number + 1}" for number in range(MOST_REASONS))


@dataclass(frozen=True)
class Ranking:
    """Living cells, worst first.

    Args:
        table: `Cell ID`, `string`, `risk` (NaN where nothing calibrated it), `indicator_score` (NaN where a
            model answers), `rank` 1…n, `failing`, `reason_1…3` (text, empty where nothing speaks), `at`.
        reasons: The same reasons as lists, in the table's order.
    """

    table: pd.DataFrame
    reasons: list[list[str]]


def rank_by_model(latest: pd.DataFrame, model: FailureModel) -> Ranking:
    """Rank cells by the model's risk; `failing` is a risk at or above its alert threshold.

    Args:
        latest: One moment per living cell, with features.
        model: A fitted model.
    """
    risk = model.risk(latest)
    reasons = word_reasons(latest, model.weights(latest))
    return _ranking(latest, risk, np.full(len(latest), np.nan), risk >= model.alert_threshold, reasons)


def rank_without_labels(latest: pd.DataFrame) -> Ranking:
    """Rank cells by risk indicators; `failing` means suspicious: two physical signs far outside the fleet.

    Args:
        latest: One moment per living cell, with features.
    """
    found = rank_by_indicators(latest)
    # A reason is a sign that would surprise in a healthy fleet: beyond one robust sigma.
    reasons = word_reasons(latest, (found.z - 1.0).clip(lower=0.0))
    return _ranking(latest, np.full(len(latest), np.nan), found.score, found.suspicious, reasons)


def _ranking(
    latest: pd.DataFrame, risk: np.ndarray, score: np.ndarray, failing: np.ndarray, reasons: list[list[str]]
) -> Ranking:
    order_by = np.where(np.isnan(risk), score, risk)
    order = np.lexsort((latest[CELL_ID].astype(str).to_numpy(), -order_by))
    table = latest[[CELL_ID, STRING]].assign(risk=risk, indicator_score=score, failing=failing)
    for number, name in enumerate(REASON_COLUMNS):
        table[name] = [said[number] if number < len(said) else "" for said in reasons]
    table[AT] = latest[AT]
    table = table.iloc[order].reset_index(drop=True)
    table.insert(4, "rank", np.arange(1, len(table) + 1))
    return Ranking(table, [reasons[position] for position in order])
