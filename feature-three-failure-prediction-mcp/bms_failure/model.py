"""A fitted model: one method, its calibration, its horizon; and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID

from bms_failure.baselines import BASELINE_FEATURE, baseline_score
from bms_failure.booster import contributions, margins, train_booster
from bms_failure.calibration import Platt, fit_platt
from bms_failure.evaluation import (
    Evidence,
    FoldReport,
    MethodName,
    no_report,
    out_of_fold_scores,
    weigh_evidence,
)
from bms_failure.feature_set import FEATURE_NAMES
from bms_failure.folds import assign_folds
from bms_failure.labels import Lives, days_to_death, label_moments

if TYPE_CHECKING:
    import xgboost


@dataclass(frozen=True)
class FailureModel:
    """What scores moments.

    Args:
        method: The method that won out of fold.
        booster: Trained on all labelled moments; scores only where `method` is "classifier".
        platt: From the method's out-of-fold scores to risks.
        horizon_days: The risk is of a death within so many days.
        alert_threshold: Risk from which a cell is called failing.
        chemistry: Profile it was trained on.
    """

    method: MethodName
    booster: xgboost.Booster
    platt: Platt
    horizon_days: int
    alert_threshold: float
    chemistry: str

    def risk(self, moments: pd.DataFrame) -> np.ndarray:
        """Return the probability of a death within the horizon, shape (n,)."""
        if self.method == "classifier":
            return self.platt(margins(self.booster, moments))
        return self.platt(baseline_score(moments, self.method))

    def weights(self, moments: pd.DataFrame) -> pd.DataFrame:
        """Return what each feature adds to the score, (n, features); a baseline has its one feature."""
        if self.method == "classifier":
            return pd.DataFrame(
                contributions(self.booster, moments), columns=list(FEATURE_NAMES), index=moments.index
            )
        return pd.DataFrame(
            {BASELINE_FEATURE[self.method]: baseline_score(moments, self.method)}, index=moments.index
        )


@dataclass(frozen=True)
class Training:
    """A model and all that speaks for and against it.

    Args:
        model: Fitted on all labelled moments.
        evidence: Out of fold.
        moments: The labelled moments, in the order of the evidence.
        deaths: Cells with at least one moment labelled 1.
        folds: Number of folds.
    """

    model: FailureModel
    evidence: Evidence
    moments: pd.DataFrame
    deaths: int
    folds: int


def train(
    moments: pd.DataFrame,
    groups: np.ndarray,
    lives: Lives,
    horizon_days: int,
    chemistry: str,
    seed: int,
    report: FoldReport = no_report,
) -> Training:
    """Train and judge the classifier and both baselines, and keep the best.

    Args:
        moments: Daily moments, sorted by cell and time.
        groups: Group of each moment that no fold may split, shape (n,).
        lives: From `cell_lives`.
        horizon_days: From `choose_horizon`, which has checked that this can be learnt.
        chemistry: Profile's name.
        seed: Of folds, trees and bootstrap.
        report: Called with (done, total) before each fold; may raise to stop.
    """
    labels = label_moments(moments, lives, horizon_days)
    known = np.isfinite(labels)
    moments, groups, labels = moments[known].reset_index(drop=True), groups[known], labels[known]
    fold = assign_folds(groups, labels, seed)
    scores = out_of_fold_scores(moments, labels, fold, seed, report)
    ahead = days_to_death(moments, lives)
    evidence = weigh_evidence(moments, labels, fold, scores, ahead, horizon_days, seed)
    chosen = evidence.chosen
    model = FailureModel(
        chosen,
        train_booster(moments, labels, seed),
        fit_platt(scores[chosen], labels),
        horizon_days,
        evidence.methods[chosen].events.threshold,
        chemistry,
    )
    deaths = moments.loc[labels == 1.0, CELL_ID].nunique()
    return Training(model, evidence, moments, int(deaths), len(np.unique(fold)))
