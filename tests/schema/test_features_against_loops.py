"""The fast features equal plain loops on odd logs, and depend on nothing that they must not see."""

import numpy as np
import pandas as pd
import pytest
from bms_schema.data.features import add_features, cell_features, feature_names, string_features
from bms_schema.data.moments import moment_codes, order_cells
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.schema.slow_features import odd_log, slow_features

ALL = ["CellVoltage", "CellTemperature", "InstantaneousCurrent", "AmbientTemperature", "CellSpecificGravity"]
ALL += ["Timestamp"]
NAMES = feature_names(ALL)
logs = st.integers(0, 10**6).map(odd_log).filter(len)


def featured(frame: pd.DataFrame) -> pd.DataFrame:
    return add_features(frame, ALL)[NAMES]


@settings(max_examples=25, deadline=None)
@given(logs)
def test_every_feature_equals_plain_loops(frame):
    fast, slow = featured(frame), slow_features(frame)
    for name in NAMES:
        # A rolling variance is right to about 1e-14 of the squares that passed through it: 1e-7 in its root.
        np.testing.assert_allclose(fast[name], slow[name], rtol=1e-6, atol=1e-6, err_msg=name)


@settings(max_examples=15, deadline=None)
@given(logs)
def test_a_string_computed_alone_is_exactly_what_it_is_among_others(frame):
    together = featured(frame)
    for _, rows in frame.groupby("string"):
        pd.testing.assert_frame_equal(featured(rows), together.loc[rows.index], check_exact=True)


@settings(max_examples=15, deadline=None)
@given(logs)
def test_the_second_stage_on_some_cells_is_exactly_that_on_all(frame):
    order = order_cells(frame)
    string_part = string_features(frame, moment_codes(frame, order), ALL)
    together = cell_features(frame, string_part, order, ALL)
    for _, rows in frame.groupby("Cell ID"):
        alone = cell_features(rows, string_part.loc[rows.index], order_cells(rows), ALL)
        pd.testing.assert_frame_equal(alone, together.loc[rows.index], check_exact=True)


@settings(max_examples=15, deadline=None)
@given(logs)
def test_the_order_of_the_rows_changes_nothing(frame):
    shuffled = featured(frame.sample(frac=1, random_state=7)).loc[frame.index]
    pd.testing.assert_frame_equal(shuffled, featured(frame), check_exact=True)


@settings(max_examples=15, deadline=None)
@given(logs, st.floats(0.05, 0.95))
def test_what_comes_later_changes_nothing_before(frame, share):
    until = frame["Timestamp"].quantile(share)
    early = frame[frame["Timestamp"] <= until]
    pd.testing.assert_frame_equal(featured(early), featured(frame).loc[early.index], check_exact=True)


@pytest.mark.parametrize("seed", range(3))
def test_rows_without_a_time_stamp_have_no_part_in_what_is_measured_in_time(seed):
    frame = odd_log(seed)
    made = featured(frame)[frame["Timestamp"].isna()]
    in_time = [name for name in NAMES if name.endswith(("h_v", "d", "_ah", "_h", "_30d_ohm"))]
    assert len(in_time) > 30
    assert made[in_time].isna().all(axis=None)
    assert made["power_w"].notna().any()
