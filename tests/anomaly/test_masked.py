"""Readings taken out as impossible, as spike or as stuck are anomalies; those never answered are not."""

import numpy as np
import pandas as pd
import pytest
from bms_anomaly.events import OPEN_SCORE
from bms_anomaly.features import fleet_features
from bms_anomaly.masked import MASKED_SCORE, masked_readings
from bms_anomaly.scoring import fit_detector, score_fleet, score_frame
from bms_schema.data.suspects import mask_suspects
from bms_schema.data.table import canonical_table

from tests.anomaly.conftest import SILENT, SPIKED, STUCK, quiet_fleet, with_faults

CORRUPT, QUIET = "S0/6", "S0/7"


@pytest.fixture(scope="module")
def cleaned():
    return mask_suspects(canonical_table(with_faults(quiet_fleet())).frame)


def scored(frame, detector, **options):
    return score_fleet(frame, fleet_features(frame), detector, **options)


@pytest.fixture(scope="module")
def scores(cleaned):
    return scored(cleaned, fit_detector(cleaned, fleet_features(cleaned)))


def masked_rows(frame, cell):
    return (frame["Cell ID"] == cell).to_numpy() & (masked_readings(frame)[0] != "")


def test_every_masked_row_is_an_anomaly_with_a_score_that_opens_an_event(cleaned, scores):
    masked = masked_readings(cleaned)[0] != ""
    assert masked.sum() > 40
    assert (scores.rows["anomaly"][masked] == 1).all()
    assert (scores.rows["anomaly_score"][masked] >= OPEN_SCORE).all()


@pytest.mark.parametrize(("cell", "kind"), [(STUCK, "stuck"), (SPIKED, "spike")])
def test_masked_rows_lie_in_events_of_their_kind(cleaned, scores, cell, kind):
    times = cleaned["Timestamp"][masked_rows(cleaned, cell)]
    events = scores.events[(scores.events["Cell ID"] == cell) & (scores.events["kind"] == kind)]
    covered = [any(e.start <= time <= e.end for e in events.itertuples()) for time in times]
    assert covered and all(covered)


def test_a_cell_that_did_not_answer_has_no_masked_rows_and_no_event(cleaned, scores):
    assert not masked_rows(cleaned, SILENT).any()
    silent = (cleaned["Cell ID"] == SILENT).to_numpy() & cleaned["CellVoltage_flag"].eq("sentinel").to_numpy()
    assert silent.any()
    assert (scores.rows["anomaly"][silent] == 0).all()


def test_a_raw_table_has_no_masked_rows():
    assert not (masked_readings(canonical_table(quiet_fleet(moments=30)).frame)[0] != "").any()


def test_a_masked_row_without_any_reading_left_is_scored(cleaned, detector):
    frame = cleaned.copy()
    row = np.flatnonzero(masked_rows(frame, SPIKED))[0]
    frame.loc[row, ["CellVoltage", "CellTemperature", "CellSpecificGravity"]] = np.nan
    found = scored(frame, detector).rows.loc[row]
    assert found["anomaly"] == 1
    assert found["anomaly_score"] == MASKED_SCORE
    assert found["top_signal"] == "voltage"
    assert np.isnan(found["share_svm"])


def test_a_contamination_counts_the_other_rows_only(cleaned, detector):
    masked = masked_readings(cleaned)[0] != ""
    rows = scored(cleaned, detector, contamination=0.02).rows
    assert (rows["anomaly"][masked] == 1).all()
    known = rows["anomaly_score"].notna().to_numpy() & ~masked
    assert 0 < rows["anomaly"][known].sum() <= np.ceil(0.02 * known.sum())
    least = rows["anomaly_score"][known & (rows["anomaly"] == 1).to_numpy()].min()
    assert (
        rows["anomaly_score"][masked] >= rows["anomaly_score"][known & (rows["anomaly"] == 0)].max()
    ).all()
    assert least >= rows["anomaly_score"][known & (rows["anomaly"] == 0)].max()


def test_live_scoring_sees_them_too(cleaned, detector):
    rows = score_frame(cleaned, detector)
    masked = masked_readings(cleaned)[0] != ""
    assert (rows["anomaly"][masked] == 1).all()


def test_a_mask_of_one_row_does_not_name_a_long_event(detector):
    """A cell that collapses loses its first reading as a spike; the event is still about its voltage."""
    frame = quiet_fleet()
    hour = (frame["Timestamp"] - frame["Timestamp"].min()) / pd.Timedelta("1h")
    frame.loc[(frame["Cell ID"] == "S0/1") & (hour >= 140), "CellVoltage"] -= 0.3
    table = mask_suspects(canonical_table(frame).frame)
    assert masked_rows(table, "S0/1").sum() == 1
    events = scored(table, detector).events
    named = events[events["Cell ID"] == "S0/1"]
    assert named[["kind", "signal", "direction"]].to_numpy().tolist() == [["failing", "voltage", "low"]]


@pytest.fixture(scope="module")
def raw():
    """A table as read from a file: hour 50 corrupt in all of S1, hour 70 in one cell; spikes and stuck unmarked."""
    fleet = with_faults(quiet_fleet())
    hour = (fleet["Timestamp"] - fleet["Timestamp"].min()) / pd.Timedelta("1h")
    fleet.loc[(hour == 50) & (fleet["string"] == "S1"), "CellVoltage"] = 66.535
    fleet.loc[(hour == 70) & (fleet["Cell ID"] == CORRUPT), "CellVoltage"] = -20.0
    return canonical_table(fleet).frame


@pytest.fixture(scope="module")
def raw_scores(raw, detector):
    return scored(raw, detector)


def test_readings_outside_of_the_physical_range_are_anomalies_of_the_sensor(raw, raw_scores):
    outside = raw["CellVoltage_flag"].eq("out_of_range").to_numpy()
    assert outside.sum() == 9
    assert (raw_scores.rows["anomaly"][outside] == 1).all()
    events = raw_scores.events[raw_scores.events["kind"] == "impossible"]
    assert len(events) == 9
    assert set(events["about"]) == {"sensor"}
    lone = events[events["start"] == pd.Timestamp("2026-01-01") + pd.Timedelta("70h")]
    assert lone[["Cell ID", "evidence"]].to_numpy().tolist() == [
        [CORRUPT, "voltage outside of what a cell can have, in 1 reading"]
    ]


def test_a_row_that_is_corrupt_for_a_whole_string_is_told_as_such(raw_scores):
    events = raw_scores.events
    corrupt = events[events["start"] == pd.Timestamp("2026-01-01") + pd.Timedelta("50h")]
    assert corrupt["Cell ID"].nunique() == 8
    assert corrupt["evidence"].str.contains("in all cells of the string at once").all()


@pytest.mark.parametrize(("cell", "kind"), [(STUCK, "stuck"), (SPIKED, "spike")])
def test_a_table_that_nobody_cleaned_shows_its_stuck_sensors_and_spikes_too(raw_scores, cell, kind):
    events = raw_scores.events
    found = events[(events["Cell ID"] == cell) & (events["kind"] != "impossible")]
    assert set(found["kind"]) == {kind}


@pytest.mark.parametrize("reason", ["sentinel", "blank", "not_a_number"])
def test_whatever_the_reason_a_reading_that_was_not_answered_is_no_anomaly(cleaned, detector, reason):
    frame = cleaned.copy()
    rows = (frame["Cell ID"] == QUIET) & frame["source_row"].between(800, 1200)
    for column in ("CellVoltage", "CellTemperature", "CellSpecificGravity"):
        frame.loc[rows, column] = np.nan
        frame.loc[rows, f"{column}_flag"] = reason
    found = scored(frame, detector).rows[rows]
    assert not found["anomaly"].any()
    assert found["anomaly_score"].isna().all()
