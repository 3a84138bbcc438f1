"""What a detection found, whichever way it was worked out: everything but the scored rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import pandas as pd

from bms_anomaly.findings import Findings, Span
from bms_anomaly.learned import Learned


class Step(IntEnum):
    """What a detection does, in order."""

    READ = 0
    COMPARE = 1
    TRAIN = 2
    SCORE = 3
    WRITE = 4
    DRAW = 5
    DONE = 6


Engine = Literal["pandas", "dask"]
# Called with a step, or how far between it and the next one, and what is being done; may raise to stop.
Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class Detected:
    """Everything but the scored rows, which may be more than memory holds.

    Args:
        learned: The detector.
        columns: `source_columns` of the file.
        findings: Of all rows.
        timeline: See `prepare_timeline`.
        span: First and last moment of the file (see `Census`).
        notes: How the file was read, and what did the work.
        engine: "pandas" in this process, "dask" on workers.
    """

    learned: Learned
    columns: list[str]
    findings: Findings
    timeline: pd.DataFrame
    span: Span
    notes: list[str]
    engine: Engine
