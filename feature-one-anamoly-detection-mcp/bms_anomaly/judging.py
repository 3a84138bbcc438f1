"""From features to the score of every row and the events of the default call, string by string."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, SOURCE_ROW, STRING, TIMESTAMP
from bms_schema.data.moments import CellOrder, order_cells

from bms_anomaly.events import NO_EVENT, OPEN_SCORE, event_codes, find_events
from bms_anomaly.false_alarms import HealthyScores
from bms_anomaly.features import SIGNALS
from bms_anomaly.hybrid import HybridDetector
from bms_anomaly.masked import masked_readings, raised
from bms_anomaly.onset import from_onset
from bms_anomaly.persistence import LONELY_DISCOUNT, persistent_score
from bms_anomaly.training import has_reading


@dataclass(frozen=True)
class FleetDetector:
    """A hybrid detector for fleets.

    Args:
        hybrid: Fitted.
        features: The fleet features it takes, in their order.
        healthy: How high the healthy rows of the fleet it was fitted on score; None before those are scored.
    """

    hybrid: HybridDetector
    features: Sequence[str]
    healthy: HealthyScores | None = None

    def matrix(self, features: pd.DataFrame) -> np.ndarray:
        """Return the features it takes, shape (n, d); those that are missing are NaN and say nothing."""
        return features.reindex(columns=list(self.features)).to_numpy(dtype=float)


@dataclass(frozen=True)
class JudgedRows:
    """What the rows of whole strings look like to a detector, in the frame's row order.

    Args:
        member: Decades of rarity by member, shape (n, members); NaN without a reading.
        score: Decades, shape (n,); NaN without a reading.
        codes: Event that each row belongs to in the default call, shape (n,).
        masked: Rows of which preprocessing took a reading out as a fault, shape (n,).
    """

    member: np.ndarray
    score: np.ndarray
    codes: np.ndarray
    masked: np.ndarray

    @property
    def counted(self) -> np.ndarray:
        """The scores that a share of rows is counted in: rows with a reading, none of it masked, shape (m,)."""
        return self.score[np.isfinite(self.score) & ~self.masked]

    @property
    def healthy(self) -> HealthyScores:
        """The scores of the rows that lie in no event."""
        return HealthyScores.of(self.score[(self.codes == NO_EVENT) & ~self.masked])


def judge_rows(frame: pd.DataFrame, features: pd.DataFrame, detector: FleetDetector) -> JudgedRows:
    """Score the rows of a canonical frame of whole strings, and find the events of the default call.

    Args:
        frame: Canonical frame.
        features: Its `fleet_features`.
        detector: Fitted here or loaded.
    """
    answered = has_reading(frame)
    member = detector.hybrid.member_scores(detector.matrix(features))
    row_score = np.where(answered, detector.hybrid.combine(member), np.nan)
    own, slow = (_aspect(features, aspect) for aspect in ("own", "slow"))
    masked = masked_readings(frame)[0] != ""
    score, codes = np.full(len(frame), np.nan), np.full(len(frame), NO_EVENT)
    for rows in frame.groupby(STRING, sort=False).indices.values():
        order, timed = _order(frame, rows)
        lone = raised(row_score[rows] - LONELY_DISCOUNT, masked[rows], OPEN_SCORE)
        lasting = np.fmax(persistent_score(row_score[rows], order, timed=timed), lone)
        found = find_events(lasting, row_score[rows], order, masked[rows])
        score[rows], found = from_onset(lasting, lone, found, own[rows], slow[rows], order)
        codes[rows] = _numbered_on(found, codes)
    return JudgedRows(np.where(answered[:, None], member, np.nan), score, codes, masked)


def rows_above(frame: pd.DataFrame, judged: JudgedRows, threshold: float) -> np.ndarray:
    """Return the event of each row where just the rows that reach `threshold` lie in events, shape (n,)."""
    codes = np.full(len(frame), NO_EVENT)
    known = np.isfinite(judged.score)
    with np.errstate(invalid="ignore"):
        reached = (judged.score >= threshold) | judged.masked
    for rows in frame.groupby(STRING, sort=False).indices.values():
        found = event_codes(reached[rows], reached[rows], known[rows], _order(frame, rows)[0])
        codes[rows] = _numbered_on(found, codes)
    return codes


def _order(frame: pd.DataFrame, rows: np.ndarray) -> tuple[CellOrder, bool]:
    """Return the cell order of these rows, and whether they have time stamps."""
    keys = [name for name in (CELL_ID, SOURCE_ROW, STRING, TIMESTAMP) if name in frame]
    part = frame[keys].iloc[rows]
    return order_cells(part), TIMESTAMP in part and bool(part[TIMESTAMP].notna().any())


def _numbered_on(found: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Number the events of a string on from those of the strings before, shape (n,)."""
    return np.where(found == NO_EVENT, NO_EVENT, found + codes.max(initial=NO_EVENT) + 1)


def _aspect(features: pd.DataFrame, aspect: str) -> np.ndarray:
    """Return one aspect of every signal there is, shape (n, signals)."""
    names = [f"{signal.name}_{aspect}" for signal in SIGNALS if f"{signal.name}_{aspect}" in features]
    return features[names].to_numpy(dtype=float)
