"""Readings from a request through the same door as files: names, units, sentinels and identity as in training."""

from collections.abc import Sequence

import pandas as pd
from bms_schema.data.chemistry import ChemistryOption
from bms_schema.data.columns import SENSOR_NAMES
from bms_schema.data.table import BatteryTable, canonical_table
from bms_schema.run.errors import InputError

from bms_live.requests import MAX_COLUMNS, Reading


def battery_table(
    readings: Sequence[Reading], *, require: Sequence[str] = SENSOR_NAMES, chemistry: ChemistryOption = "auto"
) -> BatteryTable:
    """Return the canonical table of some readings, one row per reading in their order.

    Args:
        readings: Objects from JSON; a column that a reading lacks is a missing reading.
        require: Columns with at least one usable value.
        chemistry: A profile's name or "auto".

    Raises:
        InputError: too many distinct columns, or a required one is missing; says which.
    """
    names = dict.fromkeys(name for reading in readings for name in reading)
    if not 0 < len(names) <= MAX_COLUMNS:  # before the frame: distinct keys per reading would multiply
        raise InputError(
            f"The readings have {len(names)} distinct columns.",
            expected=f"1 to {MAX_COLUMNS}",
            fix="Use the same column names in every reading.",
        )
    frame = pd.DataFrame(list(readings), columns=list(names))
    return canonical_table(frame, require=require, chemistry=chemistry)
