"""The report as plain JSON values, made of what was seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from bms_schema.data.chemistry import Chemistry
from bms_schema.data.cleaning import BLANK, CHANGED, IMPUTED
from bms_schema.data.columns import CELL_ID, COLUMNS
from bms_schema.data.corrections import Correction, Wrap
from bms_schema.data.features import LOAD_STEP_A

from bms_preprocess.cell_facts import DEVIATIONS, LOW_ON_FLOAT_V, OUTLIER_Z
from bms_preprocess.reasons import MASKED, REASONS
from bms_preprocess.timeline import UNDATED_S

if TYPE_CHECKING:
    from bms_preprocess.quality import PartQuality

MOST_CELL_RECORDS = 2000  # of more cells the worst are listed; every count is over all
UNDATED = pd.Timestamp(UNDATED_S, unit="s")
OUTLIER_RULE = f"|robust z| > {OUTLIER_Z:g} against the string's median at the same moment"


def report_record(
    seen: PartQuality, chemistry: Chemistry, notes: Sequence[str], corrections: Sequence[Correction]
) -> dict[str, Any]:
    """Return everything but the findings.

    Args:
        seen: The merged part.
        chemistry: The profile in force.
        notes: What was found and decided while reading.
        corrections: Units converted and signs restored.
    """
    cells, strings, reasons = seen.cells, seen.strings, seen.reasons.groupby("reason")["readings"].sum()
    steps = cells["step_s"].dropna()
    return {
        "rows": int(cells["rows"].sum()),
        "cells": len(cells),
        "strings": len(strings),
        "rows_without_any_cell_reading": int(cells["silent"].sum()),
        "readings_masked": int(reasons.reindex(list(MASKED)).sum()),
        "readings_blank": int(reasons.get(BLANK, 0)),
        "readings_changed": int(reasons.reindex(list(CHANGED)).sum()),
        "readings_imputed_before": int(reasons.get(IMPUTED, 0)),
        "outliers": int(sum(_outliers(cells, name).sum() for name in DEVIATIONS)),
        "duplicate_rows": int(cells["duplicates"].sum()),
        "backward_time_stamps": int(cells["backward"].sum()),
        "gaps": int(cells["gaps"].sum()),
        "time": {
            "start": _time(strings["start"].min()),
            "end": _time(strings["end"].max()),
            "dated": bool(strings["end"].max() > UNDATED),
            "usual_step_s": float(steps.median()) if len(steps) else None,
            "rows_without_time": int(cells["untimed"].sum()),
        },
        "chemistry": {
            "profile": chemistry.profile.name,
            "reason": chemistry.reason,
            "cells_per_block": chemistry.cells_per_block,
            "voltage_range_v": list(chemistry.voltage_range),
            "source": chemistry.profile.source,
        },
        "columns": {name: _column(seen, name) for name in seen.columns},
        "cell_table": _cell_table(seen),
        "float_window": _float_window(cells, chemistry),
        "limits_crossed": [
            {**row, "worst": _round(row["worst"]), "first": _time(row["first"])}
            for row in seen.limits.sort_values(["readings", CELL_ID], ascending=[False, True])
            .head(MOST_CELL_RECORDS)
            .to_dict("records")
        ],
        "longest_gaps": _spans(seen.gaps),
        "longest_stuck": _spans(seen.stuck),
        "dead_rows": seen.dead_rows,
        "corrections": [
            {
                "column": found.column,
                "what": found.what,
                "how": found.how.code if isinstance(found.how, Wrap) else found.how.name,
                "readings": found.readings,
                "evidence": found.evidence,
                "note": found.note,
            }
            for found in corrections
        ],
        "notes": list(notes),
        "outlier_rule": OUTLIER_RULE,
    }


def _outliers(cells: pd.DataFrame, name: str) -> pd.Series:
    if f"judged {name}" not in cells:
        return pd.Series(0, index=cells.index)
    return cells[f"far {name}"]


def _column(seen: PartQuality, name: str) -> dict[str, Any]:
    spread, rows = seen.columns[name], int(seen.cells["rows"].sum())
    of_column = seen.reasons[seen.reasons["column"] == name]
    counts = of_column.groupby("reason")["readings"].sum()
    judged = f"judged {name}" in seen.cells
    return {
        "unit": COLUMNS[name].unit,
        "readings": spread.count,
        "missing_share": 1.0 - spread.count / max(rows, 1),
        "reasons": {reason: int(counts[reason]) for reason in REASONS if reason in counts.index},
        "outliers": int(_outliers(seen.cells, name).sum()) if judged else None,
        "lowest": _number(spread.minimum),
        "median": _number(spread.median),
        "highest": _number(spread.highest),
    }


def _cell_table(seen: PartQuality) -> list[dict[str, Any]]:
    """Return one record per cell, most missing first."""
    cells, names = seen.cells, list(seen.columns)
    missing = pd.DataFrame({name: cells[f"missing {name}"] / cells["rows"] for name in names})
    outliers = sum((_outliers(cells, name) for name in DEVIATIONS), pd.Series(0, index=cells.index))
    counts = pd.DataFrame(
        {
            "rows": cells["rows"],
            "masked": cells["masked"],
            "silent": cells["silent"],
            "outliers": outliers,
            "duplicates": cells["duplicates"],
            "outside_float": _column_of(cells, "cell_below") + _column_of(cells, "cell_above"),
        }
    )
    worst = pd.DataFrame({"missing": -missing.mean(axis=1), "outliers": -outliers, "cell": cells[CELL_ID]})
    shown = worst.sort_values(["missing", "outliers", "cell"], kind="stable").index[:MOST_CELL_RECORDS]
    listed = cells.loc[shown, CELL_ID].tolist()
    reasons: dict[str, dict[str, dict[str, int]]] = {cell: {} for cell in listed}
    kept = seen.reasons[seen.reasons[CELL_ID].isin(reasons)]
    for cell, column, reason, readings in kept.itertuples(index=False):
        reasons[cell].setdefault(column, {})[reason] = int(readings)
    return [
        {
            CELL_ID: cell,
            "string": string,
            **{key: int(value) for key, value in zip(counts.columns, row, strict=True)},
            "missing_share": {
                name: round(float(share), 6) for name, share in zip(names, shares, strict=True)
            },
            "reasons": reasons[cell],
        }
        for cell, string, row, shares in zip(
            listed,
            cells.loc[shown, "string"],
            counts.loc[shown].to_numpy(),
            missing.loc[shown].to_numpy(),
            strict=True,
        )
    ]


def _float_window(cells: pd.DataFrame, chemistry: Chemistry) -> dict[str, Any] | None:
    low, high = chemistry.profile.float_low, chemistry.profile.float_high
    if low is None or high is None or "on_charge" not in cells:
        return None
    blocks = chemistry.cells_per_block
    return {
        "low_v": round(low * blocks, 4),
        "high_v": round(high * blocks, 4),
        "rule": (
            f"readings with |current| below {LOAD_STEP_A:g} A while the string's median is {LOW_ON_FLOAT_V:g} V "
            "per 2 V cell or more"
        ),
        "readings": int(cells["on_charge"].sum()),
        "below": int(cells["string_below"].sum()),
        "above": int(cells["string_above"].sum()),
        "cells_below": int(cells["cell_below"].sum()),
        "cells_above": int(cells["cell_above"].sum()),
        "source": chemistry.profile.source,
    }


def _column_of(cells: pd.DataFrame, name: str) -> pd.Series:
    return cells[name] if name in cells else pd.Series(0, index=cells.index)


def _spans(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            **{str(key): value for key, value in row.items()},
            "from": _time(row["from"]),
            "to": _time(row["to"]),
            "hours": _round(row["hours"]),
        }
        for row in table.to_dict("records")
    ]


def _time(value: pd.Timestamp) -> str | None:
    return None if pd.isna(value) else value.isoformat()


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _round(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None
