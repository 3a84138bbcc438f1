"""Tables small enough to count by hand, and their quality report without the rest of the chain."""

from typing import Any

import numpy as np
import pandas as pd
from bms_preprocess.quality import PartQuality, examine_part, quality_report, with_treatment
from bms_schema.data.columns import PREPROCESS_REQUIRED
from bms_schema.data.features import string_features
from bms_schema.data.moments import moment_codes
from bms_schema.data.suspects import mask_suspects
from bms_schema.data.table import BatteryTable, canonical_table

T0 = pd.Timestamp("2026-01-01")


def small(n_hours: int = 12, n_cells: int = 3, **changes: dict[int, Any]) -> pd.DataFrame:
    """Return plain hourly rows of one string, cell by cell within the hour; `changes`: {column: {row: value}}."""
    hours, cells = np.divmod(np.arange(n_hours * n_cells), n_cells)
    tenth = cells % 10
    frame = pd.DataFrame(
        {
            "string": "A",
            "Cell ID": [f"A/{cell + 1}" for cell in cells],
            "Timestamp": T0 + pd.to_timedelta(hours, unit="h"),
            "CellVoltage": 2.2 + 0.001 * tenth + 0.002 * (hours % 3),
            "CellTemperature": 22.0 + tenth + 0.1 * (hours % 12),
            "InstantaneousCurrent": 0.2 + 0.1 * (hours % 2),
            "AmbientTemperature": 20.0 + 0.1 * (hours % 12),
            "CellSpecificGravity": 1.22 + 0.001 * tenth,
        }
    ).astype({"CellVoltage": object})
    for column, cells_changed in changes.items():
        for row, value in cells_changed.items():
            frame.loc[row, column] = value
    return frame


def canonical(raw: pd.DataFrame) -> BatteryTable:
    """Return the canonical table, spikes and stuck readings still in it."""
    return canonical_table(raw, require=PREPROCESS_REQUIRED)


def examined(raw: pd.DataFrame) -> tuple[PartQuality, dict[str, Any]]:
    """Return what was seen in a raw table and its report, spikes and stuck readings masked, nothing filled."""
    table = canonical(raw)
    masked = mask_suspects(table.frame, moment_codes(table.frame))
    deviations = string_features(masked, moment_codes(masked))
    seen = examine_part(masked, deviations, table.chemistry, before=table.frame)
    return seen, with_treatment(
        quality_report(seen, table.chemistry, table.notes, table.corrections), {}, {}, 0
    )


def said(raw: pd.DataFrame) -> dict[str, str]:
    """Return {title: sentence} of the findings on a raw table."""
    return {found["title"]: found["sentence"] for found in examined(raw)[1]["findings"]}
