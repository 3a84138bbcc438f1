"""What the scored rows of whole strings amount to; parts add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from bms_schema.data.columns import CELL_ID

from bms_anomaly.heatmap import prepare_heatmap
from bms_anomaly.kinds import sorted_events
from bms_anomaly.ranking import rank_cells, worst_first
from bms_anomaly.scoring import FleetScores, HealthyScores
from bms_anomaly.timeline import MOST_CELLS

Span = tuple[Any, Any]


@dataclass(frozen=True)
class Findings:
    """Small facts of a table or of any part of it that holds whole strings.

    Args:
        rows: How many.
        silent: Rows in which no sensor answered.
        anomalies: Rows in events.
        events: See `kinds.EVENT_COLUMNS`, the highest peak first.
        cells: Cells with events, the worst first (see `rank_cells`).
        heatmap: See `prepare_heatmap`.
        healthy: How high the rows outside of events score.
    """

    rows: int
    silent: int
    anomalies: int
    events: pd.DataFrame
    cells: pd.DataFrame
    heatmap: pd.DataFrame
    healthy: HealthyScores

    @classmethod
    def of(cls, scores: FleetScores, span: Span) -> Findings:
        """Return the facts of scored rows.

        Args:
            scores: Of whole strings.
            span: First and last time stamp of the whole file, or `source_row` where it has none.
        """
        rows = scores.rows
        return cls(
            len(rows),
            int(rows["anomaly_score"].isna().sum()),
            int(rows["anomaly"].sum()),
            scores.events,
            rank_cells(rows, scores.events),
            prepare_heatmap(rows, *span),
            scores.healthy,
        )

    @classmethod
    def together(cls, parts: Sequence[Findings]) -> Findings:
        """Return the facts of all parts, at least one."""
        return cls(
            sum(part.rows for part in parts),
            sum(part.silent for part in parts),
            sum(part.anomalies for part in parts),
            sorted_events(_stacked([part.events for part in parts])),
            worst_first(_stacked([part.cells for part in parts])),
            _stacked([part.heatmap for part in parts]),
            HealthyScores.together([part.healthy for part in parts]),
        )

    def events_to_draw(self) -> pd.DataFrame:
        """Return the events of the few worst cells, the worst cell's first."""
        cells = list(self.cells[CELL_ID].head(MOST_CELLS))
        return in_order_of(cells, self.events[self.events[CELL_ID].isin(cells)])


def in_order_of(cells: Sequence[str], table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table cell by cell, in the order of these cells; the rows of a cell stay in theirs."""
    place = {cell: number for number, cell in enumerate(cells)}
    return table.sort_values(CELL_ID, key=lambda names: names.map(place), kind="stable")


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put tables below each other; empty ones, whose columns have no types, only count where all are."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]
