"""What is known of a method: how it did out of fold, at every horizon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from bms_failure.alerts import AlertResult, Watch
from bms_failure.baselines import BASELINES
from bms_failure.hazard import risk_between

MethodName = Literal["classifier", "deviation_rank", "ohmic_rise"]
METHODS: tuple[MethodName, ...] = ("classifier", *BASELINES)
FoldReport = Callable[[int, int], None]


def no_report(done: int, total: int) -> None:
    """Stand in for a caller that wants no progress."""


@dataclass(frozen=True)
class MethodEvidence:
    """How one method did at one horizon, out of fold.

    Args:
        risk: Calibrated on the other folds, rows of the `HorizonEvidence`, shape (n,).
        auroc: Over moments; `auroc_lo95`, `auroc_hi95` by drawing clusters, as all intervals here.
        average_precision: Over moments.
        brier: Of `risk`.
        brier_skill: 1 - Brier / Brier of the base rate; `brier_skill_lo95`, `brier_skill_hi95`.
        ece: Expected calibration error over ten bins.
        calibration_slope: Of a logistic regression of the labels on the log-odds; 1 is right.
        balanced_accuracy: Over moments, calling those at risk whose risk is twice the base rate of the others.
        events: Alerts within the budget, at the threshold that was best on the other folds; `threshold` is
            the one of all folds together.
    """

    risk: np.ndarray
    auroc: float
    auroc_lo95: float
    auroc_hi95: float
    average_precision: float
    brier: float
    brier_skill: float
    brier_skill_lo95: float
    brier_skill_hi95: float
    ece: float
    calibration_slope: float
    balanced_accuracy: float
    events: AlertResult


@dataclass(frozen=True)
class HorizonEvidence:
    """Evidence at one horizon, on the moments whose whole horizon was watched.

    Args:
        days: The horizon; NaN for "by the end of the data".
        rows: Positions in the timeline, shape (n,).
        labels: 0/1, shape (n,).
        methods: By name.
        lead_over_baseline: AUROC of the classifier minus the better baseline's; with its 95 % interval.
        skill_over_baseline: Brier skill of the classifier minus the better baseline's, likewise.
    """

    days: float
    rows: np.ndarray
    labels: np.ndarray
    methods: dict[MethodName, MethodEvidence]
    lead_over_baseline: tuple[float, float, float]
    skill_over_baseline: tuple[float, float, float]


@dataclass(frozen=True)
class Evidence:
    """Evidence of all methods at all horizons.

    Args:
        timeline: One row per cell-day: `Cell ID`, `string`, `life`, `at`, `ahead` (days to death), `watched`,
            `fold`.
        edges: Ends of the hazard's intervals [days].
        risks: Calibrated out-of-fold risk at each edge, each (n, k).
        horizons: By days; the judged one is among them.
        judged_days: The horizon that was asked for, as far as it can be judged.
        chosen: The method that is used.
        by_end: "Dies by the end of the data", where enough moments lie within the curve's reach.
        watch: The timeline as an alarm system sees it, for `alert_curve`.
    """

    timeline: pd.DataFrame
    edges: tuple[int, ...]
    risks: dict[MethodName, np.ndarray]
    horizons: dict[int, HorizonEvidence]
    judged_days: int
    chosen: MethodName
    by_end: HorizonEvidence | None
    watch: Watch

    @property
    def judged(self) -> HorizonEvidence:
        """Evidence at the horizon that was asked for."""
        return self.horizons[self.judged_days]

    @property
    def methods(self) -> dict[MethodName, MethodEvidence]:
        """Methods at the judged horizon."""
        return self.judged.methods

    @property
    def labels(self) -> np.ndarray:
        """Labels at the judged horizon, shape (n,)."""
        return self.judged.labels

    @property
    def lead_over_baseline(self) -> tuple[float, float, float]:
        """Lead at the judged horizon."""
        return self.judged.lead_over_baseline

    def risk_at(self, method: MethodName, days: np.ndarray) -> np.ndarray:
        """Return the out-of-fold risk within so many days of each row of the timeline, shape (n,)."""
        return risk_between(self.risks[method], self.edges, days)
