"""A fitted model: one method, its calibration at every horizon; and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID

from bms_failure.alerts import ALERTS_PER_WEEK
from bms_failure.baselines import BASELINE_FEATURE, baseline_score
from bms_failure.booster import contributions, learning_set, log_odds, raw_risks
from bms_failure.calibration import Calibrator
from bms_failure.cross_fit import (
    calibrate,
    cross_fitted_risks,
    fit_calibrators,
    out_of_fold_scores,
    taught_edges,
)
from bms_failure.evaluation import make_timeline, weigh_evidence
from bms_failure.evidence import Evidence, FoldReport, MethodName, no_report
from bms_failure.feature_set import FEATURE_NAMES
from bms_failure.fitting import Fit, fit_here, nothing_to_tell
from bms_failure.folds import assign_folds
from bms_failure.hazard import choose_edges, risk_between, time_of_risk
from bms_failure.labels import Lives, can_judge, choose_horizon, days_to_death, days_watched
from bms_failure.moments import is_settled

if TYPE_CHECKING:
    import xgboost

LONGEST_USUAL_DAYS = 56
LOW_QUANTILE, HIGH_QUANTILE = 0.1, 0.9


@dataclass(frozen=True)
class FailureModel:
    """What scores moments.

    Args:
        method: The method that won out of fold.
        booster: The hazard, trained on all moments; scores only where `method` is "classifier".
        calibrators: From the method's out-of-fold scores to risks, one per horizon.
        horizons: Days at which risks are calibrated, ascending.
        judged_days: The horizon that was asked for in training; `alert_threshold` belongs to it.
        alert_threshold: Risk within `judged_days` from which a cell is called failing.
        chemistry: Profile it was trained on.
    """

    method: MethodName
    booster: xgboost.Booster
    calibrators: tuple[Calibrator, ...]
    horizons: tuple[int, ...]
    judged_days: int
    alert_threshold: float
    chemistry: str

    @property
    def horizon_days(self) -> int:
        """The judged horizon."""
        return self.judged_days

    def risks(self, moments: pd.DataFrame) -> np.ndarray:
        """Return the probability of a death within each of `horizons`, rising along a row, (n, k)."""
        if self.method == "classifier":
            scores = log_odds(raw_risks(self.booster, moments, len(self.horizons)))
        else:
            scores = np.repeat(baseline_score(moments, self.method)[:, None], len(self.horizons), axis=1)
        return calibrate(scores, self.calibrators)

    def risk_at(self, moments: pd.DataFrame, days: float) -> np.ndarray:
        """Return the probability of a death within so many days, shape (n,).

        Between two horizons the hazard is taken as constant. NaN beyond the last: nothing was learnt there.
        """
        return risk_between(self.risks(moments), self.horizons, np.full(len(moments), float(days)))

    def risk(self, moments: pd.DataFrame) -> np.ndarray:
        """Return the probability of a death within the judged horizon, shape (n,)."""
        return self.risk_at(moments, self.judged_days)

    def time_to_failure(self, risks: np.ndarray) -> pd.DataFrame:
        """Return `median`, `lo` and `hi` [days]: when half, a tenth and nine tenths of such cells have died.

        NaN = beyond the last horizon.

        Args:
            risks: From `risks`, (n, k).
        """
        quantiles = {"median": 0.5, "lo": LOW_QUANTILE, "hi": HIGH_QUANTILE}
        return pd.DataFrame(
            {name: time_of_risk(risks, self.horizons, share) for name, share in quantiles.items()}
        )

    def weights(self, moments: pd.DataFrame) -> pd.DataFrame:
        """Return what each feature adds to the score, (n, features); a baseline has its one feature."""
        if self.method == "classifier":
            reach = 1 + int(np.searchsorted(self.horizons, self.judged_days))
            return pd.DataFrame(
                contributions(self.booster, moments, reach), columns=list(FEATURE_NAMES), index=moments.index
            )
        return pd.DataFrame(
            {BASELINE_FEATURE[self.method]: baseline_score(moments, self.method)}, index=moments.index
        )


@dataclass(frozen=True)
class Training:
    """A model and all that speaks for and against it.

    Args:
        model: Fitted on all moments.
        evidence: Out of fold.
        moments: The moments judged at the judged horizon, in the order of its labels.
        deaths: Cells that died within the judged horizon of a moment.
        folds: Number of folds.
    """

    model: FailureModel
    evidence: Evidence
    moments: pd.DataFrame
    deaths: int
    folds: int


def longest_horizon(moments: pd.DataFrame, groups: np.ndarray, lives: Lives, asked_days: int) -> int | None:
    """Return how far ahead risks can be learnt: to 56 days, or to the asked horizon where that is longer."""
    return choose_horizon(moments, groups, lives, max(LONGEST_USUAL_DAYS, asked_days))


def learnable(moments: pd.DataFrame, groups: np.ndarray, lives: Lives, horizon_days: int) -> np.ndarray:
    """Return the moments to learn from and to judge by, shape (n,): the settled ones, or all where they are few.

    Args:
        moments: Daily moments.
        groups: Group of each moment, shape (n,).
        lives: From `cell_lives`.
        horizon_days: The horizon to judge by.
    """
    settled = is_settled(moments)
    enough = can_judge(moments[settled], groups[settled], lives, horizon_days)
    return settled if enough else np.ones(len(moments), dtype=bool)


def folds_and_edges(
    groups: np.ndarray,
    ahead: np.ndarray,
    watched: np.ndarray,
    horizon_days: int,
    longest_days: int,
    seed: int,
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return the fold of each moment, shape (n,), and the intervals' ends that can be learnt without any fold.

    In small or uneven fleets one string may be the only one that was watched for long: then risks end earlier,
    at the judged horizon at the latest.

    Args:
        groups: Group of each moment, shape (n,).
        ahead: Days to death, NaN where there is none, shape (n,).
        watched: From `days_watched`, shape (n,).
        horizon_days: The horizon to judge by.
        longest_days: How far ahead risks can be learnt from all folds together.
        seed: Order of dealing.
    """
    dying = ahead <= horizon_days
    fold = assign_folds(groups, dying.astype(float), seed)
    if not taught_edges(ahead, watched, fold, (horizon_days,)):
        # Deal by the deaths that can be judged: else all of them may come to lie in one fold.
        fold = assign_folds(groups, (dying & (watched > horizon_days)).astype(float), seed)
    edges = taught_edges(ahead, watched, fold, choose_edges(longest_days))
    if not edges or edges[-1] < horizon_days:
        edges = (*edges, horizon_days)
    return fold, edges


def train(
    moments: pd.DataFrame,
    groups: np.ndarray,
    lives: Lives,
    horizon_days: int,
    chemistry: str,
    seed: int,
    report: FoldReport = no_report,
    alerts_per_week: float = ALERTS_PER_WEEK,
    fit: Fit = fit_here,
) -> Training:
    """Train and judge the classifier and both baselines, and keep the best.

    Args:
        moments: Daily moments, sorted by cell and time.
        groups: Group of each moment that no fold may split, shape (n,).
        lives: From `cell_lives`.
        horizon_days: The horizon to judge by, from `choose_horizon`, which has checked that it can be learnt.
        chemistry: Profile's name.
        seed: Of folds, trees and bootstrap.
        report: Called with (done, total) before each fold; may raise to stop.
        alerts_per_week: Budget of alerts per week and 1,000 cells.
        fit: What trains the boosters.
    """
    longest = longest_horizon(moments, groups, lives, horizon_days) or horizon_days
    learnt = learnable(moments, groups, lives, horizon_days)
    moments, groups = moments[learnt].reset_index(drop=True), groups[learnt]
    ahead, watched = days_to_death(moments, lives), days_watched(moments, lives)
    fold, edges = folds_and_edges(groups, ahead, watched, horizon_days, max(longest, horizon_days), seed)
    scores = out_of_fold_scores(moments, ahead, watched, edges, fold, seed, report, fit)
    timeline = make_timeline(moments, ahead, watched, fold)
    risks = {name: cross_fitted_risks(scores[name], timeline, edges) for name in scores}
    evidence = weigh_evidence(timeline, risks, edges, horizon_days, seed, alerts_per_week)
    chosen = evidence.chosen
    (booster,) = fit([partial(learning_set, moments, ahead, watched, edges)], seed, nothing_to_tell)
    model = FailureModel(
        chosen,
        booster,
        fit_calibrators(scores[chosen], timeline, edges),
        edges,
        horizon_days,
        evidence.methods[chosen].events.threshold,
        chemistry,
    )
    judged = moments.iloc[evidence.judged.rows].reset_index(drop=True)
    deaths = moments.loc[ahead <= horizon_days, CELL_ID].nunique()
    return Training(model, evidence, judged, int(deaths), len(np.unique(fold)))
