"""Judging risks as an alarm system: deaths caught, alarms that were right, days ahead.

After an alert a cell is quiet for one horizon: "dies within H days" has been said.
"""

from dataclasses import dataclass

import numpy as np

MOST_THRESHOLDS = 200
LARGEST_ALERTED_SHARE = 0.2  # [U] who alerts on more than a fifth of all moments is not listened to


@dataclass(frozen=True)
class AlertResult:
    """Event figures at one threshold; NaN where undefined."""

    threshold: float
    deaths: int
    caught: int
    alerts: int
    right: int
    lead_days_median: float
    lead_days_p10: float

    @property
    def recall(self) -> float:
        """Share of the deaths that were caught."""
        return self.caught / self.deaths if self.deaths else float("nan")

    @property
    def precision(self) -> float:
        """Share of the alerts that were right."""
        return self.right / self.alerts if self.alerts else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of event recall and precision, 0 where nothing was caught."""
        total = self.deaths + self.alerts
        return (self.caught + self.right) / total if total else 0.0


@dataclass(frozen=True)
class Watch:
    """Labelled moments in (cell, time) order.

    Args:
        cell: Code of the cell's life, sorted, shape (n,).
        day: Time [days], rising within a cell, shape (n,).
        label: 0/1, shape (n,).
        days_to_death: NaN where the life has no death, shape (n,).
        horizon_days: H.
    """

    cell: np.ndarray
    day: np.ndarray
    label: np.ndarray
    days_to_death: np.ndarray
    horizon_days: float


def judge(watch: Watch, risk: np.ndarray, threshold: float) -> AlertResult:
    """Return the event figures of alerting at `risk >= threshold`."""
    deaths = len(np.unique(watch.cell[watch.label == 1]))
    alerts, right = 0, 0
    leads: dict[int, float] = {}
    quiet_until: dict[int, float] = {}
    for row in np.flatnonzero(risk >= threshold):
        cell, day = int(watch.cell[row]), float(watch.day[row])
        if day < quiet_until.get(cell, -np.inf):
            continue
        quiet_until[cell] = day + watch.horizon_days
        alerts += 1
        if watch.label[row] == 1:
            right += 1
            leads.setdefault(cell, float(watch.days_to_death[row]))
    lead = np.array(list(leads.values())) if leads else np.array([np.nan])
    return AlertResult(
        float(threshold),
        deaths,
        len(leads),
        alerts,
        right,
        float(np.median(lead)),
        float(np.quantile(lead, 0.1)),
    )


def best_threshold(watch: Watch, risk: np.ndarray) -> float:
    """Return the threshold with the best balance (F1) of deaths caught and alerts that were right.

    Candidates are quantiles of the risks, denser at the top; of equals the highest.
    """
    shares = np.unique(1 - np.geomspace(1 / max(len(risk), 2), LARGEST_ALERTED_SHARE, MOST_THRESHOLDS))
    candidates = np.unique(np.quantile(risk, shares))[::-1]
    return float(max(candidates, key=lambda threshold: (judge(watch, risk, threshold).f1, threshold)))
