"""The window of each target: which voltages and temperatures call for somebody to look, by chemistry.

Every figure is from the project's list of battery facts: [B] a handbook or a maker's manual seen in excerpt,
[U] common knowledge whose source was not read.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from bms_schema.data.chemistry import Chemistry
from bms_schema.data.columns import AMBIENT, COLUMNS, TEMPERATURE, VOLTAGE
from bms_schema.data.table import BatteryTable

Side = Literal["below", "above"]

LOW_ON_FLOAT_V, SUSPECT_ON_FLOAT_V = 2.13, 2.07  # [U] IEEE 450 practice: act, suspect
END_OF_DISCHARGE_V = 1.75  # [U] usual end of a lead-acid discharge, per cell
FLOAT_COMPENSATION_V_PER_C = -0.003  # [B] Narada, clamped to 5-40 °C
COMPENSATED_C = (5.0, 40.0)
FLOAT_REFERENCE_C = {"lead_acid_flooded": 20.0, "vrla": 25.0}  # [B] IEC 60896-11 excerpt; makers' manuals
RISE_OVER_AMBIENT_C, HOTTEST_C = 10.0, 50.0  # [B] C&D, signs of thermal runaway (50 °C: on charge)
LI_ION_LOW_V, LI_ION_HIGH_V, LFP_HIGH_V = 2.5, 4.25, 3.65  # [U] range of a Li-ion cell
HOTTEST_LI_ION_C = 60.0  # [U] makers' usual upper end
# Which readings tell what a table holds [U]: lead-acid rests and floats in between; a cell on float is above the
# low limit a quarter of the time at the least; no LFP cell has been seen above its own full charge.
LEAD_ACID_MEDIAN_V = (1.6, 2.7)
FLOAT_QUANTILE, LFP_MEDIAN_V, LFP_SEEN_V = 0.75, (3.1, 3.45), 3.75


@dataclass(frozen=True)
class Limit:
    """One limit of one target.

    Args:
        target: The column it judges.
        side: The side on which a reading is beyond it.
        value: In the target's unit; where `over` is named, counted from that column's reading.
        meaning: What lies beyond, in words.
        alarm: Whether somebody should look; else it is a setting that a single healthy cell may well leave.
        over: Column that `value` is counted from; empty for none.
    """

    target: str
    side: Side
    value: float
    meaning: str
    alarm: bool = True
    over: str = ""

    @property
    def short(self) -> str:
        """Where the limit lies, for a picture of its target, e.g. `2.13 V`."""
        over = f"{COLUMNS[self.over].label.lower()} + " if self.over else ""
        return f"{over}{self.value:g} {COLUMNS[self.target].unit}".rstrip()

    @property
    def words(self) -> str:
        """The event, e.g. `CellVoltage < 2.13 V`."""
        sign, unit = "<" if self.side == "below" else ">", COLUMNS[self.target].unit
        over = f"{self.over} + " if self.over else ""
        return f"{self.target} {sign} {over}{self.value:g} {unit}".rstrip()

    def beyond(self, values: np.ndarray, base: np.ndarray | float = 0.0) -> np.ndarray:
        """Return which readings lie beyond the limit, shape (m,); NaN does not.

        Args:
            values: Shape (m,).
            base: Readings of `over`, shape (m,) or one.
        """
        at = self.value + np.asarray(base)
        return np.asarray(values < at if self.side == "below" else values > at)


@dataclass(frozen=True)
class Limits:
    """The limits that apply to a table, and why others do not."""

    items: tuple[Limit, ...] = ()
    notes: list[str] = field(default_factory=list)

    def of(self, target: str) -> list[Limit]:
        """Return the limits of one target."""
        return [limit for limit in self.items if limit.target == target]


def limits_of(table: BatteryTable) -> Limits:
    """Return the limits of the table's targets; its readings must fit the chemistry before it judges them."""
    found: list[Limit] = []
    notes: list[str] = []
    for limits in (_voltage_limits(table), _temperature_limits(table)):
        found += limits.items
        notes += limits.notes
    judged = {limit.target for limit in found}
    free = [name for name in table.measured if name not in judged and name not in (VOLTAGE, TEMPERATURE)]
    if free:
        notes.append(f"no limit is known for {', '.join(free)}: forecast, not judged")
    return Limits(tuple(found), notes)


def _voltage_limits(table: BatteryTable) -> Limits:
    if VOLTAGE not in table.measured:
        return Limits()
    volts = table.frame[VOLTAGE].to_numpy(dtype=float)
    volts = volts[np.isfinite(volts)]
    if table.chemistry.profile.name == "li_ion":
        return _li_ion(volts)
    cells = table.chemistry.cells_per_block
    low, high = LEAD_ACID_MEDIAN_V
    median = float(np.median(volts)) / cells
    if not low <= median <= high:
        return Limits(
            notes=[
                f"CellVoltage: a median of {median:.3g} V per cell is not lead-acid, no voltage limit applies"
            ]
        )
    if np.quantile(volts, FLOAT_QUANTILE) / cells < LOW_ON_FLOAT_V:
        limit = Limit(VOLTAGE, "below", END_OF_DISCHARGE_V * cells, "end of discharge")
        why = f"three readings in four are below {LOW_ON_FLOAT_V * cells:g} V: not kept on float"
        return Limits(
            (limit,), [f"CellVoltage: {why}; only the end of discharge, {limit.value:g} V, is judged"]
        )
    return _on_float(table, table.chemistry, cells)


def _li_ion(volts: np.ndarray) -> Limits:
    low, high = LFP_MEDIAN_V
    is_lfp = low <= np.median(volts) <= high and np.quantile(volts, 0.999) < LFP_SEEN_V
    full = LFP_HIGH_V if is_lfp else LI_ION_HIGH_V
    return Limits(
        (
            Limit(VOLTAGE, "below", LI_ION_LOW_V, "below the range of a lithium cell"),
            Limit(VOLTAGE, "above", full, f"above the range of {'an LFP' if is_lfp else 'a lithium'} cell"),
        )
    )


def _on_float(table: BatteryTable, chemistry: Chemistry, cells: int) -> Limits:
    profile, notes = chemistry.profile, []
    if cells > 1:
        notes.append(f"CellVoltage: a block of {cells} cells is judged by {cells} times the limit of a cell")
    limits = [
        Limit(VOLTAGE, "below", LOW_ON_FLOAT_V * cells, "low on float, act; a discharge counts too"),
        Limit(VOLTAGE, "below", SUSPECT_ON_FLOAT_V * cells, "suspect on float; a discharge counts too"),
    ]
    if profile.float_high is not None:
        warm = _usual_temperature(table, FLOAT_REFERENCE_C[profile.name]) - FLOAT_REFERENCE_C[profile.name]
        top = round((profile.float_high + FLOAT_COMPENSATION_V_PER_C * warm) * cells, 3)
        # The window is a setting of the charger, the mean of a string: one cell may float above it all its life.
        limits.append(Limit(VOLTAGE, "above", top, "above the float window at its temperature", alarm=False))
    return Limits(tuple(limits), notes)


def _usual_temperature(table: BatteryTable, otherwise: float) -> float:
    if TEMPERATURE not in table.measured:
        return otherwise
    return float(np.clip(np.nanmedian(table.frame[TEMPERATURE].to_numpy(dtype=float)), *COMPENSATED_C))


def _temperature_limits(table: BatteryTable) -> Limits:
    if TEMPERATURE not in table.measured:
        return Limits()
    lithium = table.chemistry.profile.name == "li_ion"
    hottest = HOTTEST_LI_ION_C if lithium else HOTTEST_C
    limits = [Limit(TEMPERATURE, "above", hottest, "too hot")]
    if lithium:
        return Limits(tuple(limits))
    if AMBIENT not in table.measured:
        note = f"without AmbientTemperature only {hottest:g} °C is judged, not the rise over the room"
        return Limits(tuple(limits), [f"CellTemperature: {note}"])
    limits.insert(
        0, Limit(TEMPERATURE, "above", RISE_OVER_AMBIENT_C, "a sign of thermal runaway", over=AMBIENT)
    )
    return Limits(tuple(limits))
