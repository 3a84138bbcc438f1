"""A simulated fleet of stationary battery strings with its truth: demo data, and everybody's test data.

The room, the charger, the outages and the cells follow simple physics (`bms_generate.simulator`); cells that
die, planted anomalies and no-answer rows are known exactly. It is no substitute for field data: constants
marked [U] in the modules are common knowledge whose source was not read.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bms_generate.simulator.series_string import simulate_one
from bms_generate.simulator.settings import Settings, require_count
from bms_generate.simulator.truth import as_truth_table, mark_rows

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
    death_fraction: float = DEFAULTS.death_fraction,
    dying_fraction: float = DEFAULTS.dying_fraction,
    fault_fraction: float = DEFAULTS.fault_fraction,
    sentinel_fraction: float = DEFAULTS.sentinel_fraction,
    chemistry: str = DEFAULTS.chemistry,
    start: str | pd.Timestamp = DEFAULTS.start,
) -> SimulatedFleet:
    """Simulate a labelled fleet of series strings on float with outages, deaths, faults and sentinels.

    Args:
        n_strings: strings; string k is the same however many there are.
        cells_per_string: cells in series.
        days: span; 30 days hourly make 720 samples. Warning times of deaths shrink with short spans.
        interval_minutes: time between samples.
        seed: same seed and arguments, same fleet.
        death_fraction: share of the cells that die; above 0 each of the first two strings has a death.
        dying_fraction: share of the cells alive at the end (IsDead 0 throughout) that die soon after it, their
            precursor well under way; above 0 each of the first two strings has one, if its deaths leave any.
        fault_fraction: share of the other cells that carry planted anomalies.
        sentinel_fraction: share of the rows whose cell gave no answer (65.535 V, 65535.0 °C, 59.749).
        chemistry: "lead_acid_flooded", "vrla" or "li_ion".
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
        start=start,
    )
    strings = [simulate_one(settings, index) for index in range(n_strings)]
    shape = (n_strings, settings.n_samples, cells_per_string)
    by_time = np.arange(np.prod(shape)).reshape(shape).swapaxes(0, 1).ravel()
    readings = pd.concat([s.readings for s in strings], ignore_index=True)
    return SimulatedFleet(
        readings=readings.take(by_time).reset_index(drop=True),
        truth=_concat_truth([s.truth for s in strings]),
        cells=pd.concat([s.cells for s in strings], ignore_index=True),
    )


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


def row_truth(fleet: SimulatedFleet) -> pd.Series:
    """Which readings are truly anomalous: boolean, aligned with `fleet.readings` (any order, any subset).

    True inside a planted fault, from the onset of a precursor and after a death; False for no-answer rows,
    which are missing and not anomalous.
    """
    return mark_rows(fleet.readings, fleet.truth)


def _concat_truth(tables: list[pd.DataFrame]) -> pd.DataFrame:
    eventful = [table for table in tables if len(table)]
    return as_truth_table(pd.concat(eventful, ignore_index=True)) if eventful else tables[0]
