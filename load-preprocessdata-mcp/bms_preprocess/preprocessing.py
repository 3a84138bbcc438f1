"""The whole chain in memory: clean, engineer, fill, scale, and report on the data's quality."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from bms_schema.data.chemistry import ChemistryOption
from bms_schema.data.columns import MEASURED_NAMES
from bms_schema.data.features import add_features
from bms_schema.data.reading import DEFAULT_CHUNKSIZE
from bms_schema.data.table import BatteryTable, canonical_table, load_battery_table

from bms_preprocess.imputation import fit_imputer, impute
from bms_preprocess.imputation_check import ColumnCheck, check_imputation
from bms_preprocess.quality import quality_report, with_treatment
from bms_preprocess.scaling import fit_scaler, scale
from bms_preprocess.stored import Fitted, check_columns, load_fitted

Report = Callable[[int, int, str], None]
STEPS = 5


def _no_report(done: int, total: int, message: str) -> None:
    """Stand in for a caller that wants no progress."""


@dataclass(frozen=True)
class Preprocessed:
    """Every table has one row per input row, in the input's order, with `source_row`, `Cell ID` and `Timestamp`.

    Args:
        features: `cleaned` and the physical features.
        imputed: `features` with missing readings filled and flagged `imputed`; features stay as they were.
        scaled: Readings and features as `<name>_scaled`, no gaps; never physical units.
        report: The data-quality report, plain JSON values.
        table: The cleaned table as read, with the chemistry profile in force and why.
        notes: What was found and decided, in words.
        fitted: The imputer and the scaler.
        checks: Error of filled readings per column, on readings hidden on purpose.
    """

    features: pd.DataFrame
    imputed: pd.DataFrame
    scaled: pd.DataFrame
    report: dict[str, Any]
    table: BatteryTable
    notes: list[str]
    fitted: Fitted
    checks: dict[str, ColumnCheck]

    @property
    def cleaned(self) -> pd.DataFrame:
        """Readings in physical units, NaN = no reading, each with its `_flag`; other columns untouched."""
        return self.table.frame


def preprocess(
    data: pd.DataFrame | Path | str,
    *,
    chunksize: int = DEFAULT_CHUNKSIZE,
    chemistry: ChemistryOption = "auto",
    fitted: Fitted | str | None = None,
    report: Report = _no_report,
) -> Preprocessed:
    """Clean, engineer, fill and scale a BMS export; writes nothing.

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
    table = read(data, chunksize=chunksize, chemistry=chemistry)
    report(1, STEPS, f"{len(table.frame):,} rows cleaned; engineering features")
    featured = add_features(table.frame)
    quality = quality_report(featured, table.chemistry, table.notes)
    known = _known(fitted, featured)
    report(2, STEPS, "filling missing readings")
    limits = table.limits
    imputer = known.imputer if known else fit_imputer(featured, limits)
    imputed, filled = impute(featured, imputer)
    report(3, STEPS, "checking the filling on readings hidden on purpose")
    checks = check_imputation(table.frame, limits, known.imputer if known else None)
    report(4, STEPS, "scaling")
    scaler = known.scaler if known else fit_scaler(imputed)
    scaled, leftovers = scale(imputed, scaler)
    unfilled = never_read(imputed)
    notes = [*table.notes, *([unfilled] if unfilled else [])]
    return Preprocessed(
        features=featured,
        imputed=imputed,
        scaled=scaled,
        report=with_treatment({**quality, "notes": notes}, filled, checks, leftovers),
        table=table,
        notes=notes,
        fitted=known or Fitted(imputer, scaler),
        checks=checks,
    )


def read(data: pd.DataFrame | Path | str, *, chunksize: int, chemistry: ChemistryOption) -> BatteryTable:
    """Return the cleaned table of a frame, a file or a folder."""
    if isinstance(data, pd.DataFrame):
        return canonical_table(data, chemistry=chemistry)
    return load_battery_table(Path(data), chunksize=chunksize, chemistry=chemistry)


def _known(fitted: Fitted | str | None, featured: pd.DataFrame) -> Fitted | None:
    """Return what was fitted elsewhere, loaded where a version is named, after checking the columns."""
    if isinstance(fitted, str):
        return load_fitted(list(featured.columns), fitted)
    if fitted is not None:
        check_columns(fitted, list(featured.columns))
    return fitted


def never_read(frame: pd.DataFrame) -> str:
    """Name the measured columns without a single reading, which no step can fill; empty where there are none."""
    empty = [name for name in MEASURED_NAMES if name in frame and frame[name].isna().all()]
    return f"{', '.join(empty)}: no reading at all, so nothing was filled in" if empty else ""
