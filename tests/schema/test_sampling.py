"""Row hashes depend on the cell and the time, and on nothing else."""

import numpy as np
import pandas as pd
from bms_schema.data.sampling import hash_sample, row_hashes
from bms_schema.data.table import canonical_table

from tests.schema.fleet import small_fleet


def test_hashes_do_not_depend_on_the_types_of_the_columns():
    frame = canonical_table(small_fleet()).frame
    hashes = row_hashes(frame)
    assert len(np.unique(hashes)) == len(frame)
    for other in (
        frame.astype({"Cell ID": "category"}),
        frame.astype({"Cell ID": "string[pyarrow]"}),
        frame.astype({"Timestamp": "datetime64[us]"}),
    ):
        np.testing.assert_array_equal(row_hashes(other), hashes)


def test_hashes_of_parts_are_those_of_the_whole():
    frame = canonical_table(small_fleet()).frame
    frame.loc[frame["Cell ID"] == "S1/2", "Timestamp"] = pd.NaT
    parts = [row_hashes(part) for _, part in frame.groupby("Cell ID", sort=False)]
    together = np.concatenate(parts)
    np.testing.assert_array_equal(np.sort(together), np.sort(row_hashes(frame)))


def test_without_times_the_row_of_the_input_is_hashed():
    frame = canonical_table(small_fleet().drop(columns="Timestamp")).frame
    assert len(np.unique(row_hashes(frame))) == len(frame)
    untimed = canonical_table(small_fleet().assign(Timestamp=pd.NaT)).frame
    np.testing.assert_array_equal(row_hashes(untimed), row_hashes(frame))


def test_a_sample_holds_the_rows_with_the_smallest_hashes():
    frame = canonical_table(small_fleet()).frame
    hashes = row_hashes(frame)
    chosen = hash_sample(frame, 20)
    assert set(hashes[chosen]) == set(np.sort(hashes)[:20])
