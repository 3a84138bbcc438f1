"""`/predict/anomaly`: the anomaly server's own features and detector on readings from a request."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bms_schema.data.columns import CELL_ID, SENSOR_NAMES, SOURCE_ROW, STRING, TIMESTAMP
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
    """Score every reading against its string and its cell's own past; return the newest of each cell, or all.

    Raises:
        InputError: the readings cannot be used.
        ModelError: no such version, or it does not fit the readings.
    """
    from bms_anomaly.scoring import score_frame

    from bms_live.readings import battery_table, newest_of_every_cell

    version = wanted_version(MODEL, request.model, trained_by=TRAINED_BY)
    table = battery_table(request.readings, require=SENSOR_NAMES, chemistry=request.chemistry)
    scored = score_frame(table.frame, _detector(models_folder(), version, tuple(table.measured)))
    if request.rows == "latest":
        newest = scored.loc[newest_of_every_cell(scored)]
        scored = newest.sort_values("anomaly_score", ascending=False, kind="stable", na_position="last")
    rows = [_row(row) for row in scored.to_dict("records")]
    data = AnomalyData(
        model_version=version,
        notes=[*table.notes, *_doubts(table.frame)],
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
def _detector(store: Path, version: str, measured: tuple[str, ...]) -> FleetDetector:
    """Load a version once; `store` is part of the key because versions belong to a workspace."""
    from bms_anomaly.storage import load_detector

    return load_detector(version, columns=measured)[0]


def _row(row: dict[str, Any]) -> ScoredReading:
    when = row.get(TIMESTAMP)
    return ScoredReading(
        source_row=row[SOURCE_ROW],
        cell_id=row[CELL_ID],
        timestamp=when.isoformat() if when is not None and when == when else None,  # NaT differs from itself
        score=row["anomaly_score"],
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
