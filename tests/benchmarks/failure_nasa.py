"""Does the risk rise before a real cell wears out? NASA's ageing cells, one held out at a time.

Run from the checkout's root: `uv run python tests/benchmarks/failure_nasa.py FOLDER [--picture risk.png]`.

FOLDER holds `discharge_4_cells.csv.gz` of NASA PCoE's battery set: four lithium cells, each discharged alone, at
2 A, from new to worn; a cell is dead at its first discharge below 1.4 Ah. No cell has a string to be compared
with, so the package's features do not exist here. What can be tested is its way of learning: the same hazard of
monotone trees, on what a monitor sees of a cell under load, mostly against the cell's own first tests. Capacity,
which decides who is dead, is no feature, and the risks are not calibrated: three cells are too few.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost
from bms_failure.booster import PARAMETERS
from bms_failure.hazard import person_periods, risk_of_hazards
from bms_schema.data.metrics import auroc
from bms_schema.run.plot_theme import COLOURS, CYCLE, new_figure, save_png

WORN_AH = 1.4
FIRST_TESTS = 10  # what a cell's later tests are held against
RECENT_TESTS = 5
EDGES = (10, 20, 30)  # tests ahead
HORIZON = EDGES[-1]
EARLY_S, LATE_S = (300.0, 600.0), (2000.0, 2300.0)
LOAD_A = -1.0
# Name: monotone direction, +1 where more means worse.
FEATURES = {
    "late_v": -1,
    "load_mv": -1,
    "late_mv": -1,
    "sag_mv": 1,
    "resistance": 1,
    "warmth_c": 1,
    "late_slope": -1,
}
CUT_OFF_V = 2.7  # capacity is counted down to here
ALARM = 0.1


def tests_of(readings: pd.DataFrame) -> pd.DataFrame:
    """Return one row per discharge: `capacity_ah` and what a monitor sees of it, sorted by cell and test.

    Columns: mean voltage early and late under load [V], the resistance of the load step [ohm] and the warmth
    gained by the late part [°C].
    """
    rows = []
    for (cell, test), part in readings.groupby(["battery_id", "test_id"], sort=True):
        seconds, volts = part["Time"].to_numpy(), part["Voltage_measured"].to_numpy()
        amps, warmth = part["Current_measured"].to_numpy(), part["Temperature_measured"].to_numpy()
        loaded = amps < LOAD_A
        if loaded.sum() < 2 or loaded[0]:
            continue
        first = int(np.argmax(loaded))
        below = np.flatnonzero(loaded & (volts < CUT_OFF_V))
        end = int(below[0]) + 1 if len(below) else len(volts)
        early, late = (loaded & (seconds >= low) & (seconds < high) for low, high in (EARLY_S, LATE_S))
        rows.append(
            {
                "cell": cell,
                "test": test,
                "capacity_ah": -np.trapezoid(amps[:end], seconds[:end]) / 3600.0,
                "early_v": volts[early].mean() if early.any() else np.nan,
                "late_v": volts[late].mean() if late.any() else np.nan,
                "resistance": (volts[first - 1] - volts[first]) / (amps[first - 1] - amps[first]),
                "warmth_c": warmth[late].mean() - warmth[0] if late.any() else np.nan,
            }
        )
    table = pd.DataFrame(rows)
    table["number"] = table.groupby("cell").cumcount()
    return table


def against_first_life(tests: pd.DataFrame) -> pd.DataFrame:
    """Return the features: the last five tests against the cell's first ten, NaN during those.

    Only tests at or before a row enter it.
    """
    table = tests.assign(sag_v=tests["early_v"] - tests["late_v"])
    by_cell = table.groupby("cell")
    made = {}
    for name, source, scale in (
        ("load_mv", "early_v", 1000.0),
        ("late_mv", "late_v", 1000.0),
        ("sag_mv", "sag_v", 1000.0),
        ("resistance", "resistance", 100.0),
        ("warmth_c", "warmth_c", 1.0),
    ):
        recent = by_cell[source].transform(
            lambda values: values.rolling(RECENT_TESTS, min_periods=1).median()
        )
        first = by_cell[source].transform(lambda values: values.head(FIRST_TESTS).median())
        made[name] = scale * (recent / first - 1.0 if name == "resistance" else recent - first)
    made["late_v"] = by_cell["late_v"].transform(lambda v: v.rolling(RECENT_TESTS, min_periods=1).median())
    features = pd.DataFrame(made)
    late = features.groupby(table["cell"])["late_mv"]
    features["late_slope"] = (features["late_mv"] - late.shift(2 * RECENT_TESTS)) / (2 * RECENT_TESTS)
    features[(table["number"] < FIRST_TESTS).to_numpy()] = np.nan
    return features[list(FEATURES)]


def held_out_risk(tests: pd.DataFrame, features: pd.DataFrame) -> np.ndarray:
    """Return each cell's risk to be worn within 30 tests, by the other cells' experience, shape (n,)."""
    death = tests["number"].where(tests["capacity_ah"] < WORN_AH).groupby(tests["cell"]).transform("min")
    last = tests.groupby("cell")["number"].transform("max")
    ahead, watched = (death - tests["number"]).to_numpy(), (last - tests["number"]).to_numpy(dtype=float)
    settled = features.notna().any(axis=1).to_numpy()
    alive = settled & ~(ahead <= 0)
    risk = np.full(len(tests), np.nan)
    cells = tests["cell"].to_numpy()
    for cell in np.unique(cells):
        rows = (cells == cell) & settled
        risk[rows] = _risk(features, ahead, watched, alive & (cells != cell), rows)
    return risk


def _risk(
    features: pd.DataFrame, ahead: np.ndarray, watched: np.ndarray, learn: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Return the risk to be worn within 30 tests of some rows, learnt from others."""
    # Few cells, each watched to its end: an interval counts where a cell was seen to die in it, too.
    seen = np.where(ahead <= watched, np.inf, watched)
    periods = person_periods(ahead[learn], seen[learn], EDGES)
    names = [*FEATURES, "interval"]
    values = features.to_numpy(dtype=np.float32)
    parameters = PARAMETERS | {
        "monotone_constraints": "(" + ",".join(map(str, FEATURES.values())) + ",0)", "nthread": 1, "seed": 0,
    }  # fmt: skip
    matrix = np.column_stack([values[learn][periods.row], periods.interval])
    booster = xgboost.train(parameters, xgboost.DMatrix(matrix, periods.event, feature_names=names), 100)
    hazards = [
        booster.predict(
            xgboost.DMatrix(
                np.column_stack([values[rows], np.full(int(rows.sum()), number)]), feature_names=names
            )
        )
        for number in range(len(EDGES))
    ]
    return risk_of_hazards(np.column_stack(hazards).astype(float))[:, -1]


def summarise(tests: pd.DataFrame, risk: np.ndarray) -> pd.DataFrame:
    """Return per cell: when it was worn, how the risk stood early and late, and when it first passed a tenth."""
    rows = []
    for cell, part in tests.assign(risk=risk).groupby("cell"):
        worn = part.loc[part["capacity_ah"] < WORN_AH, "number"].min()
        end = part["number"].max() + 1 if np.isnan(worn) else worn
        before = part[(part["number"] < end) & part["risk"].notna()]
        late = before["number"] >= end - HORIZON
        alarm = before.loc[before["risk"] >= ALARM, "number"].min()
        rows.append(
            {
                "cell": cell,
                "worn at test": worn,
                "least capacity [Ah]": round(part["capacity_ah"].min(), 3),
                "risk, tests 10-39": round(before.loc[before["number"] < 40, "risk"].mean(), 2),
                f"risk, last {HORIZON} tests": round(before.loc[late, "risk"].mean(), 2),
                "risk at the end": round(before["risk"].iloc[-1], 2),
                f"first >= {ALARM:.0%}": alarm,
                "tests ahead": end - alarm,
                "AUROC in the cell": round(auroc(late, before["risk"]), 3),
            }
        )
    return pd.DataFrame(rows)


def draw(tests: pd.DataFrame, risk: np.ndarray, path: Path) -> None:
    """Draw each cell's risk by the others' experience, above its capacity."""
    figure, axes = new_figure(width=9.0, height=5.5)
    capacity = axes.twinx()
    for colour, (cell, part) in zip(CYCLE, tests.assign(risk=risk).groupby("cell"), strict=False):
        axes.plot(part["number"], part["risk"], color=colour, label=cell)
        capacity.plot(
            part["number"], part["capacity_ah"], color=colour, linewidth=0.8, alpha=0.6, linestyle=":"
        )
        worn = part.loc[part["capacity_ah"] < WORN_AH, "number"].min()
        if np.isfinite(worn):
            axes.axvline(worn, color=colour, linewidth=0.8, linestyle="--")
    capacity.axhline(WORN_AH, color=COLOURS["grey"], linewidth=0.8)
    capacity.set(ylabel="Capacity [Ah] (dotted), worn below 1.4")
    axes.set(
        xlabel="Discharge test", ylim=(-0.02, 1.02),
        ylabel=f"Probability to be worn within {HORIZON} tests",
        title="NASA cells, each judged by the other three; dashed: worn",
    )  # fmt: skip
    axes.legend(loc="upper left")
    save_png(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of discharge_4_cells.csv.gz")
    parser.add_argument("--picture", type=Path, help="where to draw the curves")
    asked = parser.parse_args()
    tests = tests_of(pd.read_csv(asked.folder / "discharge_4_cells.csv.gz"))
    risk = held_out_risk(tests, against_first_life(tests))
    print(summarise(tests, risk).to_string(index=False))
    if asked.picture:
        draw(tests, risk, asked.picture)


if __name__ == "__main__":
    main()
