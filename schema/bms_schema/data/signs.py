"""Minus signs lost in a register: found where wrapped values cluster, given back where nothing else fits."""

from bms_schema.data.column_facts import ColumnFacts
from bms_schema.data.columns import AMBIENT, COLUMNS, CURRENT, TEMPERATURE, VOLTAGE
from bms_schema.data.corrections import Conversion, Correction, SignCode, Wrap
from bms_schema.data.histogram import Histogram

# Steps at which the register's upper half is no reading of the column: 40 A are 40 A, but 65.5 V are no cell.
_STEPS = {
    VOLTAGE: (1.0, 0.1, 0.01, 0.001),
    TEMPERATURE: (1.0, 0.1, 0.01),
    AMBIENT: (1.0, 0.1, 0.01),
    CURRENT: (1.0, 0.1),
}
# How far from the others the readings with their sign may lie, in the column's unit; a current may jump.
_FARTHEST = {VOLTAGE: 0.5, TEMPERATURE: 5.0, AMBIENT: 5.0, CURRENT: float("inf")}
_LEAST_READINGS = 3
_HALF = 32758.0  # half scale of 16 bits, in counts, less the width of the histogram's bins
_QUARTER = 8192  # counts from half scale up, or from full scale down, in which wrapped values lie
_NEARLY_ALL = 0.99


def restore_sign(
    name: str, facts: ColumnFacts, conversion: Conversion | None
) -> tuple[Correction | None, list[str]]:
    """Decide whether large numbers of a column are negative ones, and how they were written.

    Args:
        name: Canonical name.
        facts: As written.
        conversion: The column's unit, if it is to be converted.
    """
    for step in _STEPS.get(name, ()):
        upper = facts.histogram.within(_HALF * step, 65535.5 * step)
        rest = facts.histogram.within(float("-inf"), _HALF * step)
        # The rest of the column must lie far below half scale, or its upper half holds plain readings.
        magnitude = max(abs(rest.quantile(0.001)), abs(rest.quantile(0.999))) if rest.total else float("inf")
        if not upper.total or facts.high > 65535.5 * step or magnitude > _QUARTER * step:
            continue
        codes: list[SignCode] = ["sign-magnitude", "two's complement"]
        fitting = [code for code in codes if _fits(name, Wrap(code, step), upper, rest, conversion)]
        if upper.total >= _LEAST_READINGS and len(fitting) == 1:
            return _correction(name, fitting[0], step, facts, upper), []
        low, high = upper.values.min(), upper.values.max()
        return None, [
            f"{upper.total:,} readings of {name} from {low:g} to {high:g} may be negative ones whose sign was "
            "lost; how is not clear, and they were left as they are"
        ]
    return None, []


def _fits(name: str, wrap: Wrap, upper: Histogram, rest: Histogram, conversion: Conversion | None) -> bool:
    """Whether nearly all wrapped values lie where this code puts small negative numbers, next to the others."""
    near = (
        upper.within(_HALF * wrap.step, (32768 + _QUARTER) * wrap.step)
        if wrap.code == "sign-magnitude"
        else upper.within((65536 - _QUARTER) * wrap.step, 65535.5 * wrap.step)
    )
    if near.total < _NEARLY_ALL * upper.total:
        return False
    readings, others = wrap.apply(near.values), rest.values[rest.values != 0.0]  # drop-outs are no neighbours
    if conversion:
        readings, others = conversion.apply(readings), conversion.apply(others)
    beyond = COLUMNS[name].low if name != VOLTAGE else -_FARTHEST[VOLTAGE]
    nearest = others.min() if others.size else 0.0
    return bool(readings.min() >= beyond and nearest - readings.max() <= _FARTHEST[name])


def _correction(name: str, code: SignCode, step: float, facts: ColumnFacts, upper: Histogram) -> Correction:
    full_scale = next((n for value, n in facts.sentinels.items() if abs(value - 65535 * step) < step / 2), 0)
    neighbours = upper.within((65535 - 64) * step, 65535.5 * step).total
    # 65535 is -1 only where its neighbours are at home too; else it is a register without an answer.
    is_reading = code == "two's complement" and 0 < full_scale <= neighbours
    wrap = Wrap(code, step, is_reading)
    low, high = (f"{value:g}" for value in (upper.values.min(), upper.values.max()))
    where = "half" if code == "sign-magnitude" else "full"
    evidence = f"they read {low} to {high}, at {where} scale of a 16-bit register far above all others"
    return Correction(name, wrap, upper.total + full_scale * is_reading, evidence)
