"""Files of tests: seconds within a test become time stamps."""

import numpy as np
import pandas as pd
import pytest
from bms_schema.data.columns import PREPROCESS_REQUIRED
from bms_schema.data.plan import apply_plan, make_plan
from bms_schema.data.survey import merge_surveys, survey_chunk
from bms_schema.data.table import canonical_table
from bms_schema.run.errors import UnreadableTable

DAY = pd.Timedelta(days=1)


def lab_file() -> pd.DataFrame:
    """Return two cells with three tests each, every test's clock starting at 0; test 10 comes after test 9."""
    rows = [
        (cell, test, second)
        for cell in ("B1", "B2")
        for test in (1, 9, 10)
        for second in np.arange(0.0, 100.0 + test, 10.5)
    ]
    frame = pd.DataFrame(rows, columns=["battery_id", "test_id", "Time"])
    return frame.assign(Voltage_measured=3.7, Temperature_measured=24.0, Current_measured=-2.0)


def test_tests_of_a_cell_follow_one_another_with_a_day_between():
    table = canonical_table(lab_file(), require=PREPROCESS_REQUIRED)
    one = table.frame[table.frame["Cell ID"] == "B1"]
    assert one["Timestamp"].iloc[0] == pd.Timestamp("1970-01-01")
    assert one["Timestamp"].is_monotonic_increasing
    steps = one["Timestamp"].diff()[one["test_id"].diff() > 0]
    assert ((steps >= DAY) & (steps < DAY + pd.Timedelta(seconds=2))).all()
    assert any("dates mean nothing" in note for note in table.notes)
    assert set(table.frame["string"]) == {"B1", "B2"}


def test_tests_are_laid_out_alike_in_any_chunks_and_order():
    frame = lab_file().assign(source_row=lambda f: range(len(f)))
    shuffled = frame.sample(frac=1, random_state=0)
    parts = [shuffled.iloc[:13], shuffled.iloc[13:20], shuffled.iloc[20:]]
    plan = make_plan(merge_surveys([survey_chunk(part) for part in parts]), require=PREPROCESS_REQUIRED)
    read = pd.concat([apply_plan(part, plan) for part in parts]).sort_values("source_row")
    whole = canonical_table(frame, require=PREPROCESS_REQUIRED).frame
    pd.testing.assert_frame_equal(read.reset_index(drop=True), whole)


@pytest.mark.parametrize(
    "start", ["[2010. 7. 21. 15. 0. 35.093]", "2010-07-21T15:00:35.093", "21/07/2010 15:00:35.093"]
)
def test_a_start_column_dates_the_tests(start):
    table = canonical_table(lab_file().assign(start_time=start), require=PREPROCESS_REQUIRED)
    second = table.frame["Timestamp"].iloc[1]
    assert second == pd.Timestamp("2010-07-21 15:00:35.093") + pd.Timedelta(seconds=10.5)
    assert any("'start_time' plus elapsed seconds" in note for note in table.notes)


def test_elapsed_times_without_a_test_number_are_refused_with_advice():
    with pytest.raises(UnreadableTable, match="add a column 'session'"):
        canonical_table(lab_file().drop(columns="test_id"), require=PREPROCESS_REQUIRED)


def test_a_test_without_number_or_a_reading_without_time_has_no_time_stamp():
    frame = lab_file().astype({"test_id": object, "Time": object})
    frame.loc[2, "test_id"], frame.loc[5, "Time"] = None, None
    missing = canonical_table(frame, require=PREPROCESS_REQUIRED).frame["Timestamp"].isna()
    assert missing[missing].index.tolist() == [2, 5]


def test_a_cycle_column_beside_real_time_stamps_is_just_carried():
    frame = lab_file().assign(Time=pd.Timestamp("2020-01-01"), cycle=7)
    read = canonical_table(frame, require=PREPROCESS_REQUIRED).frame
    assert (read["Timestamp"] == pd.Timestamp("2020-01-01")).all()
    assert (read["cycle"] == 7).all()
