"""`/predict/anomaly`: the anomaly server's own features and detector on readings from a request."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bms_schema.data.columns import CELL_ID, SOURCE_ROW, STRING, TIMESTAMP, VOLTAGE
from bms_schema.run.envelope import Outcome
from bms_schema.run.workspace import models_folder

from bms_live.catalogue import wanted_version
from bms_live.requests import AnomalyRequest
from bms_live.results import AnomalyData, ScoredReading

if TYPE_CHECKING:
    import pandas as pd
    from bms_anomaly.scoring import FleetDetector

MODEL = "anomaly"
TRAINED_BY = "detect_anomalies (feature-one-anamoly-detection-mcp)"
_VERSIONS_KEPT = 4


def predict(request: AnomalyRequest) -> Outcome[AnomalyData]:
    """Score readings against their string and their cell's own past.

    The newest of each cell get their trailing scores; all of them those of `detect_anomalies`, with hindsight.

    Raises:
        InputError: the readings cannot be used.
        ModelError: no such version.
    """
    from bms_anomaly.features import source_columns
    from bms_anomaly.learned import unlike
    from bms_anomaly.scoring import score_frame
    from bms_anomaly.trailing import trailing_scores

    from bms_live.readings import battery_table

    version = wanted_version(MODEL, request.model, trained_by=TRAINED_BY)
    table = battery_table(request.readings, require=(VOLTAGE,), chemistry=request.chemistry)
    detector = _detector(models_folder(), version)
    kind: Literal["trailing", "retrospective"]
    if request.rows == "latest":
        kind, score, scored = "trailing", "trailing_score", trailing_scores(table.frame, detector)
        # Of equal scores the first cell comes first, in whatever order its readings were sent.
        scored = scored.sort_values(CELL_ID).sort_values(score, ascending=False, kind="stable")
    else:
        kind, score, scored = "retrospective", "anomaly_score", score_frame(table.frame, detector)
    rows = [_row(row, score) for row in scored.to_dict("records")]
    data = AnomalyData(
        model_version=version,
        notes=[*table.notes, *_doubts(table.frame), *unlike(detector, source_columns(table.frame))],
        score_kind=kind,
        rows=rows,
        anomalies=sum(row.anomaly for row in rows),
    )
    return Outcome(_told(data, request.rows), data)


def _doubts(frame: pd.DataFrame) -> list[str]:
    """Say what makes the scores less sure: a short history, or nothing to compare a cell with."""
    from bms_anomaly.persistence import LASTING_H
    from bms_schema.data.features import SMALLEST_CELLS

    doubts = []
    when = frame.get(TIMESTAMP)
    hours = (when.max() - when.min()).total_seconds() / 3600.0 if when is not None else float("nan")
    if not hours >= LASTING_H:
        length = "have no time stamps" if hours != hours else f"span {hours:.1f} h"
        doubts.append(f"the readings {length}: scores are surer with {LASTING_H:.0f} h or more of each cell")
    if frame.groupby(STRING)[CELL_ID].nunique().max() < SMALLEST_CELLS:
        doubts.append(f"no string has {SMALLEST_CELLS} cells: each is judged against its own past alone")
    return doubts


@lru_cache(maxsize=_VERSIONS_KEPT)
def _detector(store: Path, version: str) -> FleetDetector:
    """Load a version once; `store` is part of the key because versions belong to a workspace."""
    from bms_anomaly.storage import load_detector

    return load_detector(version)[0]


def _row(row: dict[str, Any], score: str) -> ScoredReading:
    when = row.get(TIMESTAMP)
    return ScoredReading(
        source_row=row[SOURCE_ROW],
        cell_id=row[CELL_ID],
        timestamp=when.isoformat() if when is not None and when == when else None,  # NaT differs from itself
        score=row[score],
        anomaly=bool(row["anomaly"]),
        top_signal=row["top_signal"],
    )


def _told(data: AnomalyData, rows: Literal["latest", "all"]) -> str:
    what = "cells are anomalous in their newest reading" if rows == "latest" else "readings are anomalous"
    worst = max(
        (row for row in data.rows if row.score is not None), key=lambda row: row.score or 0.0, default=None
    )
    highest = (
        f" Highest score: {worst.score:.2f}, cell {worst.cell_id}."
        if worst
        else " No reading could be scored."
    )
    from bms_anomaly.scoring import doubt

    return f"{data.anomalies} of {len(data.rows)} {what}.{doubt(data.anomalies, len(data.rows))}{highest}"
