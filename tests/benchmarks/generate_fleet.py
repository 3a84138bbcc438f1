"""Do synthetic fleets behave like batteries? `uv run python tests/benchmarks/generate_fleet.py [--seeds 0 1 2]`.

Per seed a simulated fleet of 5 strings of 24 cells, a week hourly (20,160 rows), stands for the real one; no-answer
rows are missing, as for everybody. In the same run: a sibling (another seed of the same process, so all of its
strings are others), FleetSynthesizer, and SDV as it comes: GaussianCopula, HMA (cells as parents of readings) and,
where torch is installed (`uv run --with torch`), TVAE with 30 epochs. Or `--table FILE` for a real log in any form
that BMS-Flux reads (no sibling then; `--rows` takes its first ones per cell).

`quality`, `all pairs`: SDV's, by both readings of its pair threshold; `same bins`: with numbers of both
sides in bins of the real range, where SDV gives each side its own. `lag-1`: error of each signal's lag-1
autocorrelation per cell, the mean and the worst. `apart`: standard deviation of the current over a string's cells.
`between`: variance of cell means over the real one, per signal, lowest and highest. `label`: its rate over the real
one. `TSTR`: AUROC of IsDead (without labels: R2 of signals from each other) trained on the synthetic, tested on
real rows, over that of the real ones (folds by strings). `told`: AUROC of XGBoost that tells cell-days from real
ones (folds by strings; 0.5 is best; a sibling's shows how far strings differ). `copies`: rows that equal a real
one (the sibling's are chance). `near`: rows, and cell-days, at less than half the distance of the nearest 1 % of
the real ones to other strings. Medians over the seeds, then every round of ours.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bms_generate.dataset import Dataset
from bms_generate.fleet_synthesizer import FleetSynthesizer
from bms_generate.sdv_reports import run_reports
from bms_generate.simulate import simulate_fleet
from bms_generate.telemetry_roles import TelemetryRoles, find_roles
from bms_generate.telemetry_scores import score_table
from bms_schema.data.table import load_battery_table

NAME, CELL, TIME, STRING, LABEL = "fleet", "Cell ID", "Timestamp", "string", "IsDead"
SIGNALS = ["CellVoltage", "CellTemperature", "CellSpecificGravity", "InstantaneousCurrent"]
SIGNALS += ["AmbientTemperature", "StateOfCharge"]
COLUMNS = [STRING, CELL, TIME, *SIGNALS, LABEL]
SIBLING = 1000
Make = Callable[[pd.DataFrame, int], pd.DataFrame]


def simulated(seed: int) -> pd.DataFrame:
    """Return a fleet with missing values where a cell gave no answer."""
    table = simulate_fleet(n_strings=5, cells_per_string=24, days=7, seed=seed).readings
    silent = table["CellVoltage"] > 60
    table.loc[silent, SIGNALS[:3]] = np.nan
    return table[COLUMNS]


def logged(path: Path, rows: int) -> pd.DataFrame:
    """Return the first readings of every cell of a log, cleaned, with the columns that BMS-Flux knows."""
    table = load_battery_table(path, require=(SIGNALS[0],)).frame
    table = table[[name for name in COLUMNS if name in table and table[name].notna().any()]]
    return table.groupby(CELL, sort=False).head(rows).reset_index(drop=True)


def describe(table: pd.DataFrame, cell: str = "categorical") -> dict[str, Any]:
    """Return SDV's metadata of the table, cells as categories or as identifiers, which no score counts."""
    kinds = {name: {"sdtype": "numerical"} for name in table}
    kinds |= {name: {"sdtype": "categorical"} for name in (STRING, LABEL) if name in table}
    kinds[CELL] = {"sdtype": cell}
    kinds[TIME] = {"sdtype": "datetime", "datetime_format": "%Y-%m-%d %H:%M:%S"}
    return {"METADATA_SPEC_VERSION": "V2", "tables": {NAME: {"columns": kinds}}, "relationships": []}


def ours(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return what `sdv_generate` makes of a table of cell series."""
    string = [STRING] if STRING in table else []
    return FleetSynthesizer([CELL], TIME, string, random_state=seed).fit(table).sample()


def plain_sdv(kind: str, **options: Any) -> Make:
    """Return one of SDV's single-table synthesizers as it comes."""

    def make(table: pd.DataFrame, seed: int) -> pd.DataFrame:
        import sdv.single_table
        from sdv.metadata import Metadata

        np.random.seed(seed)  # noqa: NPY002 (the generator SDV draws from)
        if kind == "TVAESynthesizer":
            import torch

            torch.manual_seed(seed)
        model = getattr(sdv.single_table, kind)(Metadata.load_from_dict(describe(table)), **options)
        model.fit({NAME: table})
        return model.sample(num_rows=len(table))[NAME]

    return make


def plain_hma(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return SDV's HMA with cells as the parents of readings."""
    from sdv.metadata import Metadata
    from sdv.multi_table import HMASynthesizer

    parents = [name for name in (CELL, STRING) if name in table]
    cells = table[parents].drop_duplicates(ignore_index=True)
    readings = table.drop(columns=[name for name in parents if name != CELL])
    description = describe(table)
    kinds = description["tables"][NAME]["columns"]
    key = {CELL: {"sdtype": "id"}}
    tables = {
        "cells": {"primary_key": CELL, "columns": {name: kinds[name] for name in parents} | key},
        NAME: {"columns": {name: kinds[name] for name in readings} | key},
    }
    link = {"parent_table_name": "cells", "parent_primary_key": CELL}
    link |= {"child_table_name": NAME, "child_foreign_key": CELL}
    metadata = Metadata.load_from_dict(description | {"tables": tables, "relationships": [link]})
    model = HMASynthesizer(metadata, verbose=False)
    model.fit({"cells": cells, NAME: readings})
    made = model.sample_scale(1.0)
    return made[NAME].merge(made["cells"], on=CELL)[list(table)]


def makers() -> dict[str, Make]:
    """Return what is compared, ours first."""
    made = {
        "FleetSynthesizer": ours,
        "GaussianCopula": plain_sdv("GaussianCopulaSynthesizer"),
        "HMA": plain_hma,
    }
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        return made
    return made | {"TVAE, 30 epochs": plain_sdv("TVAESynthesizer", epochs=30)}


def figures(real: pd.DataFrame, synthetic: pd.DataFrame, roles: TelemetryRoles) -> dict[str, float]:
    """Return one line of the table."""
    sdv = run_reports(Dataset(Path(), {NAME: real}, describe(real, "id")), {NAME: synthetic[list(real)]})
    scores = score_table(real, synthetic, roles)
    assert scores.series is not None
    by_lag = scores.series.autocorrelation.query("lag == 1")
    lag = (by_lag["real"] - by_lag["synthetic"].fillna(0.0)).abs()
    between = scores.series.variance["between_ratio"].dropna()
    on_real, on_synthetic = scores.trained_on.headline
    line = {
        "quality": sdv.overall,
        "all pairs": sdv.overall_all_pairs,
        "same bins": sdv.overall_same_bins,
        "lag-1": lag.mean(),
        "worst": lag.max(),
        "apart": scores.series.shared["synthetic"].max() if len(scores.series.shared) else np.nan,
        "between": between.min(),
        "to": between.max(),
        "label": scores.label.rows_synthetic / scores.label.rows_real if scores.label else np.nan,
        "TSTR": on_synthetic / on_real,
        "told": scores.two_sample.auroc,
    }
    for nearness, suffix in ((scores.row_nearness, ""), (scores.window_nearness, " days")):
        if nearness is not None:
            line |= {f"copies{suffix}": nearness.copies.synthetic, f"near{suffix}": nearness.near.synthetic}
    return line


def one_round(real: pd.DataFrame, sibling: pd.DataFrame | None, seed: int) -> list[dict[str, Any]]:
    """Return the lines of one real table."""
    roles = find_roles(real)
    lines = [] if sibling is None else [{"made by": "sibling"} | figures(real, sibling, roles)]
    for name, make in makers().items():
        started = time.perf_counter()
        synthetic = make(real, seed)
        seconds = time.perf_counter() - started
        lines.append({"made by": name, "s": seconds} | figures(real, synthetic, roles))
    return lines


def main() -> None:
    """Print the table of medians, then every round of ours."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1, 2], help="seeds of the simulated fleets"
    )
    parser.add_argument("--table", type=Path, help="a real log instead of simulated fleets")
    parser.add_argument("--rows", type=int, default=10**9, help="readings per cell of the real log")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    rounds = []
    for seed in arguments.seeds:
        if arguments.table:
            real, sibling = logged(arguments.table, arguments.rows), None
        else:
            real, sibling = simulated(seed), simulated(SIBLING + seed)
        rounds += [{"seed": seed} | line for line in one_round(real, sibling, seed)]
    table = pd.DataFrame(rounds)
    print(
        table.groupby("made by", sort=False)
        .median(numeric_only=True)
        .drop(columns="seed")
        .round(3)
        .to_string()
    )
    print(table[table["made by"].isin(["sibling", "FleetSynthesizer"])].round(3).to_string(index=False))


if __name__ == "__main__":
    main()
