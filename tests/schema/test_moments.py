"""Which rows of a string belong together, and where a cell's time has gaps."""

import numpy as np
import pandas as pd
from bms_schema.data.deviation import moment_matrices
from bms_schema.data.moments import moment_codes, order_cells
from bms_schema.data.table import canonical_table

from tests.schema.fleet import small_fleet


def canonical(frame: pd.DataFrame) -> pd.DataFrame:
    return canonical_table(frame).frame


def test_a_cell_without_time_stamps_is_numbered_whatever_the_others_have():
    frame = canonical(small_fleet(1, 4, 10))
    silent = frame["Cell ID"] == "S0/2"
    frame.loc[silent, "Timestamp"] = pd.NaT
    together, alone = order_cells(frame), order_cells(frame[silent])
    numbers = together.restore(together.seconds)[silent.to_numpy()]
    np.testing.assert_array_equal(numbers, np.arange(10.0))
    np.testing.assert_array_equal(numbers, alone.restore(alone.seconds))
    assert not alone.timed.any()


def test_numbered_readings_share_no_moment_with_a_clock_that_stands_at_1970():
    frame = canonical(small_fleet(1, 4, 10))
    frame["Timestamp"] = pd.Timestamp(0) + (frame["Timestamp"] - frame["Timestamp"].min())
    silent = (frame["Cell ID"] == "S0/2").to_numpy()
    frame.loc[silent, "Timestamp"] = pd.NaT
    codes = moment_codes(frame)
    assert not set(codes[silent]) & set(codes[~silent])


def test_a_row_without_a_time_stamp_is_a_moment_and_a_segment_of_its_own():
    frame = canonical(small_fleet(1, 3, 10))
    frame.loc[[4, 8], "Timestamp"] = pd.NaT
    codes, order = moment_codes(frame), order_cells(frame)
    segment = order.restore(order.segment)
    for row in (4, 8):
        assert (codes == codes[row]).sum() == 1
        assert (segment == segment[row]).sum() == 1


def test_a_gap_is_found_in_a_file_of_a_few_rows():
    frame = canonical(small_fleet(1, 1, 6))
    frame.loc[3:, "Timestamp"] += pd.Timedelta(days=1)
    assert order_cells(frame).after_gap.tolist() == [False, False, False, True, False, False]


def test_the_time_of_a_cell_counts_from_its_first_reading():
    frame = canonical(small_fleet(1, 2, 3))
    frame.loc[frame["Cell ID"] == "S0/2", "Timestamp"] += pd.Timedelta(days=400)
    assert order_cells(frame).elapsed_s.tolist() == [0.0, 3600.0, 7200.0] * 2


def test_moments_of_one_size_share_a_matrix_and_small_ones_have_none():
    matrices = moment_matrices(np.array([2, 1, 2, 1, 2, 1, 5, 5, 9, 9, 9, 9]))
    assert [rows.tolist() for rows in matrices] == [[[1, 3, 5], [0, 2, 4]], [[8, 9, 10, 11]]]


def test_a_cell_logged_twice_at_one_moment_is_no_neighbour_of_itself():
    frame = canonical(small_fleet(1, 3, 4))
    twice = pd.concat([frame, frame[frame["Cell ID"] != "S0/3"]], ignore_index=True)
    twice["source_row"] = range(len(twice))
    codes = moment_codes(twice)
    assert not pd.DataFrame({"code": codes, "cell": twice["Cell ID"]}).duplicated().any()
    sizes = pd.Series(codes).groupby(codes).size()
    assert sizes.value_counts().to_dict() == {3: 4, 2: 4}
