"""The data-quality report: what came in, what was wrong with it, what was done, what to look at.

Whole strings are examined one part after another, the parts are merged in any order, and the report is made of
the merged part: it is the same however the table was divided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.data.chemistry import Chemistry
from bms_schema.data.columns import CELL_ID, CLEANED_NAMES, IS_DEAD, VOLTAGE
from bms_schema.data.corrections import Correction
from bms_schema.data.features import string_features
from bms_schema.data.moments import CellOrder, moment_codes, order_cells

from bms_preprocess.availability import Availability, availability_maps, most_missing
from bms_preprocess.bands import Band, cut_stretches, voltage_bands, widest
from bms_preprocess.cell_facts import DEVIATIONS, cell_codes, cell_facts, count_reasons, float_marks
from bms_preprocess.finding import as_records, ordered
from bms_preprocess.findings import filling_finding, find_all
from bms_preprocess.limits_crossed import limits_crossed
from bms_preprocess.reasons import count_flagged, count_masked
from bms_preprocess.record import report_record
from bms_preprocess.spread import Spread, merge_spreads, spread
from bms_preprocess.string_facts import string_facts
from bms_preprocess.string_total import total_facts
from bms_preprocess.timeline import examine_timeline, instants, longest_gaps
from bms_preprocess.traces import Trace, longest_runs, masked_traces, most_masked, stuck_runs

if TYPE_CHECKING:
    from bms_preprocess.imputation_check import ColumnCheck

__all__ = [
    "PartQuality",
    "count_flagged",
    "count_masked",
    "examine_part",
    "merge_parts",
    "quality_report",
    "with_treatment",
]


@dataclass(frozen=True)
class PartQuality:
    """What was seen in some strings of a table; small, whatever the number of rows, and mergeable.

    Args:
        cells: One row per cell (see `cell_facts`).
        reasons: `Cell ID`, `column`, `reason`, `readings`.
        columns: Spread of the readings of every measured column.
        limits: Limits that readings crossed (see `limits_crossed`).
        strings: One row per string (see `string_facts`).
        gaps: The 20 longest gaps.
        stuck: The 20 longest runs of stuck readings.
        bands: Voltage of the six strings with the widest band.
        maps: Missing readings over time of the two strings that miss most.
        traces: Excerpts around spikes and stuck readings.
        dead_rows: Rows labelled dead; None without the label.
    """

    cells: pd.DataFrame
    reasons: pd.DataFrame
    columns: dict[str, Spread]
    limits: pd.DataFrame
    strings: pd.DataFrame
    gaps: pd.DataFrame
    stuck: pd.DataFrame
    bands: list[Band]
    maps: list[Availability]
    traces: list[Trace]
    dead_rows: int | None


def examine_part(
    frame: pd.DataFrame,
    deviations: pd.DataFrame,
    chemistry: Chemistry,
    *,
    before: pd.DataFrame | None = None,
    order: CellOrder | None = None,
    moments: np.ndarray | None = None,
) -> PartQuality:
    """Examine whole strings of a cleaned table, before imputation.

    Args:
        frame: Canonical, spikes and stuck readings masked. Only ids, time, measured columns, their flags and
            `IsDead` are looked at.
        deviations: `voltage_deviation_v`, `voltage_robust_z` and their like (from `string_features`, or a frame
            with features), rows as in `frame`.
        chemistry: The profile in force.
        before: The measured columns before spikes and stuck readings were masked, rows as in `frame`; without
            it the report shows no readings around them.
        order: `order_cells` of the frame, where it is at hand already.
        moments: `moment_codes` of the frame, likewise.
    """
    order = order or order_cells(frame)
    cells, stamps, timeline = cell_codes(frame, order), instants(frame), examine_timeline(frame, order)
    place = cut_stretches(frame, cells, stamps)
    float_rows = float_marks(frame, deviations, chemistry)
    moments = moment_codes(frame, order) if moments is None else moments
    traces: list[Trace] = []
    if before is not None:
        traces = masked_traces(frame, before, moments, order, cells, stamps)
    return PartQuality(
        cells=cell_facts(frame, deviations, float_rows, order, cells, timeline),
        reasons=count_reasons(frame, cells),
        columns={name: spread(frame[name].to_numpy(dtype=float)) for name in CLEANED_NAMES if name in frame},
        limits=limits_crossed(frame, chemistry, cells, stamps, float_rows),
        strings=string_facts(place, cells, stamps, total_facts(frame, moments, place, cells)),
        gaps=longest_gaps(timeline.gaps),
        stuck=stuck_runs(frame, order, cells, stamps),
        bands=voltage_bands(frame, place),
        maps=availability_maps(frame, cells, place),
        traces=traces,
        dead_rows=int((frame[IS_DEAD] == 1).sum()) if IS_DEAD in frame else None,
    )


def merge_parts(parts: Sequence[PartQuality]) -> PartQuality:
    """Return what was seen in all parts together; the order of the parts does not matter."""
    names = [name for name in CLEANED_NAMES if any(name in part.columns for part in parts)]
    dead = [part.dead_rows for part in parts if part.dead_rows is not None]
    return PartQuality(
        cells=_together([part.cells for part in parts], [CELL_ID]),
        reasons=_together([part.reasons for part in parts], [CELL_ID, "column", "reason"]),
        columns={
            name: merge_spreads([part.columns[name] for part in parts if name in part.columns])
            for name in names
        },
        limits=_together([part.limits for part in parts], ["limit", CELL_ID]),
        strings=_together([part.strings for part in parts], ["string"]),
        gaps=longest_gaps(_together([part.gaps for part in parts], [CELL_ID])),
        stuck=longest_runs(_together([part.stuck for part in parts], [CELL_ID])),
        bands=widest([band for part in parts for band in part.bands]),
        maps=most_missing([found for part in parts for found in part.maps]),
        traces=most_masked([trace for part in parts for trace in part.traces]),
        dead_rows=sum(dead) if dead else None,
    )


def _together(tables: list[pd.DataFrame], keys: list[str]) -> pd.DataFrame:
    """Concatenate tables, empty ones left out lest they change types, in the order of the keys."""
    filled = [table for table in tables if len(table)] or tables[:1]
    merged = pd.concat(filled, ignore_index=True)
    # A count that a part has no column for is none.
    counts = {str(name) for table in filled for name in table.select_dtypes("integer")}
    merged = merged.assign(**{name: merged[name].fillna(0).astype("int64") for name in counts})
    return merged.sort_values(keys, kind="stable", ignore_index=True)


def quality_report(
    seen: PartQuality | pd.DataFrame,
    chemistry: Chemistry,
    notes: Sequence[str],
    corrections: Sequence[Correction] = (),
) -> dict[str, Any]:
    """Return the report as plain JSON values; counts of readings stand at the top.

    Args:
        seen: The merged part; or a canonical frame with or without features, which is then examined.
        chemistry: The profile in force.
        notes: What was found and decided while reading.
        corrections: `TablePlan.corrections`: columns whose values were rescaled or got their sign back.
    """
    if isinstance(seen, pd.DataFrame):
        known = DEVIATIONS[VOLTAGE][1] in seen
        seen = examine_part(seen, seen if known else string_features(seen, moment_codes(seen)), chemistry)
    record = report_record(merge_parts([seen]), chemistry, notes, corrections)
    return {**record, "findings": as_records(find_all(seen, record))}


def with_treatment(
    report: Mapping[str, Any], filled: Mapping[str, int], checks: Mapping[str, ColumnCheck], leftovers: int
) -> dict[str, Any]:
    """Return the report with what imputation and scaling did.

    Args:
        report: From `quality_report`.
        filled: Readings filled, by column.
        checks: Error of filled readings, by column.
        leftovers: Gaps that took the column's mean in the scaled table.
    """
    checked = {name: asdict(check) for name, check in checks.items()}
    return {
        **report,
        "findings": ordered([*report["findings"], *as_records(filling_finding(filled, checked))]),
        "readings_imputed": sum(filled.values()),
        "imputed": dict(filled),
        "imputation_check": checked,
        "scaled_leftovers_filled_by_mean": leftovers,
    }
