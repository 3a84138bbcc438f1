"""Unit, sign and range of every column of readings, decided from their facts."""

from collections.abc import Mapping
from dataclasses import dataclass

from bms_schema.data.chemistry import Chemistry, ChemistryOption, choose_chemistry
from bms_schema.data.cleaning import NumberRule
from bms_schema.data.column_facts import PLAUSIBLE_TEMPERATURE_C, ColumnFacts
from bms_schema.data.columns import AMBIENT, COLUMNS, GRAVITY, SOC, TEMPERATURE, VOLTAGE
from bms_schema.data.corrections import Conversion, Correction, Wrap
from bms_schema.data.histogram import Histogram
from bms_schema.data.signs import restore_sign
from bms_schema.data.units import (
    Decision,
    convert_charge,
    convert_temperature,
    convert_voltage,
    never_fitted,
    other_warnings,
)


@dataclass(frozen=True)
class NumberPlan:
    """What was decided about the numbers of a table.

    Args:
        rules: {canonical name: how its numbers become readings}.
        corrections: Units converted and signs restored, with the evidence.
        chemistry: The profile in force and why.
        usable: {canonical name: whether it holds a plausible reading}.
        notes: What was corrected, and what looks odd and was left.
    """

    rules: dict[str, NumberRule]
    corrections: list[Correction]
    chemistry: Chemistry
    usable: dict[str, bool]
    notes: list[str]


def plan_numbers(
    columns: Mapping[str, ColumnFacts], *, several_cells: bool, chemistry: ChemistryOption = "auto"
) -> NumberPlan:
    """Decide from the facts of all columns.

    Args:
        columns: {canonical name: facts}.
        several_cells: Whether every string has more than one cell.
        chemistry: A profile's name or "auto".
    """
    wraps: dict[str, Wrap] = {}
    conversions: dict[str, Conversion] = {}
    corrections: list[Correction] = []
    warnings: list[str] = []
    for name, facts in columns.items():
        unit, unit_notes = _unit(name, facts, several_cells)
        if unit and isinstance(unit.how, Conversion):
            conversions[name] = unit.how
        sign, sign_notes = restore_sign(name, facts, conversions.get(name))
        if sign and isinstance(sign.how, Wrap):
            wraps[name] = sign.how
        corrections += [item for item in (sign, unit) if item]
        warnings += [*sign_notes, *unit_notes]
    readings = {
        name: _readings(facts.histogram, wraps.get(name), conversions.get(name))
        for name, facts in columns.items()
    }
    gravity = COLUMNS[GRAVITY]
    chosen = choose_chemistry(
        readings.get(VOLTAGE, Histogram()),
        has_gravity=GRAVITY in readings and bool(readings[GRAVITY].within(gravity.low, gravity.high).total),
        option=chemistry,
    )
    rules = {
        name: _rule(name, facts, readings[name].median, wraps.get(name), conversions.get(name), chosen)
        for name, facts in columns.items()
    }
    absent = [name for name, rule in rules.items() if rule.zero_is_absent]
    return NumberPlan(
        rules,
        corrections,
        chosen,
        {name: _is_usable(readings[name], rule) for name, rule in rules.items()},
        [
            *(item.note for item in corrections),
            *warnings,
            *other_warnings(columns, corrections),
            *(f"{name} says nothing but 0: its probe was never fitted" for name in absent),
        ],
    )


def _unit(name: str, facts: ColumnFacts, several_cells: bool) -> Decision:
    if name == VOLTAGE:
        return convert_voltage(facts, several_cells=several_cells)
    if name in (TEMPERATURE, AMBIENT):
        return convert_temperature(name, facts)
    return convert_charge(facts) if name == SOC else (None, [])


def _readings(written: Histogram, wrap: Wrap | None, conversion: Conversion | None) -> Histogram:
    values = wrap.apply(written.values) if wrap else written.values
    return written.converted(conversion.apply(values) if conversion else values)


def _rule(
    name: str,
    facts: ColumnFacts,
    median: float,
    wrap: Wrap | None,
    conversion: Conversion | None,
    chemistry: Chemistry,
) -> NumberRule:
    column = COLUMNS[name]
    low, high = chemistry.voltage_range if name == VOLTAGE else (column.low, column.high)
    usual = PLAUSIBLE_TEMPERATURE_C if name in (TEMPERATURE, AMBIENT) else (0.7 * median, 1.3 * median)
    return NumberRule(name, low, high, wrap, conversion, usual, never_fitted(name, facts))


def _is_usable(readings: Histogram, rule: NumberRule) -> bool:
    return not rule.zero_is_absent and bool(readings.within(rule.low, rule.high).total)
