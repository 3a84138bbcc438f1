"""Judging risks as an early-warning system: deaths caught, alerts that were right, days ahead, alerts per week.

An alert says "this cell dies within H days". The cell is quiet for the next 30 days, or for one horizon where
that is shorter: it has been said.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

QUIET_DAYS = 30.0
ALERTS_PER_WEEK = 10.0  # per 1,000 cells: what a small crew can look at [U]
_CELLS, _WEEK_DAYS = 1000.0, 7.0
CANDIDATE_THRESHOLDS = 80
LARGEST_ALERTED_SHARE = 0.2  # [U] who alerts on more than a fifth of all moments is not listened to


@dataclass(frozen=True)
class AlertResult:
    """Event figures at one threshold; NaN where undefined.

    Args:
        threshold: Alert where the risk is at or above it.
        deaths: Deaths that could be caught: the cell was watched at some moment within H before it.
        caught: Deaths with an alert within H before them.
        alerts: All alerts.
        resolved: Alerts whose H days were watched to their end, so that they can be right or wrong.
        right: Resolved alerts followed by a death within H.
        per_week: Alerts per week and 1,000 cells.
        lead_days_median: From the first right alert to the death; `lead_days_p10` likewise.
        recall_lo95, recall_hi95, precision_lo95, precision_hi95: By drawing clusters; NaN where not drawn.
    """

    threshold: float
    deaths: int
    caught: int
    alerts: int
    resolved: int
    right: int
    per_week: float
    lead_days_median: float
    lead_days_p10: float
    recall_lo95: float = float("nan")
    recall_hi95: float = float("nan")
    precision_lo95: float = float("nan")
    precision_hi95: float = float("nan")

    @property
    def recall(self) -> float:
        """Share of the deaths that were caught."""
        return self.caught / self.deaths if self.deaths else float("nan")

    @property
    def precision(self) -> float:
        """Share of the resolved alerts that were right."""
        return self.right / self.resolved if self.resolved else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of event recall and precision, 0 where nothing was caught."""
        if not self.right or not self.caught:
            return 0.0
        return 2.0 / (1.0 / self.recall + 1.0 / self.precision)


@dataclass(frozen=True)
class Watch:
    """Every moment at which an alert may be raised, in (cell, time) order.

    Args:
        cell: Code of the cell's life, sorted, shape (n,).
        day: Time [days], rising within a cell, shape (n,).
        ahead: Days to the death, NaN where the life has none, shape (n,).
        watched: Days for which a death would have been seen, shape (n,).
        horizon_days: H.
    """

    cell: np.ndarray
    day: np.ndarray
    ahead: np.ndarray
    watched: np.ndarray
    horizon_days: float

    @property
    def dying(self) -> np.ndarray:
        """Whether a death follows within H, shape (n,)."""
        return np.asarray(self.ahead <= self.horizon_days)

    @property
    def cell_weeks(self) -> float:
        """Cell-weeks watched: one per cell and seven days with a moment."""
        moments = pd.DataFrame({"cell": self.cell, "day": np.floor(self.day)})
        return len(moments.drop_duplicates()) / _WEEK_DAYS

    def part(self, rows: np.ndarray) -> "Watch":
        """Return the watch of some rows, whole lives of them."""
        return Watch(self.cell[rows], self.day[rows], self.ahead[rows], self.watched[rows], self.horizon_days)


def alert_rows(watch: Watch, risk: np.ndarray, threshold: float) -> np.ndarray:
    """Return the positions at which an alert is raised, sorted."""
    quiet = min(QUIET_DAYS, watch.horizon_days)
    rows = np.flatnonzero(risk >= threshold)
    raised = []
    while len(rows):
        cells, first = np.unique(watch.cell[rows], return_index=True)
        raised.append(rows[first])
        until = watch.day[rows[first]] + quiet
        rows = rows[watch.day[rows] >= until[np.searchsorted(cells, watch.cell[rows])]]
    return np.sort(np.concatenate(raised)) if raised else np.array([], dtype=int)


def judge(watch: Watch, risk: np.ndarray, threshold: float) -> AlertResult:
    """Return the event figures of alerting at `risk >= threshold`."""
    raised = alert_rows(watch, risk, threshold)
    hits = raised[watch.dying[raised]]
    first_hits = hits[np.unique(watch.cell[hits], return_index=True)[1]]
    lead = watch.ahead[first_hits] if len(first_hits) else np.array([np.nan])
    resolved = raised[watch.watched[raised] > watch.horizon_days]
    weeks = watch.cell_weeks
    return AlertResult(
        threshold=float(threshold),
        deaths=len(np.unique(watch.cell[watch.dying])),
        caught=len(first_hits),
        alerts=len(raised),
        resolved=len(resolved),
        right=int(watch.dying[resolved].sum()),
        per_week=len(raised) / weeks * _CELLS if weeks else float("nan"),
        lead_days_median=float(np.median(lead)),
        lead_days_p10=float(np.quantile(lead, 0.1)),
    )


def alert_curve(watch: Watch, risk: np.ndarray) -> pd.DataFrame:
    """Return one row per candidate threshold, highest first: `threshold`, `per_week`, `recall`, `precision`, `f1`.

    Candidates are quantiles of the risks, denser at the top.
    """
    shares = np.unique(1 - np.geomspace(1 / max(len(risk), 2), LARGEST_ALERTED_SHARE, CANDIDATE_THRESHOLDS))
    candidates = np.unique(np.quantile(risk, shares))[::-1]
    found = [judge(watch, risk, threshold) for threshold in candidates]
    return pd.DataFrame(
        {
            "threshold": [item.threshold for item in found],
            "per_week": [item.per_week for item in found],
            "recall": [item.recall for item in found],
            "precision": [item.precision for item in found],
            "f1": [item.f1 for item in found],
        }
    )


def budget_threshold(watch: Watch, risk: np.ndarray, per_week: float = ALERTS_PER_WEEK) -> float:
    """Return the threshold with the best balance (F1) of recall and precision within the budget of alerts.

    Args:
        watch: The moments.
        risk: Risk of each, shape (n,).
        per_week: Most alerts per week and 1,000 cells.

    Returns:
        Of equals the highest; the highest candidate where even that exceeds the budget.
    """
    curve = alert_curve(watch, risk)
    within = curve[curve["per_week"] <= per_week]
    if within.empty:
        return float(curve["threshold"].iloc[0])
    return float(within.sort_values(["f1", "threshold"], ascending=False)["threshold"].iloc[0])
