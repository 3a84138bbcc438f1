import numpy as np
import pandas as pd
import pytest
from bms_failure import FailureClassifier
from bms_failure.cross_fit import out_of_fold_scores
from bms_failure.folds import assign_folds, fold_groups
from bms_failure.labels import cell_lives, days_to_death, days_watched
from bms_failure.moments import cell_moments, is_daily
from bms_schema.data.metrics import auroc
from bms_schema.data.table import canonical_table
from bms_schema.run.errors import MissingColumn, NotEnoughData

HORIZON = 5


@pytest.fixture(scope="module")
def fitted(readings: pd.DataFrame) -> FailureClassifier:
    return FailureClassifier(horizon=HORIZON, random_state=0).fit(readings)


def test_the_chosen_method_is_at_least_as_good_as_every_other(fitted: FailureClassifier) -> None:
    methods = fitted.evidence_.methods
    assert methods[fitted.method_].brier_skill == max(found.brier_skill for found in methods.values())
    assert methods[fitted.method_].auroc > 0.7


def test_risks_hold_on_average(fitted: FailureClassifier) -> None:
    evidence = fitted.evidence_
    risk = evidence.methods[fitted.method_].risk
    assert risk.mean() == pytest.approx(evidence.labels.mean(), rel=0.3)
    assert np.mean((risk - evidence.labels) ** 2) < np.var(evidence.labels)


def test_a_deaths_group_was_never_trained_on(readings: pd.DataFrame) -> None:
    """Killing the cells of a test group must leave its out-of-fold scores equal."""
    table = canonical_table(readings)
    lives = cell_lives(table.frame)
    moments = cell_moments(table.frame, table.chemistry, lives.of_row)
    moments = moments[is_daily(moments)].reset_index(drop=True)
    ahead, watched = days_to_death(moments, lives), days_watched(moments, lives)
    groups, _ = fold_groups(moments["string"].to_numpy(), moments["Cell ID"].to_numpy())
    fold = assign_folds(groups, (ahead <= HORIZON).astype(float), seed=0)
    scores = out_of_fold_scores(moments, ahead, watched, (1, HORIZON), fold, seed=0)["classifier"]
    killed = np.where(fold == 0, np.where(np.isnan(ahead), 2.0, np.nan), ahead)
    again = out_of_fold_scores(moments, killed, watched, (1, HORIZON), fold, seed=0)["classifier"]
    np.testing.assert_array_equal(scores[fold == 0], again[fold == 0])
    assert not np.array_equal(scores[fold != 0], again[fold != 0])


def test_fitting_twice_gives_the_same_risks(fitted: FailureClassifier, readings: pd.DataFrame) -> None:
    shuffled = readings.sample(frac=1, random_state=3)
    again = FailureClassifier(horizon=HORIZON, random_state=0).fit(shuffled)
    pd.testing.assert_frame_equal(fitted.predict_cells(readings), again.predict_cells(shuffled))


def test_probabilities_belong_to_rows_and_know_no_future(
    fitted: FailureClassifier, readings: pd.DataFrame
) -> None:
    risk = fitted.predict_proba(readings)
    assert risk.shape == (len(readings), 2)
    np.testing.assert_allclose(risk.sum(axis=1), 1.0)
    assert np.isfinite(risk).all()
    early = (readings["Timestamp"] < "2026-01-12").to_numpy()
    np.testing.assert_allclose(fitted.predict_proba(readings[early]), risk[early], atol=1e-6)


def test_a_row_never_sees_the_rest_of_its_quarter_day(
    fitted: FailureClassifier, readings: pd.DataFrame
) -> None:
    changed = readings.copy()
    late = changed["Timestamp"] == pd.Timestamp("2026-01-20 09:00")  # the second reading of 06:00-12:00
    changed.loc[late, "CellVoltage"] -= 0.5 * (np.arange(int(late.sum())) % 2)
    before = (readings["Timestamp"] < "2026-01-20 09:00").to_numpy()
    risk, after = fitted.predict_proba(readings), fitted.predict_proba(changed)
    np.testing.assert_array_equal(risk[before], after[before])
    assert not np.array_equal(risk[late.to_numpy()], after[late.to_numpy()])


def test_labels_are_no_input_of_prediction(fitted: FailureClassifier, readings: pd.DataFrame) -> None:
    turned = readings.assign(IsDead=1 - readings["IsDead"])
    np.testing.assert_array_equal(fitted.predict_proba(readings), fitted.predict_proba(turned))


def test_dying_cells_stand_above_the_others(fitted: FailureClassifier, readings: pd.DataFrame) -> None:
    risk = fitted.predict_proba(readings)[:, 1]
    assert auroc(readings["IsDead"], risk) > 0.8


def test_groups_may_be_given(readings: pd.DataFrame) -> None:
    by_pair = readings["string"].map({"S001": 0, "S002": 0, "S003": 1, "S004": 1}).to_numpy()
    model = FailureClassifier(horizon=HORIZON).fit(readings, by_pair)
    assert model.evidence_.labels.sum() > 0


def test_a_horizon_that_cannot_be_labelled_is_refused(readings: pd.DataFrame) -> None:
    with pytest.raises(NotEnoughData, match="56 days"):
        FailureClassifier(horizon=56).fit(readings)


def test_without_labels_there_is_nothing_to_fit(readings: pd.DataFrame) -> None:
    with pytest.raises(MissingColumn, match="IsDead"):
        FailureClassifier().fit(readings.drop(columns="IsDead"))
