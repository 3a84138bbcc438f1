"""One scoring path for the workflow and for live inference: canonical frame in, scored rows and events out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import without_imputed
from bms_schema.data.columns import CELL_ID, MEASURED_NAMES, SOURCE_ROW, STRING, TIMESTAMP
from bms_schema.run.errors import NotEnoughData

from bms_anomaly.events import NO_EVENT, OPEN_SCORE, share_threshold
from bms_anomaly.false_alarms import HealthyScores
from bms_anomaly.features import fleet_features
from bms_anomaly.hybrid import FEWEST_FIT_ROWS, MEMBERS, HybridDetector
from bms_anomaly.judging import FleetDetector, JudgedRows, judge_rows, rows_above
from bms_anomaly.kinds import events_table, top_signals
from bms_anomaly.masked import masked_readings, raised
from bms_anomaly.row_kinds import row_kinds
from bms_anomaly.training import TrainingRows, has_reading, training_rows

__all__ = [
    "FleetDetector",
    "FleetScores",
    "HealthyScores",
    "JudgedRows",
    "TrainingRows",
    "doubt",
    "fit_detector",
    "fit_on",
    "has_reading",
    "judge_rows",
    "rate_threshold",
    "score_fleet",
    "score_frame",
    "share_threshold",
    "training_rows",
]

# Of the rows: anomalies are the exception, or the yardstick is wrong.
MOST_OF_A_FLEET = 0.5
ENOUGH_HEALTHY_ROWS = 5_000  # so that 1 % of them are 50 [U]
LATENT_AXES = 3  # as many as a picture shows
# Added to the training rows: healthy sensors that hold their values teach no finer scale than a part of a sigma.
JITTER = 0.1  # sigmas; chosen on simulated fleets (seeds 0-9) and two electric cars


@dataclass(frozen=True)
class FleetScores:
    """What came of a frame.

    Args:
        rows: Scored rows, in the frame's order.
        events: The events among them (see `kinds.EVENT_COLUMNS`).
        healthy: How high the rows outside of the default call's events score; kept with a model that was
            fitted on them.
    """

    rows: pd.DataFrame
    events: pd.DataFrame
    healthy: HealthyScores


def fit_detector(frame: pd.DataFrame, features: pd.DataFrame, *, seed: int = 0) -> FleetDetector:
    """Fit a detector on a canonical frame and its `fleet_features`; see `fit_on`."""
    return fit_on(training_rows(frame, features), seed=seed)


def fit_on(rows: TrainingRows, *, seed: int = 0) -> FleetDetector:
    """Fit a detector on the training rows of a table.

    Args:
        rows: From `training_rows`, or those of all parts `together`.
        seed: Seed of the members.

    Raises:
        NotEnoughData: fewer than 20 rows hold a reading.
    """
    if rows.answered < FEWEST_FIT_ROWS:
        raise NotEnoughData(
            f"{rows.answered} rows hold a reading of voltage, temperature or gravity.",
            expected=f"at least {FEWEST_FIT_ROWS} to learn what is usual",
            fix="Pass more rows, or score these with a stored model: model='latest'.",
        )
    features = rows.features
    jitter = JITTER * np.random.default_rng(seed).standard_normal(features.shape)
    cells = pd.factorize(rows.table[CELL_ID])[0]
    hybrid = HybridDetector(random_state=seed).fit(features.to_numpy() + jitter, groups=cells)
    return FleetDetector(hybrid, list(features.columns))


def score_frame(frame: pd.DataFrame, model: FleetDetector | str = "latest") -> pd.DataFrame:
    """Score a canonical frame with a stored model, without training and with hindsight, as detect_anomalies does.

    For live use, where a score must not change when later rows arrive, see `trailing.trailing_scores`.

    Args:
        frame: A canonical frame (`canonical_table(...).frame`).
        model: A version, "latest", or a detector from `storage.load_detector`, which saves loading it again.

    Returns:
        One row per row: `source_row`, `Cell ID`, `string`, `Timestamp` where given, `anomaly_score` (higher =
        worse, NaN where no sensor answered), `anomaly` 0/1, the `share_` of each member, `top_signal`, `latent_1`
        to `latent_3` (where the autoencoder puts the row), `kind` and `about` of the event it lies in, and the
        measured columns.

    Raises:
        ModelError: no such version, or it is damaged.
    """
    if isinstance(model, str):
        from bms_anomaly.storage import load_detector

        model, _ = load_detector(model)
    frame = without_imputed(frame)
    return score_fleet(frame, fleet_features(frame), model).rows


def score_fleet(
    frame: pd.DataFrame,
    features: pd.DataFrame,
    detector: FleetDetector,
    contamination: float | None = None,
    false_alarm_rate: float | None = None,
    *,
    threshold: float | None = None,
) -> FleetScores:
    """Score the rows of a canonical frame and join them to events, string by string.

    Rows of which preprocessing masked a reading as a fault are in events, with a score that opens one.

    Args:
        frame: Canonical frame of whole strings.
        features: Its `fleet_features`; those that the detector does not know are ignored,
            those it misses say nothing.
        detector: Fitted here or loaded.
        contamination: Share of the judged rows that are to lie in events.
        false_alarm_rate: Share of the healthy rows that may lie in events.
        threshold: The score from which rows lie in events, where the frame is a part of a table: the
            `share_threshold` or the `rate_threshold` of the whole. At most one of the three is given; without
            any, events open at one score and go on down to a lower one.
    """
    judged = judge_rows(frame, features, detector)
    if contamination is not None:
        threshold = share_threshold(judged.counted, contamination)
    if false_alarm_rate is not None:
        threshold = rate_threshold(judged.healthy, false_alarm_rate, detector.healthy)
    codes = judged.codes if threshold is None else rows_above(frame, judged, threshold)
    score = raised(judged.score, judged.masked, threshold or OPEN_SCORE)
    events = events_table(frame, score, codes)
    matrix = detector.matrix(features)
    rows = _rows(frame, score, codes, judged.member, _signals(frame, matrix, detector))
    latent = detector.hybrid.latent(matrix)
    for axis, places in enumerate(latent.T[:LATENT_AXES], start=1):
        rows[f"latent_{axis}"] = np.where(np.isnan(score), np.nan, places)
    rows = rows.join(row_kinds(rows, events))
    readings = frame[[name for name in MEASURED_NAMES if name in frame]]
    return FleetScores(rows.join(readings), events, judged.healthy)


def rate_threshold(healthy: HealthyScores, rate: float, stored: HealthyScores | None = None) -> float:
    """Return the score that this share of the healthy rows reaches.

    Each fleet has its own share of cells that sit a little apart, so a table that is large enough speaks for
    itself; a small one is counted together with the fleet that the model was fitted on.

    Args:
        healthy: Of the table that is scored: its parts' `JudgedRows.healthy` together.
        rate: In (0, 1).
        stored: Of the detector, where it has any.
    """
    if stored is not None and healthy.counts.sum() < ENOUGH_HEALTHY_ROWS:
        healthy = HealthyScores.together([healthy, stored])
    return healthy.threshold(rate)


def _signals(frame: pd.DataFrame, matrix: np.ndarray, detector: FleetDetector) -> np.ndarray:
    """Return the signal that sets each row apart most, shape (n,)."""
    scaled = detector.hybrid.scaled(matrix)
    masked_as, masked_signal = masked_readings(frame)
    return np.where(masked_as != "", masked_signal, top_signals(list(detector.features), scaled))


def _rows(
    frame: pd.DataFrame, score: np.ndarray, codes: np.ndarray, member: np.ndarray, signals: np.ndarray
) -> pd.DataFrame:
    total = member.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, member / np.where(total > 0, total, 1.0), 1.0 / len(MEMBERS))
    head = [name for name in (SOURCE_ROW, CELL_ID, STRING, TIMESTAMP) if name in frame]
    rows = frame[head].copy()
    rows["anomaly_score"] = score
    rows["anomaly"] = (codes != NO_EVENT).astype("int8")
    for index, name in enumerate(MEMBERS):
        rows[f"share_{name}"] = np.where(np.isnan(total[:, 0]), np.nan, shares[:, index])
    rows["top_signal"] = pd.Series(signals, index=rows.index, dtype=object).mask(np.isnan(score), None)
    return rows


def doubt(anomalies: int, rows: int) -> str:
    """Say that a model does not know this fleet, where it calls most of it odd; empty otherwise.

    >>> doubt(1, 100)
    ''
    """
    if anomalies <= MOST_OF_A_FLEET * rows:
        return ""
    return (
        " Most of them: the model was trained on another kind of fleet; train on this one by naming no model."
    )
