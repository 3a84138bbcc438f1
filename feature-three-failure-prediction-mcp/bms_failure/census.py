"""The rows of a file that failure prediction looks at, and what is to be known of all of them."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from bms_schema.data.columns import IS_DEAD, MEASURED_NAMES
from bms_schema.data.intake import Intake

from bms_failure.condensing import NEEDED
from bms_failure.results import Engine
from bms_failure.watch import Source


class Census:
    """Facts of the whole file, gathered while its rows pass by."""

    def __init__(self) -> None:
        self.types: dict[str, Any] = {}
        self._columns: list[str] = []
        self._measured: set[str] = set()
        self._labelled = False

    def watch(self, intake: Intake) -> Iterator[pd.DataFrame]:
        """Yield the canonical chunks with the columns that are needed; the index is the row's place in the file."""
        for chunk in intake.frames():
            self._columns = self._columns or [str(name) for name in chunk]
            self._measured |= {name for name in MEASURED_NAMES if name in chunk and chunk[name].notna().any()}
            self._labelled |= IS_DEAD in chunk and bool(chunk[IS_DEAD].notna().any())
            narrow = chunk[[name for name in NEEDED if name in chunk]]
            self.types = self.types or narrow.dtypes.to_dict()
            yield narrow

    def source(self, intake: Intake, engine: Engine, *more: str) -> Source:
        """Return what is known once all rows have passed by.

        Args:
            intake: The file.
            engine: What does the work.
            more: Notes to add.
        """
        plan = intake.plan
        measured = [name for name in MEASURED_NAMES if name in self._measured]
        notes = [*plan.notes, *more]
        return Source(plan.chemistry, self._columns, measured, self._labelled, plan.rows, notes, engine)
