"""Detection beyond memory: the functions that work in memory, mapped over groups of whole strings by Dask.

Passes: sort the canonical rows into groups of strings; on the workers work out the features of each; fit on the
sample that all groups hand in; on the workers score each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, STRING
from bms_schema.data.intake import Intake
from bms_schema.run.dask_workers import each_done, memory_for, require_shared_files, workers
from bms_schema.run.part_files import append_file, scratch_folder
from bms_schema.run.partitions import Group, group_strings, parts_schema, write_groups

from bms_anomaly.detected import Detected, Step, Tell
from bms_anomaly.evidence import Census
from bms_anomaly.findings import Findings, in_order_of
from bms_anomaly.learned import Asked, Learned, learn, load, with_healthy
from bms_anomaly.scoring import HealthyScores, TrainingRows, rate_threshold, share_threshold
from bms_anomaly.tasks import (
    Drawing,
    Job,
    counted_scores,
    healthy_scores,
    prepare_group,
    score_group,
    timeline_of_group,
)
from bms_anomaly.timeline import TIMELINE_COLUMNS

if TYPE_CHECKING:
    from distributed import Client

# Per row as measured in memory (`whole_file`).
WORKER_BYTES_PER_ROW = 1_700
SCRATCH = ("features", "rows", "texts")


def detect_on_workers(
    intake: Intake, asked: Asked, why: str, *, result: Path, budget: int, tell: Tell
) -> Detected:
    """Write the scored rows, string after string, and return the rest.

    Args:
        intake: The file.
        asked: What is to be found.
        why: It is done here, in words.
        result: The table to write: `.csv`, or `.parquet` for a folder of parts.
        budget: Bytes that local workers may take together.
        tell: Called at least every few seconds; may raise to stop everything.

    Raises:
        MachineProblem: a string is too long for the memory, or as of `workers`.
    """
    groups = group_strings(intake.plan.rows_per_string)
    need = memory_for(groups, WORKER_BYTES_PER_ROW, budget)
    with scratch_folder(result.parent, *SCRATCH) as scratch, workers(scratch, budget, need) as client:
        census = Census()
        job = _sort_rows(intake, groups, census, scratch, result.suffix == ".csv", tell)
        require_shared_files(client, next(job.readings.rglob("*.parquet")))
        passes = _Passes(client, groups, job, tell)
        learned = load(asked.model) if asked.model else passes.learn(asked.seed)
        findings = passes.score(learned, passes.threshold(learned, asked), result)
        timeline = passes.timeline(findings)
        if not job.text:
            job.part("rows", groups[0]).parent.rename(result)
    learned = with_healthy(learned, findings.healthy)
    return Detected(learned, job.columns, findings, timeline, job.span, [*intake.plan.notes, why], "dask")


def _sort_rows(
    intake: Intake, groups: list[Group], census: Census, scratch: Path, text: bool, tell: Tell
) -> Job:
    """Write every group's canonical rows and return the job for the workers."""

    def told(rows: int) -> None:
        total = intake.plan.rows
        tell(Step.READ + rows / total, f"{rows:,} of {total:,} rows cleaned and sorted by string")

    frames = census.watch(intake)
    first = next(frames)
    schema = parts_schema(first, intake.types)
    write_groups(chain([first], frames), groups, schema, scratch / "readings", told)
    return Job(scratch, census.types, census.columns, census.span, text, census.fractions)


class _Passes:
    """What is done on the workers, one pass over the groups each."""

    def __init__(self, client: Client, groups: list[Group], job: Job, tell: Tell) -> None:
        self._client, self._groups, self._job, self._tell = client, groups, job, tell

    def learn(self, seed: int) -> Learned:
        """Have the features of every group worked out and fit a detector on the sample of all."""
        parts: list[TrainingRows] = []
        for _, part in self._done(prepare_group, self._groups, Step.COMPARE, "groups of strings compared"):
            parts = [TrainingRows.together([*parts, part])]
        self._tell(Step.TRAIN, "training")
        return learn(parts[0], seed)

    def threshold(self, learned: Learned, asked: Asked) -> float | None:
        """Return the score that replaces the thresholds of events; a share of rows takes a pass of its own."""
        judged = partial(
            self._done,
            items=self._groups,
            step=Step.TRAIN,
            what="groups of strings judged",
            detector=learned.detector,
        )
        if asked.contamination is not None:
            scores = [part for _, part in judged(counted_scores)]
            return share_threshold(np.concatenate(scores), asked.contamination)
        if asked.false_alarm_rate is not None:
            healthy = HealthyScores.together([part for _, part in judged(healthy_scores)])
            return rate_threshold(healthy, asked.false_alarm_rate, learned.detector.healthy)
        return None

    def score(self, learned: Learned, threshold: float | None, result: Path) -> Findings:
        """Have every group scored; CSV parts are appended to the result in the order of the groups."""
        done: dict[Group, Findings] = {}
        appended = 0
        given = {"detector": learned.detector, "threshold": threshold}
        for group, findings in self._done(
            score_group, self._groups, Step.SCORE, "groups of strings scored", **given
        ):
            done[group] = findings
            while self._job.text and appended < len(self._groups) and self._groups[appended] in done:
                part = self._job.text_part(self._groups[appended])
                append_file(part, result)
                part.unlink()
                appended += 1
        return Findings.together([done[group] for group in self._groups])

    def timeline(self, findings: Findings) -> pd.DataFrame:
        """Return the timeline of the worst cells, in their order."""
        events = findings.events_to_draw()
        of_group = {group: events[events[STRING].isin(group.strings)] for group in self._groups}
        drawings = [Drawing(group, found) for group, found in of_group.items() if len(found)]
        if not drawings:
            return pd.DataFrame(columns=TIMELINE_COLUMNS)
        parts = [
            part for _, part in self._done(timeline_of_group, drawings, Step.DRAW, "groups of strings drawn")
        ]
        cells = list(dict.fromkeys(events[CELL_ID]))
        return in_order_of(cells, pd.concat(parts)).reset_index(drop=True)

    def _done(self, work: Callable, items: Sequence[Any], step: Step, what: str, **given: Any) -> Any:
        """Yield (item, result) of each, telling how far it is."""
        done: list[Any] = []

        def waiting() -> None:
            self._tell(step + len(done) / len(items), f"{len(done)} of {len(items)} {what}")

        for item, result in each_done(
            self._client, partial(work, job=self._job, **given), items, str, waiting
        ):
            done.append(item)
            yield item, result
