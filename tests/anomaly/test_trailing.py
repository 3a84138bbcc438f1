"""The trailing score: a reading judged at its own moment, by what came before alone."""

import numpy as np
import pandas as pd
import pytest
from bms_anomaly.events import OPEN_SCORE
from bms_anomaly.scoring import score_frame
from bms_anomaly.trailing import trailing_scores
from bms_schema.data.table import canonical_table

from tests.anomaly.conftest import CELLS, HOT, SAGGING, SILENT, SPIKED, quiet_fleet

# Nearest neighbours are found in single precision; its last digit depends on which rows are asked for together.
SINGLE_PRECISION = 1e-4
START = pd.Timestamp("2026-01-01")
SIGNALS = ["CellVoltage", "CellTemperature", "CellSpecificGravity"]


def up_to(fleet, hour):
    """The canonical frame of a fleet's readings of the first hours."""
    return canonical_table(fleet[fleet["Timestamp"] <= START + pd.Timedelta(hours=hour)]).frame


def by_reading(rows):
    """Trailing scores and flags, by cell and time."""
    return rows.set_index(["Cell ID", "Timestamp"])[["trailing_score", "anomaly", "top_signal"]].sort_index()


@pytest.mark.parametrize("hour", [33, 150])
def test_it_is_the_score_in_the_rows_up_to_then(fleet, detector, hour):
    now = up_to(fleet, hour)
    found, expected = trailing_scores(now, detector), score_frame(now, detector)
    newest = expected[expected["Timestamp"] == now["Timestamp"].max()]
    assert len(found) == 2 * CELLS and found["anomaly"].any()
    pd.testing.assert_frame_equal(found, newest.rename(columns={"anomaly_score": "trailing_score"}))


def test_later_rows_change_nothing_however_wild(fleet, detector):
    before = trailing_scores(up_to(fleet, 150), detector, moments=3)
    wild = fleet.copy()
    later = wild["Timestamp"] > START + pd.Timedelta(hours=150)
    wild.loc[later, SIGNALS] = np.random.default_rng(0).uniform(1.5, 2.9, (later.sum(), 3))
    after = trailing_scores(up_to(wild, 152), detector, moments=5)
    then = by_reading(after).loc[by_reading(before).index]
    pd.testing.assert_frame_equal(then, by_reading(before), rtol=0, atol=SINGLE_PRECISION)


def test_each_of_several_moments_is_scored_as_if_it_were_the_last(fleet, detector):
    together = trailing_scores(up_to(fleet, 150), detector, moments=2)
    one_by_one = pd.concat([trailing_scores(up_to(fleet, hour), detector) for hour in (149, 150)])
    assert len(together) == 2 * 2 * CELLS
    pd.testing.assert_frame_equal(by_reading(together), by_reading(one_by_one), rtol=0, atol=SINGLE_PRECISION)


def test_it_has_no_hindsight(fleet, frame, detector):
    before = SAGGING, START + pd.Timedelta(hours=139)
    whole = score_frame(frame, detector).set_index(["Cell ID", "Timestamp"])["anomaly_score"]
    then = by_reading(trailing_scores(up_to(fleet, 139), detector))["trailing_score"]
    assert then[before] < 1.0 < whole[before]


def test_a_fault_is_flagged_while_it_goes_on(fleet, detector):
    spiked = trailing_scores(up_to(fleet, 150), detector).set_index("Cell ID")
    assert spiked.loc[SPIKED, "anomaly"] == 1 and spiked.loc[SPIKED, "top_signal"] == "voltage"
    later = trailing_scores(up_to(fleet, 170), detector).set_index("Cell ID")
    assert later.index[later["anomaly"] == 1].tolist() == [SAGGING]
    assert later["trailing_score"].idxmax() == SAGGING


def test_a_cell_that_has_recovered_no_longer_scores_like_an_event(fleet, detector):
    rows = trailing_scores(up_to(fleet, 170), detector).set_index("Cell ID")
    assert rows.loc[HOT, "anomaly"] == 0 and rows.loc[HOT, "trailing_score"] <= OPEN_SCORE
    seen = score_frame(up_to(fleet, 170), detector)
    assert seen.groupby("Cell ID")["anomaly_score"].last()[HOT] > OPEN_SCORE


def test_a_cell_that_does_not_answer_has_no_score_and_is_no_anomaly(fleet, detector):
    rows = trailing_scores(up_to(fleet, 100), detector).set_index("Cell ID")
    assert np.isnan(rows.loc[SILENT, "trailing_score"]) and rows.loc[SILENT, "anomaly"] == 0
    assert rows["trailing_score"].drop(SILENT).notna().all()


def test_a_cell_that_stopped_reporting_is_scored_at_its_last_reading(fleet, detector):
    stopped = fleet[(fleet["Cell ID"] != "S1/7") | (fleet["Timestamp"] <= START + pd.Timedelta(hours=90))]
    then = by_reading(trailing_scores(up_to(stopped, 90), detector)).loc[["S1/7"]]
    now = by_reading(trailing_scores(up_to(stopped, 120), detector)).loc[["S1/7"]]
    pd.testing.assert_frame_equal(now, then, rtol=0, atol=SINGLE_PRECISION)


def test_it_does_not_depend_on_the_order_of_rows(fleet, detector):
    shuffled = fleet.sample(frac=1.0, random_state=2)
    now, again = (trailing_scores(up_to(rows, 60), detector, moments=2) for rows in (fleet, shuffled))
    pd.testing.assert_frame_equal(by_reading(now), by_reading(again), rtol=0, atol=SINGLE_PRECISION)


def test_strings_do_not_touch_each_other(fleet, detector):
    one = trailing_scores(up_to(fleet[fleet["string"] == "S0"], 100), detector)
    both = trailing_scores(up_to(fleet, 100), detector)
    expected = by_reading(both).loc[by_reading(one).index]
    pd.testing.assert_frame_equal(by_reading(one), expected, rtol=0, atol=SINGLE_PRECISION)


def test_cells_polled_one_after_another_are_judged_in_one_round(fleet, detector):
    turn = fleet["Cell ID"].str[-1].astype(int) * pd.Timedelta("7min")
    polled = up_to(fleet.assign(Timestamp=fleet["Timestamp"] + turn), 101 - 1e-3)
    found, expected = trailing_scores(polled, detector), score_frame(polled, detector)
    newest = expected.groupby("Cell ID").tail(1)
    assert found["Timestamp"].nunique() == CELLS
    assert found.index.tolist() == newest.index.tolist()
    np.testing.assert_allclose(
        found["trailing_score"], newest["anomaly_score"], rtol=0, atol=SINGLE_PRECISION
    )


def test_a_cell_without_time_stamps_has_a_past_of_its_own(fleet, detector):
    here = fleet[fleet["Timestamp"] <= START + pd.Timedelta(hours=50)]
    lone = here["Cell ID"] == "S0/5"
    mixed = here.assign(Timestamp=here["Timestamp"].mask(lone))
    found = trailing_scores(canonical_table(mixed).frame, detector).set_index("Cell ID")["trailing_score"]
    others = trailing_scores(canonical_table(here[~lone]).frame, detector).set_index("Cell ID")
    assert len(found) == 2 * CELLS and np.isfinite(found["S0/5"])
    np.testing.assert_allclose(found[others.index], others["trailing_score"], rtol=0, atol=SINGLE_PRECISION)


def test_of_several_readings_at_one_time_the_last_one_sent_is_the_newest(fleet, detector):
    first = fleet[fleet["Timestamp"] <= START + pd.Timedelta(hours=40)]
    again = first.tail(1).assign(CellVoltage=1.9)
    rows = trailing_scores(canonical_table(pd.concat([first, again])).frame, detector)
    (twice,) = rows.index[rows["Cell ID"] == again["Cell ID"].item()]
    assert twice == len(first) and len(rows) == 2 * CELLS


def test_without_time_stamps_the_last_reading_of_every_cell_is_the_newest(fleet, detector):
    untimed = canonical_table(fleet.head(60 * 2 * CELLS).drop(columns="Timestamp")).frame
    rows = trailing_scores(untimed, detector, moments=2)
    assert rows["source_row"].tolist() == untimed["source_row"].tail(4 * CELLS).tolist()
    earlier = trailing_scores(untimed.head(59 * 2 * CELLS), detector)
    first = rows.head(2 * CELLS)["trailing_score"]
    pd.testing.assert_series_equal(first, earlier["trailing_score"], rtol=0, atol=SINGLE_PRECISION)


def test_a_row_whose_time_is_unknown_is_neither_scored_nor_part_of_a_past(fleet, detector):
    known = fleet[fleet["Timestamp"] <= START + pd.Timedelta(hours=3)]
    unknown = known.assign(Timestamp=pd.NaT, CellVoltage=0.5)
    found = trailing_scores(canonical_table(pd.concat([known, unknown])).frame, detector, moments=8)
    expected = trailing_scores(canonical_table(known).frame, detector, moments=8)
    assert len(found) == 4 * 2 * CELLS
    pd.testing.assert_series_equal(
        found["trailing_score"], expected["trailing_score"], rtol=0, atol=SINGLE_PRECISION
    )


def test_a_healthy_fleet_stays_quiet(detector):
    healthy = quiet_fleet(seed=5)
    flagged = [trailing_scores(up_to(healthy, hour), detector)["anomaly"].sum() for hour in (80, 160, 239)]
    assert flagged == [0, 0, 0]


def test_a_stored_model_gives_the_scores_of_the_detector(tmp_path, monkeypatch, fleet, detector):
    from bms_anomaly.storage import save_detector

    monkeypatch.setenv("BMS_HOME", str(tmp_path))
    save_detector(detector, columns=SIGNALS, split="all")
    now = up_to(fleet, 33)
    pd.testing.assert_frame_equal(trailing_scores(now), trailing_scores(now, detector))
