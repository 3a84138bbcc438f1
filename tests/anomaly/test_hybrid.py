"""The estimator's contract on any numeric table."""

import numpy as np
import pytest
from bms_anomaly import HybridDetector
from bms_anomaly.ensemble import MEMBERS
from bms_anomaly.neighbours import Neighbours
from bms_anomaly.scaling import RobustScaling
from bms_anomaly.tails import TailCalibration
from bms_anomaly.weights import skills, weights
from bms_schema.data.metrics import auroc
from bms_schema.run.errors import InvalidArgument, NotEnoughData
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(600, 4)) @ RNG.normal(size=(4, 4))
ODD = NORMAL[:40] + RNG.choice([-12.0, 12.0], size=(40, 4))


@pytest.fixture(scope="module")
def fitted():
    return HybridDetector().fit(NORMAL)


def test_odd_rows_score_higher(fitted):
    scores = fitted.score_samples(np.vstack([NORMAL, ODD]))
    assert auroc(np.r_[np.zeros(600), np.ones(40)], scores) > 0.99


def test_predict_says_one_for_odd_rows_and_zero_for_normal_ones(fitted):
    assert fitted.predict(ODD).mean() > 0.95
    assert set(fitted.predict(NORMAL)) <= {0, 1}
    assert fitted.predict(NORMAL).mean() < 0.1


def test_scores_never_saturate(fitted):
    scores = fitted.score_samples(np.outer([10.0, 100.0, 1e3, 1e6], np.ones(4)))
    assert (np.diff(scores) > 0.5).all()


def test_contamination_sets_the_share_of_flagged_training_rows():
    flagged = HybridDetector(contamination=0.1).fit(NORMAL).predict(NORMAL)
    assert flagged.mean() == pytest.approx(0.1, abs=0.01)


def test_a_fifth_of_anomalies_in_training_does_not_teach_the_members():
    mixed = np.vstack([NORMAL, NORMAL[:150] + RNG.choice([-9.0, 9.0], size=(150, 4))])
    scores = HybridDetector().fit(mixed).score_samples(mixed)
    assert auroc(np.r_[np.zeros(600), np.ones(150)], scores) > 0.97


def test_the_same_seed_gives_the_same_scores_and_another_seed_others(fitted):
    again, other = HybridDetector().fit(NORMAL), HybridDetector(random_state=1).fit(NORMAL)
    assert np.array_equal(again.score_samples(NORMAL), fitted.score_samples(NORMAL))
    assert not np.array_equal(other.score_samples(NORMAL), fitted.score_samples(NORMAL))


def test_the_global_random_state_of_torch_is_left_alone():
    import torch

    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    HybridDetector().fit(NORMAL[:50])
    assert torch.equal(torch.rand(1), expected)


def test_a_missing_value_counts_as_the_middle_of_its_column(fitted):
    row, middle = NORMAL[:1].copy(), NORMAL[:1].copy()
    row[0, 2], middle[0, 2] = np.nan, np.median(NORMAL[:, 2])
    assert fitted.score_samples(row) == pytest.approx(fitted.score_samples(middle))


def test_a_constant_column_that_moves_is_noticed():
    x = np.column_stack([NORMAL, np.full(600, 7.0)])
    detector = HybridDetector().fit(x)
    moved = x[:1].copy()
    moved[0, 4] = 30.0
    assert detector.score_samples(moved) > detector.score_samples(x[:1]) + 1


def test_many_rows_are_handled_without_the_exact_svm():
    x = np.random.default_rng(1).normal(size=(9_000, 3))
    detector = HybridDetector().fit(x)
    assert type(detector.members_.svm).__name__ == "Pipeline"
    assert detector.predict([[9.0, -9.0, 9.0]]).tolist() == [1]


def test_it_is_a_scikit_learn_estimator():
    copy = clone(HybridDetector(contamination=0.2, random_state=4))
    assert copy.get_params() == {
        "contamination": 0.2,
        "false_alarm_rate": 1e-3,
        "random_state": 4,
        "device": "cpu",
    }
    with pytest.raises(NotFittedError):
        copy.predict(NORMAL)


@pytest.mark.parametrize("share", [0.0, 0.6, -1.0])
@pytest.mark.parametrize("name", ["contamination", "false_alarm_rate"])
def test_an_impossible_share_is_refused(name, share):
    with pytest.raises(InvalidArgument, match=name):
        HybridDetector(**{name: share}).fit(NORMAL)


def test_too_few_rows_and_another_width_are_refused(fitted):
    with pytest.raises(NotEnoughData, match="19 rows"):
        HybridDetector().fit(NORMAL[:19])
    with pytest.raises(InvalidArgument, match="columns"):
        fitted.predict(NORMAL[:, :2])


def test_a_training_row_is_no_neighbour_of_itself(fitted):
    """Rows moved by a hair are new rows next to a training row, so they look less odd than the row itself."""
    neighbours = MEMBERS.index("neighbours")
    itself = fitted.member_scores(NORMAL)[:, neighbours]
    beside = fitted.member_scores(NORMAL + 1e-9)[:, neighbours]
    assert (beside <= itself + 1e-9).all()
    assert itself.mean() == pytest.approx(
        np.log10(np.e), abs=0.08
    )  # the mean -log10 of uniform probabilities
    assert beside.mean() < itself.mean() - 0.2


def test_the_false_alarm_rate_holds_on_rows_never_seen():
    rows = np.random.default_rng(5).standard_t(5, size=(8_000, 4))
    detector = HybridDetector(false_alarm_rate=0.02).fit(rows[:1_500])
    assert detector.predict(rows[1_500:]).mean() == pytest.approx(0.02, abs=0.01)


def test_the_false_alarm_rate_holds_for_groups_never_seen_when_groups_are_told():
    rng = np.random.default_rng(6)
    cells = np.repeat(np.arange(60), 50)
    rows = rng.normal(size=(60, 3))[cells] + 0.1 * rng.normal(size=(3_000, 3))
    seen = cells < 30
    told = HybridDetector(false_alarm_rate=0.05).fit(rows[seen], groups=cells[seen])
    untold = HybridDetector(false_alarm_rate=0.05).fit(rows[seen])
    assert told.predict(rows[~seen]).mean() < 0.2 < untold.predict(rows[~seen]).mean()


def test_weights_sum_to_one_and_depend_on_the_rows(fitted):
    grid = np.stack(np.meshgrid(*[np.arange(6.0)] * 4), axis=-1).reshape(-1, 4)  # no structure but the grid
    other = HybridDetector().fit(grid)
    for detector in (fitted, other):
        assert detector.weights_.sum() == pytest.approx(1.0)
        assert (detector.weights_ >= 0).all()
    assert not np.allclose(fitted.weights_, other.weights_, atol=0.01)


def test_a_member_that_sees_nothing_made_up_weighs_nothing():
    def raw_scores(rows):
        constant = np.zeros(len(rows))
        return np.column_stack([constant, np.abs(rows).sum(axis=1), constant, constant, constant])

    rows = np.random.default_rng(0).normal(size=(300, 3))
    assert weights(skills(raw_scores, rows, 0)).tolist() == [0.0, 1.0, 0.0, 0.0, 0.0]


def test_latent_axes_are_ordered_by_spread(fitted):
    spread = fitted.latent(NORMAL).std(axis=0)
    assert len(spread) == 2
    assert (np.diff(spread) <= 0).all()
    assert fitted.latent(NORMAL).mean(axis=0) == pytest.approx(np.zeros(2), abs=1e-6)


def test_scores_do_not_depend_on_which_rows_are_scored_together(fitted):
    together = fitted.member_scores(np.vstack([NORMAL] * 30))  # more than one slice
    assert together[: len(NORMAL)] == pytest.approx(fitted.member_scores(NORMAL), abs=1e-5)
    assert fitted.member_scores(NORMAL[7:8]) == pytest.approx(together[7:8], abs=1e-5)
    assert fitted.score_samples(np.empty((0, 4))).shape == (0,)


def test_nearest_neighbours_equal_a_slow_search():
    z = np.random.default_rng(2).normal(size=(400, 3))
    member = Neighbours.fitted(z[:300], seed=0)
    assert list(member.blocks) == [8, 2]
    rows = z[300:]
    slow = np.zeros(len(rows))
    for space, weight in zip(member.spaces, (2 / 3, 1 / 3), strict=True):
        distance = np.linalg.norm((rows @ space.axes)[:, None] - space.core[None], axis=2)
        block = np.arange(len(space.core)) % 8
        for joined in (1, 4):
            nearest = [distance[:, block // joined == b].min(axis=1) for b in range(8 // joined)]
            slow += weight * np.log(np.mean(nearest, axis=0)) / 2
    assert member.score(rows) == pytest.approx(slow, abs=1e-4)


def test_tail_probabilities_mean_what_they_say():
    draws = np.random.default_rng(0).exponential(size=20_000)
    tail = TailCalibration.fitted(draws[:10_000])
    log10 = tail.log10_tail(draws[10_000:])
    for decades in (0.5, 1.0, 2.0, 3.0):
        assert (log10 >= decades).mean() == pytest.approx(10**-decades, rel=0.4)
    assert tail.log10_tail(np.array([np.log(1e6)])) == pytest.approx(6.0, abs=0.6)


def test_the_score_at_a_probability_is_the_inverse_of_the_tail():
    tail = TailCalibration.fitted(np.random.default_rng(1).exponential(size=5_000))
    for probability in (0.3, 0.05, 0.01, 1e-4):
        assert tail.log10_tail(np.array([tail.score_at(probability)])) == pytest.approx(
            -np.log10(probability), abs=0.01
        )


def test_tails_of_constant_scores_are_finite():
    tail = TailCalibration.fitted(np.ones(50))
    assert np.isfinite(tail.log10_tail(np.array([0.0, 1.0, 5.0]))).all()


def test_scaling_is_unmoved_by_a_tenth_of_wild_values():
    clean = np.random.default_rng(0).normal(5.0, 2.0, size=(1000, 1))
    wild = np.vstack([clean, np.full((100, 1), 1e9)])
    scaling = RobustScaling.fitted(wild)
    assert scaling.centre == pytest.approx([5.0], abs=0.5)
    assert scaling.scale == pytest.approx([2.0], abs=0.5)
