"""Limits of the field that readings crossed: how often, how far and when, per cell."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.chemistry import Chemistry
from bms_schema.data.columns import AMBIENT, CELL_ID, TEMPERATURE, VOLTAGE

from bms_preprocess.cell_facts import LOW_ON_FLOAT_V, CellCodes
from bms_preprocess.timeline import NO_TIME


@dataclass(frozen=True)
class Limit:
    """One limit; `highest` tells whether the worst reading is the highest or the lowest."""

    key: str
    title: str
    words: str
    unit: str
    highest: bool
    source: str

    @property
    def worst_word(self) -> str:
        """`up to` or `down to`."""
        return "up to" if self.highest else "down to"


HOT_RISE = Limit(
    "hot_rise",
    "Cells much warmer than their room",
    "more than 10 °C above the ambient temperature",
    "°C above",
    True,
    "a sign of thermal runaway where the cell is on charge [B] C&D",
)
HOT = Limit(
    "hot",
    "Hot cells",
    "above 50 °C",
    "°C",
    True,
    "a sign of thermal runaway where the cell is on charge [B] C&D",
)
LOW_ON_FLOAT = Limit(
    "low_on_float",
    "Low cells on float",
    f"below {LOW_ON_FLOAT_V:g} V per 2 V cell while the string's median is inside the float window",
    "V",
    False,
    "a low cell on float is to be acted on [U] IEEE 450 practice",
)
OVER_DISCHARGED = Limit(
    "over_discharged",
    "Cells discharged too far",
    "below 2.5 V",
    "V",
    False,
    "usual lower end of a Li-ion cell [U]",
)
OVER_CHARGED = Limit(
    "over_charged", "Cells charged too far", "above 4.25 V", "V", True, "usual upper end of a Li-ion cell [U]"
)
_LATER = np.iinfo("int64").max
LIMITS = {limit.key: limit for limit in (OVER_DISCHARGED, OVER_CHARGED, HOT, HOT_RISE, LOW_ON_FLOAT)}


def limits_crossed(
    frame: pd.DataFrame,
    chemistry: Chemistry,
    cells: CellCodes,
    stamps: np.ndarray,
    float_rows: dict[str, np.ndarray] | None,
) -> pd.DataFrame:
    """Return `Cell ID`, `limit`, `readings`, `worst` and `first` (NaT without times), one row per cell and limit.

    Args:
        frame: Canonical, before imputation.
        chemistry: The profile in force.
        cells: `cell_codes` of the frame.
        stamps: `instants` of the frame.
        float_rows: `float_marks` of the frame.
    """
    values = {
        name: frame[name].to_numpy(dtype=float) for name in (VOLTAGE, TEMPERATURE, AMBIENT) if name in frame
    }
    voltage, temperature = values[VOLTAGE], values.get(TEMPERATURE)
    crossed: list[tuple[Limit, np.ndarray, np.ndarray]] = []
    if temperature is not None:
        crossed.append((HOT, temperature, temperature > 50.0))
        if AMBIENT in values:
            rise = temperature - values[AMBIENT]
            crossed.append((HOT_RISE, rise, rise > 10.0))
    if chemistry.profile.name == "li_ion":
        crossed.append((OVER_DISCHARGED, voltage, voltage < 2.5))
        crossed.append((OVER_CHARGED, voltage, voltage > 4.25))
    if float_rows is not None:
        low = float_rows["cell_below"] & (voltage < LOW_ON_FLOAT_V * chemistry.cells_per_block)
        crossed.append((LOW_ON_FLOAT, voltage, low))
    tables = [_worst(limit, found, rows, cells, stamps) for limit, found, rows in crossed]
    return pd.concat(tables, ignore_index=True)


def _worst(
    limit: Limit, values: np.ndarray, rows: np.ndarray, cells: CellCodes, stamps: np.ndarray
) -> pd.DataFrame:
    at = np.flatnonzero(rows)
    found = pd.DataFrame({"cell": cells.code[at], "value": values[at], "time": stamps[at]})
    found["time"] = found["time"].where(found["time"] != NO_TIME, _LATER)
    grouped = found.groupby("cell", sort=True)
    first = grouped["time"].min().to_numpy()
    return pd.DataFrame(
        {
            CELL_ID: cells.names[np.unique(found["cell"].to_numpy())],
            "limit": limit.key,
            "readings": grouped.size().to_numpy(dtype="int64"),
            "worst": (grouped["value"].max() if limit.highest else grouped["value"].min()).to_numpy(),
            "first": np.where(first == _LATER, NO_TIME, first).astype("datetime64[ns]"),
        }
    )
