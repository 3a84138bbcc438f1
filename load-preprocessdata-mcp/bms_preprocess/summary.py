"""What a run found and did, whatever path the rows took: everything but the tables themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from bms_schema.data.chemistry import Chemistry
from bms_schema.data.columns import MEASURED_NAMES

from bms_preprocess.imputation_check import ColumnCheck
from bms_preprocess.quality import PartQuality, quality_report, with_treatment
from bms_preprocess.stored import Fitted

Engine = Literal["pandas", "dask"]


@dataclass(frozen=True)
class Treatment:
    """What was done to a table or a part of it.

    Args:
        filled: Readings filled, by column.
        leftovers: Gaps that took the column's mean in the scaled table.
        sdv: The rows that SDV shall learn from.
    """

    filled: dict[str, int]
    leftovers: int
    sdv: pd.DataFrame


@dataclass(frozen=True)
class Summary:
    """Everything about a preprocessed table but the tables.

    Args:
        rows: Rows of every table.
        quality: What the pictures show.
        report: The data-quality report, plain JSON values.
        chemistry: The profile in force and why.
        limits: Plausible range of every measured column.
        notes: What was found and decided, in words.
        fitted: The imputer and the scaler.
        checks: Error of filled readings per column, on readings hidden on purpose.
        sdv: The rows that SDV shall learn from.
        engine: What did the work.
    """

    rows: int
    quality: PartQuality
    report: dict[str, Any]
    chemistry: Chemistry
    limits: dict[str, tuple[float, float]]
    notes: list[str]
    fitted: Fitted
    checks: dict[str, ColumnCheck]
    sdv: pd.DataFrame
    engine: Engine


def summarise(
    quality: PartQuality,
    chemistry: Chemistry,
    limits: dict[str, tuple[float, float]],
    notes: Sequence[str],
    corrections: Sequence[Any],
    fitted: Fitted,
    checks: Mapping[str, ColumnCheck],
    done: Treatment,
    engine: Engine,
) -> Summary:
    """Make the report and put everything together; arguments as in `Summary`.

    Args:
        corrections: `TablePlan.corrections`.
        done: What was done to the whole table.
    """
    unfilled = never_read(quality)
    told = [*notes, *([unfilled] if unfilled else [])]
    report = quality_report(quality, chemistry, told, corrections)
    report = with_treatment(report, done.filled, checks, done.leftovers)
    rows = int(quality.cells["rows"].sum())
    return Summary(rows, quality, report, chemistry, limits, told, fitted, dict(checks), done.sdv, engine)


def never_read(quality: PartQuality) -> str:
    """Name the measured columns without a single reading, which no step can fill; empty where there are none."""
    empty = [
        name
        for name in MEASURED_NAMES
        if name in quality.columns and (quality.cells[f"missing {name}"] == quality.cells["rows"]).all()
    ]
    return f"{', '.join(empty)}: no reading at all, so nothing was filled in" if empty else ""
