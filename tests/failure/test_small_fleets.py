"""Small and uneven fleets: training answers with finite risks, or says that it cannot."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
import pytest
from bms_failure.answers import Question, find_answer
from bms_failure.calibration import fit_calibrator
from bms_failure.cross_fit import taught_edges
from bms_failure.evaluation import Evidence
from bms_failure.feature_set import FEATURES
from bms_failure.folds import fold_groups
from bms_failure.labels import Lives, can_judge, cell_lives, choose_horizon, days_to_death, days_watched
from bms_failure.model import Training, folds_and_edges, learnable, longest_horizon, train
from bms_failure.moments import HISTORY_DAYS
from bms_failure.risk_metrics import expected_calibration_error
from bms_failure.watch import watch
from bms_failure.wording import say_model
from bms_generate.simulate import SimulatedFleet
from bms_schema.data.table import canonical_table
from bms_schema.run.model_store import ModelMeta

START = pd.Timestamp("2026-01-01")
ALIVE = 10_000
Cell = tuple[str, int, int]  # string, days of record, day of death

# Strings of unequal record length, 9 cells, 3 deaths; A alone was watched for 56 days ahead.
UNEVEN: Sequence[Cell] = (
    ("A", 132, 100), ("A", 132, ALIVE), ("A", 132, ALIVE),
    ("B", 60, 40), ("B", 60, ALIVE), ("B", 60, ALIVE),
    ("C", 50, 30), ("C", 50, ALIVE), ("C", 50, ALIVE),
)  # fmt: skip


def fleet_of(cells: Sequence[Cell], seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, Lives]:
    """Daily moments with features of noise, their groups and lives."""
    parts = []
    for number, (string, days, death) in enumerate(cells):
        day = np.arange(days)
        parts.append(
            pd.DataFrame(
                {
                    "Cell ID": f"{string}/{number:02d}",
                    "string": string,
                    "Timestamp": START + pd.to_timedelta(day, unit="D"),
                    "IsDead": (day >= death).astype(float),
                    HISTORY_DAYS: day.astype(float),
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    frame["source_row"] = np.arange(len(frame))
    lives = cell_lives(frame)
    alive = lives.of_row >= 0
    moments = frame[alive].assign(life=lives.of_row[alive]).rename(columns={"Timestamp": "at"})
    moments = moments.reset_index(drop=True)
    rng = np.random.default_rng(seed)
    noise = {item.name: item.floor * rng.normal(size=len(moments)) for item in FEATURES}
    moments = pd.concat([moments, pd.DataFrame(noise)], axis=1)
    return moments, fold_groups(moments["string"].to_numpy(), moments["Cell ID"].to_numpy())[0], lives


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five trees instead of two hundred: what is tested is whether there is an answer, not how good it is."""
    monkeypatch.setattr("bms_failure.booster.ROUNDS", 5)


def trained_on(cells: Sequence[Cell], asked_days: int, seed: int = 0) -> Training | None:
    moments, groups, lives = fleet_of(cells, seed)
    horizon = choose_horizon(moments, groups, lives, asked_days)
    return None if horizon is None else train(moments, groups, lives, horizon, "lead_acid_flooded", seed)


def assert_finite(found: Evidence) -> None:
    for risks in found.risks.values():
        assert np.isfinite(risks).all()
        assert ((risks >= 0) & (risks <= 1)).all()
        assert (np.diff(risks, axis=1) >= 0).all()
    for method in found.methods.values():
        assert np.isfinite([method.auroc, method.brier_skill, method.ece]).all()


@pytest.mark.usefixtures("few_trees")
def test_risks_end_where_only_one_string_was_watched_for_longer() -> None:
    training = trained_on(UNEVEN, asked_days=7)
    assert training is not None
    assert training.model.horizons[-1] < 56
    assert training.model.horizons[-1] >= training.model.judged_days == 7
    assert_finite(training.evidence)


def random_fleet(seed: int) -> tuple[list[Cell], int]:
    """One to four strings of two or three cells, with records of their own lengths; and the horizon asked for."""
    rng = np.random.default_rng(seed)
    record = {string: int(rng.integers(8, 90)) for string in "ABCD"[: rng.integers(1, 5)]}
    cells = [
        (string, days, int(rng.integers(1, days)) if rng.random() < 0.4 else ALIVE)
        for string, days in record.items()
        for _ in range(rng.integers(2, 4))
    ]
    return cells, int(rng.choice([1, 3, 7, 30, 40]))


@pytest.mark.usefixtures("few_trees")
def test_any_tiny_fleet_is_answered_with_finite_risks_or_refused() -> None:
    """All are dealt into folds; the first three that can be learnt from are trained on."""
    dealt = []
    for seed in range(30):
        cells, asked_days = random_fleet(seed)
        moments, groups, lives = fleet_of(cells, seed)
        horizon = choose_horizon(moments, groups, lives, asked_days)
        if horizon is None:
            continue
        longest = max(longest_horizon(moments, groups, lives, horizon) or horizon, horizon)
        kept = learnable(moments, groups, lives, horizon)
        ahead, watched = (of(moments[kept], lives) for of in (days_to_death, days_watched))
        fold, edges = folds_and_edges(groups[kept], ahead, watched, horizon, longest, seed)
        assert edges[-1] >= horizon
        for number, days in product(np.unique(fold), edges):
            assert np.any((fold != number) & (watched > days) & (ahead <= days))
        dealt.append(seed)
    assert 10 <= len(dealt) < 30
    for seed in dealt[:3]:
        training = trained_on(*random_fleet(seed), seed)
        assert training is not None
        assert_finite(training.evidence)
        assert np.isfinite(training.model.risks(training.moments)).all()


def test_deaths_that_nobody_watched_to_the_horizon_cannot_judge_it() -> None:
    """The strings with deaths have six days of record: a week ahead, not one of the deaths can be judged."""
    short = [(string, 6, 3 if cell == 0 else ALIVE) for string in "AB" for cell in range(3)]
    long = [(string, 60, ALIVE) for string in "CD" for _ in range(3)]
    moments, groups, lives = fleet_of([*short, *long])
    assert not can_judge(moments, groups, lives, 7)
    assert can_judge(moments, groups, lives, 3)
    assert choose_horizon(moments, groups, lives, 7) == 3


def test_a_model_that_nobody_could_judge_is_not_used(readings: pd.DataFrame, fleet: SimulatedFleet) -> None:
    """Without the deaths but those of the last hours, the indicators answer."""
    end = readings["Timestamp"].max()
    dead_late = readings["Timestamp"] > end - pd.Timedelta(hours=12)
    chosen = readings["Cell ID"].isin(["S001/C01", "S002/C01"])
    late = readings.assign(IsDead=(dead_late & chosen).astype(int))
    answer = find_answer(watch(canonical_table(late)), Question(30, "", 10.0, 0), lambda share, words: None)
    assert answer.method == "indicators"
    assert "too late" in answer.why


def test_an_edge_is_taught_only_if_every_fold_leaves_both_classes() -> None:
    ahead = np.array([3.0, np.nan, 3.0, np.nan, 10.0, np.nan])
    watched = np.array([40.0, 40.0, 9.0, 9.0, 40.0, 40.0])
    fold = np.array([0, 0, 1, 1, 2, 2])
    assert taught_edges(ahead, watched, fold, (7, 14, 56)) == (7, 14)
    assert taught_edges(ahead, watched, np.where(fold == 2, 0, fold), (7, 14, 56)) == (7,)


@pytest.mark.parametrize(("label", "expected"), [(0.0, 1 / 12), (1.0, 11 / 12)])
def test_one_class_alone_gives_no_certainty(label: float, expected: float) -> None:
    risk = fit_calibrator(np.arange(10.0), np.full(10, label))(np.array([-50.0, 0.0, 50.0]))
    np.testing.assert_allclose(risk, expected)


def test_no_moment_calibrates_nothing() -> None:
    with pytest.raises(ValueError, match="at least one moment"):
        fit_calibrator(np.zeros(0), np.zeros(0))


def test_an_unknown_risk_has_no_calibration_error() -> None:
    assert np.isnan(expected_calibration_error(np.array([0.0, 1.0]), np.array([0.2, np.nan])))


def test_a_stored_model_without_figures_can_be_named() -> None:
    unknown = {"auroc": None, "auroc_lo95": None, "auroc_hi95": None}
    meta = ModelMeta.model_construct(
        version="v1", metrics={"chosen": "classifier", "methods": {"classifier": unknown}},
        settings={"trained_on": "9 cells of a.csv"},
    )  # fmt: skip
    assert "nobody knows how well" in say_model(meta)
