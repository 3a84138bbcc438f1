"""Chemistry profiles: what a plausible cell voltage is and whether specific gravity must be there."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bms_schema.data.histogram import Histogram

ChemistryName = Literal["lead_acid_flooded", "vrla", "li_ion"]
ChemistryOption = Literal["auto", "lead_acid_flooded", "vrla", "li_ion"]

# Cells in the series of a lead-acid monobloc that is sold and monitored as one "cell" (2, 4, 6, 8 and 12 V).
_BLOCK_SIZES = (1, 2, 3, 4, 6)
_LEAD_ACID_NOMINAL_V = 2.1  # between open circuit (2.05-2.15) and float (2.25), [B]
_CELL_OR_BLOCK_V = (1e-6, 20.0)  # readings that can tell a cell; zeros are drop-outs
_LI_ION_MEDIAN_V = (2.6, 4.5)  # LFP rests near 3.3 V, NMC near 3.7 V, [U]


@dataclass(frozen=True)
class Profile:
    """Limits of one chemistry, per cell.

    Args:
        name: Profile name.
        voltage_low: Below it, no cell reading [V].
        voltage_high: Above it, no cell reading [V].
        float_low: Lower end of the float window at 25 °C [V]; None where there is no float charge.
        float_high: Upper end of the float window [V].
        has_gravity: Whether the cells have measurable electrolyte.
        source: Where the figures come from.
    """

    name: ChemistryName
    voltage_low: float
    voltage_high: float
    float_low: float | None
    float_high: float | None
    has_gravity: bool
    source: str


PROFILES: dict[ChemistryName, Profile] = {
    "lead_acid_flooded": Profile(
        "lead_acid_flooded",
        -0.5,
        3.0,
        2.14,
        2.25,
        True,
        "float: IEC 60896-11 excerpt [B]",
    ),
    "vrla": Profile("vrla", -0.5, 3.0, 2.15, 2.30, False, "float: makers' manuals [B]"),
    "li_ion": Profile("li_ion", 0.0, 5.0, None, None, False, "[U] 2.5-4.25 V per cell with margin"),
}


@dataclass(frozen=True)
class Chemistry:
    """The profile in force and why; `cells_per_block` > 1 for 6 V and 12 V monoblocs."""

    profile: Profile
    cells_per_block: int
    reason: str

    @property
    def voltage_range(self) -> tuple[float, float]:
        """Plausible range of a reading [V]."""
        return (
            self.profile.voltage_low * self.cells_per_block,
            self.profile.voltage_high * self.cells_per_block,
        )


def choose_chemistry(
    voltages: Histogram, *, has_gravity: bool, option: ChemistryOption = "auto"
) -> Chemistry:
    """Choose the chemistry profile of a table.

    Args:
        voltages: Of its cell voltages [V], sentinels left out.
        has_gravity: Whether any reading of specific gravity is plausible.
        option: A profile's name, or "auto": specific gravity readings mean flooded lead-acid; else the
            median voltage tells lithium from sealed lead-acid.
    """
    median = voltages.within(*_CELL_OR_BLOCK_V).median
    if option != "auto":
        return Chemistry(PROFILES[option], _block_size(median, option), "as asked for")
    if has_gravity:
        name: ChemistryName = "lead_acid_flooded"
        reason = "specific gravity is measured"
    elif _LI_ION_MEDIAN_V[0] <= median <= _LI_ION_MEDIAN_V[1]:
        name, reason = "li_ion", f"no specific gravity and a median of {median:.2f} V"
    else:
        name, reason = "vrla", f"no specific gravity and a median of {median:.2f} V"
    return Chemistry(PROFILES[name], _block_size(median, name), reason)


def _block_size(median_v: float, name: ChemistryName) -> int:
    if name == "li_ion" or not np.isfinite(median_v):
        return 1
    return min(_BLOCK_SIZES, key=lambda size: abs(median_v / size - _LEAD_ACID_NOMINAL_V))
