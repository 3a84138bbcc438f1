"""Labels that belong to other cells must teach nothing; the true ones, the same way, much."""

import numpy as np
import pandas as pd
import pytest
from bms_failure.blocks import AT
from bms_failure.cross_fit import out_of_fold_scores
from bms_failure.labels import cell_lives
from bms_failure.moments import cell_moments, is_daily, is_settled
from bms_generate.simulate import simulate_fleet
from bms_schema.data.metrics import auroc
from bms_schema.data.table import canonical_table

HORIZON = 7
PERMUTATIONS = 30


@pytest.fixture(scope="module")
def watched_fleet() -> tuple[pd.DataFrame, pd.Series, pd.Timestamp]:
    """Settled daily moments before any death, the death of each cell (NaT: none), and the end of the record."""
    fleet = simulate_fleet(
        n_strings=8, cells_per_string=24, days=40, interval_minutes=720, seed=5, death_fraction=0.2
    )
    table = canonical_table(fleet.readings)
    lives = cell_lives(table.frame)
    moments = cell_moments(table.frame, table.chemistry, np.zeros(len(table.frame), dtype=int))
    moments = moments[is_daily(moments) & is_settled(moments)].reset_index(drop=True)
    return moments, lives.table.set_index("Cell ID")["death"], fleet.readings["Timestamp"].max()


def held_out_auroc(moments: pd.DataFrame, death: pd.Series, end: pd.Timestamp) -> float:
    """Mean AUROC of two folds by string, each ranked by a model that never saw it."""
    left = (moments["Cell ID"].map(death) - moments[AT]) / pd.Timedelta(days=1)
    alive = ~(left <= 0).to_numpy()
    kept, ahead = moments[alive].reset_index(drop=True), left[alive].to_numpy()
    watched = ((end - kept[AT]) / pd.Timedelta(days=1)).to_numpy()
    fold = kept["string"].str[-1].astype(int).to_numpy() % 2
    scores = out_of_fold_scores(kept, ahead, watched, (HORIZON,), fold, seed=0)["classifier"][:, 0]
    known = watched > HORIZON
    return float(
        np.mean([auroc((ahead <= HORIZON)[known & (fold == n)], scores[known & (fold == n)]) for n in (0, 1)])
    )


def test_true_labels_teach_much(watched_fleet: tuple[pd.DataFrame, pd.Series, pd.Timestamp]) -> None:
    assert held_out_auroc(*watched_fleet) > 0.8


def test_labels_permuted_by_cell_teach_nothing(
    watched_fleet: tuple[pd.DataFrame, pd.Series, pd.Timestamp],
) -> None:
    """Mean over permutations: one alone scatters by 0.07 with so few deaths."""
    moments, death, end = watched_fleet
    found = []
    for seed in range(PERMUTATIONS):
        order = np.random.default_rng(seed).permutation(len(death))
        found.append(held_out_auroc(moments, pd.Series(death.to_numpy()[order], index=death.index), end))
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)
