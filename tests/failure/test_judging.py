"""Folds, calibration, bootstrap and alarms."""

import numpy as np
import pytest
from bms_failure.alerts import Watch, best_threshold, judge
from bms_failure.bootstrap import auroc_draws, weighted_auroc
from bms_failure.calibration import fit_platt
from bms_failure.evaluation import average_precision
from bms_failure.folds import assign_folds, fold_groups
from bms_schema.data.metrics import auroc
from sklearn.metrics import average_precision_score


def test_no_group_is_split_and_every_training_part_has_deaths() -> None:
    groups = np.repeat([f"g{number}" for number in range(12)], 5)
    labels = np.zeros(60)
    labels[[0, 21, 56]] = 1.0
    fold = assign_folds(groups, labels, seed=0)
    for group in np.unique(groups):
        assert len(np.unique(fold[groups == group])) == 1
    for number in np.unique(fold):
        assert labels[fold != number].sum() > 0
    assert len(np.unique(fold)) == 3


def test_one_string_is_folded_by_cell() -> None:
    groups, kind = fold_groups(np.array(["A", "A"]), np.array(["a", "b"]))
    assert groups.tolist() == ["a", "b"]
    assert kind == "Cell ID"


def test_calibration_recovers_known_probabilities() -> None:
    rng = np.random.default_rng(0)
    score = rng.normal(size=20_000)
    truth = 1 / (1 + np.exp(-(1.5 * score - 2.0)))
    labels = (rng.random(20_000) < truth).astype(float)
    assert np.abs(fit_platt(score, labels)(score) - truth).max() < 0.03


def test_calibration_never_turns_a_ranking_round() -> None:
    score = np.arange(100.0)
    risk = fit_platt(score, (score < 10).astype(float))(score)
    np.testing.assert_allclose(risk, 0.1, atol=0.01)


def test_separable_scores_do_not_give_certainty() -> None:
    score = np.r_[np.zeros(50), np.full(4, 10.0)]
    risk = fit_platt(score, (score > 5).astype(float))(score)
    assert risk.max() < 1.0
    assert risk.min() > 0.0


def test_weighted_auroc_with_equal_weights_is_the_auroc() -> None:
    rng = np.random.default_rng(1)
    labels = (rng.random(300) < 0.2).astype(float)
    score = rng.integers(0, 20, 300) + 3.0 * labels
    assert weighted_auroc(labels, score, np.ones(300)) == pytest.approx(auroc(labels, score))


def test_doubling_a_cell_equals_a_weight_of_two() -> None:
    labels, score = np.array([0.0, 1, 0, 1]), np.array([0.1, 0.4, 0.5, 0.9])
    twice = np.r_[0, 1, 2, 2, 3]
    weights = np.array([1.0, 1, 2, 1])
    assert weighted_auroc(labels, score, weights) == pytest.approx(auroc(labels[twice], score[twice]))


def test_bootstrap_draws_are_wider_by_cell_than_by_row() -> None:
    rng = np.random.default_rng(2)
    by_cell = rng.normal(size=20)
    cells = np.repeat(np.arange(20), 50)
    labels, score = (cells < 5).astype(float), by_cell[cells]
    clustered = auroc_draws(labels, {"x": score}, cells.astype(str), seed=0)["x"]
    rowwise = auroc_draws(labels, {"x": score}, np.arange(1000).astype(str), seed=0)["x"]
    assert np.nanstd(clustered) > 3 * np.nanstd(rowwise)


def test_average_precision_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    labels = (rng.random(200) < 0.1).astype(float)
    score = rng.integers(0, 10, 200) + labels
    assert average_precision(labels, score) == pytest.approx(average_precision_score(labels, score))


def watch() -> Watch:
    """Cell 0 dies on day 10; cell 1 lives. H = 3 days."""
    day = np.r_[np.arange(10.0), np.arange(10.0)]
    ahead = np.r_[10.0 - np.arange(10.0), np.full(10, np.nan)]
    return Watch(np.repeat([0, 1], 10), day, (ahead <= 3).astype(float), ahead, 3.0)


def test_a_caught_death_is_one_event_with_its_lead() -> None:
    risk = np.zeros(20)
    risk[8:10] = 0.9
    found = judge(watch(), risk, 0.5)
    assert (found.deaths, found.caught, found.alerts, found.right) == (1, 1, 1, 1)
    assert found.lead_days_median == 2.0
    assert found.recall == found.precision == 1.0


def test_after_an_alert_the_cell_is_quiet_for_one_horizon() -> None:
    risk = np.zeros(20)
    risk[10:17] = 0.9
    assert judge(watch(), risk, 0.5).alerts == 3


def test_an_alert_before_the_horizon_is_a_false_one() -> None:
    risk = np.zeros(20)
    risk[2] = 0.9
    found = judge(watch(), risk, 0.5)
    assert (found.caught, found.alerts, found.right) == (0, 1, 0)


def test_the_best_threshold_separates_what_can_be_separated() -> None:
    risk = np.full(20, 0.1)
    risk[7:10] = 0.8
    threshold = best_threshold(watch(), risk)
    assert judge(watch(), risk, threshold).f1 == 1.0
