"""The one table of features: name, unit, window, formula, source, and the columns each needs.

The README's table is generated from it: `python -m bms_schema.data.feature_table load-preprocessdata-mcp/README.md`
rewrites what stands between the two markers.

Status of a source: [R] read in the named source; [B] from a handbook or a maker's manual seen in excerpt;
[U] common knowledge whose source was not read.
"""

import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from bms_schema.data.columns import AMBIENT, CURRENT, GRAVITY, RESOLUTION, TEMPERATURE, TIMESTAMP, VOLTAGE
from bms_schema.data.deviation import MAD_TO_SIGMA, SMALLEST_CELLS
from bms_schema.data.integrals import AGE_DOUBLES_PER_C, BRIDGED_READINGS, REFERENCE_C
from bms_schema.data.resistance import LOAD_STEP_A, RESISTANCE_DAYS, RESISTANCE_STEPS
from bms_schema.data.trailing import SLOPE_READINGS

GRAVITY_PER_C = 0.00072  # specific gravity lost per °C of warmth, stationary practice [B]
LAGS = (1, 2, 3)
SHORT_WINDOWS_H = (1, 24)
DEVIATION_WINDOWS_D = (1, 7, 30, 90)
AGEING_DAYS, DISCHARGE_HOURS = 30, 24

BEGIN, END = "<!-- features: begin -->", "<!-- features: end -->"


@dataclass(frozen=True)
class Feature:
    """One documented feature; `needs` names the columns without which it is left out.

    `window` says how far back it looks, `source` where the method comes from and how well that is known.
    """

    name: str
    unit: str
    window: str
    formula: str
    source: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Signal:
    """A signal of a cell that is judged against the string: its column, its short name and its unit."""

    column: str
    short: str
    suffix: str
    unit: str

    def named(self, kind: str) -> str:
        """Return the name of a feature in the signal's own unit.

        >>> Signal("CellVoltage", "voltage", "v", "V").named("lag1")
        'voltage_lag1_v'
        """
        return f"{self.short}_{kind}_{self.suffix}" if self.suffix else f"{self.short}_{kind}"


SIGNALS = (
    Signal(VOLTAGE, "voltage", "v", "V"),
    Signal(TEMPERATURE, "temperature", "c", "°C"),
    Signal(GRAVITY, "gravity", "", ""),
)


def feature_table(columns: Collection[str] | None = None) -> list[Feature]:
    """Return the features in order, each with its unit, window, formula and source.

    Args:
        columns: The columns that a table has readings in (see `available_columns`); features that need others
            are left out. None returns all.
    """
    table = [*_of_the_row(), *_of_the_load(), *_of_ageing()]
    for signal in SIGNALS:
        table += [*_against_the_string(signal), *_own_past(signal), *_deviation_history(signal)]
    return [feature for feature in table if columns is None or set(feature.needs) <= set(columns)]


def feature_names(columns: Collection[str] | None = None) -> list[str]:
    """Return the names of `feature_table` in order."""
    return [feature.name for feature in feature_table(columns)]


def _of_the_row() -> list[Feature]:
    return [
        Feature(
            "power_w",
            "W",
            "moment",
            "CellVoltage · InstantaneousCurrent, charging positive",
            "physics",
            (VOLTAGE, CURRENT),
        ),
        Feature(
            "temperature_rise_c",
            "°C",
            "moment",
            "CellTemperature - AmbientTemperature",
            "sign of thermal runaway above 10 °C, C&D [B]",
            (TEMPERATURE, AMBIENT),
        ),
        Feature(
            "gravity_25c",
            "",
            "moment",
            f"CellSpecificGravity + {GRAVITY_PER_C:g} · (CellTemperature - {REFERENCE_C:g})",
            "correction to 25 °C, stationary practice [B]",
            (GRAVITY, TEMPERATURE),
        ),
    ]


def _of_the_load() -> list[Feature]:
    return [
        Feature(
            "load_step_resistance_ohm",
            "Ω",
            "last load step",
            f"ΔV/ΔI from one reading to the next where abs(ΔI) ≥ {LOAD_STEP_A:g} A; held to the next step or gap",
            "ohmic value across a load step, Albér [B]; smallest step [U]",
            (VOLTAGE, CURRENT),
        ),
        Feature(
            f"load_step_resistance_{RESISTANCE_DAYS}d_ohm",
            "Ω",
            f"{RESISTANCE_DAYS} d, trailing, over gaps",
            f"Σ ΔV·ΔI / Σ ΔI² over the load steps, at least {RESISTANCE_STEPS}: a large step counts for more",
            "at least 3 steps, Albér [B]; least squares [U]",
            (VOLTAGE, CURRENT, TIMESTAMP),
        ),
        Feature(
            "charge_ah",
            "Ah",
            "since the cell's first reading",
            f"∫ InstantaneousCurrent dt, trapezoids; over at most {BRIDGED_READINGS - 1} missing readings, "
            "never over a gap",
            "coulomb count, physics",
            (CURRENT, TIMESTAMP),
        ),
        Feature(
            f"discharged_{DISCHARGE_HOURS}h_ah",
            "Ah",
            f"{DISCHARGE_HOURS} h, trailing",
            "∫ max(-InstantaneousCurrent, 0) dt, as charge_ah",
            "coulomb count, physics",
            (CURRENT, TIMESTAMP),
        ),
    ]


def _of_ageing() -> list[Feature]:
    factor = f"2^((CellTemperature - {REFERENCE_C:g})/{AGE_DOUBLES_PER_C:g})"
    source = f"lead-acid life halves per {AGE_DOUBLES_PER_C:g} °C, C&D [B]"
    needs = (TEMPERATURE, TIMESTAMP)
    return [
        Feature(
            "thermal_age_h",
            "h",
            "since the cell's first reading",
            f"∫ {factor} dt, as charge_ah: equivalent hours at {REFERENCE_C:g} °C",
            source,
            needs,
        ),
        Feature(
            f"ageing_factor_{AGEING_DAYS}d",
            "",
            f"{AGEING_DAYS} d, trailing, over gaps",
            "thermal age gained / hours it was measured in",
            source,
            needs,
        ),
    ]


def _against_the_string(signal: Signal) -> list[Feature]:
    floor = RESOLUTION[signal.column]
    return [
        Feature(
            signal.named("deviation"),
            signal.unit,
            "moment",
            f"value - median of the string, where {SMALLEST_CELLS} cells or more answered",
            "robust statistics",
            (signal.column,),
        ),
        Feature(
            f"{signal.short}_robust_z",
            "",
            "moment",
            f"deviation / max({MAD_TO_SIGMA} · MAD of the string, {floor:g})",
            "robust statistics; floor: a usual resolution [U]",
            (signal.column,),
        ),
    ]


def _own_past(signal: Signal) -> list[Feature]:
    source, needs = "time series [U]", (signal.column,)
    features = [
        Feature(signal.named("diff"), signal.unit, "1 row", "value - value of the row before", source, needs)
    ]
    for lag in LAGS:
        window = "1 row" if lag == 1 else f"{lag} rows"
        formula = "value of the row before" if lag == 1 else f"value {lag} rows before"
        features.append(Feature(signal.named(f"lag{lag}"), signal.unit, window, formula, source, needs))
    for hours in SHORT_WINDOWS_H:
        for short, long in (("mean", "mean"), ("std", "standard deviation")):
            name, window = signal.named(f"{short}_{hours}h"), f"{hours} h, trailing"
            timed = (*needs, TIMESTAMP)
            features.append(Feature(name, signal.unit, window, f"{long} of the readings", source, timed))
    return features


def _deviation_history(signal: Signal) -> list[Feature]:
    z, horizons = f"{signal.short}_robust_z", "robust statistics; horizons [U]"
    # Feder et al. measured float voltage and gravity, not temperature.
    trend = (
        "horizons [U]"
        if signal.column == TEMPERATURE
        else "tells what float values do not (VRLA), Feder et al. [R]"
    )
    line = f"least-squares slope of {z}, from {SLOPE_READINGS} readings that span half the window"
    statistics = (
        ("level", "", f"mean of {z}", horizons),
        ("slope", "1/d", line, trend),
        ("volatility", "", f"standard deviation of {z}", horizons),
    )
    return [
        Feature(
            f"{signal.short}_z_{kind}_{days}d",
            unit,
            f"{days} d, trailing, over gaps",
            formula,
            source,
            (signal.column, TIMESTAMP),
        )
        for days in DEVIATION_WINDOWS_D
        for kind, unit, formula, source in statistics
    ]


def markdown_table() -> str:
    """Return the table as the README shows it."""
    head = "| feature | unit | window | formula | source |\n|---|---|---|---|---|\n"
    return head + "".join(
        f"| `{f.name}` | {f.unit or '–'} | {f.window} | {f.formula} | {f.source} |\n" for f in feature_table()
    )


def with_table(text: str) -> str:
    """Return the text with the table between its markers brought up to date."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{markdown_table()}{END}{after}"


if __name__ == "__main__":
    readme = Path(sys.argv[1])
    readme.write_text(with_table(readme.read_text(encoding="utf-8")), encoding="utf-8")
