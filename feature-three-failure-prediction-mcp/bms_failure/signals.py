"""What each reading says about its cell, judged against the string at the same moment.

`IsDead` is never read here. Every signal of a row depends on rows at or before it, and on the string's other
readings of the same moment.
"""

import numpy as np
import pandas as pd
from bms_schema.data.chemistry import Chemistry
from bms_schema.data.cleaning import without_imputed
from bms_schema.data.columns import AMBIENT, CURRENT, GRAVITY, RESOLUTION, TEMPERATURE, VOLTAGE
from bms_schema.data.deviation import deviation_within, moment_matrices
from bms_schema.data.features import LOAD_STEP_A, lag_within, load_step_resistance
from bms_schema.data.integrals import ageing_rate
from bms_schema.data.moments import moment_codes, order_cells

FLOAT_COMPENSATION_V_PER_C = -0.003  # per cell, about 25 °C; Narada's manual [B]
FLOAT_REFERENCE_C = 25.0
COMPENSATION_RANGE_C = (5.0, 40.0)  # the charger's clamp, Narada's manual [B]
LOG_RESISTANCE_FLOOR = 0.02  # smallest robust sigma believed: 2 % [U]
# Modified z-score beyond which a reading counts as an outlier, Iglewicz and Hoaglin 1993 [U].
FAR_SIGMA = 3.5

SIGNALS = (
    "voltage_mv",
    "voltage_z",
    "load_mv",
    "temperature_c",
    "rise_c",
    "gravity",
    "log_resistance",
    "ageing",
    "far_voltage",
    "far_temperature",
    "far_gravity",
    "outside",
    "missing",
)
# Shares of readings: a block keeps their mean, of all other signals the median.
SHARES = ("far_voltage", "far_temperature", "far_gravity", "outside", "missing")


def reading_signals(frame: pd.DataFrame, chemistry: Chemistry) -> pd.DataFrame:
    """Return the signals of every row of a canonical frame, same index, float64, NaN = unknown.

    Columns: `voltage_mv` deviation from the string median [mV per 2 V cell of a block] and `voltage_z` the
    same over the robust sigma, off discharge; `load_mv` the same deviation under discharge; `temperature_c`
    deviation from the string [°C]; `rise_c` over ambient [°C]; `gravity` deviation; `log_resistance` log of
    the resistance at a fresh load step over the string's median; `ageing` how much faster than the string's
    median the cell ages thermally, as a share; `far_voltage`, `far_temperature` and `far_gravity` 1 where the
    reading is more than 3.5 robust sigmas from the string's median; `outside` 1 where the voltage is outside
    the float window off discharge; `missing` 1 where the row has no voltage. Filled-in values count as missing.
    """
    frame = without_imputed(frame)
    order = order_cells(frame)
    matrices = moment_matrices(moment_codes(frame, order))
    voltage, current = _values(frame, VOLTAGE), _values(frame, CURRENT)
    temperature = _values(frame, TEMPERATURE)
    deviation, z = deviation_within(voltage / chemistry.cells_per_block, matrices, RESOLUTION[VOLTAGE])
    warmer, warmer_z = deviation_within(temperature, matrices, RESOLUTION[TEMPERATURE])
    gravity, gravity_z = deviation_within(_values(frame, GRAVITY), matrices, RESOLUTION[GRAVITY])
    under_load = current <= -LOAD_STEP_A
    with np.errstate(invalid="ignore"):
        fresh = np.abs(current - lag_within(current, order, 1)) >= LOAD_STEP_A
    resistance = np.where(fresh, load_step_resistance(frame, order), np.nan)
    pace = ageing_rate(temperature)
    faster, _ = deviation_within(pace, matrices, np.inf)
    off_load_z = np.where(under_load, np.nan, z)
    signals = {
        "voltage_mv": np.where(under_load, np.nan, deviation * 1000.0),
        "voltage_z": off_load_z,
        "load_mv": np.where(under_load, deviation * 1000.0, np.nan),
        "temperature_c": warmer,
        "rise_c": temperature - _values(frame, AMBIENT),
        "gravity": gravity,
        "log_resistance": deviation_within(np.log(resistance), matrices, LOG_RESISTANCE_FLOOR)[0],
        "ageing": faster / (pace - faster),
        "far_voltage": _far(off_load_z),
        "far_temperature": _far(warmer_z),
        "far_gravity": _far(gravity_z),
        "outside": _outside_float_window(voltage, temperature, under_load, chemistry),
        "missing": np.isnan(voltage).astype(float),
    }
    return pd.DataFrame(signals, index=frame.index)


def _far(z: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(z), np.nan, np.abs(z) > FAR_SIGMA)


def _outside_float_window(
    voltage: np.ndarray, temperature: np.ndarray, under_load: np.ndarray, chemistry: Chemistry
) -> np.ndarray:
    """Return 1/0, NaN under discharge, without a reading, and for chemistries that are not floated."""
    low, high = chemistry.profile.float_low, chemistry.profile.float_high
    if low is None or high is None:
        return np.full(len(voltage), np.nan)
    warmth = np.clip(np.where(np.isnan(temperature), FLOAT_REFERENCE_C, temperature), *COMPENSATION_RANGE_C)
    compensated = voltage / chemistry.cells_per_block - FLOAT_COMPENSATION_V_PER_C * (
        warmth - FLOAT_REFERENCE_C
    )
    outside = ((compensated < low) | (compensated > high)).astype(float)
    return np.where(np.isnan(voltage) | under_load, np.nan, outside)


def _values(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].to_numpy(dtype=float) if name in frame else np.full(len(frame), np.nan)
