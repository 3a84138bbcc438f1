"""Judging risks as an early-warning system: deaths caught, alerts that were right, days ahead, alerts per week.

An alert says "this cell dies within H days". The cell is quiet for the next 30 days, or for one horizon where
that is shorter: it has been said.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

QUIET_DAYS = 30.0
ALERTS_PER_WEEK = 10.0  # per 1,000 cells: what a small crew can look at [U]
ELEVATED = 2.0  # times the base rate: what is called an elevated risk [U]
_CELLS, _WEEK_DAYS, _EVEN_ODDS = 1000.0, 7.0, 0.5
CANDIDATE_THRESHOLDS = 60
BUDGET_SHARE = 0.9  # of the budget are planned for: other cells and weeks bring a few alerts more [U]
TRUSTED_PRECISION = 2.0 / 3.0  # [U] a crew that finds two of three alerts right goes on looking


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

    @cached_property
    def dying(self) -> np.ndarray:
        """Whether a death follows within H, shape (n,)."""
        return np.asarray(self.ahead <= self.horizon_days)

    @cached_property
    def deaths(self) -> int:
        """Lives that are dying at some moment."""
        return len(np.unique(self.cell[self.dying]))

    @cached_property
    def cell_weeks(self) -> float:
        """Cell-weeks watched: one per cell and seven days with a moment."""
        return int((_starts(self.cell) | _starts(np.floor(self.day))).sum()) / _WEEK_DAYS

    def part(self, rows: np.ndarray) -> "Watch":
        """Return the watch of some rows, whole lives of them."""
        return Watch(self.cell[rows], self.day[rows], self.ahead[rows], self.watched[rows], self.horizon_days)


def alert_rows(
    watch: Watch, risk: np.ndarray, threshold: float, among: np.ndarray | None = None
) -> np.ndarray:
    """Return the positions at which an alert is raised, sorted.

    Args:
        watch: The moments.
        risk: Risk of each, shape (n,).
        threshold: Alert at or above it.
        among: Positions, rising, beyond which no risk is so high; None looks at all.
    """
    quiet = min(QUIET_DAYS, watch.horizon_days)
    rows = np.flatnonzero(risk >= threshold) if among is None else among[risk[among] >= threshold]
    raised = []
    while len(rows):
        first = _starts(watch.cell[rows])
        raised.append(rows[first])
        until = (watch.day[rows[first]] + quiet)[np.cumsum(first) - 1]
        rows = rows[watch.day[rows] >= until]
    return np.sort(np.concatenate(raised)) if raised else np.array([], dtype=int)


def _starts(values: np.ndarray) -> np.ndarray:
    """Return whether a value differs from the one before it, shape (n,); the first one does."""
    return np.r_[True, values[1:] != values[:-1]] if len(values) else np.zeros(0, dtype=bool)


def judge(watch: Watch, risk: np.ndarray, threshold: float, among: np.ndarray | None = None) -> AlertResult:
    """Return the event figures of alerting at `risk >= threshold`; see `alert_rows`."""
    raised = alert_rows(watch, risk, threshold, among)
    hits = raised[watch.dying[raised]]
    first_hits = hits[_starts(watch.cell[hits])]
    lead = watch.ahead[first_hits] if len(first_hits) else np.array([np.nan])
    resolved = raised[watch.watched[raised] > watch.horizon_days]
    weeks = watch.cell_weeks
    return AlertResult(
        threshold=float(threshold),
        deaths=watch.deaths,
        caught=len(first_hits),
        alerts=len(raised),
        resolved=len(resolved),
        right=int(watch.dying[resolved].sum()),
        per_week=len(raised) / weeks * _CELLS if weeks else float("nan"),
        lead_days_median=float(np.median(lead)),
        lead_days_p10=float(np.quantile(lead, 0.1)),
    )


def alert_curve(watch: Watch, risk: np.ndarray) -> pd.DataFrame:
    """Return one row per candidate threshold, highest first.

    Columns: `threshold`, `per_week`, `recall`, `precision`, `f1`, `lead_days_median` and, the same in all rows,
    `deaths_per_week` (per 1,000 cells, like the alerts).
    Candidates are the highest risks that the lives of the upper half reached: between two of them no life more
    is alerted. No risk below twice the base rate is an alert.
    """
    peaks = np.sort(pd.Series(risk).groupby(watch.cell).max().to_numpy())
    shares = np.linspace(0.5, 1.0, CANDIDATE_THRESHOLDS)
    highest = np.unique(np.quantile(peaks, shares, method="higher"))[::-1] if len(peaks) else peaks
    floor = min(ELEVATED * float(np.mean(watch.dying)), _EVEN_ODDS)
    candidates = highest[highest >= floor] if (highest >= floor).any() else np.array([floor])
    among = np.flatnonzero(risk >= candidates.min()) if len(candidates) else None
    found = [judge(watch, risk, threshold, among) for threshold in candidates]
    return pd.DataFrame(
        {
            "threshold": [item.threshold for item in found],
            "per_week": [item.per_week for item in found],
            "recall": [item.recall for item in found],
            "precision": [item.precision for item in found],
            "f1": [item.f1 for item in found],
            "lead_days_median": [item.lead_days_median for item in found],
            "deaths_per_week": watch.deaths / max(watch.cell_weeks, 1.0) * _CELLS,
        }
    )


def budget_threshold(watch: Watch, risk: np.ndarray, per_week: float = ALERTS_PER_WEEK) -> float:
    """Return the threshold to alert at, see `pick_threshold`.

    Args:
        watch: The moments.
        risk: Risk of each, shape (n,).
        per_week: Most alerts per week and 1,000 cells.
    """
    return pick_threshold(alert_curve(watch, risk), per_week)


def pick_threshold(curve: pd.DataFrame, per_week: float) -> float:
    """Return the lowest threshold within the budget of alerts at which enough of them are right.

    The lowest warns earliest and of the most deaths. Enough are two in three, or as many as at the best balance
    (F1) of recall and precision where that is less; who allows more than the usual ten alerts accepts that, in
    proportion, fewer are right. Where all thresholds exceed the budget it is the highest. The budget is a maximum,
    also for a fleet that loses more cells than it allows alerts.

    Args:
        curve: From `alert_curve`.
        per_week: Most alerts per week and 1,000 cells.
    """
    within = curve[curve["per_week"] <= BUDGET_SHARE * per_week]
    if within.empty:
        return float(curve["threshold"].iloc[0])
    balanced = within.sort_values(["f1", "threshold"], ascending=False).iloc[0]
    enough = min(TRUSTED_PRECISION, balanced["precision"]) * min(1.0, ALERTS_PER_WEEK / per_week)
    trusted = within[within["precision"] >= enough]
    return float(trusted["threshold"].iloc[-1] if len(trusted) else balanced["threshold"])
