"""Which cells of real packs stand out: `uv run python tests/benchmarks/anomaly_packs.py FILE [FILE ...]`.

Each file is one pack or fleet without truth by row, voltage at least. Prints the events by kind, and the worst
cells beside a plain baseline: the share of a cell's rows beyond 6 robust sigma from the median of its string at
the same moment, no sigma below the resolution.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from bms_anomaly.features import fleet_features
from bms_anomaly.ranking import rank_cells
from bms_anomaly.scoring import fit_detector, score_fleet
from bms_schema.data.cleaning import without_imputed
from bms_schema.data.columns import CELL_ID, RESOLUTION, VOLTAGE
from bms_schema.data.features import string_deviation
from bms_schema.data.moments import moment_codes
from bms_schema.data.table import load_battery_table

CELLS_SHOWN, BEYOND_SIGMAS = 8, 6.0


def plain_shares(frame: pd.DataFrame) -> pd.Series:
    """Return the share of each cell's voltages beyond 6 robust sigma from its string, largest first."""
    z = string_deviation(frame[VOLTAGE].to_numpy(), moment_codes(frame), RESOLUTION[VOLTAGE])[1]
    beyond = pd.Series(np.where(np.isnan(z), np.nan, np.abs(z) > BEYOND_SIGMAS)).groupby(frame[CELL_ID])
    return beyond.mean().sort_values(ascending=False, kind="stable")


def measure(path: Path) -> None:
    """Print the figures of one file."""
    frame = without_imputed(load_battery_table(path, require=(VOLTAGE,)).frame)
    started = time.perf_counter()
    features = fleet_features(frame)
    scores = score_fleet(frame, features, fit_detector(frame, features, seed=0))
    seconds = time.perf_counter() - started
    ranking = rank_cells(scores.rows, scores.events).set_index(CELL_ID)
    plain = plain_shares(frame)
    flagged = scores.rows["anomaly"].mean()
    print(f"\n{path.name}: {len(frame):,} rows, {frame[CELL_ID].nunique()} cells, {seconds:.0f} s")
    print(f"{flagged:.3%} of the rows in {len(scores.events)} events:")
    print(scores.events.groupby(["about", "kind", "signal"]).size().to_string())
    shown = ranking.head(CELLS_SHOWN).assign(
        plain=plain, plain_rank=plain.rank(ascending=False, method="min")
    )
    columns = ["kind", "about", "share", "weight", "plain", "plain_rank", "evidence"]
    print(shown[columns].round(3).to_string())
    print(
        "plain baseline first:", ", ".join(f"{cell} ({share:.1%})" for cell, share in plain.head(5).items())
    )


def main() -> None:
    """Measure every file named on the command line."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for argument in sys.argv[1:]:
        measure(Path(argument))


if __name__ == "__main__":
    main()
