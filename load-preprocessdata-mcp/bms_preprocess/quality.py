"""The data-quality report: what came in, what was wrong with it, per column and per cell; plain JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.data.chemistry import Chemistry
from bms_schema.data.cleaning import (
    BLANK,
    FLAGS,
    IMPUTED,
    NOT_A_NUMBER,
    OK,
    OUT_OF_RANGE,
    SENTINEL,
    count_flags,
)
from bms_schema.data.columns import (
    CELL_ID,
    COLUMNS,
    CURRENT,
    GRAVITY,
    IS_DEAD,
    MEASURED_NAMES,
    STRING,
    TEMPERATURE,
    VOLTAGE,
    flag_of,
)
from bms_schema.data.features import LOAD_STEP_A, add_features

from bms_preprocess.imputation_check import ColumnCheck
from bms_preprocess.timeline import examine_timeline

REASONS = tuple(flag for flag in FLAGS if flag != OK)
MASKED = (NOT_A_NUMBER, SENTINEL, OUT_OF_RANGE)
OUTLIER_Z = 6.0  # [U] robust z beyond which a reading is called an outlier
OUTLIER_FEATURES = {
    VOLTAGE: "voltage_robust_z",
    TEMPERATURE: "temperature_robust_z",
    GRAVITY: "gravity_robust_z",
}
LONGEST_GAPS = 20


def quality_report(frame: pd.DataFrame, chemistry: Chemistry, notes: list[str]) -> dict[str, Any]:
    """Return the report on a cleaned table as plain JSON values; counts of readings stand at the top.

    Args:
        frame: A canonical frame with or without features, before imputation.
        chemistry: The profile in force.
        notes: What the reader found.
    """
    names = [name for name in MEASURED_NAMES if name in frame]
    featured = frame if set(OUTLIER_FEATURES.values()) <= set(frame) else add_features(frame)
    timeline = examine_timeline(frame)
    reasons = count_flags(frame, names)
    outliers = outlier_marks(featured)
    silent = frame[[name for name in OUTLIER_FEATURES if name in frame]].isna().all(axis=1)

    return {
        "rows": len(frame),
        "cells": int(frame[CELL_ID].nunique()),
        "strings": int(frame[STRING].nunique()),
        "rows_without_any_cell_reading": int(silent.sum()),
        "readings_masked": count_masked(frame),
        "readings_blank": count_flagged(frame, BLANK),
        "readings_imputed_before": count_flagged(frame, IMPUTED),
        "outliers": int(outliers.to_numpy().sum()),
        "duplicate_rows": int(timeline.duplicates.sum()),
        "backward_time_stamps": int(timeline.backward.sum()),
        "gaps": len(timeline.gaps),
        "time": {
            "start": timeline.start,
            "end": timeline.end,
            "usual_step_s": timeline.usual_step_s,
            "rows_without_time": timeline.without_time,
        },
        "chemistry": {
            "profile": chemistry.profile.name,
            "reason": chemistry.reason,
            "cells_per_block": chemistry.cells_per_block,
            "voltage_range_v": list(chemistry.voltage_range),
            "source": chemistry.profile.source,
        },
        "columns": {name: _column(frame, name, reasons[name], outliers) for name in names},
        "cell_table": _cells(frame, names, outliers, silent, timeline.duplicates, chemistry),
        "float_window": _float_window(frame, chemistry),
        "longest_gaps": [
            {
                CELL_ID: gap[CELL_ID],
                "from": str(gap["from"]),
                "to": str(gap["to"]),
                "hours": round(gap["hours"], 3),
            }
            for gap in timeline.gaps.head(LONGEST_GAPS).to_dict("records")
        ],
        "dead_rows": int((frame[IS_DEAD] == 1).sum()) if IS_DEAD in frame else None,
        "notes": list(notes),
        "outlier_rule": f"|robust z| > {OUTLIER_Z:g} against the string's median at the same moment",
    }


def with_treatment(
    report: Mapping[str, Any], filled: Mapping[str, int], checks: Mapping[str, ColumnCheck], leftovers: int
) -> dict[str, Any]:
    """Return the report with what imputation and scaling did."""
    return {
        **report,
        "readings_imputed": sum(filled.values()),
        "imputed": dict(filled),
        "imputation_check": {name: asdict(check) for name, check in checks.items()},
        "scaled_leftovers_filled_by_mean": leftovers,
    }


def count_flagged(frame: pd.DataFrame, *flags: str) -> int:
    """Return how many readings of a canonical frame carry one of the flags."""
    names = [name for name in MEASURED_NAMES if name in frame]
    return sum(found.get(flag, 0) for found in count_flags(frame, names).values() for flag in flags)


def count_masked(frame: pd.DataFrame) -> int:
    """Return how many values were there but are no readings."""
    return count_flagged(frame, *MASKED)


def outlier_marks(featured: pd.DataFrame) -> pd.DataFrame:
    """Return a boolean column per judged signal: the reading deviates from its string by |robust z| > 6."""
    return pd.DataFrame(
        {name: featured[z].abs() > OUTLIER_Z for name, z in OUTLIER_FEATURES.items() if name in featured}
    )


def float_marks(frame: pd.DataFrame, chemistry: Chemistry) -> tuple[pd.Series, pd.Series] | None:
    """Return (row is on float or at rest with a voltage, and outside the float window); None where undefined."""
    low, high = chemistry.profile.float_low, chemistry.profile.float_high
    if low is None or high is None or VOLTAGE not in frame or CURRENT not in frame:
        return None
    calm = (frame[CURRENT].abs() < LOAD_STEP_A) & frame[VOLTAGE].notna()
    blocks = chemistry.cells_per_block
    return calm, calm & ~frame[VOLTAGE].between(low * blocks, high * blocks)


def _float_window(frame: pd.DataFrame, chemistry: Chemistry) -> dict[str, Any] | None:
    marks = float_marks(frame, chemistry)
    if marks is None or chemistry.profile.float_low is None or chemistry.profile.float_high is None:
        return None
    calm, outside = marks
    blocks = chemistry.cells_per_block
    return {
        "low_v": chemistry.profile.float_low * blocks,
        "high_v": chemistry.profile.float_high * blocks,
        "rule": f"readings with |current| below {LOAD_STEP_A:g} A (float or rest)",
        "readings": int(calm.sum()),
        "below": int((outside & (frame[VOLTAGE] < chemistry.profile.float_low * blocks)).sum()),
        "above": int((outside & (frame[VOLTAGE] > chemistry.profile.float_high * blocks)).sum()),
        "source": chemistry.profile.source,
    }


def _column(
    frame: pd.DataFrame, name: str, reasons: dict[str, int], outliers: pd.DataFrame
) -> dict[str, Any]:
    values = frame[name]
    known = values.dropna()
    return {
        "unit": COLUMNS[name].unit,
        "readings": len(known),
        "missing_share": float(values.isna().mean()),
        "reasons": reasons,
        "outliers": int(outliers[name].sum()) if name in outliers else None,
        "lowest": float(known.min()) if len(known) else None,
        "median": float(known.median()) if len(known) else None,
        "highest": float(known.max()) if len(known) else None,
    }


def _cells(
    frame: pd.DataFrame,
    names: list[str],
    outliers: pd.DataFrame,
    silent: pd.Series,
    duplicates: pd.Series,
    chemistry: Chemistry,
) -> list[dict[str, Any]]:
    """Return one record per cell, worst first: share of missing readings per column and counts."""
    work = pd.DataFrame({name: frame[name].isna().astype(float) for name in names})
    cells = frame[CELL_ID]
    missing = work.groupby(cells).mean()
    masked = pd.DataFrame({name: frame[flag_of(name)].isin(MASKED) for name in names}).sum(axis=1)
    marks = float_marks(frame, chemistry)
    outside = marks[1] if marks else pd.Series(False, index=frame.index)
    counts = pd.DataFrame(
        {
            "rows": 1,
            "masked": masked,
            "silent": silent,
            "outliers": outliers.sum(axis=1),
            "duplicates": duplicates,
            "outside_float": outside,
        }
    )
    table = counts.astype("int64").groupby(cells).sum()
    table["worst"] = missing.mean(axis=1)
    table = table.sort_values(["worst", "outliers"], ascending=False, kind="stable").drop(columns="worst")
    strings = frame.groupby(CELL_ID)[STRING].first()
    return [
        {
            CELL_ID: str(cell),
            "string": str(strings[cell]),
            **{key: int(value) for key, value in zip(table.columns, row, strict=True)},
            "missing_share": {name: round(float(missing.loc[cell, name]), 6) for name in names},
        }
        for cell, row in zip(table.index, np.asarray(table), strict=True)
    ]
