"""Gaps, repeated and backward time stamps are found cell by cell, in the order of the file."""

import numpy as np
import pandas as pd
from bms_preprocess.timeline import examine_timeline

from tests.preprocess.examined import canonical, small


def test_gaps_repeats_and_backward_stamps_are_found() -> None:
    raw = small()
    raw.loc[raw.index >= 30, "Timestamp"] += pd.Timedelta(hours=48)
    raw.loc[9, "Timestamp"] = raw.loc[6, "Timestamp"]  # cell 1 repeats its hour 2
    raw.loc[16, "Timestamp"] = raw.loc[1, "Timestamp"]  # cell 2 falls back to its hour 0
    timeline = examine_timeline(canonical(raw).frame)
    assert timeline.gaps["Cell ID"].tolist() == ["A/1", "A/2", "A/3"]
    assert timeline.gaps["hours"].tolist() == [49.0, 49.0, 49.0]
    assert np.flatnonzero(timeline.after_gap).tolist() == [30, 31, 32]
    assert np.flatnonzero(timeline.duplicates).tolist() == [9, 16]
    assert np.flatnonzero(timeline.backward).tolist() == [16]


def test_backward_stamps_follow_the_file_not_the_frame() -> None:
    frame = canonical(small()).frame
    assert not examine_timeline(frame.sample(frac=1.0, random_state=1)).backward.any()


def test_a_blank_stamp_hides_no_jump_back() -> None:
    raw = small(n_cells=1)
    raw.loc[5, "Timestamp"] = pd.NaT
    raw.loc[6, "Timestamp"] = raw.loc[0, "Timestamp"] - pd.Timedelta(hours=1)
    timeline = examine_timeline(canonical(raw).frame)
    assert np.flatnonzero(timeline.backward).tolist() == [6]
    assert np.flatnonzero(~timeline.timed).tolist() == [5]


def test_a_table_without_times_has_no_gaps() -> None:
    timeline = examine_timeline(canonical(small().drop(columns="Timestamp")).frame)
    assert not timeline.timed.any() and not timeline.duplicates.any() and timeline.gaps.empty


def test_tests_laid_a_day_apart_by_the_reader_are_no_gaps() -> None:
    raw = pd.DataFrame(
        {
            "battery_id": "B1",
            "test_id": np.repeat([1, 2], 20),
            "Time": np.tile(np.arange(20) * 10.0, 2),
            "CellVoltage": 3.6 + 0.01 * (np.arange(40) % 7),
            "CellTemperature": 25.0 + 0.1 * (np.arange(40) % 5),
            "InstantaneousCurrent": -2.0,
        }
    )
    raw.loc[raw.index >= 35, "Time"] += 600.0  # a real pause within the second test
    gaps = examine_timeline(canonical(raw).frame).gaps
    assert gaps["hours"].round(4).tolist() == [round(610 / 3600, 4)]
