"""What a detector learns from: a bounded sample of rows that does not depend on how the table was cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, SOURCE_ROW
from bms_schema.data.sampling import row_hashes

from bms_anomaly.features import SIGNALS
from bms_anomaly.hybrid import MOST_FIT_ROWS


@dataclass(frozen=True)
class TrainingRows:
    """At most 20,000 rows with a reading, those with the smallest hash of (cell, time), in the order of the hash.

    Args:
        table: `hash` (uint64), `source_row`, `Cell ID`, then the features, one row per row.
        answered: How many rows with a reading they were taken from.
    """

    table: pd.DataFrame
    answered: int

    @property
    def features(self) -> pd.DataFrame:
        """The features alone."""
        return self.table.drop(columns=["hash", SOURCE_ROW, CELL_ID])

    @classmethod
    def together(cls, parts: Sequence[TrainingRows]) -> TrainingRows:
        """Return the rows of a table from those of its parts.

        Raises:
            ValueError: no parts.
        """
        table = pd.concat([part.table for part in parts], ignore_index=True)
        smallest = table.sort_values(["hash", SOURCE_ROW]).head(MOST_FIT_ROWS)
        return cls(smallest.reset_index(drop=True), sum(part.answered for part in parts))


def training_rows(frame: pd.DataFrame, features: pd.DataFrame) -> TrainingRows:
    """Return the rows of a table, or of a part of it, that a detector may learn from.

    Args:
        frame: A canonical frame.
        features: Its `fleet_features`.
    """
    answered = has_reading(frame)
    table = pd.concat([frame.loc[answered, [SOURCE_ROW, CELL_ID]], features[answered]], axis=1)
    table.insert(0, "hash", row_hashes(frame[answered]))
    return TrainingRows.together([TrainingRows(table, int(answered.sum()))])


def has_reading(frame: pd.DataFrame) -> np.ndarray:
    """Return whether a row holds at least one reading of voltage, temperature or gravity, shape (n,)."""
    sensors = [signal.column for signal in SIGNALS if signal.column in frame]
    return frame[sensors].notna().any(axis=1).to_numpy()
