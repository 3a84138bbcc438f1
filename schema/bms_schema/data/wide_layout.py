"""Wide tables, with one column per cell (`V_1` … `V_96`), recognised by their column names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bms_schema.data.columns import (
    CELL_ID,
    CELL_NUMBER_ALIASES,
    GRAVITY,
    SOURCE_ROW,
    STRING,
    TEMPERATURE,
    VOLTAGE,
    match_columns,
    normalised,
)

CELL_NUMBER = "CellNumber"
_FEWEST_CELLS = 3
# Three-phase supplies are V1 … V3 beside `Voltage`: with a fourth, `Voltage` is the pack's.
_FEWEST_BESIDE_A_PACK_VOLTAGE = 4
_PACK_VOLTAGE_NAMES = ("voltage", "u", "v")
_STEM_AND_NUMBER = re.compile(r"(?P<stem>[^\d]*?)0*(?P<number>\d{1,4})(?P<tail>[^\d]*)")
_UNIT_IN_BRACKETS = re.compile(r"[\[(][^\])]*[\])]\s*$")
# Names without their number, the most explicit first.
_STEMS = {
    VOLTAGE: (
        *("cellvoltage", "voltagecell", "vcell", "cellv", "ucell", "cellu", "bmscellvoltage"),
        *("voltage", "volt", "volts", "v", "u", "cell"),
    ),
    TEMPERATURE: (
        *("celltemperature", "temperaturecell", "celltemp", "tempcell", "tcell", "cellt"),
        *("temperature", "temp", "t", "probetemp", "tempprobe", "bmsprobetemp", "probe", "ntc"),
    ),
    GRAVITY: ("cellspecificgravity", "specificgravity", "cellgravity", "cellsg", "sgcell", "gravity", "sg"),
}
# `battery_id` and its like name the pack in a wide table; these name a cell, so that the table is long.
_CELL_NAMES = {normalised(name) for name in (CELL_ID, *CELL_NUMBER_ALIASES, "Cell")}


@dataclass(frozen=True)
class WideLayout:
    """Which columns of a wide table belong to which cell.

    Args:
        numbers: The cells' numbers, ascending.
        per_cell: Long name -> the columns of the cells in that order; None for a cell without one.
        probes: Temperature columns that cannot be told apart by cell; their row's median is every cell's.
        idle: Probes that never gave a reading; left out of the median.
        dropped: Columns that the long table does not carry.
        renamed: Carried columns with another name in the long table.
    """

    numbers: tuple[int, ...]
    per_cell: dict[str, tuple[str | None, ...]]
    probes: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    dropped: frozenset[str] = frozenset()
    renamed: tuple[tuple[str, str], ...] = ()

    def long_names(self, names: Sequence[str]) -> list[str]:
        """Return the columns of the long table made from a table with `names`."""
        own = [CELL_NUMBER, *self.per_cell, *([TEMPERATURE] if self.probes else [])]
        carried = [dict(self.renamed).get(name, name) for name in names if name not in self.dropped]
        return ([] if carries_source_row(names) else [SOURCE_ROW]) + own + carried

    def without(self, idle: Sequence[str]) -> "WideLayout":
        """Return the layout with probes that never gave a reading left out of the median."""
        return replace(self, idle=tuple(idle))

    @property
    def note(self) -> str:
        """What was recognised, in words."""
        columns = [name for name in self.per_cell[VOLTAGE] if name]
        parts = [
            f"wide: {len(self.numbers)} cells from {columns[0]} … {columns[-1]}, one row per cell and time"
        ]
        others = [
            f"{name} from {_span(columns)}" for name, columns in self.per_cell.items() if name != VOLTAGE
        ]
        if others:
            parts.append("by the cell's number " + ", ".join(others))
        if self.probes:
            parts.append(
                f"{TEMPERATURE} of every cell is the median of the row's fitted probes ({_span(self.probes)}): the "
                "file does not tell which probe sits at which cell"
            )
        if self.idle:
            parts.append(f"never fitted: {', '.join(self.idle)}")
        parts += [f"'{old}' names the {new}" for old, new in self.renamed]
        return "; ".join(parts)


def find_wide(names: Sequence[str]) -> WideLayout | None:
    """Recognise a wide table by its column names; None for any other.

    >>> find_wide(["time", "V_1", "V_2", "V_3", "V_2nd", "Vtot"]).numbers
    (1, 2, 3)
    >>> find_wide(["Timestamp", "CellVoltage", "V1", "V2", "V3"]) is None
    True
    """
    groups = _numbered_groups(names)
    ranked = [group for stem in _STEMS[VOLTAGE] for key, group in groups.items() if key == stem]
    if not ranked:
        return None
    cells = max(ranked, key=len)  # of equals the first, and so the most explicit
    single = match_columns([name for name in names if name not in set(cells.values())])
    if not _is_wide(len(cells), single):
        return None
    numbers = tuple(sorted(cells))
    per_cell: dict[str, tuple[str | None, ...]] = {VOLTAGE: tuple(cells[number] for number in numbers)}
    probes: tuple[str, ...] = ()
    temperatures = {} if TEMPERATURE in single else _largest(groups, TEMPERATURE)
    if temperatures.keys() == cells.keys():
        per_cell[TEMPERATURE] = tuple(temperatures[number] for number in numbers)
    elif temperatures:
        probes = tuple(temperatures[number] for number in sorted(temperatures))
    gravities = {} if GRAVITY in single else _largest(groups, GRAVITY)
    if gravities and gravities.keys() <= cells.keys():  # often only pilot cells are measured
        per_cell[GRAVITY] = tuple(gravities.get(number) for number in numbers)
    used = {name for columns in per_cell.values() for name in columns if name} | set(probes)
    taken = {normalised(name) for name in (*names, *per_cell, CELL_NUMBER, SOURCE_ROW)}
    for group in groups.values():
        # Whatever else is numbered like the cells belongs to them; carried, each cell would get all of it.
        name = _readable(group[min(group)])
        free = normalised(name) not in taken and not used & set(group.values())
        if group.keys() == cells.keys() and name and free:
            per_cell[name] = tuple(group[number] for number in numbers)
            used |= set(group.values())
    renamed = ((single[CELL_ID], STRING),) if CELL_ID in single and STRING not in single else ()
    return WideLayout(numbers, per_cell, probes, (), frozenset(used), renamed)


def numbered_columns(names: Sequence[str]) -> set[str]:
    """Return the columns of a wide table that hold readings; empty for any other table."""
    layout = find_wide(names)
    if layout is None:
        return set()
    held = [layout.per_cell.get(name, ()) for name in (VOLTAGE, TEMPERATURE, GRAVITY)]
    return {name for columns in held for name in columns if name} | set(layout.probes)


def carries_source_row(names: Sequence[str]) -> bool:
    """Whether a table numbers its rows already."""
    return any(normalised(str(name)) == normalised(SOURCE_ROW) for name in names)


def _is_wide(cells: int, single: dict[str, str]) -> bool:
    """Whether so many numbered voltages, beside the columns matched by name, make a table wide."""
    if cells < _FEWEST_CELLS or normalised(single.get(CELL_ID, "")) in _CELL_NAMES:
        return False
    if VOLTAGE not in single:
        return True
    return normalised(single[VOLTAGE]) in _PACK_VOLTAGE_NAMES and cells >= _FEWEST_BESIDE_A_PACK_VOLTAGE


def _numbered_groups(names: Sequence[str]) -> dict[str, dict[int, str]]:
    """Group columns that differ only in one number: {name without it: {number: column}}."""
    groups: dict[str, dict[int, str]] = {}
    for name in names:
        found = _STEM_AND_NUMBER.fullmatch(normalised(_UNIT_IN_BRACKETS.sub("", name)))
        if found:
            stem = found["stem"] + found["tail"].removesuffix("mv")
            groups.setdefault(stem, {}).setdefault(int(found["number"]), name)
    return groups


def _largest(groups: dict[str, dict[int, str]], kind: str) -> dict[int, str]:
    """Return the largest group whose name is one of a kind's; of equals the most explicit."""
    return max((groups.get(stem, {}) for stem in _STEMS[kind]), key=len)


def _readable(name: str) -> str:
    """Return a numbered column's name without its number: `R_01` -> `R`."""
    return re.sub(r"[ _\-.]*\d+", "", name, count=1).strip(" _-.")


def _span(columns: Sequence[str | None]) -> str:
    named = [name for name in columns if name]
    return f"{named[0]} … {named[-1]}"
