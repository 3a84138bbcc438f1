"""The whole chain in memory: clean, engineer, fill, scale, and report on the data's quality."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.data.chemistry import ChemistryOption
from bms_schema.data.columns import PREPROCESS_REQUIRED
from bms_schema.data.features import available_columns, feature_names
from bms_schema.data.intake import take_in
from bms_schema.data.reading import DEFAULT_CHUNKSIZE
from bms_schema.data.sampling import row_hashes
from bms_schema.data.table import BatteryTable, canonical_table

from bms_preprocess.imputation import impute_block, reading_means, reading_sums
from bms_preprocess.imputation_check import ColumnCheck, check_imputation
from bms_preprocess.learning import Sample, SmallestHashes, fit
from bms_preprocess.scaling import scale
from bms_preprocess.sdv_folder import choose_cells, sdv_table
from bms_preprocess.stages import Facts, judged_before, look_at_cells, look_at_strings, with_features
from bms_preprocess.stored import Fitted, check_columns, load_fitted
from bms_preprocess.summary import Summary, Treatment, summarise

Report = Callable[[int, int, str], None]
Emit = Callable[[str, pd.DataFrame], None]
STEPS = 5


def _no_report(done: int, total: int, message: str) -> None:
    """Stand in for a caller that wants no progress."""


def _no_emit(name: str, frame: pd.DataFrame) -> None:
    """Stand in for a caller that takes the tables at the end."""


@dataclass(frozen=True)
class Preprocessed:
    """Every table has one row per input row, in the input's order, with `source_row`, `Cell ID` and `Timestamp`.

    Args:
        table: The cleaned table, with the chemistry profile in force and why.
        features: `cleaned` and the physical features.
        imputed: `cleaned` with missing readings filled and flagged `imputed`.
        scaled: Readings and features as `<name>_scaled`, no gaps; never physical units.
        summary: Everything but the tables.
    """

    table: BatteryTable
    features: pd.DataFrame
    imputed: pd.DataFrame
    scaled: pd.DataFrame
    summary: Summary

    @property
    def cleaned(self) -> pd.DataFrame:
        """Readings in physical units, NaN = no reading, each with its `_flag`; other columns untouched."""
        return self.table.frame

    @property
    def report(self) -> dict[str, Any]:
        """The data-quality report, plain JSON values."""
        return self.summary.report

    @property
    def notes(self) -> list[str]:
        """What was found and decided, in words."""
        return self.summary.notes

    @property
    def fitted(self) -> Fitted:
        """The imputer and the scaler."""
        return self.summary.fitted

    @property
    def checks(self) -> dict[str, ColumnCheck]:
        """Error of filled readings per column, on readings hidden on purpose."""
        return self.summary.checks


def preprocess(
    data: pd.DataFrame | Path | str,
    *,
    chunksize: int = DEFAULT_CHUNKSIZE,
    chemistry: ChemistryOption = "auto",
    fitted: Fitted | str | None = None,
    report: Report = _no_report,
) -> Preprocessed:
    """Clean, engineer, fill and scale a BMS export in memory; writes nothing.

    Args:
        data: A frame, or the path of a file or folder; raw, or already cleaned by BMS-Flux.
        chunksize: Rows parsed at once; never changes the result.
        chemistry: A profile's name or "auto".
        fitted: Imputer and scaler fitted elsewhere (a training part), or the id of a stored version ("latest");
            None fits them on this data.
        report: Called with (steps done, steps in all, what comes next).

    Raises:
        InputError: unreadable, empty, or without a required column.
        ModelError: no such version, or the data lacks a column it was fitted on.
    """
    report(0, STEPS, "reading and cleaning")
    table, judged = read(data, chunksize=chunksize, chemistry=chemistry)
    return run_in_memory(table, judged, fitted, report=report)


def run_in_memory(
    table: BatteryTable,
    judged: bool,
    fitted: Fitted | str | None,
    *,
    report: Report = _no_report,
    emit: Emit = _no_emit,
) -> Preprocessed:
    """Do everything but reading.

    Args:
        table: The canonical table, spikes and stuck readings still in it.
        judged: Whether BMS-Flux cleaned it before (see `Facts`).
        fitted: As for `preprocess`.
        report: As for `preprocess`.
        emit: Called with the name and the frame of each table as soon as it stands.
    """
    limits = table.limits
    report(
        1,
        STEPS,
        f"{len(table.frame):,} rows read; looking for spikes and stuck sensors, engineering features",
    )
    names = [str(name) for name in table.frame.columns]
    facts = Facts(names, available_columns(table.frame), judged, table.chemistry)
    known = load_known(fitted, facts)
    strings = look_at_strings(table.frame, facts)
    table = BatteryTable(strings.frame, table.chemistry, table.notes, table.corrections)
    emit("cleaned", table.frame)
    block = look_at_cells(strings, np.arange(len(strings.frame)), facts)
    features = with_features(block.frame, block.features)
    emit("features", features)
    report(2, STEPS, "filling missing readings")
    if known is None:
        hashes, smallest = row_hashes(block.frame), SmallestHashes()
        smallest.add(hashes)
        sample = Sample.together([Sample.of(block, hashes, smallest.cut)])
        learned = fit(sample, limits, reading_means([reading_sums(block.frame)]))
    else:
        learned = known
    imputed, filled = impute_block(block.frame, block.predictors, learned.imputer)
    emit("imputed", imputed)
    report(3, STEPS, "scaling")
    scaled, leftovers = scale(with_features(imputed, block.features), learned.scaler)
    emit("scaled", scaled)
    report(4, STEPS, "checking the filling on readings hidden on purpose")
    checks = check_imputation(block.frame, limits, known.imputer if known else None)
    sdv = sdv_table(choose_cells(strings.quality.cells).rows_of(block.frame))
    summary = summarise(
        strings.quality,
        table.chemistry,
        limits,
        table.notes,
        table.corrections,
        learned,
        checks,
        Treatment(filled, leftovers, sdv),
        "pandas",
    )
    return Preprocessed(table, features, imputed, scaled, summary)


def read(
    data: pd.DataFrame | Path | str, *, chunksize: int, chemistry: ChemistryOption
) -> tuple[BatteryTable, bool]:
    """Return the canonical table of a frame, a file or a folder, and whether BMS-Flux cleaned it before."""
    if isinstance(data, pd.DataFrame):
        table = canonical_table(data, require=PREPROCESS_REQUIRED, chemistry=chemistry)
        return table, judged_before([str(name) for name in data.columns])
    intake = take_in(
        Path(data),
        require=PREPROCESS_REQUIRED,
        chunksize=chunksize,
        chemistry=chemistry,
        most_rows=None,
        told=lambda _: None,
    )
    return intake.table(), judged_before(intake.source.names)


def load_known(fitted: Fitted | str | None, facts: Facts) -> Fitted | None:
    """Return what was fitted elsewhere, loaded where a version is named, after checking the columns.

    Raises:
        ModelError: no such version, or the table lacks a column.
    """
    columns = [*facts.names, *feature_names(facts.columns)]
    if isinstance(fitted, str):
        return load_fitted(columns, fitted)
    if fitted is not None:
        check_columns(fitted, columns)
    return fitted
