"""Rows to events, and what the events are called."""

import numpy as np
import pandas as pd
import pytest
from bms_anomaly.events import NO_EVENT, find_events, share_threshold
from bms_anomaly.hybrid import MEMBERS
from bms_anomaly.kinds import events_table
from bms_anomaly.persistence import persistent_score
from bms_schema.data.moments import order_cells

from tests.anomaly.conftest import DROPPED, HOT, SAGGING, SILENT, SPIKED, STUCK


def one_cell(scores, times=None):
    times = pd.date_range("2026-01-01", periods=len(scores), freq="h") if times is None else times
    frame = pd.DataFrame(
        {"Cell ID": "a", "string": "s", "Timestamp": times, "source_row": np.arange(len(scores))}
    )
    return np.asarray(scores, dtype=float), order_cells(frame)


def codes(scores, times=None):
    score, order = one_cell(scores, times)
    return find_events(score, np.full(len(score), 2.0), order).tolist()


def test_an_event_opens_above_one_threshold_and_goes_on_above_a_lower_one():
    assert codes([0, 2.5, 4, 2.5, 0, 2.5, 0]) == [-1, 0, 0, 0, -1, 0, -1]


def test_weak_evidence_alone_is_no_event():
    assert codes([2.9] * 20) == [-1] * 20


def test_short_pauses_are_bridged_and_long_ones_are_not():
    assert codes([4, 0, 0, 4]) == [0, -1, -1, 0]
    assert codes([4, 0, 0, 0, 4]) == [0, -1, -1, -1, 1]


def test_missing_rows_neither_end_an_event_nor_belong_to_it():
    nan = np.nan
    assert codes([4, nan, nan, nan, nan, 4]) == [0, -1, -1, -1, -1, 0]


def test_a_gap_in_time_ends_an_event():
    times = pd.to_datetime(["2026-01-01 00:00", "2026-01-01 01:00", "2026-01-05 00:00", "2026-01-05 01:00"])
    assert codes([4, 4, 4, 4], times) == [0, 0, 1, 1]


def test_the_ends_of_an_event_are_odd_by_themselves():
    score, order = one_cell([4.0] * 15)
    row = np.array([0, 0, 0, 0, 2, 2, 2, 0.5, 2, 2, 2, 0, 0, 0, 0])
    assert np.flatnonzero(find_events(score, row, order) == 0).tolist() == list(range(4, 11))


def test_a_lone_spike_opens_an_event_of_one_row():
    row, order = one_cell(np.r_[np.zeros(50), 5.0, np.zeros(50)])
    score = persistent_score(row, order, timed=True)
    assert np.flatnonzero(find_events(score, row, order) == 0).tolist() == [50]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3])
def test_contamination_flags_the_asked_share_of_the_known_rows(share):
    score = np.r_[np.random.default_rng(0).normal(size=1000), [np.nan] * 100]
    found = score >= share_threshold(score, share)
    assert found.sum() == pytest.approx(1000 * share, abs=2)
    assert not found[1000:].any()


def test_contamination_flags_none_of_many_rows_that_are_all_alike():
    score = np.r_[np.full(95, 1.0), np.full(5, 4.0)]
    assert np.flatnonzero(score >= share_threshold(score, 0.3)).tolist() == [95, 96, 97, 98, 99]
    alike = np.zeros(100)
    assert not (alike >= share_threshold(alike, 0.1)).any()


def test_the_faint_beginning_of_a_drift_shares_in_what_it_grew_into():
    drift = np.concatenate([np.zeros(200), np.linspace(0.0, 8.0, 300)])
    row, order = one_cell(drift)
    score = persistent_score(row, order, timed=True)
    assert (score[240:] > row[240:].clip(max=6) / 2).all()
    assert score[250] > 3 > row[250]
    assert score[:150].max() == 0


def test_every_planted_fault_is_found_and_named(scores):
    kinds = scores.events.groupby("Cell ID")["kind"].agg(set).to_dict()
    assert kinds[STUCK] == {"stuck"}
    assert kinds[HOT] == {"thermal"}
    assert kinds[DROPPED] == {"dropout"}
    assert kinds[SPIKED] == {"spike"}
    assert kinds[SAGGING] == {"deviation"}
    assert SILENT not in kinds


def test_healthy_cells_have_no_events(scores):
    assert set(scores.events["Cell ID"]) == {STUCK, HOT, DROPPED, SPIKED, SAGGING}


def test_an_event_is_described_alike_whatever_its_number(frame, scores):
    hot = (scores.rows["anomaly"] == 1).to_numpy() & (frame["Cell ID"] == HOT).to_numpy()
    score = scores.rows["anomaly_score"].to_numpy()
    first, seventh = (events_table(frame, score, np.where(hot, number, NO_EVENT)) for number in (0, 7))
    pd.testing.assert_frame_equal(first, seventh)


def test_event_times_are_those_of_the_fault_to_half_a_day(scores):
    hot = scores.events.set_index("Cell ID").loc[HOT]
    begin = pd.Timestamp("2026-01-01")
    assert abs((hot["start"] - begin) / pd.Timedelta("1h") - 120) <= 12
    assert abs((hot["end"] - begin) / pd.Timedelta("1h") - 160) <= 12


def test_events_come_worst_first_and_cover_exactly_the_flagged_rows(scores):
    assert scores.events["peak_score"].is_monotonic_decreasing
    assert scores.events["readings"].sum() == scores.rows["anomaly"].sum()


def test_unanswered_rows_have_no_score_and_are_no_anomaly(frame, scores):
    silent = frame["CellVoltage"].isna().to_numpy()
    assert scores.rows.loc[silent, "anomaly_score"].isna().all()
    assert not scores.rows.loc[silent, "anomaly"].any()
    assert scores.rows.loc[~silent, "anomaly_score"].notna().all()


def test_shares_of_the_detectors_add_up_to_one(scores):
    known = scores.rows.dropna(subset=["anomaly_score"])
    shares = known[[f"share_{name}" for name in MEMBERS]]
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert (shares >= 0).all(axis=None)


def test_the_top_signal_is_the_one_that_deviates(scores):
    rows = scores.rows[scores.rows["anomaly"] == 1]
    for cell, signal in ((HOT, "temperature"), (DROPPED, "voltage"), (SAGGING, "voltage")):
        assert rows.loc[rows["Cell ID"] == cell, "top_signal"].mode().item() == signal
