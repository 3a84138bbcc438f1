"""Physical features: per cell in time order, per string at one moment; never across cells or gaps, never ahead.

Every window is trailing and measured in time. A feature is NaN where its readings are missing.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bms_schema.data.columns import AMBIENT, CURRENT, GRAVITY, RESOLUTION, TEMPERATURE, VOLTAGE
from bms_schema.data.moments import CellOrder, moment_codes, order_cells

MAD_TO_SIGMA = 1.4826  # consistency factor of the median absolute deviation for a normal distribution
LOAD_STEP_A = 5.0  # [U] smallest current step that lifts the ohmic drop above a BMS's 1 mV resolution
SMALLEST_CELLS = 3  # below three cells a median cannot tell which one deviates
LAGS = (1, 2, 3)
WINDOWS_H = (1, 24)

_SIGNALS = ((VOLTAGE, "voltage", "v"), (TEMPERATURE, "temperature", "c"), (GRAVITY, "gravity", ""))


@dataclass(frozen=True)
class Feature:
    """One documented feature."""

    name: str
    unit: str
    window: str
    formula: str
    source: str


def _named(short: str, kind: str, unit: str) -> str:
    return f"{short}_{kind}_{unit}" if unit else f"{short}_{kind}"


def feature_table() -> list[Feature]:
    """Return every feature of `add_features` with its unit, window, formula and source."""
    table = [
        Feature("power_w", "W", "moment", "CellVoltage · InstantaneousCurrent", "physics"),
        Feature(
            "temperature_rise_c",
            "°C",
            "moment",
            "CellTemperature - AmbientTemperature",
            "runaway sign above 10 °C [B]",
        ),
        Feature(
            "load_step_resistance_ohm",
            "Ω",
            "last load step",
            f"ΔV/ΔI where |ΔI| ≥ {LOAD_STEP_A:g} A from one reading to the next; held to the next step or gap",
            "ohmic value [B]",
        ),
    ]
    for column, short, unit in _SIGNALS:
        floor = RESOLUTION[column]
        shown = {"v": "V", "c": "°C"}.get(unit, "")
        table += [
            Feature(
                _named(short, "deviation", unit),
                shown,
                "moment",
                "value - median of the string",
                "robust statistics",
            ),
            Feature(
                f"{short}_robust_z",
                "",
                "moment",
                f"deviation / max({MAD_TO_SIGMA} · MAD of the string, {floor:g})",
                "robust statistics",
            ),
            Feature(
                _named(short, "diff", unit),
                shown,
                "1 reading",
                "value - previous value of the cell",
                "time series",
            ),
        ]
        table += [
            Feature(
                _named(short, f"lag{lag}", unit),
                shown,
                f"{lag} readings",
                f"value {lag} readings before",
                "time series",
            )
            for lag in LAGS
        ]
        for hours in WINDOWS_H:
            for statistic in ("mean", "std"):
                name = _named(short, f"{statistic}_{hours}h", unit)
                table.append(
                    Feature(
                        name, shown, f"{hours} h, trailing", f"{statistic} of the readings", "time series"
                    )
                )
    return table


def feature_names() -> list[str]:
    """Return the names of `add_features` in order."""
    return [feature.name for feature in feature_table()]


def add_features(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with every feature of `feature_table` appended (float64), rows and order unchanged.

    Args:
        frame: A canonical frame (see `BatteryTable`); a missing measured column gives all-NaN features.
    """
    order = order_cells(frame)
    moments = moment_codes(frame, order)
    columns: dict[str, np.ndarray] = {
        "power_w": _values(frame, VOLTAGE) * _values(frame, CURRENT),
        "temperature_rise_c": _values(frame, TEMPERATURE) - _values(frame, AMBIENT),
        "load_step_resistance_ohm": load_step_resistance(frame, order),
    }
    for column, short, unit in _SIGNALS:
        values = _values(frame, column)
        deviation, robust_z = string_deviation(values, moments, RESOLUTION[column])
        columns[_named(short, "deviation", unit)] = deviation
        columns[f"{short}_robust_z"] = robust_z
        lagged = {lag: lag_within(values, order, lag) for lag in LAGS}
        columns[_named(short, "diff", unit)] = values - lagged[1]
        columns |= {_named(short, f"lag{lag}", unit): lagged[lag] for lag in LAGS}
        for hours in WINDOWS_H:
            mean, std = trailing_statistics(values, order, hours * 3600.0)
            columns[_named(short, f"mean_{hours}h", unit)] = mean
            columns[_named(short, f"std_{hours}h", unit)] = std
    features = pd.DataFrame(columns, index=frame.index)[feature_names()]
    return pd.concat([frame.drop(columns=[name for name in features if name in frame]), features], axis=1)


def string_deviation(
    values: np.ndarray, moments: np.ndarray, smallest_sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Judge each reading against its string at the same moment.

    Args:
        values: Readings, shape (n,), NaN = none.
        moments: From `moment_codes`, shape (n,).
        smallest_sigma: Floor of the robust sigma, in the unit of `values`.

    Returns:
        (value - median, the same over the robust sigma), each (n,); NaN where fewer than three cells answered.

    >>> string_deviation(np.array([2.20, 2.20, 2.10]), np.zeros(3), 0.002)[0].round(3).tolist()
    [0.0, 0.0, -0.1]
    """
    series = pd.Series(values)
    grouped = series.groupby(moments)
    enough = grouped.transform("count") >= SMALLEST_CELLS
    deviation = (series - grouped.transform("median")).where(enough)
    sigma = MAD_TO_SIGMA * deviation.abs().groupby(moments).transform("median")
    return deviation.to_numpy(), (deviation / sigma.clip(lower=smallest_sigma)).to_numpy()


def lag_within(values: np.ndarray, order: CellOrder, lag: int) -> np.ndarray:
    """Return the value `lag` readings before in the same cell and segment, shape (n,), NaN where there is none."""
    ordered = values[order.order]
    lagged = np.full(len(ordered), np.nan)
    lagged[lag:] = np.where(order.segment[lag:] == order.segment[:-lag], ordered[:-lag], np.nan)
    return order.restore(lagged)


def trailing_statistics(
    values: np.ndarray, order: CellOrder, window_s: float, *, across_gaps: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of a cell's readings in (t - window_s, t], each (n,).

    The standard deviation (n - 1) needs two readings. Without time stamps the window counts readings.

    Args:
        values: Readings, shape (n,), NaN = none.
        order: From `order_cells`.
        window_s: Width of the window [s].
        across_gaps: True for windows of days, which an outage of hours must not empty.
    """
    ordered = pd.Series(values[order.order])
    timed, index = order.one_axis(window_s, across_gaps=across_gaps)
    rolling = pd.Series(ordered[timed].to_numpy(), index=index).rolling(
        pd.Timedelta(seconds=window_s), min_periods=1
    )
    mean, std = np.full(len(ordered), np.nan), np.full(len(ordered), np.nan)
    mean[timed], std[timed] = rolling.mean().to_numpy(), rolling.std().to_numpy()
    return order.restore(mean), order.restore(std)


def load_step_resistance(frame: pd.DataFrame, order: CellOrder) -> np.ndarray:
    """Return the resistance seen at the cell's last load step [Ω], shape (n,).

    With charge positive, R = ΔV/ΔI between neighbouring readings; a step that gives no positive resistance is
    not one. The value holds until the next step and is forgotten at a gap.
    """
    voltage, current = _values(frame, VOLTAGE), _values(frame, CURRENT)
    dv = (voltage - lag_within(voltage, order, 1))[order.order]
    di = (current - lag_within(current, order, 1))[order.order]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(np.abs(di) >= LOAD_STEP_A, dv / di, np.nan)
    ratio = np.where(ratio > 0, ratio, np.nan)
    return order.restore(pd.Series(ratio).groupby(order.segment).ffill().to_numpy())


def _values(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].to_numpy(dtype=float) if name in frame else np.full(len(frame), np.nan)
