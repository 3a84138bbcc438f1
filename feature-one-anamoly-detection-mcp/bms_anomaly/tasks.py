"""What a worker does with a group of whole strings.

The same on any worker and however often, should one die over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.run.part_files import PartFile
from bms_schema.run.partitions import Group, read_group
from bms_schema.run.tables import as_arrow

from bms_anomaly.features import fleet_features
from bms_anomaly.findings import Findings, Span
from bms_anomaly.scoring import (
    FleetDetector,
    HealthyScores,
    JudgedRows,
    TrainingRows,
    judge_rows,
    score_fleet,
    training_rows,
)
from bms_anomaly.timeline import prepare_timeline


@dataclass(frozen=True)
class Job:
    """What all groups of a run have in common.

    Args:
        scratch: Folder of the run for everything between the passes; `readings` has the groups' canonical rows.
        types: pandas types of the canonical columns.
        columns: `source_columns` of the whole file.
        span: First and last moment of the whole file (see `Census`).
        text: Whether the result is CSV.
        fractions: Whether time stamps of the whole file show fractions of a second.
    """

    scratch: Path
    types: dict[str, Any]
    columns: list[str]
    span: Span
    text: bool
    fractions: bool

    @property
    def readings(self) -> Path:
        """Where the sorted canonical rows lie."""
        return self.scratch / "readings"

    def part(self, name: str, group: Group) -> Path:
        """Return where a group's part of `features` or `rows` lies."""
        return self.scratch / name / f"part-{group.number:05d}.parquet"

    def text_part(self, group: Group) -> Path:
        """Return where a group's CSV part of the result lies."""
        return self.scratch / "texts" / f"{group.number:05d}.csv"

    def frame(self, group: Group) -> pd.DataFrame:
        """Return the canonical rows of a group, in the file's order."""
        return read_group(self.readings, group).select(list(self.types)).to_pandas().astype(self.types)


def prepare_group(group: Group, job: Job) -> TrainingRows:
    """Work out and keep the features of a group; return its candidates for training."""
    frame = job.frame(group)
    features = fleet_features(frame, job.columns)
    with PartFile(job.part("features", group)) as part:
        part.write(as_arrow(features))
    return training_rows(frame, features)


def counted_scores(group: Group, job: Job, detector: FleetDetector) -> np.ndarray:
    """Return the scores of a group in which a share of all rows is counted."""
    return _judged(group, job, detector).counted


def healthy_scores(group: Group, job: Job, detector: FleetDetector) -> HealthyScores:
    """Return how high the healthy rows of a group score."""
    return _judged(group, job, detector).healthy


def score_group(group: Group, job: Job, detector: FleetDetector, threshold: float | None) -> Findings:
    """Write a group's part of the result and return what its rows amount to."""
    frame = job.frame(group)
    scores = score_fleet(frame, _features(frame, group, job), detector, threshold=threshold)
    table = _with_text(as_arrow(scores.rows).replace_schema_metadata(None))
    with PartFile(job.part("rows", group)) as part:
        part.write(table)
    if job.text:  # parts are appended to each other: the first has the header
        header = group.number == 0
        with PartFile(job.text_part(group), header=header, fractions=job.fractions) as part:
            part.write(table)
    return Findings.of(scores, job.span)


@dataclass(frozen=True)
class Drawing:
    """A group that holds cells to be drawn, and their events."""

    group: Group
    events: pd.DataFrame

    def __str__(self) -> str:
        return str(self.group)


def timeline_of_group(drawing: Drawing, job: Job) -> pd.DataFrame:
    """Return the timeline of the cells whose events are given."""
    rows = pd.read_parquet(job.part("rows", drawing.group))
    return prepare_timeline(job.frame(drawing.group), rows, drawing.events)


def _judged(group: Group, job: Job, detector: FleetDetector) -> JudgedRows:
    frame = job.frame(group)
    return judge_rows(frame, _features(frame, group, job), detector)


def _features(frame: pd.DataFrame, group: Group, job: Job) -> pd.DataFrame:
    """Return the features of a group: those kept, or worked out here where a stored model needed no training."""
    kept = job.part("features", group)
    return pd.read_parquet(kept) if kept.exists() else fleet_features(frame, job.columns)


def _with_text(table: Any) -> Any:
    """Return an Arrow table in which a column without any value is text, as it is in other parts."""
    import pyarrow as pa

    fields = [
        pa.field(field.name, pa.string()) if pa.types.is_null(field.type) else field for field in table.schema
    ]
    return table.cast(pa.schema(fields))
