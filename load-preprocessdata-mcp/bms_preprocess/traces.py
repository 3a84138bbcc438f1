"""Readings around spikes and stuck sensors, as read and as cleaned, in bounded excerpts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import SPIKE, STUCK
from bms_schema.data.columns import CELL_ID, MEASURED_NAMES, SOURCE_ROW, flag_of
from bms_schema.data.moments import CellOrder

from bms_preprocess.cell_facts import CellCodes
from bms_preprocess.grouped import runs
from bms_preprocess.reasons import REASONS, reason_codes
from bms_preprocess.timeline import NO_TIME

TRACED = (SPIKE, STUCK)
MOST_TRACES = 2
MOST_RUNS = 20
TRACE_READINGS = 160


@dataclass(frozen=True)
class Trace:
    """One signal of one cell where most of its readings were masked for one reason.

    Args:
        cell: Name.
        column: The signal.
        reason: `spike` or `stuck`.
        masked: Readings masked for that reason in the whole signal; the most are kept.
        table: At most 160 rows in time order: `time` (or source row), `before` (as read), `masked` (bool),
            `string` (median of the string's cells).
    """

    cell: str
    column: str
    reason: str
    masked: int
    table: pd.DataFrame


def masked_traces(
    frame: pd.DataFrame,
    before: pd.DataFrame,
    moments: np.ndarray,
    order: CellOrder,
    cells: CellCodes,
    stamps: np.ndarray,
) -> list[Trace]:
    """Return excerpts of the two signals with most spikes and the two with most stuck readings.

    Args:
        frame: Canonical, whole strings, spikes and stuck readings masked.
        before: The same rows before that, measured columns only.
        moments: `moment_codes` of the frame.
        order: `order_cells` of the frame.
        cells: `cell_codes` of the frame.
        stamps: `instants` of the frame.
    """
    traces = []
    for reason in TRACED:
        ranked: list[tuple[int, str, str, int]] = []
        for name in (name for name in MEASURED_NAMES if name in frame):
            counts = cells.count(_marks(frame, name, reason))
            most = np.lexsort((cells.names.astype(str), -counts))[:MOST_TRACES]
            ranked += [
                (-int(counts[cell]), str(cells.names[cell]), name, int(cell)) for cell in most if counts[cell]
            ]
        for count, cell_name, name, cell in sorted(ranked)[:MOST_TRACES]:
            rows = order.order[np.searchsorted(order.cell, cell) : np.searchsorted(order.cell, cell, "right")]
            rows = rows[_densest(_marks(frame, name, reason)[rows])]
            table = pd.DataFrame(
                {
                    "time": _times(frame, rows, stamps),
                    "before": before[name].to_numpy(dtype=float)[rows],
                    "masked": _marks(frame, name, reason)[rows],
                    "string": _medians(frame[name].to_numpy(dtype=float), moments, rows),
                }
            )
            traces.append(Trace(cell_name, name, reason, -count, table))
    return traces


def most_masked(traces: list[Trace]) -> list[Trace]:
    """Keep the two traces of each reason with most masked readings."""
    ranked = sorted(traces, key=lambda trace: (-trace.masked, trace.cell, trace.column))
    return [
        trace for reason in TRACED for trace in [one for one in ranked if one.reason == reason][:MOST_TRACES]
    ]


def stuck_runs(frame: pd.DataFrame, order: CellOrder, cells: CellCodes, stamps: np.ndarray) -> pd.DataFrame:
    """Return `Cell ID`, `column`, `from`, `to`, `hours`, `readings` of runs of stuck readings, the 20 longest.

    Blank readings do not end a run. Without time stamps `from` and `to` are NaT and `hours` NaN.
    """
    tables = []
    for name in (name for name in MEASURED_NAMES if name in frame):
        stuck = _marks(frame, name, STUCK)[order.order]
        if not stuck.any():
            continue
        read = np.flatnonzero(stuck | frame[name].notna().to_numpy()[order.order])
        first, last = runs(stuck[read], order.cell[read])
        begin, end = order.order[read[first]], order.order[read[last]]
        tables.append(
            pd.DataFrame(
                {
                    CELL_ID: cells.names[cells.code[begin]],
                    "column": name,
                    "from": stamps[begin].astype("datetime64[ns]"),
                    "to": stamps[end].astype("datetime64[ns]"),
                    "readings": last - first + 1,
                }
            )
        )
    if not tables:
        return pd.DataFrame({key: [] for key in (CELL_ID, "column", "from", "to", "readings", "hours")})
    table = pd.concat(tables, ignore_index=True)
    table["hours"] = (table["to"] - table["from"]).dt.total_seconds() / 3600.0
    return longest_runs(table)


def longest_runs(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the 20 longest runs."""
    keys = ["hours", "readings", CELL_ID, "column", "from"]
    return table.sort_values(keys, ascending=[False, False, True, True, True], ignore_index=True).head(
        MOST_RUNS
    )


def _marks(frame: pd.DataFrame, name: str, reason: str) -> np.ndarray:
    return np.asarray(reason_codes(frame[flag_of(name)]) == REASONS.index(reason) + 1)


def _densest(marks: np.ndarray) -> slice:
    """Return the 160 rows, of one cell in time order, that hold most marks, these in the middle."""
    at = np.flatnonzero(marks)
    within = np.searchsorted(at, at + TRACE_READINGS * 3 // 4) - np.arange(len(at))
    best = int(np.argmax(within))
    middle = (at[best] + at[best + within[best] - 1]) // 2
    start = max(0, min(int(middle) - TRACE_READINGS // 2, len(marks) - TRACE_READINGS))
    return slice(start, start + TRACE_READINGS)


def _times(frame: pd.DataFrame, rows: np.ndarray, stamps: np.ndarray) -> np.ndarray:
    if (stamps[rows] == NO_TIME).all():
        return np.asarray(frame[SOURCE_ROW])[rows]
    return np.asarray(stamps[rows].astype("datetime64[ns]"))


def _medians(values: np.ndarray, moments: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the string's median at the rows' moments; NaN where no cell has a reading."""
    together = np.flatnonzero(np.isin(moments, moments[rows]))
    medians = pd.Series(values[together]).groupby(moments[together]).median()
    return np.asarray(medians.reindex(moments[rows]))
