"""What a table must have to be forecast from, and what its absence costs."""

from collections.abc import Sequence

from bms_schema.data.columns import GRAVITY, SENSOR_NAMES, TIMESTAMP
from bms_schema.data.required import check_present
from bms_schema.data.table import BatteryTable
from bms_schema.run.errors import MissingColumn

REQUIRED: Sequence[str] = (TIMESTAMP,)


def check_measured(table: BatteryTable) -> list[str]:
    """Return notes on measured columns that the table lacks; one is enough to forecast.

    Raises:
        MissingColumn: it holds no reading of any.
    """
    measured = set(table.measured)
    if not measured:
        check_present(
            [str(name) for name in table.frame], SENSOR_NAMES
        )  # has the advice for scaled and wide files
        raise MissingColumn(
            f"None of the columns {', '.join(SENSOR_NAMES)} holds a usable value.",
            expected="readings of at least one in its unit",
            fix="Check the units and the export.",
        )
    wanted = [name for name in SENSOR_NAMES if name != GRAVITY or table.chemistry.profile.has_gravity]
    absent = [name for name in wanted if name not in table.frame]
    empty = [name for name in wanted if name in table.frame and name not in measured]
    notes = [f"not in the data, so neither forecast nor used: {', '.join(absent)}"] if absent else []
    return notes + ([f"no usable reading, so not forecast: {', '.join(empty)}"] if empty else [])
