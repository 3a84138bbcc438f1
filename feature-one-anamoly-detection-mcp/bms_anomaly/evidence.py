"""The rows of a file that detection looks at, chunk by chunk, and what is to be known of all of them beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
from bms_schema.data.cleaning import without_imputed
from bms_schema.data.columns import SOURCE_ROW, TIMESTAMP
from bms_schema.data.intake import Intake
from bms_schema.run.errors import NotEnoughData
from bms_schema.run.partitions import is_worked_on
from bms_schema.run.tables import as_arrow, has_fractions

from bms_anomaly.features import source_columns
from bms_anomaly.findings import Span
from bms_anomaly.training import has_reading


class Census:
    """Facts of the whole file that every part of it must be worked on with, gathered while its rows pass by."""

    def __init__(self) -> None:
        self.types: dict[str, Any] = {}
        self.fractions = False
        self._columns: list[str] = []
        self._answered = False
        self._spans: dict[str, Span] = {}

    def watch(self, intake: Intake) -> Iterator[pd.DataFrame]:
        """Yield the canonical chunks, without filled-in values and columns that are only carried along.

        Raises:
            NotEnoughData: at the end, if no row held a reading.
        """
        for chunk in intake.frames():
            frame = without_imputed(chunk[[name for name in chunk if is_worked_on(name)]])
            self._look_at(frame)
            yield frame
        if not self._answered:
            raise NotEnoughData("No row holds a reading.", expected="at least one", fix="Check the export.")

    @property
    def columns(self) -> list[str]:
        """`source_columns` of the file."""
        return list(dict.fromkeys(self._columns))

    @property
    def span(self) -> Span:
        """First and last time stamp, or `source_row` where there are no time stamps."""
        return self._spans.get(TIMESTAMP, self._spans[SOURCE_ROW])

    def _look_at(self, frame: pd.DataFrame) -> None:
        self.types = self.types or frame.dtypes.to_dict()
        self._columns += source_columns(frame)
        self._answered |= bool(has_reading(frame).any())
        for name in (TIMESTAMP, SOURCE_ROW):
            if name in frame and frame[name].notna().any():
                first, last = frame[name].min(), frame[name].max()
                before = self._spans.get(name, (first, last))
                self._spans[name] = (min(first, before[0]), max(last, before[1]))
        if TIMESTAMP in frame and not self.fractions:
            self.fractions = has_fractions(as_arrow(frame[[TIMESTAMP]]).column(0))
