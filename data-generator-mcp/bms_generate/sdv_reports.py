"""SDV's diagnostic and quality reports as tables, and their weakest spots."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bms_generate.dataset import Dataset, Tables
from bms_generate.seeded_sdv import quiet_sdv

SCORE_COLUMNS = ["property", "table", "column", "column_2", "metric", "score"]
SHAPES = "Column Shapes"
_WEAKEST = 5
_PERFECT = 0.99995  # 1 to the four digits that are told
# SDV draws 50,000 rows of larger tables at random; one seed makes its scores repeatable.
_SUBSAMPLE_SEED = 0


@dataclass(frozen=True)
class SdvScores:
    """What the reports found.

    Args:
        overall: Quality 0-1, the mean of its properties, pairs counting only where the real columns are correlated
            (above 0.5) or associated (above 0.3), as sdmetrics 0.32 has it; NaN where nothing could be scored.
        overall_all_pairs: The same with every pair counting, comparable with scores of before.
        overall_same_bins: Like `overall`, with numbers of both sides in bins of the real range where a pair has a
            category. SDV gives each side bins of its own range: one extreme value that is missing on one side moves
            all edges, and equal distributions score anything.
        properties: Score per property of both reports; NaN where it does not apply.
        scores: One row per column, column pair (in the same bins) or relationship: `property`, `table`, `column`,
            `column_2`, `metric`, `score` (0-1, higher is better; NaN where undefined).
    """

    overall: float
    overall_all_pairs: float
    overall_same_bins: float
    properties: dict[str, float]
    scores: pd.DataFrame

    def column_scores(self) -> pd.DataFrame:
        """Return the shape score of each column, weakest first: `table`, `column`, `score` by `table.column`."""
        shapes = self.scores[self.scores["property"] == SHAPES].dropna(subset=["score"])
        ranked = shapes.sort_values("score", kind="stable")
        return ranked.set_index(ranked["table"] + "." + ranked["column"])[["table", "column", "score"]]

    def weakest(self) -> pd.DataFrame:
        """Return up to five lowest scores with a readable `what`; what is perfect is none of them."""
        flawed = self.scores[self.scores["score"] < _PERFECT]
        ranked = flawed.sort_values("score", kind="stable").head(_WEAKEST)
        return ranked.assign(what=[_what(row) for row in ranked.itertuples()])


def _what(row: Any) -> str:
    pair = f" × {row.column_2}" if isinstance(row.column_2, str) else ""
    place = f"{row.table}.{row.column}" if isinstance(row.column, str) else str(row.table)
    return f"{place}{pair} ({row.property})"


def run_reports(real: Dataset, synthetic: Tables) -> SdvScores:
    """Run both reports.

    Args:
        real: The real tables, cleaned.
        synthetic: The synthetic ones, read by the same rules.
    """
    from sdmetrics.reports import DiagnosticReport, QualityReport

    quality, all_pairs, same_bins = (QualityReport() for _ in range(3))
    diagnostic = DiagnosticReport()
    all_pairs.real_correlation_threshold = all_pairs.real_association_threshold = 0
    with quiet_sdv():
        for report in (quality, all_pairs, same_bins, diagnostic):
            binning = _real_bins_for_both() if report is same_bins else contextlib.nullcontext()
            with _fixed_numpy_seed(_SUBSAMPLE_SEED), binning:
                report.generate(real.tables, synthetic, real.metadata, verbose=False)
        properties: dict[str, float] = {}
        for report in (quality, diagnostic):
            properties |= {row.Property: float(row.Score) for row in report.get_properties().itertuples()}
        scores = pd.concat([_details(same_bins), _details(diagnostic)], ignore_index=True)
    scored = {name: score for name, score in properties.items() if name != "Constraint Validity"}
    overall = [float(report.get_score()) for report in (quality, all_pairs, same_bins)]
    return SdvScores(*overall, scored, scores)


@contextlib.contextmanager
def _real_bins_for_both() -> Iterator[None]:
    """Let reports keep a column's bins from the real side, which they look at first, for the synthetic one."""
    from sdmetrics.reports.single_table._properties.column_pair_trends import ColumnPairTrends

    usual = ColumnPairTrends._discretize_column

    def discretize(self: Any, name: str, data: pd.Series, bin_edges: Any = None) -> tuple[Any, Any]:
        edges = self.__dict__.setdefault("_real_edges", {})
        if name not in edges:
            edges[name] = usual(self, name, data)[1]
            if edges[name] is not None:
                edges[name] = np.array([-np.inf, *edges[name][1:-1], np.inf])
        return usual(self, name, data, edges[name])

    ColumnPairTrends._discretize_column = discretize
    try:
        yield
    finally:
        ColumnPairTrends._discretize_column = usual


def _details(report: Any) -> pd.DataFrame:
    """Bring the differently shaped detail tables of a report into one."""
    parts = []
    for name in report.get_properties()["Property"]:
        found = report.get_details(name)
        if found.empty:
            continue
        part = pd.DataFrame(
            {"property": name, "metric": found["Metric"], "score": found["Score"].astype("float64")}
        )
        part["table"] = _first_of(found, "Table", "Parent Table")
        part["column"] = _first_of(found, "Column", "Column 1", "Foreign Key")
        part["column_2"] = _first_of(found, "Column 2")
        if "Child Table" in found and "Column 2" in found:
            part["column_2"] = found["Child Table"] + "." + found["Column 2"]
        parts.append(part)
    return (
        pd.concat(parts, ignore_index=True)[SCORE_COLUMNS] if parts else pd.DataFrame(columns=SCORE_COLUMNS)
    )


def _first_of(frame: pd.DataFrame, *names: str) -> pd.Series:
    present = next((name for name in names if name in frame), None)
    return frame[present].astype(object) if present else pd.Series(None, index=frame.index, dtype=object)


@contextlib.contextmanager
def _fixed_numpy_seed(seed: int) -> Iterator[None]:
    """Seed numpy's global generator, which SDV's reports draw from, and leave it as it was."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
