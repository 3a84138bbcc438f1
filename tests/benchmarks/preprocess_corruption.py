"""What preprocessing finds and fills of planted corruption.

`uv run python tests/benchmarks/preprocess_corruption.py [--rows N] [--seeds S …] [--sets usual small]`

Fleets of strings of 24 flooded cells, 30 days at 10 minutes (103,680 rows a string), a tenth of the cells dying
within the span and a tenth soon after; nothing else is wrong with them. Then, in voltage, temperature and gravity
unless said otherwise, by random choice, each later one over the earlier:

- stuck, 1 % of the readings: a sensor repeats its last value for 4 to 48 hours;
- spikes, 0.5 % of the readings: one reading off by 30 to 200 times the sensor's noise (60-400 mV, 6-40 °C,
  0.03-0.2; in the set `small` 10 to 30 times), log-uniform, of either sign, kept inside the plausible range,
  because the range gate finds the others;
- no answer, 1 % of the rows: the three sensors at once, in one of five encodings;
- blank, 20 % of the readings of all five columns, and blocks of 6 hours in which a cell logs nothing, 2 % of the
  rows.

Each reading has one truth; a blank one is blank, whatever was under it. Baselines in the same run: for spikes the
same filter (12 readings, 6 sigmas, same floor) on the raw value of the cell; for stuck every value repeated 5
times; for filling the column's mean, with which `fill_share_of_mean` compares root mean squared errors over the
blank readings. `untouched` is the share of plain readings not masked as spike, stuck or out of range: of cells
between
the onset of their precursor and their death, of dead cells, and of all others.
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_generate.simulate import SimulatedFleet, simulate_fleet
from bms_preprocess import preprocess
from bms_schema.data.columns import RESOLUTION
from bms_schema.data.metrics import rmse

CELLS, DAYS, STEP_MINUTES = 24, 30, 10
ROWS_PER_STRING = CELLS * DAYS * 24 * 60 // STEP_MINUTES
SENSORS = ("CellVoltage", "CellTemperature", "CellSpecificGravity")
MEASURED = (*SENSORS, "InstantaneousCurrent", "AmbientTemperature")
NOISE = {"CellVoltage": 0.002, "CellTemperature": 0.2, "CellSpecificGravity": 0.001}
DECIMALS = {"CellVoltage": 3, "CellTemperature": 1, "CellSpecificGravity": 3}
PLAUSIBLE = {"CellVoltage": (1.0, 3.0), "CellTemperature": (-40.0, 100.0), "CellSpecificGravity": (1.0, 1.4)}
# Voltage, temperature, gravity of a cell that does not answer.
NO_ANSWER = np.array(
    [
        (65.535, 65535.0, 59.749),
        (65535.0, 65535.0, 65535.0),
        (6553.5, 6553.5, 6553.5),
        (-32768.0, -32768.0, -32768.0),
        (59.749, 59.749, 59.749),
    ]
)
STUCK_SHARE, STUCK_H = 0.01, (4.0, 48.0)
SPIKE_SHARE, SPIKE_NOISES = 0.005, {"usual": (30.0, 200.0), "small": (10.0, 30.0)}
NO_ANSWER_SHARE, BLANK_SHARE = 0.01, 0.20
SILENT_SHARE, SILENT_H = 0.02, 6.0
REPEATS = 5


@dataclass(frozen=True)
class Corrupted:
    """A fleet with planted corruption: `readings` as a BMS would export them and, per column, each row's truth."""

    fleet: SimulatedFleet
    readings: pd.DataFrame
    truth: dict[str, np.ndarray]


def corrupt(seed: int, strings: int, spike_noises: tuple[float, float]) -> Corrupted:
    """Simulate a fleet and spoil it; see the module."""
    fleet = simulate_fleet(
        n_strings=strings,
        cells_per_string=CELLS,
        days=DAYS,
        interval_minutes=STEP_MINUTES,
        seed=seed,
        death_fraction=0.1,
        dying_fraction=0.1,
        fault_fraction=0.0,
        sentinel_fraction=0.0,
    )
    rng = np.random.default_rng([seed, strings])
    readings, n = fleet.readings.copy(), len(fleet.readings)
    by_cell = np.argsort(pd.factorize(readings["Cell ID"])[0], kind="stable").reshape(strings * CELLS, -1)
    no_answer = rng.random(n) < NO_ANSWER_SHARE
    encoding = NO_ANSWER[rng.integers(len(NO_ANSWER), size=n)]
    silent = np.zeros(n, dtype=bool)
    silent[by_cell] = blocks(rng, by_cell.shape, SILENT_SHARE, (SILENT_H, SILENT_H))
    truth = {}
    for number, name in enumerate(MEASURED):
        values, kinds = readings[name].to_numpy(copy=True), np.full(n, "", dtype=object)
        if name in SENSORS:
            values, kinds = stick(values, by_cell, rng)
            values, spiked = spike(values, name, kinds != "", spike_noises, rng)
            values = np.where(no_answer, encoding[:, number], values)
            kinds[spiked], kinds[no_answer] = "spike", "sentinel"
        blank = silent | (rng.random(n) < BLANK_SHARE)
        kinds[blank] = "blank"
        readings[name], truth[name] = np.where(blank, np.nan, values), kinds
    return Corrupted(fleet, readings.drop(columns="StateOfCharge"), truth)


def blocks(
    rng: np.random.Generator, shape: tuple[int, int], share: float, hours: tuple[float, float]
) -> np.ndarray:
    """Choose blocks of rows of cells, apart from each other, that are `share` of all, shape (cells, moments)."""
    chosen = np.zeros(shape, dtype=bool)
    while chosen.mean() < share:
        cell, length = rng.integers(shape[0]), round(rng.uniform(*hours) * 60 / STEP_MINUTES)
        first = rng.integers(1, shape[1] - length)
        if not chosen[cell, first - 1 : first + length + 1].any():
            chosen[cell, first : first + length] = True
    return chosen


def stick(values: np.ndarray, by_cell: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Hold the last value before each stuck block through it."""
    held = blocks(rng, by_cell.shape, STUCK_SHARE, STUCK_H)
    matrix = pd.DataFrame(np.where(held, np.nan, values[by_cell])).ffill(axis=1).to_numpy()
    stuck, kinds = values.copy(), np.full(len(values), "", dtype=object)
    stuck[by_cell], kinds[by_cell] = matrix, np.where(held, "stuck", "")
    return stuck, kinds


def spike(
    values: np.ndarray,
    name: str,
    taken: np.ndarray,
    noises: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Displace lone readings; one that would leave the plausible range goes the other way."""
    chosen = (rng.random(len(values)) < SPIKE_SHARE) & ~taken
    height = NOISE[name] * np.exp(rng.uniform(*np.log(noises), len(values)))
    height *= rng.choice((-1.0, 1.0), len(values))
    low, high = PLAUSIBLE[name]
    height = np.where((values + height > low) & (values + height < high), height, -height)
    return np.where(chosen, np.round(values + height, DECIMALS[name]), values), chosen


def spikes_of_raw_values(values: np.ndarray, cells: np.ndarray, floor: float) -> np.ndarray:
    """Baseline: a Hampel filter on the cell's own last 12 readings."""
    known = np.isfinite(values)
    series, cell = pd.Series(values[known]), cells[known]

    def past_median(numbers: pd.Series) -> np.ndarray:
        before = numbers.groupby(cell).shift(1)
        rolled = before.groupby(cell).rolling(12, min_periods=5).median()
        return rolled.droplevel(0).sort_index().to_numpy()

    distance = np.abs(series - past_median(series))
    sigma = np.fmax(1.4826 * past_median(distance), floor)
    found = np.zeros(len(values), dtype=bool)
    found[known] = (distance > 6 * sigma).to_numpy()
    return found


def repeats_of_raw_values(values: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Baseline: every value repeated five times or more, from the fifth repeat on."""
    known = np.isfinite(values)
    series, cell = pd.Series(values[known]), pd.Series(cells[known])
    new = (series != series.groupby(cell).shift(1)).groupby(cell).cumsum()
    found = np.zeros(len(values), dtype=bool)
    found[known] = (series.groupby([cell, new]).cumcount() >= REPEATS).to_numpy()
    return found


def f1(found: np.ndarray, true: np.ndarray) -> float:
    """Return the harmonic mean of precision and recall."""
    return float(2 * (found & true).sum() / (found.sum() + true.sum()))


def degrading(fleet: SimulatedFleet) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of cells between the onset of their precursor and death, and those of dead cells."""
    readings, deaths = fleet.readings, fleet.truth.dropna(subset="onset_of_precursor")
    onset = readings["Cell ID"].map(deaths.set_index("Cell ID")["onset_of_precursor"])
    dead = readings["IsDead"].eq(1).to_numpy()
    return (readings["Timestamp"] >= onset).to_numpy() & ~dead, dead


def measure(seed: int, strings: int, spikes: str) -> pd.DataFrame:
    """Return the figures of one fleet, one row per column."""
    planted = corrupt(seed, strings, SPIKE_NOISES[spikes])
    started = time.perf_counter()
    done = preprocess(planted.readings)
    seconds = time.perf_counter() - started
    cells = planted.readings["Cell ID"].to_numpy()
    dying, dead = degrading(planted.fleet)
    table = []
    for name in MEASURED:
        flags = done.cleaned[f"{name}_flag"].astype(str).to_numpy()
        truth, original = planted.truth[name], planted.fleet.readings[name].to_numpy()
        plain, touched = truth == "", np.isin(flags, ("spike", "stuck", "out_of_range"))
        row: dict[str, object] = {"column": name}
        if name in SENSORS:
            raw = np.where(np.isin(truth, ("sentinel", "blank")), np.nan, planted.readings[name].to_numpy())
            row |= {
                "sentinel_f1": f1(flags == "sentinel", truth == "sentinel"),
                "spike_f1": f1(flags == "spike", truth == "spike"),
                "spike_f1_base": f1(spikes_of_raw_values(raw, cells, RESOLUTION[name]), truth == "spike"),
                "stuck_f1": f1(flags == "stuck", truth == "stuck"),
                "stuck_f1_base": f1(repeats_of_raw_values(raw, cells), truth == "stuck"),
                "untouched_dying": 1.0 - touched[dying & plain].mean(),
                "untouched_dead": 1.0 - touched[dead & plain].mean(),
                "untouched_other": 1.0 - touched[plain & ~dying & ~dead].mean(),
            }
        blank = truth == "blank"
        filled, mean = done.imputed[name].to_numpy()[blank], done.cleaned[name].mean()
        row["fill_rmse"] = rmse(original[blank], filled)
        row["fill_share_of_mean"] = row["fill_rmse"] / rmse(original[blank], np.full(blank.sum(), mean))
        table.append(row)
    return pd.DataFrame(table).assign(spikes=spikes, seed=seed, rows=len(done.cleaned), seconds=seconds)


def main() -> None:
    """Print the medians over the seeds, per set of spikes and column."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="rows per fleet, at least (default 1,000,000)"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[31, 32, 33])
    parser.add_argument("--sets", choices=list(SPIKE_NOISES), nargs="+", default=list(SPIKE_NOISES))
    asked = parser.parse_args()
    strings = max(1, -(-asked.rows // ROWS_PER_STRING))
    figures = pd.concat(
        [measure(seed, strings, spikes) for spikes in asked.sets for seed in asked.seeds], ignore_index=True
    )
    median = figures.drop(columns="seed").groupby(["spikes", "column"], sort=False).median()
    shown = median.drop(columns=["rows", "seconds"]).T.round(5)
    print(shown.to_string())
    rows, seconds = int(median["rows"].iloc[0]), median["seconds"].iloc[0]
    print(f"\nMedians over seeds {asked.seeds}; {rows:,} rows per fleet, preprocess() in {seconds:.0f} s.")


if __name__ == "__main__":
    main()
