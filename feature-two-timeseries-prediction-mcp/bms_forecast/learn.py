"""What is trained when: candidates on the earlier part of the history, blends on what they have not seen."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from bms_forecast.baselines import LAST_VALUE
from bms_forecast.blend import Blend, Evidence
from bms_forecast.candidates import Candidates
from bms_forecast.features import SeriesFeatures
from bms_forecast.fitted import FittedState
from bms_forecast.plan import Plan
from bms_forecast.samples import windows_within

EVIDENCE_PAIRS = 20_000
# With fewer windows after the training, windows within it are forecast as well, each by candidates trained on the
# other folds and other strings: few days tell neither weights nor widths (cover of a temperature .77 instead of
# .88), and no string tells whether what its own history taught holds for another.
ENOUGH_WINDOWS, FOLDS = 40, 3
# The last value is forecast where its error in the backtest is smaller than the mixture's by more than this share.
TOLERATED_LOSS = 0.02
# After fewer days the spread of the usual day says nothing.
DAYS_BEFORE = 5


def learn(state: FittedState, features: SeriesFeatures, plan: Plan, seed: int) -> None:
    """Fill in candidates and blends; they stay None where history is too short.

    Nothing in `checked` comes from the reported part.
    """
    candidates = Candidates.fitted(features, plan.calibrate_from, plan.window, seed)
    if candidates is None:
        return
    everyone = np.arange(len(features.grid.ids))
    later = windows_within(
        features.grid, everyone, plan.calibrate_from, plan.end, plan.window, EVIDENCE_PAIRS
    )
    evidence = Evidence.of(features, candidates, later)
    folds = _from_folds(features, plan, seed)
    checked = Blend.fitted(
        Evidence.joined([*folds, evidence.before(plan.report_from, plan.window)]), plan.window
    )
    if checked is None:
        return
    last = candidates.names.index(LAST_VALUE)
    state.lost_by = lost_by(checked, evidence.select(evidence.samples.origins >= plan.report_from - 1), last)
    only = last if state.lost_by is not None else None
    state.final = Blend.fitted(Evidence.joined([*folds, evidence]), plan.window, only=only)
    state.candidates, state.checked = candidates, checked


def lost_by(blend: Blend, evidence: Evidence, candidate: int) -> float | None:
    """Return by which share one candidate's mean absolute error is smaller than a blend's; None where it is not.

    Args:
        blend: Chosen without the evidence.
        evidence: The windows of the backtest.
        candidate: Which one.
    """
    scale, truth = evidence.scale, evidence.truth
    if not np.isfinite(truth).any():
        return None
    ours, rival = (
        float(np.nanmean(np.abs(points - truth) * scale))
        for points in (blend.points(evidence), evidence.said.points[:, candidate])
    )
    return 1.0 - rival / ours if rival < ours * (1.0 - TOLERATED_LOSS) else None


def _from_folds(features: SeriesFeatures, plan: Plan, seed: int) -> list[Evidence]:
    if (plan.end - plan.calibrate_from) // plan.window >= ENOUGH_WINDOWS:
        return []
    start = max(features.longest, DAYS_BEFORE * features.season)
    if plan.calibrate_from - start <= FOLDS * plan.window:
        return []
    edges = np.linspace(start, plan.calibrate_from, FOLDS + 1).astype(int)
    strings = features.grid.strings
    several = min(len(np.unique(strings)), FOLDS)
    parts = []
    for number, (start, end) in enumerate(pairwise(edges)):
        tested = np.arange(len(features.grid.ids))
        if several > 1:
            tested = np.flatnonzero(strings % several == number % several)
        others = Candidates.fitted(
            features,
            plan.calibrate_from,
            plan.window,
            seed,
            apart=range(int(start), int(end)),
            without=tested if several > 1 else None,
        )
        if others is not None and len(tested):
            windows = windows_within(
                features.grid, tested, int(start), int(end), plan.window, EVIDENCE_PAIRS // FOLDS
            )
            parts.append(Evidence.of(features, others, windows))
    return parts
