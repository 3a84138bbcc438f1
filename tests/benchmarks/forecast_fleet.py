"""Forecast skill on cells and strings unseen in training: `uv run python tests/benchmarks/forecast_fleet.py`.

For every seed a simulated fleet of 4 strings x 24 cells, 30 days, hourly. Per target one forecaster learns from
the first two strings; the other two, whole, are its backtest. Only `CellForecaster`'s public door is used. Beside
it stand seasonal naive, persistence, and the two oracles of `forecast_oracles.py`. Seeds 0-9 are for tuning;
figures to quote come from others, by default 61-65.
"""

import argparse
import time
from collections.abc import Sequence
from typing import Any

import pandas as pd
from bms_forecast.forecaster import CellForecaster
from bms_forecast.targets import TargetFrames
from bms_generate.simulate import simulate_fleet
from bms_schema.data.columns import STRING, TEMPERATURE, VOLTAGE
from bms_schema.data.table import canonical_table
from forecast_oracles import CHANNELS, expected_course, true_course

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
STRINGS, TRAINED_ON = 4, 2
RIVALS = {"forecast": "mean", "persistence": "last value", "process oracle": "expected", "oracle": "true"}


class UnseenStrings:
    """The strings that are tested on, with what the oracles would have said of them.

    Args:
        seed: The fleet's seed.
        arguments: Of `simulate_string`, the seed left out.
    """

    def __init__(self, seed: int, arguments: dict[str, Any]) -> None:
        self._arguments = {**arguments, "seed": seed}
        self._true = {index: true_course(index, **self._arguments) for index in range(TRAINED_ON, STRINGS)}
        self._expected: dict[tuple[int, int], dict[str, pd.DataFrame]] = {}

    def add_oracles(self, table: pd.DataFrame, target: str) -> pd.DataFrame:
        """Return a series' backtest table with `true`, `expected` and `calm`: no discharge begins in the window."""
        index = int(table["unique_id"].iloc[0].split("/")[0].lstrip("S")) - 1
        courses, starts_h = self._true[index]
        times, cell = courses[target].index, courses[target].columns.get_loc(table["unique_id"].iloc[0])
        hour = self._arguments["interval_minutes"] / 60.0
        parts = []
        for when, window in table.groupby("origin"):
            origin, places = times.get_loc(when), times.get_indexer(window["ds"])
            known = self._expected_from(index, origin)[target].to_numpy()[places, cell]
            true = courses[target].to_numpy()[places, cell]
            begins = (starts_h > origin * hour) & (starts_h <= places.max() * hour)
            parts.append(window.assign(true=true, expected=known, calm=not begins.any()))
        return pd.concat(parts, ignore_index=True)

    def _expected_from(self, index: int, origin: int) -> dict[str, pd.DataFrame]:
        if (index, origin) not in self._expected:
            self._expected[index, origin] = expected_course(index, origin, **self._arguments)
        return self._expected[index, origin]


def run_seed(seed: int, steps: int, targets: Sequence[str], arguments: dict[str, Any]) -> pd.DataFrame:
    """Return every reading of the unseen strings' reported windows, with its forecasts: a row each."""
    fleet = simulate_fleet(n_strings=STRINGS, seed=seed, **arguments)
    frame = canonical_table(fleet.readings).frame
    first = frame[STRING].isin(sorted(frame[STRING].unique())[:TRAINED_ON])
    learnt, unseen = (TargetFrames(frame[rows].reset_index(drop=True)) for rows in (first, ~first))
    oracles = UnseenStrings(seed, arguments)
    fate = fleet.cells.set_index("Cell ID")["fate"]
    parts = []
    for target in targets:
        started = time.perf_counter()
        forecaster = CellForecaster(steps, LEVELS, random_state=seed).fit(learnt.tidy(target))
        tests = forecaster.backtest(unseen.tidy(target))
        seconds = time.perf_counter() - started
        for cell, test in tests.items():
            if test.table.empty:
                continue
            table = oracles.add_oracles(test.table.assign(unique_id=cell), target)
            about = {"seed": seed, "target": target, "method": test.method, "fate": fate[cell]}
            parts.append(table[table["y"].notna()].assign(**about, seconds=seconds))
    return pd.concat(parts, ignore_index=True)


def skills(rows: pd.DataFrame) -> pd.DataFrame:
    """Return 1 - MAE / MAE of seasonal naive per target: each seed's over all readings, then the seeds' mean.

    A seed in which seasonal naive makes no error at all (a state of charge that stays 100 %) is left out. The mean
    error of a seed hangs on a few windows with a discharge; the last column is the median of the series' own skill.
    """
    errors = pd.DataFrame({name: (rows[column] - rows["y"]).abs() for name, column in RIVALS.items()})
    errors["naive"] = (rows["seasonal naive"] - rows["y"]).abs()
    means = errors.groupby([rows["target"], rows["seed"]], sort=False).mean()
    skill = 1.0 - means[list(RIVALS)].div(means["naive"].where(means["naive"] > 0), axis=0)
    table = skill.groupby(level="target", sort=False).mean()
    for name in ("oracle", "process oracle"):
        table[f"of {name}"] = table["forecast"] / table[name]
    worst = skill["forecast"] / skill["oracle"]
    table["of oracle, worst seed"] = worst.groupby(level="target", sort=False).min()
    own = errors.groupby([rows["target"], rows["seed"], rows["unique_id"]], sort=False).mean()
    ours = 1.0 - own["forecast"] / own["naive"].where(own["naive"] > 0)
    table["median series"] = ours.groupby(level="target", sort=False).median()
    return table


def skills_by_fate(rows: pd.DataFrame) -> pd.DataFrame:
    """Return skill over seasonal naive and share of all error, per target (columns) and the cells' fate."""
    errors = pd.DataFrame(
        {"forecast": rows["mean"] - rows["y"], "naive": rows["seasonal naive"] - rows["y"]}
    ).abs()
    sums = errors.groupby([rows["target"], rows["fate"]], sort=False).sum()
    share = sums["forecast"] / sums["forecast"].groupby("target", sort=False).transform("sum")
    table = pd.DataFrame({"skill": 1.0 - sums["forecast"] / sums["naive"], "share": share}).reset_index()
    return table.pivot_table(index="fate", columns="target", values=["skill", "share"], sort=False)


def against_persistence(rows: pd.DataFrame) -> pd.DataFrame:
    """Return forecast's MAE / persistence's, the ratio of means over all seeds, shape (target, horizon)."""
    errors = {name: (rows[RIVALS[name]] - rows["y"]).abs() for name in ("forecast", "persistence")}
    about = rows[["target", "horizon"]]
    means = about.assign(**errors).pivot_table(index="target", columns="horizon", sort=False)
    return means["forecast"] / means["persistence"]


def coverages(rows: pd.DataFrame) -> pd.DataFrame:
    """Return coverage over all readings, and the 10th percentile of the series' own, per target."""
    shares = {}
    for percent, low, high in ((90, "q0.05", "q0.95"), (50, "q0.25", "q0.75")):
        inside = (rows["y"] >= rows[low]) & (rows["y"] <= rows[high])
        own = inside.groupby([rows["target"], rows["seed"], rows["unique_id"]], sort=False).mean()
        shares[f"{percent} %"] = inside.groupby(rows["target"], sort=False).mean()
        shares[f"{percent} % worst tenth"] = own.groupby(level="target", sort=False).quantile(0.1)
    shares["series"] = own.groupby(level="target", sort=False).size()
    return pd.DataFrame(shares)


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[61, 62, 63, 64, 65])
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--interval", type=float, default=60.0, help="minutes between readings")
    parser.add_argument("--cells", type=int, default=24, help="cells per string")
    parser.add_argument("--chemistry", default="lead_acid_flooded")
    parser.add_argument("--targets", nargs="+", default=list(CHANNELS))
    options = parser.parse_args()
    arguments = {
        "cells_per_string": options.cells,
        "days": options.days,
        "interval_minutes": options.interval,
        "chemistry": options.chemistry,
    }
    targets = [
        name for name in options.targets if options.chemistry == "lead_acid_flooded" or "Grav" not in name
    ]
    rows = pd.concat([run_seed(seed, options.steps, targets, arguments) for seed in options.seeds])
    report(rows.reset_index(drop=True), f"{arguments}, seeds {options.seeds}, {options.steps} steps")


def report(rows: pd.DataFrame, setting: str) -> None:
    """Print the tables."""
    print(f"{STRINGS} strings, the last {STRINGS - TRAINED_ON} unseen; {setting}")
    print(
        "\nSkill over seasonal naive, mean of the seeds. The oracle knows weather and outages of the future."
    )
    print(skills(rows).round(3).to_string())
    calm = rows[rows["calm"]]
    print(f"\nThe same where no discharge begins in the window ({len(calm) / len(rows):.0%} of the readings)")
    print(skills(calm).round(3).to_string())
    print("\nError / persistence's per horizon, over all seeds")
    ratios = against_persistence(rows)
    print(ratios.loc[[name for name in (VOLTAGE, TEMPERATURE) if name in ratios.index]].round(3).to_string())
    print("\nCoverage over all readings, and the 10th percentile of the series' own")
    print(coverages(rows).round(3).to_string())
    print("\nSkill and share of all error, by the cell's fate")
    print(skills_by_fate(rows).round(2).to_string())
    each = rows.drop_duplicates(["target", "seed", "unique_id"])
    print("\nMethods used, and seconds to fit and test a target (median of the seeds)")
    for target, methods in each.groupby("target", sort=False)["method"]:
        print(f"{target}: {_most_used(methods)}")
    print(each.groupby("target", sort=False)["seconds"].median().round(2).to_string())


def _most_used(methods: pd.Series) -> str:
    return ", ".join(
        f"{name} {share:.0%}" for name, share in methods.value_counts(normalize=True)[:4].items()
    )


if __name__ == "__main__":
    main()
