"""The door every server reads through: any export in, one canonical, cleaned frame out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bms_schema.data.chemistry import Chemistry, ChemistryOption
from bms_schema.data.columns import COLUMNS, MEASURED_NAMES, SENSOR_NAMES, VOLTAGE
from bms_schema.data.corrections import Correction
from bms_schema.data.plan import apply_plan, make_plan
from bms_schema.data.reading import DEFAULT_CHUNKSIZE, RawTable, open_table
from bms_schema.data.required import check_present
from bms_schema.data.survey import merge_surveys, survey_chunk
from bms_schema.data.wide import find_wide, melt, probes_that_read
from bms_schema.run.errors import UnreadableTable


@dataclass
class BatteryTable:
    """A canonical table.

    Args:
        frame: One row per input row, in the input's order, with a 0…n-1 index. `source_row` (int64), `Cell ID`,
            `string` (text), `Timestamp` (datetime64[ns], NaT or absent where not given), the measured columns
            in physical units (float64, NaN = no reading) each with its `_flag`, `StringVoltage` and `IsDead`
            (float64 0/1/NaN) where given, then every other column untouched.
        chemistry: The profile in force and why.
        notes: What was found and decided, in words.
        corrections: Units converted and signs restored, with the evidence.
    """

    frame: pd.DataFrame
    chemistry: Chemistry
    notes: list[str] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)

    @property
    def measured(self) -> list[str]:
        """The measured columns that hold at least one reading."""
        return [name for name in MEASURED_NAMES if name in self.frame and self.frame[name].notna().any()]

    @property
    def limits(self) -> dict[str, tuple[float, float]]:
        """Plausible range of every measured column present, in its unit; voltage by the chemistry."""
        present = {
            name: (COLUMNS[name].low, COLUMNS[name].high) for name in MEASURED_NAMES if name in self.frame
        }
        return present | {VOLTAGE: self.chemistry.voltage_range} if VOLTAGE in present else present


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
    source = open_table(path, chunksize=chunksize)
    check_present(source.names, require)  # before reading gigabytes
    chunks = list(source.chunks())
    surveys = [survey_chunk(chunk, decimal_comma=source.decimal_comma) for chunk in chunks]
    plan = make_plan(
        merge_surveys(surveys),
        require=require,
        chemistry=chemistry,
        notes=source.notes,
        decimal_comma=source.decimal_comma,
    )
    frames: list[pd.DataFrame] = []
    first_row = 0
    for number, chunk in enumerate(chunks):
        frames.append(apply_plan(chunk, plan, first_row))
        first_row += len(chunk)
        chunks[number] = chunk.iloc[:0]  # its text is no longer needed
    frame = pd.concat(frames, ignore_index=True)
    return BatteryTable(frame, plan.chemistry, plan.notes, plan.corrections)


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
    raw = raw if isinstance(raw, RawTable) else _as_read(raw)
    plan = make_plan(
        survey_chunk(raw.frame, decimal_comma=raw.decimal_comma),
        require=require,
        chemistry=chemistry,
        notes=raw.notes,
        decimal_comma=raw.decimal_comma,
    )
    return BatteryTable(apply_plan(raw.frame, plan), plan.chemistry, plan.notes, plan.corrections)


def _as_read(frame: pd.DataFrame) -> RawTable:
    """Take a frame in memory for a table as read; a wide one is brought to one row per cell and time."""
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnreadableTable(
            f"More than one column is called '{twice[0]}'.", expected="one of each", fix="Rename all but one."
        )
    frame = frame.set_axis(names, axis=1)
    layout = find_wide(names)
    if layout is None:
        return RawTable(frame)
    seen = probes_that_read(frame[list(layout.probes)], decimal_comma=False)
    if seen:
        layout = layout.without([name for name in layout.probes if name not in seen])
    return RawTable(melt(frame, layout), [layout.note])
