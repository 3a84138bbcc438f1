"""Who answers: a model trained on this data, a stored one, or the indicators."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from bms_schema.data.columns import CELL_ID, IS_DEAD, SENSOR_NAMES, STRING
from bms_schema.run.errors import ModelError, NotEnoughData
from bms_schema.run.model_store import LATEST, ModelMeta, model_versions
from bms_schema.run.run_folder import Run

from bms_failure.budgets import cells_lost, threshold_within
from bms_failure.cross_fit import FEWEST_LATER_DEATHS
from bms_failure.fitting import Fit, fit_here
from bms_failure.folds import fold_groups
from bms_failure.labels import choose_horizon
from bms_failure.model import FailureModel, Training, train
from bms_failure.moments import require_history
from bms_failure.results import Method
from bms_failure.storage import MODEL_NAME, load_model, new_model, newest_fitting_model
from bms_failure.watch import Watched
from bms_failure.wording import say_model, why_no_training

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Question:
    """What was asked.

    Args:
        horizon_days: Days ahead.
        model: Empty to train where labels allow, else a version or "latest".
        alerts_per_week: Budget per 1,000 cells.
        seed: Of folds, trees and bootstrap.
    """

    horizon_days: int
    model: str
    alerts_per_week: float
    seed: int


@dataclass(frozen=True)
class Answer:
    """Who answers and why.

    Args:
        model: None for the indicators.
        training: What speaks for a model trained here; None for a stored one.
        version: Of a stored model.
        why: In words.
        threshold: Alert from this risk on; None takes the model's own.
        in_words: What was seen of a stored model when it was trained.
        lost: Cells per week and 1,000 that the fleet of a stored model lost.
    """

    model: FailureModel | None
    training: Training | None
    version: str | None
    why: str
    threshold: float | None = None
    in_words: list[str] = field(default_factory=list)
    lost: float | None = None

    @property
    def method(self) -> Method:
        """The method as the contract names it."""
        if self.model is None:
            return "indicators"
        return "classifier" if self.model.method == "classifier" else "baseline"


def find_answer(watched: Watched, question: Question, report: Progress, fit: Fit = fit_here) -> Answer:
    """Train where labels allow and no version is named; else load; else leave it to the indicators.

    Args:
        watched: The fleet.
        question: What was asked.
        report: Called with the share of training that is done and words; may raise to stop.
        fit: What trains the boosters.

    Raises:
        ModelError: the version asked for is missing or does not fit.
        NotEnoughData: the cells have been watched too short for the version asked for.
    """
    measured, name = watched.source.measured, watched.source.chemistry.profile.name
    if question.model:
        require_history(watched.living)
        model, meta = load_model(question.model, measured=measured, chemistry=name)
        return _stored(model, meta, question, "")
    training = _try_training(watched, question, report, fit)
    if training is not None:
        return Answer(training.model, training, None, "Trained on this data's IsDead labels.")
    reason = why_no_training(watched)
    try:
        require_history(watched.living)
    except NotEnoughData as short:
        return Answer(None, None, None, f"{reason} {short.found}")
    stored = newest_fitting_model(measured=measured, chemistry=name)
    if stored is not None:
        return _stored(*stored, question, f"{reason} ")
    return Answer(None, None, None, f"{reason} {_why_none(measured, name)}")


def _why_none(measured: list[str], chemistry: str) -> str:
    """Say why no stored model can be used: none is there, the newest does not fit, or none beat chance."""
    if not model_versions(MODEL_NAME):
        return "No model is stored."
    try:
        load_model(LATEST, measured=measured, chemistry=chemistry)
    except ModelError as refused:
        return f"No stored model fits. {refused.found}"
    return "The stored models that fit were no better than chance when they were trained."


def _stored(model: FailureModel, meta: ModelMeta, question: Question, reason: str) -> Answer:
    """Answer by a stored model, its alerts thinned or thickened to the budget."""
    same = question.alerts_per_week == meta.metrics.get("alerts_per_week")
    steps = meta.metrics.get("budget") or []
    threshold = None if same or not steps else threshold_within(steps, question.alerts_per_week)
    words = [f"On the fleet it was trained on: {said}" for said in meta.metrics.get("in_words", [])[:1]]
    return Answer(
        model, None, meta.version, f"{reason}{say_model(meta)}", threshold, words, cells_lost(steps)
    )


def _try_training(watched: Watched, question: Question, report: Progress, fit: Fit) -> Training | None:
    """Train if the labels allow it; None where they do not."""
    if IS_DEAD not in watched.source.columns:
        return None
    moments = watched.moments
    groups, _ = fold_groups(moments[STRING].to_numpy(), moments[CELL_ID].to_numpy())
    horizon = choose_horizon(moments, groups, watched.lives, question.horizon_days)
    if horizon is None:
        return None

    def tell(done: int, total: int) -> None:
        report(done / total, f"training, fold {done + 1} of {total}")

    return train(
        moments, groups, watched.lives, horizon, watched.source.chemistry.profile.name, question.seed, tell,
        question.alerts_per_week, fit,
    )  # fmt: skip


def split_words(training: Training, moments: pd.DataFrame) -> str:
    """Say which moments the evidence comes from and what was chosen where.

    Args:
        training: What was trained.
        moments: Of `Watched`.
    """
    kind = fold_groups(moments[STRING].to_numpy(), moments[CELL_ID].to_numpy())[1]
    held_out = "string" if kind == STRING else "cell"
    return (
        f"out of fold on {len(training.evidence.judged.labels):,} cell-days whose whole horizon was watched, "
        f"{training.folds} folds by {held_out}, none split in time; a cell's first days (30, or a quarter of "
        "the record; kept if too few cells die later) and days at and after a death dropped; calibration (per "
        f"horizon on the later half of the record, if {FEWEST_LATER_DEATHS} cells die there, else on all of it) "
        "and alert threshold come from the other folds; the method was chosen on these same figures, which "
        "flatters it a little"
    )


def new_version(
    run: Run, watched: Watched, training: Training, metrics: dict[str, Any]
) -> AbstractContextManager[str]:
    """Store a model trained here once the block has ended well: a call that fails or is cancelled leaves none.

    Args:
        run: The run that trained it.
        watched: The fleet.
        training: What was trained.
        metrics: As `meta.json` keeps them.
    """
    cells, files = watched.cells, ", ".join(Path(name).name for name in run.inputs)
    return new_model(
        training.model,
        measured=[column for column in SENSOR_NAMES if column in watched.source.measured],
        split=run.split or "",
        metrics=metrics,
        training_run=run.id,
        trained_on=f"{cells} cells of {files}",
    )
