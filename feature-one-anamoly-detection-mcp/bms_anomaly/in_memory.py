"""Detection in this process, on a file that fits into its memory."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from bms_schema.data.intake import Intake

from bms_anomaly.detected import Detected, Step, Tell
from bms_anomaly.evidence import Census
from bms_anomaly.features import fleet_features
from bms_anomaly.findings import Findings
from bms_anomaly.learned import Asked, learn, load, with_healthy
from bms_anomaly.scoring import score_fleet, training_rows
from bms_anomaly.timeline import prepare_timeline


def detect_in_memory(
    intake: Intake, asked: Asked, *, emit: Callable[[pd.DataFrame], None], tell: Tell
) -> Detected:
    """Score every row and return what was found.

    Args:
        intake: The file.
        asked: What is to be found.
        emit: Called with the scored rows, in the file's order, as soon as they stand.
        tell: Called with what comes next.
    """
    census = Census()
    frame = pd.concat(list(census.watch(intake)), ignore_index=True)
    tell(Step.COMPARE, "comparing cells with their string and their own past")
    features = fleet_features(frame, census.columns)
    tell(Step.TRAIN, "loading the model" if asked.model else "training")
    learned = load(asked.model) if asked.model else learn(training_rows(frame, features), asked.seed)
    tell(Step.SCORE, "scoring")
    scores = score_fleet(frame, features, learned.detector, asked.contamination, asked.false_alarm_rate)
    del features
    tell(Step.WRITE, "writing tables")
    emit(scores.rows)
    tell(Step.DRAW, "drawing")
    findings = Findings.of(scores, census.span)
    timeline = prepare_timeline(frame, scores.rows, findings.events_to_draw())
    return Detected(
        with_healthy(learned, scores.healthy),
        census.columns,
        findings,
        timeline,
        census.span,
        list(intake.plan.notes),
        "pandas",
    )
