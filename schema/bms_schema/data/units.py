"""Which unit a column is written in: converted where only one makes sense, else left with a warning.

Every decision looks at the whole column's medians and quantiles, so a single cell or an hour never tips it.
"""

from collections.abc import Mapping, Sequence

from bms_schema.data.column_facts import PLAUSIBLE_TEMPERATURE_C, ColumnFacts
from bms_schema.data.columns import AMBIENT, COLUMNS, CURRENT, GRAVITY, SOC, TEMPERATURE, VOLTAGE
from bms_schema.data.corrections import (
    AS_WRITTEN,
    FAHRENHEIT,
    FRACTION,
    HUNDREDTHS,
    KELVIN,
    PLUS_40,
    TEMPERATURE_CONVERSIONS,
    TENTHS,
    VOLTAGE_CONVERSIONS,
    Conversion,
    Correction,
)
from bms_schema.data.histogram import Histogram

Decision = tuple[Correction | None, list[str]]

_BLOCK_V = (
    1.8,
    16.8,
)  # a 2 V lead-acid cell, any lithium cell, blocks up to 12 V: what their medians can be, [U]
_HIGHEST_BLOCK_V = 18.0  # six cells at 3 V
_LEAST_V = 0.1
_NEARLY_ALL, _HARDLY_ANY = 0.9, 0.1
# What a fleet's median temperature is believed to be once converted: narrower than what is believed unconverted.
_USUAL_MEDIAN_C = (-25.0, 50.0)
_WIDEST_C = 45.0  # between the 5 % and 95 % quantiles of one file, tropics or arctic, [U]
# Nobody holds batteries within this of 0 °C, so a near-constant 1.2 °C is 12 °C in tenths, not in hundredths.
_NEAR_FREEZING_C, _NEARLY_CONSTANT_C = 5.0, 5.0


def convert_voltage(facts: ColumnFacts, *, several_cells: bool) -> Decision:
    """Decide the unit of the cell voltage.

    Args:
        facts: As written; wrapped signs already told apart do no harm.
        several_cells: Whether strings have more than one cell: then a value cannot be a string's total.
    """
    numbers = facts.histogram.within(1e-9, float("inf"))  # drop-outs read 0
    median = numbers.median
    if not numbers.total or _LEAST_V <= median <= _HIGHEST_BLOCK_V:
        return None, []
    said = f"the median {VOLTAGE} of {median:g} V is impossible for a cell or block up to 12 V"
    if median < _LEAST_V:
        return None, [f"{said}; it may be written in kV, and was left as it is"]
    whole = facts.integers >= _NEARLY_ALL * facts.numbers
    fitting = [how for how in VOLTAGE_CONVERSIONS if _fits(numbers, how, _BLOCK_V)]
    if not whole or len(fitting) != 1:
        return None, [f"{said}; it was left as it is"]
    (how,) = fitting
    if how.name == "0.01 V" and not several_cells:
        return None, [f"{said}; it may be a string's voltage or written in 0.01 V, and was left as it is"]
    evidence = f"whole numbers with a median of {median:g}, and only {how.name} make that a cell or block"
    return Correction(VOLTAGE, how, facts.numbers, evidence), []


def convert_temperature(name: str, facts: ColumnFacts) -> Decision:
    """Decide the unit of a temperature.

    One that is plausible as written stays. Else every conversion that gives plausible readings is a
    candidate; several are told apart by another temperature column of the same rows, or not at all.

    Args:
        name: `TEMPERATURE` or `AMBIENT`.
        facts: As written.
    """
    if not facts.numbers:
        return None, []
    median = facts.histogram.median
    low, high = PLAUSIBLE_TEMPERATURE_C
    if low <= median <= high:
        return None, _doubts(name, facts, median)
    candidates = [how for how in TEMPERATURE_CONVERSIONS if _may_be(how, facts)]
    said = f"a median of {median:g} °C is impossible"
    if len(candidates) == 1:
        (how,) = candidates
        evidence = f"{said}, and only {how.name} give plausible readings (median {_median(how, median)})"
        return Correction(name, how, facts.numbers, evidence), []
    for other, rows in facts.pairs.items():
        shares = {how.name: facts.agreeing[other, how.name] / rows for how in candidates} if rows else {}
        agreeing = [how for how in candidates if shares.get(how.name, 0.0) >= _NEARLY_ALL]
        if len(agreeing) == 1 and sum(share > _HARDLY_ANY for share in shares.values()) == 1:
            (how,) = agreeing
            evidence = (
                f"{said}, and as {how.name} it equals '{other}' in {shares[how.name]:.1%} of {rows:,} rows"
            )
            return Correction(name, how, facts.numbers, evidence), []
    if not candidates:
        return None, [f"{name}: {said}; it was left as it is"]
    options = " or ".join(f"{how.name} (median {_median(how, median)})" for how in candidates)
    return None, [f"{name}: {said}; it may be written in {options}, and was left as it is"]


def convert_charge(facts: ColumnFacts) -> Decision:
    """Decide whether the state of charge is a fraction."""
    if not facts.numbers or facts.high > 1.0 or facts.low < 0.0 or facts.integers == facts.numbers:
        return None, []
    evidence = f"no value is above {facts.high:g} and {facts.numbers - facts.integers:,} are no whole numbers"
    return Correction(SOC, FRACTION, facts.numbers, evidence), []


def other_warnings(columns: Mapping[str, ColumnFacts], corrections: Sequence[Correction]) -> list[str]:
    """Return what looks odd and is left as it is: drop-outs, and a current that may be scaled too."""
    notes = []
    voltage, current = columns.get(VOLTAGE), columns.get(CURRENT)
    if voltage and voltage.zeros and voltage.histogram.median > 1.5:
        notes.append(f"{voltage.zeros:,} readings of {VOLTAGE} are exactly 0: drop-outs, or cells that died")
    scaled = {item.column for item in corrections if item.what == "unit"}
    if (
        current
        and current.numbers
        and {VOLTAGE, TEMPERATURE} <= scaled
        and current.integers == current.numbers
    ):
        notes.append(
            f"{CURRENT} is in whole numbers like the voltage and temperature that were converted; it may be "
            "scaled as well, which the column alone cannot tell, and was left as it is"
        )
    if (
        GRAVITY in columns
        and columns[GRAVITY].histogram.within(1000.0, 1400.0).total * 2 > columns[GRAVITY].numbers
    ):
        notes.append(f"{GRAVITY} looks like thousandths (1,000 to 1,400) and was left as it is")
    return notes


def never_fitted(name: str, facts: ColumnFacts) -> bool:
    """Whether a temperature column says nothing but 0: no probe was ever there."""
    return name in (TEMPERATURE, AMBIENT) and facts.numbers > 1 and facts.zeros == facts.numbers


def _may_be(how: Conversion, facts: ColumnFacts) -> bool:
    """Whether a conversion gives plausible readings and the numbers are of the kind that it leaves."""
    if how in (TENTHS, HUNDREDTHS) and facts.integers < _NEARLY_ALL * facts.numbers:
        return False
    if how is PLUS_40 and facts.halves < _NEARLY_ALL * facts.numbers:  # a median of two probes ends in .5
        return False
    if how is KELVIN and facts.integers >= _NEARLY_ALL * facts.numbers:
        return False
    low, middle, high = _quantiles(facts.histogram, how)
    if how is HUNDREDTHS and abs(middle) < _NEAR_FREEZING_C and high - low < _NEARLY_CONSTANT_C:
        return False
    usual = PLAUSIBLE_TEMPERATURE_C
    inside = usual[0] <= low and high <= usual[1] and high - low <= _WIDEST_C
    return inside and _USUAL_MEDIAN_C[0] <= middle <= _USUAL_MEDIAN_C[1]


def _doubts(name: str, facts: ColumnFacts, median: float) -> list[str]:
    """Warn where the spread, or another temperature of the same rows, contradicts a plausible median."""
    low, high = COLUMNS[name].low, COLUMNS[name].high
    if facts.histogram.quantile(0.05) < low or facts.histogram.quantile(0.95) > high:
        return [
            f"{name}: the median of {median:g} °C is plausible, but more than 5 % of the values lie beyond {low:g} "
            f"to {high:g} °C; check the unit, which was left as it is"
        ]
    for other, rows in facts.pairs.items():
        as_written = facts.agreeing[other, AS_WRITTEN.name]
        for how in (PLUS_40, FAHRENHEIT):
            agreeing = facts.agreeing[other, how.name]
            if rows and agreeing >= _NEARLY_ALL * rows and as_written <= _HARDLY_ANY * rows:
                return [
                    f"{name} (median {median:g}) equals '{other}' in {agreeing / rows:.0%} of the rows if it is "
                    f"written in {how.name}; it was left as it is"
                ]
    return []


def _quantiles(numbers: Histogram, how: Conversion) -> tuple[float, float, float]:
    readings = numbers.converted(how.apply(numbers.values))
    return readings.quantile(0.05), readings.median, readings.quantile(0.95)


def _fits(numbers: Histogram, how: Conversion, window: tuple[float, float]) -> bool:
    readings = numbers.converted(how.apply(numbers.values))
    return window[0] <= readings.median <= window[1] and readings.quantile(0.95) <= _HIGHEST_BLOCK_V


def _median(how: Conversion, median: float) -> str:
    return f"{(median - how.offset) / how.divisor:.1f} °C"
