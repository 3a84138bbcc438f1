"""A simulated fleet of stationary battery strings with its truth: demo data, and everybody's test data.

The room, the charger, the load and the cells follow simple physics (`bms_generate.simulator`, told in
SIMULATOR.md); cells that die, planted anomalies and no-answer rows are known exactly. It is no substitute for
field data: constants marked [U] in the modules are common knowledge whose source was not read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bms_generate.simulator.mixes import Share
from bms_generate.simulator.series_string import StringTables, simulate_one
from bms_generate.simulator.settings import Settings, require_count
from bms_generate.simulator.truth import join_truth, mark_rows

DEFAULTS = Settings()


@dataclass(frozen=True)
class SimulatedFleet:
    """A simulated fleet.

    Attributes:
        readings: one row per cell and sample, sorted by Timestamp, string, cell: `string`, `Cell ID`,
            `Timestamp`, `CellVoltage` [V], `CellTemperature` [°C], `InstantaneousCurrent` [A, charge
            positive, one value per string and time], `AmbientTemperature` [°C], `CellSpecificGravity` (not
            corrected for temperature; all NaN unless flooded), `StateOfCharge` [%], `IsDead` (0/1).
        truth: one row per event: `Cell ID`, `string`, `kind`, `start`, `end` (both inclusive), `magnitude`,
            `onset_of_precursor`, `death`. Kinds and units of the magnitude: drift [V at its end], thermal
            [°C], noise [factor on the sensor's standard deviation], spike [V], stuck [h held], dropout [V
            read], death_slow / death_sudden / death_unheralded [V lost on float at death]. A `death` after
            the last time stamp is that of a cell alive and dying at the end.
        cells: one row per cell: its `fate` and true parameters (capacity and resistance when new, offsets,
            ageing rates).
    """

    readings: pd.DataFrame
    truth: pd.DataFrame
    cells: pd.DataFrame


def simulate_fleet(
    *,
    n_strings: int = 4,
    cells_per_string: int = DEFAULTS.cells_per_string,
    days: float = DEFAULTS.days,
    interval_minutes: float = DEFAULTS.interval_minutes,
    seed: int = DEFAULTS.seed,
    death_fraction: Share = DEFAULTS.death_fraction,
    dying_fraction: Share = DEFAULTS.dying_fraction,
    fault_fraction: Share = DEFAULTS.fault_fraction,
    sentinel_fraction: float = DEFAULTS.sentinel_fraction,
    chemistry: str = DEFAULTS.chemistry,
    duty: str = DEFAULTS.duty,
    start: str | pd.Timestamp = DEFAULTS.start,
) -> SimulatedFleet:
    """Simulate a labelled fleet of series strings with their duty, deaths, faults and sentinels.

    Args:
        n_strings: strings; string k is the same however many there are.
        cells_per_string: cells in series.
        days: span; 30 days hourly make 720 samples. Warning times of deaths shrink with short spans.
        interval_minutes: time between samples.
        seed: same seed and arguments, same fleet.
        death_fraction: share of the cells that die, as one number (slow, sudden and unheralded 4:2:1) or per
            kind, as in {"slow": 0.06, "sudden": 0.04}; above 0 each of the first two strings has a death.
        dying_fraction: share of the cells alive at the end (IsDead 0 throughout) that die soon after it, their
            precursor well under way; one number (slow and sudden 4:2) or per kind. Above 0 each of the first two
            strings has one, if its deaths leave any.
        fault_fraction: share of the other cells that carry planted anomalies, as one number (all six kinds
            equally) or per kind: "thermal" of the cell; "drift", "noise", "spike", "stuck" and "dropout" of its
            sensors, together "sensor", as in {"thermal": 0.02, "sensor": 0.05}.
        sentinel_fraction: share of the rows whose cell gave no answer (65.535 V, 65535.0 °C, 59.749).
        chemistry: "lead_acid_flooded", "vrla" or "li_ion".
        duty: "standby" (float, now and then an outage), "solar" (a cycle every day under one sky for the whole
            fleet) or "ups_test" (float, a short test every week, seldom an outage).
        start: first time stamp, without a time zone.

    Raises:
        ValueError: an argument is out of range; says what was found, expected and what to do.
    """
    require_count("n_strings", n_strings, 1)
    settings = Settings(
        cells_per_string=cells_per_string,
        days=days,
        interval_minutes=interval_minutes,
        seed=seed,
        death_fraction=death_fraction,
        dying_fraction=dying_fraction,
        fault_fraction=fault_fraction,
        sentinel_fraction=sentinel_fraction,
        chemistry=chemistry,
        duty=duty,
        start=start,
    )
    return gather([simulate_one(settings, index) for index in range(n_strings)])


def simulate_string(index: int, **arguments: Any) -> SimulatedFleet:
    """Simulate one string alone, so that a big fleet can be streamed string by string.

    Args:
        index: 0-based; string `index` of every fleet with the same arguments, to the last digit.
        arguments: those of `simulate_fleet` without `n_strings`, with the same defaults.

    Raises:
        ValueError: an argument is out of range; says what was found, expected and what to do.
    """
    require_count("index", index, 0)
    tables = simulate_one(Settings(**arguments), index)
    return SimulatedFleet(tables.readings, tables.truth, tables.cells)


def gather(strings: Sequence[StringTables]) -> SimulatedFleet:
    """Join whole strings of one fleet, in their order, into the fleet: its readings sorted by time."""
    readings = pd.concat([string.readings for string in strings], ignore_index=True)
    shape = (len(strings), -1, len(strings[0].cells))
    by_time = np.arange(len(readings)).reshape(shape).swapaxes(0, 1).ravel()
    return SimulatedFleet(
        readings=readings.take(by_time).reset_index(drop=True),
        truth=join_truth([string.truth for string in strings]),
        cells=pd.concat([string.cells for string in strings], ignore_index=True),
    )


def row_truth(fleet: SimulatedFleet) -> pd.Series:
    """Which readings are truly anomalous: boolean, aligned with `fleet.readings` (any order, any subset).

    True inside a planted fault, from the onset of a precursor and after a death; False for no-answer rows,
    which are missing and not anomalous.
    """
    return mark_rows(fleet.readings, fleet.truth)
