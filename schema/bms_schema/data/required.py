"""What a table must have before anybody works with it, and the advice where it lacks something."""

import re
from collections.abc import Sequence

from bms_schema.data.chemistry import Chemistry
from bms_schema.data.columns import CELL_ID, COLUMNS, GRAVITY, TIMESTAMP, VOLTAGE, match_columns
from bms_schema.run.errors import MissingColumn

# `V_1`, `U12`, `Cell 3`: how wide exports name the voltage of one cell each.
_ONE_CELL_EACH = re.compile(r"(v|u|cell|vcell|cellvoltage)[ _]?\d+", re.IGNORECASE)
_CELLS_OF_A_WIDE_TABLE = 3


def check_present(names: Sequence[str], require: Sequence[str]) -> dict[str, str]:
    """Return {canonical name: the file's name}; specific gravity is asked for only once the chemistry is known.

    Raises:
        MissingColumn: a required column is absent.
    """
    found = match_columns(list(names))
    _check(found, names, [name for name in require if name != GRAVITY])
    return found


def check_usable(
    names: Sequence[str],
    found: dict[str, str],
    require: Sequence[str],
    chemistry: Chemistry,
    usable: dict[str, bool],
) -> None:
    """Refuse a table whose required columns hold nothing to work with.

    Args:
        names: The file's column names.
        found: From `check_present`.
        require: Required columns.
        chemistry: Decides whether specific gravity is needed, and the range of a voltage.
        usable: {canonical name: whether it holds a usable value}.

    Raises:
        MissingColumn: a required column is absent or holds no usable value.
    """
    needed = [name for name in require if name != GRAVITY or chemistry.profile.has_gravity]
    _check(found, names, needed)
    empty = [name for name in needed if not usable[name]]
    if empty:
        named = ", ".join(repr(found[name]) for name in empty)
        raise MissingColumn(
            f"Column {named} holds no usable value."
            if len(empty) == 1
            else f"Columns {named} hold no usable value.",
            expected=", ".join(_expected(name, chemistry) for name in empty),
            fix="Check the unit and the export.",
        )


def _check(found: dict[str, str], names: Sequence[str], require: Sequence[str]) -> None:
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


def _expected(name: str, chemistry: Chemistry) -> str:
    """Say what a usable value of a required column is."""
    if name in (TIMESTAMP, CELL_ID):
        return "a time stamp" if name == TIMESTAMP else "a cell's name"
    low, high = chemistry.voltage_range if name == VOLTAGE else (COLUMNS[name].low, COLUMNS[name].high)
    return f"{name} from {low:g} to {high:g} {COLUMNS[name].unit}".rstrip()
