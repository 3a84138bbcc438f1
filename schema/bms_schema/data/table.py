"""The door every server reads through: any export in, one canonical, cleaned frame out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from bms_schema.data.chemistry import Chemistry, ChemistryOption, choose_chemistry
from bms_schema.data.cleaning import clean_numbers, gate_range, to_numbers
from bms_schema.data.columns import (
    CELL_ID,
    COLUMNS,
    GRAVITY,
    IS_DEAD,
    MEASURED_NAMES,
    SENSOR_NAMES,
    SOURCE_ROW,
    STRING,
    TIMESTAMP,
    VOLTAGE,
    match_columns,
    normalised,
)
from bms_schema.data.identity import identify_cells, identify_strings
from bms_schema.data.reading import DEFAULT_CHUNKSIZE, RawTable, read_table
from bms_schema.data.timestamps import parse_timestamps
from bms_schema.run.errors import MissingColumn

# `V_1`, `U12`, `Cell 3`: how wide exports name the voltage of one cell each.
_ONE_CELL_EACH = re.compile(r"(v|u|cell|vcell|cellvoltage)[ _]?\d+", re.IGNORECASE)
_CELLS_OF_A_WIDE_TABLE = 3
_TRUE, _FALSE = ("1", "1.0", "true", "yes", "y", "t"), ("0", "0.0", "false", "no", "n", "f")


@dataclass
class BatteryTable:
    """A canonical table.

    Args:
        frame: One row per input row, in the input's order, with a 0…n-1 index. `source_row` (int64), `Cell ID`,
            `string` (text), `Timestamp` (datetime64[ns], NaT or absent where not given), the measured columns
            in physical units (float64, NaN = no reading) each with its `_flag`, `IsDead` (float64 0/1/NaN) where
            given, then every other column untouched.
        chemistry: The profile in force and why.
        notes: What was found and decided, in words.
    """

    frame: pd.DataFrame
    chemistry: Chemistry
    notes: list[str] = field(default_factory=list)

    @property
    def measured(self) -> list[str]:
        """The measured columns that hold at least one reading."""
        return [name for name in MEASURED_NAMES if name in self.frame and self.frame[name].notna().any()]

    @property
    def limits(self) -> dict[str, tuple[float, float]]:
        """Plausible range of every measured column present, in its unit; voltage by the chemistry."""
        return _limits(self.frame, self.chemistry)


def load_battery_table(
    path: Path,
    *,
    require: Sequence[str] = SENSOR_NAMES,
    chunksize: int = DEFAULT_CHUNKSIZE,
    chemistry: ChemistryOption = "auto",
) -> BatteryTable:
    """Read a BMS export (raw, or cleaned by BMS-Flux before) into a canonical, cleaned table.

    Args:
        path: An existing file or folder that the caller may read (see `readable_path`).
        require: Columns that must be there with at least one usable value. Specific gravity is waived for
            sealed and lithium cells.
        chunksize: Rows parsed at once; never changes the result.
        chemistry: A profile's name or "auto".

    Raises:
        InputError: unreadable, empty, or without a required column; the message says what to do.
    """
    return canonical_table(read_table(path, chunksize=chunksize), require=require, chemistry=chemistry)


def canonical_table(
    raw: RawTable | pd.DataFrame,
    *,
    require: Sequence[str] = SENSOR_NAMES,
    chemistry: ChemistryOption = "auto",
) -> BatteryTable:
    """Give a table as read, or a frame in memory, canonical names, ids, times, numbers and flags.

    Raises:
        MissingColumn: a required column is absent or holds no usable value.
    """
    raw = raw if isinstance(raw, RawTable) else RawTable(raw.reset_index(drop=True))
    names = [str(name) for name in raw.frame.columns]
    frame = raw.frame.set_axis(names, axis=1)
    found = match_columns(names)
    _check_present(found, names, [name for name in require if name != GRAVITY])
    notes = list(raw.notes)
    renamed = {canonical: name for canonical, name in found.items() if canonical != name}
    frame = _rename(frame, renamed)

    strings, how_strings = identify_strings(frame)
    cells, how_cells = identify_cells(frame, strings, found.get(CELL_ID))
    notes += [how_strings, how_cells]
    frame = frame.assign(**{STRING: strings, CELL_ID: cells})
    frame[SOURCE_ROW] = _source_rows(frame)
    if TIMESTAMP in frame:
        frame[TIMESTAMP], time_notes = parse_timestamps(frame[TIMESTAMP])
        notes += time_notes
    if IS_DEAD in frame:
        frame[IS_DEAD], label_notes = _labels(frame[IS_DEAD])
        notes += label_notes

    measured = [name for name in MEASURED_NAMES if name in frame]
    frame = clean_numbers(frame, measured, decimal_comma=raw.decimal_comma)
    chosen = choose_chemistry(frame, chemistry)
    frame = gate_range(frame, _limits(frame, chosen))
    notes.append(f"chemistry {chosen.profile.name}: {chosen.reason}")
    _check_usable(frame, found, require, chosen)
    return BatteryTable(_ordered(frame), chosen, notes)


def _check_present(found: dict[str, str], names: Sequence[str], require: Sequence[str]) -> None:
    missing = [name for name in require if name not in found]
    if missing:
        accepted = "; ".join(f"{name} (also {', '.join(COLUMNS[name].aliases[:3])})" for name in missing)
        shown = ", ".join(names[:30]) + (", …" if len(names) > 30 else "")
        raise MissingColumn(
            f"The table has no column {', '.join(missing)}. It has: {shown}.",
            expected=accepted,
            fix=_advice(missing, names),
        )


def _advice(missing: Sequence[str], names: Sequence[str]) -> str:
    """Say how to get at missing columns: from a scaled table, a wide one, or any other."""
    if any(f"{name}_scaled" in names for name in missing):
        return "These are scaled values without units: pass the cleaned table instead."
    numbered = [name for name in names if _ONE_CELL_EACH.fullmatch(name)]
    if VOLTAGE in missing and len(numbered) >= _CELLS_OF_A_WIDE_TABLE:
        shown = f"{numbered[0]}, {numbered[1]}, … {numbered[-1]}"
        return f"It looks wide, with a column per cell ({shown}): bring it to one row per cell and time."
    return "Rename the column, or export it too."


def _check_usable(
    frame: pd.DataFrame, found: dict[str, str], require: Sequence[str], chemistry: Chemistry
) -> None:
    needed = [name for name in require if name != GRAVITY or chemistry.profile.has_gravity]
    _check_present(found, list(map(str, frame.columns)), needed)
    empty = [name for name in needed if not frame[name].notna().any()]
    if empty:
        named = ", ".join(repr(found[name]) for name in empty)
        raise MissingColumn(
            f"Column {named} holds no usable value."
            if len(empty) == 1
            else f"Columns {named} hold no usable value.",
            expected=", ".join(_usable(name, chemistry) for name in empty),
            fix="Check the unit and the export.",
        )


def _limits(frame: pd.DataFrame, chemistry: Chemistry) -> dict[str, tuple[float, float]]:
    limits = {name: (COLUMNS[name].low, COLUMNS[name].high) for name in MEASURED_NAMES if name in frame}
    return limits | {VOLTAGE: chemistry.voltage_range} if VOLTAGE in limits else limits


def _usable(name: str, chemistry: Chemistry) -> str:
    """Say what a usable value of a required column is."""
    if name in (TIMESTAMP, CELL_ID):
        return "a time stamp" if name == TIMESTAMP else "a cell's name"
    low, high = chemistry.voltage_range if name == VOLTAGE else (COLUMNS[name].low, COLUMNS[name].high)
    return f"{name} from {low:g} to {high:g} {COLUMNS[name].unit}".rstrip()


def _rename(frame: pd.DataFrame, renamed: dict[str, str]) -> pd.DataFrame:
    """Rename to canonical names; a carried column that already has one of them steps aside."""
    taken = {
        canonical for canonical, name in renamed.items() if canonical in frame.columns and canonical != name
    }
    aside = {name: f"{name} (original)" for name in taken}
    return frame.rename(columns=aside).rename(
        columns={name: canonical for canonical, name in renamed.items()}
    )


def _source_rows(frame: pd.DataFrame) -> pd.Series:
    """Keep the `source_row` of a table that carries one; else number the rows."""
    numbered = pd.Series(np.arange(len(frame), dtype="int64"), index=frame.index)
    for name in frame.columns:
        if normalised(name) == normalised(SOURCE_ROW):
            given, _ = to_numbers(frame[name])
            whole = given.notna().all() and (given == given.round()).all()
            # Files cleaned one by one each count from 0: together their numbers name no row.
            if whole and not pd.DataFrame({"row": given, "cell": frame[CELL_ID]}).duplicated().any():
                return given.astype("int64")
    return numbered


def _labels(column: pd.Series) -> tuple[pd.Series, list[str]]:
    """Parse `IsDead` to 1.0, 0.0 or NaN (unknown); where a file marks only the dead, blank means alive."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        labels = column.astype("float64").map({1.0: 1.0, 0.0: 0.0})
    else:
        text = column.astype("string").str.strip().str.lower().astype(object)
        labels = text.map({**dict.fromkeys(_TRUE, 1.0), **dict.fromkeys(_FALSE, 0.0)}).astype("float64")
    blank = column.isna()
    if (labels == 1.0).any() and not (labels == 0.0).any() and blank.any():
        return labels.mask(blank, 0.0), [f"{IS_DEAD} is 1 or blank: blank is read as alive"]
    return labels, []


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the canonical columns first."""
    head = [SOURCE_ROW, CELL_ID, STRING, TIMESTAMP]
    body = [item for name in MEASURED_NAMES for item in (name, f"{name}_flag")]
    first = [name for name in (*head, *body, IS_DEAD) if name in frame]
    return frame[first + [name for name in frame.columns if name not in set(first)]]
