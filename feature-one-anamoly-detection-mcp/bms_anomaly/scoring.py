"""One scoring path for the workflow and for live inference: canonical frame in, scored rows and events out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import without_imputed
from bms_schema.data.columns import CELL_ID, MEASURED_NAMES, SOURCE_ROW, STRING, TIMESTAMP
from bms_schema.data.moments import order_cells
from bms_schema.data.sampling import hash_sample
from bms_schema.run.errors import NotEnoughData

from bms_anomaly.events import NO_EVENT, alarm_score, find_events
from bms_anomaly.features import SIGNALS, fleet_features, source_columns
from bms_anomaly.hybrid import FEWEST_FIT_ROWS, MEMBERS, MOST_FIT_ROWS, HybridDetector
from bms_anomaly.kinds import events_table, top_signals
from bms_anomaly.masked import masked_readings, raised
from bms_anomaly.persistence import persistent_score

# Of the rows: anomalies are the exception, or the yardstick is wrong.
MOST_OF_A_FLEET = 0.5


@dataclass(frozen=True)
class FleetDetector:
    """A hybrid detector and the fleet features it takes, in their order."""

    hybrid: HybridDetector
    features: Sequence[str]


@dataclass(frozen=True)
class FleetScores:
    """Scored rows, in the frame's order, and the events among them (see `kinds.EVENT_COLUMNS`)."""

    rows: pd.DataFrame
    events: pd.DataFrame


def fit_detector(frame: pd.DataFrame, features: pd.DataFrame, *, seed: int = 0) -> FleetDetector:
    """Fit a detector on at most 20,000 rows of a canonical frame, chosen by the hash of cell and time.

    Args:
        frame: Canonical frame.
        features: Its `fleet_features`.
        seed: Seed of the members.

    Raises:
        NotEnoughData: fewer than 20 rows hold a reading.
    """
    answered = has_reading(frame)
    if answered.sum() < FEWEST_FIT_ROWS:
        raise NotEnoughData(
            f"{int(answered.sum())} rows hold a reading of voltage, temperature or gravity.",
            expected=f"at least {FEWEST_FIT_ROWS} to learn what is usual",
            fix="Pass more rows, or score these with a stored model: model='latest'.",
        )
    sample = hash_sample(frame[answered], MOST_FIT_ROWS)
    hybrid = HybridDetector(random_state=seed).fit(features[answered].to_numpy()[sample])
    return FleetDetector(hybrid, list(features.columns))


def score_frame(frame: pd.DataFrame, model: FleetDetector | str = "latest") -> pd.DataFrame:
    """Score a canonical frame with a stored model, without training; the door for live inference.

    Pass the recent history of the cells (72 h or more, all cells of a string) and take the last rows: windows
    are centred, so the newest rows are judged by what came before them alone.

    Args:
        frame: A canonical frame (`canonical_table(...).frame`).
        model: A version, "latest", or a detector from `storage.load_detector`, which saves loading it again.

    Returns:
        One row per row: `source_row`, `Cell ID`, `string`, `Timestamp` where given, `anomaly_score` (higher =
        worse, NaN where no sensor answered), `anomaly` 0/1, `share_svm`, `share_forest`, `share_vae`,
        `top_signal`, and the measured columns.

    Raises:
        ModelError: no such version, or the frame lacks a column it needs.
    """
    if isinstance(model, str):
        from bms_anomaly.storage import load_detector

        model, _ = load_detector(model, columns=source_columns(frame))
    frame = without_imputed(frame)
    return score_fleet(frame, fleet_features(frame), model).rows


def score_fleet(
    frame: pd.DataFrame, features: pd.DataFrame, detector: FleetDetector, contamination: float | None = None
) -> FleetScores:
    """Score the rows of a canonical frame and join them to events.

    Rows of which preprocessing masked a reading as a spike or as stuck are in events, with a score that opens one.

    Args:
        frame: Canonical frame.
        features: Its `fleet_features`; those that the detector does not know are ignored,
            those it misses say nothing.
        detector: Fitted here or loaded.
        contamination: See `find_events`.
    """
    used = features.reindex(columns=list(detector.features))
    matrix = used.to_numpy(dtype=float)
    member = detector.hybrid.member_scores(matrix)
    row_score = np.where(has_reading(frame), detector.hybrid.combine(member), np.nan)
    order = order_cells(frame)
    timed = TIMESTAMP in frame and bool(frame[TIMESTAMP].notna().any())
    score = persistent_score(row_score, order, timed=timed)
    masked_as, masked_signal = masked_readings(frame)
    masked = masked_as != ""
    score = raised(score, masked, alarm_score(score[~masked], contamination))
    codes = find_events(score, row_score, order, contamination, certain=masked)
    scaled = detector.hybrid.scaled(matrix)
    signals = np.where(masked, masked_signal, top_signals(used.columns, scaled))
    rows = _rows(frame, score, codes, np.where(has_reading(frame)[:, None], member, np.nan), signals)
    return FleetScores(rows, events_table(frame, used, scaled, score, codes))


def has_reading(frame: pd.DataFrame) -> np.ndarray:
    """Return whether a row holds at least one reading of voltage, temperature or gravity, shape (n,)."""
    sensors = [signal.column for signal in SIGNALS if signal.column in frame]
    return frame[sensors].notna().any(axis=1).to_numpy()


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
    return rows.join(frame[[name for name in MEASURED_NAMES if name in frame]])


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
