import numpy as np
import pandas as pd
import pytest
from bms_schema.data.metrics import auroc, coverage, mase, rmse
from bms_schema.data.sampling import hash_sample
from bms_schema.data.splits import grouped_folds, rolling_origins
from bms_schema.data.table import canonical_table
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tests.schema.fleet import small_fleet


@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=60).filter(lambda groups: len(set(groups)) > 1),
    st.integers(0, 9),
)
def test_no_group_is_on_both_sides_and_every_row_is_tested_once(groups, seed):
    groups = np.array(groups)
    tested = []
    for train, test in grouped_folds(groups, min(3, len(set(groups))), seed):
        assert not set(groups[train]) & set(groups[test])
        assert len(test) > 0
        tested += test.tolist()
    assert sorted(tested) == list(range(len(groups)))


def test_more_folds_than_groups_are_refused():
    with pytest.raises(ValueError, match="5 folds of 2 groups"):
        list(grouped_folds(np.array([0, 1]), 5))


def test_rolling_origins_leave_enough_to_train_on_and_end_at_the_end():
    assert rolling_origins(100, 24, 3, 40) == [52, 76]
    assert rolling_origins(30, 24, 3, 40) == []


@given(st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2, max_size=50))
def test_auroc_equals_the_reference(pairs):
    truth, score = zip(*pairs, strict=True)
    if len(set(truth)) == 1:
        assert np.isnan(auroc(truth, score))
    else:
        assert auroc(truth, score) == pytest.approx(roc_auc_score(truth, score))


def test_metrics_ignore_what_is_missing_and_say_when_they_are_undefined():
    assert rmse([1.0, np.nan], [1.0, 3.0]) == 0.0
    assert np.isnan(rmse([np.nan], [1.0]))
    assert np.isnan(mase([1.0], [1.0], [2.0, 2.0, 2.0]))
    assert mase([5.0], [3.0], [0.0, 0.0, 2.0, 2.0], season=2) == 1.0
    assert np.isnan(coverage([], [], []))


def test_a_sample_does_not_depend_on_the_rows_order():
    table = canonical_table(small_fleet()).frame
    shuffled = table.sample(frac=1, random_state=2).reset_index(drop=True)
    one, two = table.iloc[hash_sample(table, 20)], shuffled.iloc[hash_sample(shuffled, 20)]
    pd.testing.assert_frame_equal(one.reset_index(drop=True), two.reset_index(drop=True))
    assert len(hash_sample(table, 10**9)) == len(table)
