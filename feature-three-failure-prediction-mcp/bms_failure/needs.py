"""What a table must have for failures to be foreseen, and what the absence of the rest costs."""

from bms_schema.data.columns import (
    AMBIENT,
    CELL_ID,
    CURRENT,
    GRAVITY,
    TEMPERATURE,
    TIMESTAMP,
    VOLTAGE,
)

from bms_failure.ranking import ALONE_SIGMA
from bms_failure.watch import Source

REQUIRED = (VOLTAGE, CELL_ID, TIMESTAMP)
_COST = {
    CURRENT: "no load steps, so no resistance, and float is not told from discharge",
    TEMPERATURE: "no heating, and the float window is that of 25 °C",
    AMBIENT: "no rise over ambient",
    GRAVITY: "no sulphation by gravity",
}


def what_is_missing(source: Source) -> list[str]:
    """Return a note per sensor that has no reading and would have told something.

    Args:
        source: A table with the required columns.
    """
    alone = [
        f"voltage is the only sign: without a model, beyond {ALONE_SIGMA:g} robust sigma it is suspicious"
    ]
    wanted = [name for name in _COST if name != GRAVITY or source.chemistry.profile.has_gravity]
    costs = [
        f"{name} {'holds no usable value' if name in source.columns else 'is not in the data'}: {_COST[name]}"
        for name in wanted
        if name not in source.measured
    ]
    return costs + ([] if {CURRENT, TEMPERATURE, GRAVITY} & set(source.measured) else alone)
