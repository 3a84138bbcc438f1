"""Folds, calibration, bootstrap and alarms."""

import numpy as np
import pandas as pd
import pytest
from bms_failure.alerts import Watch, alert_curve, budget_threshold, judge
from bms_failure.bootstrap import Clusters, auroc_draws
from bms_failure.calibration import fit_calibrator
from bms_failure.cross_fit import fit_calibrators
from bms_failure.folds import assign_folds, fold_groups
from bms_failure.risk_metrics import average_precision
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
    assert np.abs(fit_calibrator(score, labels)(score) - truth).max() < 0.03


def test_calibration_never_turns_a_ranking_round() -> None:
    score = np.arange(100.0)
    risk = fit_calibrator(score, (score < 10).astype(float))(score)
    np.testing.assert_allclose(risk, 0.1, atol=0.01)


@pytest.mark.parametrize(("cells", "expected"), [(200, 0.3), (20, 0.2)])
def test_calibration_looks_at_the_later_half_where_enough_die_there(cells: int, expected: float) -> None:
    """A tenth dies early in the record, three tenths late; late deaths: 60, or 6."""
    day, cell = np.repeat([1, 2], cells), np.tile(np.arange(cells), 2)
    dying = np.where(day == 1, cell < 0.1 * cells, cell < 0.3 * cells)
    timeline = pd.DataFrame(
        {
            "Cell ID": cell.astype(str),
            "at": pd.Timestamp("2026-01-01") + pd.to_timedelta(day, unit="D"),
            "ahead": np.where(dying, 3.0, np.nan),
            "watched": 40.0,
        }
    )
    (calibrator,) = fit_calibrators(np.zeros((2 * cells, 1)), timeline, (7,))
    assert calibrator(np.zeros(1))[0] == pytest.approx(expected, abs=0.01)


def test_calibration_follows_a_bend_that_no_line_does() -> None:
    rng = np.random.default_rng(4)
    score = rng.normal(-2.0, 2.0, size=40_000)
    truth = np.where(score < 0.0, 0.02, 0.95)
    labels = (rng.random(40_000) < truth).astype(float)
    calibrator = fit_calibrator(score, labels)
    line = np.abs(calibrator.line(score[:, None]) - truth).mean()
    assert np.abs(calibrator(score) - truth).mean() < line


def test_separable_scores_do_not_give_certainty() -> None:
    score = np.r_[np.zeros(50), np.full(4, 10.0)]
    risk = fit_calibrator(score, (score > 5).astype(float))(score)
    assert risk.max() < 1.0
    assert risk.min() > 0.0


def test_auroc_in_each_draw_agrees_with_a_slow_computation() -> None:
    """A cluster drawn twice counts twice; score ties count half; a draw without one of the classes has none."""
    rng = np.random.default_rng(1)
    cluster = rng.integers(0, 6, 300)
    labels = ((rng.random(300) < 0.2) & (cluster < 2)).astype(float)
    score = rng.integers(0, 20, 300) + 3.0 * labels
    clusters = Clusters(cluster, seed=3)
    times = np.column_stack([clusters.sums((cluster == c) / np.sum(cluster == c)) for c in range(6)])
    drawn = [np.repeat(np.arange(300), row[cluster].round().astype(int)) for row in times]
    wanted = [auroc(labels[rows], score[rows]) if labels[rows].any() else np.nan for rows in drawn]
    assert 0 < np.isnan(wanted).sum() < 100
    np.testing.assert_allclose(auroc_draws(labels, score, clusters), wanted, rtol=1e-12)


def test_bootstrap_draws_are_wider_by_cell_than_by_row() -> None:
    rng = np.random.default_rng(2)
    by_cell = rng.normal(size=20)
    cells = np.repeat(np.arange(20), 50)
    labels, score = (cells < 5).astype(float), by_cell[cells]
    clustered = auroc_draws(labels, score, Clusters(cells, seed=0))
    rowwise = auroc_draws(labels, score, Clusters(np.arange(1000), seed=0))
    assert np.nanstd(clustered) > 3 * np.nanstd(rowwise)


def test_average_precision_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    labels = (rng.random(200) < 0.1).astype(float)
    score = rng.integers(0, 10, 200) + labels
    assert average_precision(labels, score) == pytest.approx(average_precision_score(labels, score))


def watch(horizon: float = 3.0) -> Watch:
    """Cell 0 dies on day 10; cell 1 lives; both were watched for 40 days. H = 3 days."""
    day = np.r_[np.arange(10.0), np.arange(40.0)]
    ahead = np.r_[10.0 - np.arange(10.0), np.full(40, np.nan)]
    return Watch(np.repeat([0, 1], [10, 40]), day, ahead, 40.0 - day, horizon)


def test_a_caught_death_is_one_event_with_its_lead() -> None:
    risk = np.zeros(50)
    risk[8:10] = 0.9
    found = judge(watch(), risk, 0.5)
    assert (found.deaths, found.caught, found.alerts, found.right) == (1, 1, 1, 1)
    assert found.lead_days_median == 2.0
    assert found.recall == found.precision == 1.0
    assert found.per_week == pytest.approx(1000 * 7 / 50)


def test_after_an_alert_the_cell_is_quiet_for_a_short_horizon_or_thirty_days() -> None:
    risk = np.zeros(50)
    risk[10:17] = 0.9
    assert judge(watch(), risk, 0.5).alerts == 3
    risk[10:50] = 0.9
    assert judge(watch(horizon=35.0), risk, 0.5).alerts == 2


def test_an_alert_before_the_horizon_is_a_false_one() -> None:
    risk = np.zeros(50)
    risk[2] = 0.9
    found = judge(watch(), risk, 0.5)
    assert (found.caught, found.alerts, found.right, found.precision) == (0, 1, 0, 0.0)


def test_an_alert_whose_horizon_the_data_do_not_reach_is_neither_right_nor_wrong() -> None:
    risk = np.zeros(50)
    risk[49] = 0.9
    found = judge(watch(), risk, 0.5)
    assert (found.alerts, found.resolved) == (1, 0)
    assert np.isnan(found.precision)


def test_alerts_agree_with_the_definition_read_aloud() -> None:
    """A slow oracle: go through every cell day by day."""
    rng = np.random.default_rng(3)
    n, days = 30, 60
    death = np.where(rng.random(n) < 0.5, rng.integers(20, 60, n), 10_000)
    rows = [(cell, day, death[cell] - day) for cell in range(n) for day in range(min(days, death[cell]))]
    cell, day, ahead = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    seen = Watch(cell.astype(int), day, np.where(ahead > 1000, np.nan, ahead), days - day, 10.0)
    risk = rng.random(len(cell))
    alerts, caught, quiet = 0, set(), {}
    for position in range(len(cell)):
        if risk[position] >= 0.9 and day[position] >= quiet.get(cell[position], -1):
            quiet[cell[position]] = day[position] + 10
            alerts += 1
            if ahead[position] <= 10:
                caught.add(cell[position])
    found = judge(seen, risk, 0.9)
    assert (found.alerts, found.caught) == (alerts, len(caught))


def test_the_threshold_separates_what_can_be_separated() -> None:
    risk = np.full(50, 0.1)
    risk[7:10] = 0.8
    threshold = budget_threshold(watch(), risk, per_week=1000.0)
    assert judge(watch(), risk, threshold).f1 == 1.0


def test_the_budget_of_alerts_is_kept() -> None:
    rng = np.random.default_rng(5)
    day, cell = np.tile(np.arange(100.0), 50), np.repeat(np.arange(50), 100)
    dying = cell < 25
    seen = Watch(cell, day, np.where(dying, 100.0 - day, np.nan), 200.0 - day, 30.0)
    risk = rng.random(5000) + 0.3 * dying
    rates = [judge(seen, risk, budget_threshold(seen, risk, per_week)).per_week for per_week in (5, 20, 60)]
    assert all(rate <= per_week for rate, per_week in zip(rates, (5, 20, 60), strict=True))
    assert rates == sorted(rates) and rates[0] < rates[2]
    curve = alert_curve(seen, risk)
    assert curve["threshold"].is_monotonic_decreasing
    assert curve["per_week"].is_monotonic_increasing


def test_the_budget_is_a_maximum_also_for_a_fleet_that_loses_more_cells() -> None:
    day, cell = np.tile(np.arange(30.0), 20), np.repeat(np.arange(20), 30)
    dying = cell < 10
    seen = Watch(cell, day, np.where(dying, 30.0 - day, np.nan), 80.0 - day, 30.0)
    risk = np.where(dying, 0.6 + 0.01 * cell, 0.01)
    curve = alert_curve(seen, risk)
    assert curve["deaths_per_week"].tolist() == pytest.approx([1000 * 7 * 10 / 600] * len(curve))
    found = judge(seen, risk, budget_threshold(seen, risk, per_week=50.0))
    assert 0 < found.per_week <= 50.0
    assert found.precision == 1.0
