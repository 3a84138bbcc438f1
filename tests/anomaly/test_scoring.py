"""From a frame to scored rows: alike however the table is cut, and false alarms as asked on cells never seen."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bms_anomaly.false_alarms import HealthyScores
from bms_anomaly.features import fleet_features, source_columns
from bms_anomaly.scoring import (
    TrainingRows,
    fit_on,
    judge_rows,
    rate_threshold,
    score_fleet,
    share_threshold,
    training_rows,
)
from bms_generate.simulate import row_truth, simulate_fleet
from bms_schema.data.table import canonical_table
from bms_schema.run.errors import NotEnoughData


def strings_of(frame, features):
    """The frame and its features, cut by string."""
    return [(frame[part], features[part]) for part in (frame["string"] == name for name in ("S0", "S1"))]


def test_training_rows_of_parts_together_are_those_of_the_whole(frame, features):
    whole = training_rows(frame, features)
    parts = [training_rows(*part) for part in reversed(strings_of(frame, features))]
    together = TrainingRows.together([pickle.loads(pickle.dumps(part)) for part in parts])
    pd.testing.assert_frame_equal(together.table, whole.table)
    assert together.answered == whole.answered == frame["CellVoltage"].notna().sum()


def test_training_rows_do_not_depend_on_the_order_of_rows(fleet, features, frame):
    shuffled = fleet.assign(source_row=range(len(fleet))).sample(frac=1.0, random_state=1)
    again = canonical_table(shuffled).frame
    pd.testing.assert_frame_equal(
        training_rows(again, fleet_features(again)).table, training_rows(frame, features).table, rtol=1e-9
    )


def test_scoring_string_by_string_equals_scoring_the_fleet(frame, features, detector, scores):
    parts = [score_fleet(*part, detector) for part in strings_of(frame, features)]
    rows = pd.concat([part.rows for part in parts]).sort_index()
    pd.testing.assert_frame_equal(rows, scores.rows, rtol=0, atol=1e-5)
    assert sum(len(part.events) for part in parts) == len(scores.events)
    together = HealthyScores.together([part.healthy for part in parts]).counts
    assert np.abs(np.cumsum(together - scores.healthy.counts)).max() <= 3  # of 3,800: a bin's edge


def test_a_share_found_over_parts_flags_the_rows_of_the_whole(frame, features, detector):
    whole = score_fleet(frame, features, detector, contamination=0.05).rows["anomaly"]
    counted = np.concatenate([judge_rows(*part, detector).counted for part in strings_of(frame, features)])
    threshold = share_threshold(counted, 0.05)
    parts = [
        score_fleet(*part, detector, threshold=threshold).rows["anomaly"]
        for part in strings_of(frame, features)
    ]
    pd.testing.assert_series_equal(pd.concat(parts).sort_index(), whole)
    assert whole.sum() == pytest.approx(0.05 * len(counted), abs=2)


def test_too_few_rows_are_refused_with_what_to_do(frame, features):
    with pytest.raises(NotEnoughData, match="10 rows hold a reading"):
        fit_on(training_rows(frame[:10], features[:10]))


def test_healthy_scores_count_alike_in_parts_and_at_once():
    scores = np.r_[np.random.default_rng(0).exponential(size=1000), np.nan, 99.0]
    together = HealthyScores.together([HealthyScores.of(scores[:300]), HealthyScores.of(scores[300:])])
    np.testing.assert_array_equal(together.counts, HealthyScores.of(scores).counts)
    assert together.counts.sum() == 1001


@pytest.fixture(scope="module")
def fleets():
    """Two simulated fleets with faults, deaths and outages: (frame, features, which rows are healthy)."""

    def one(seed):
        fleet = simulate_fleet(n_strings=3, cells_per_string=16, days=20, seed=seed)
        frame = canonical_table(fleet.readings).frame
        healthy = ~row_truth(fleet).to_numpy() & frame["CellVoltage"].notna().to_numpy()
        return frame, fleet_features(frame), healthy

    return [one(seed) for seed in (51, 52)]


@pytest.fixture(scope="module")
def seasoned(fleets):
    """A detector fitted on the first fleet, that knows how high its healthy rows score."""
    frame, features, _ = fleets[0]
    detector = fit_on(training_rows(frame, features))
    return replace(detector, healthy=judge_rows(frame, features, detector).healthy)


@pytest.mark.parametrize("which", [0, 1], ids=["trained_on", "never_seen"])
@pytest.mark.parametrize("rate", [0.01, 0.02, 0.05])
def test_the_false_alarm_rate_is_the_one_asked_for_to_a_point(fleets, seasoned, rate, which):
    frame, features, healthy = fleets[which]
    flagged = score_fleet(frame, features, seasoned, false_alarm_rate=rate).rows["anomaly"] == 1
    assert flagged[healthy].mean() == pytest.approx(rate, abs=0.01)


def test_a_small_table_takes_the_rate_from_the_fleet_that_the_model_knows():
    rng = np.random.default_rng(0)
    calm, lively = (HealthyScores.of(scale * rng.exponential(size=50_000)) for scale in (0.4, 0.8))
    few = HealthyScores.of(0.8 * rng.exponential(size=200))
    assert rate_threshold(few, 0.02, calm) == pytest.approx(calm.threshold(0.02), abs=0.1)
    assert rate_threshold(lively, 0.02, calm) == lively.threshold(0.02)
    assert rate_threshold(few, 0.02) == few.threshold(0.02)


def test_most_faults_of_a_fleet_never_seen_are_found_and_few_healthy_rows_flagged(fleets, seasoned):
    frame, features, healthy = fleets[1]
    rows = score_fleet(frame, features, seasoned).rows
    answered = frame["CellVoltage"].notna().to_numpy()
    flagged = (rows["anomaly"] == 1).to_numpy()
    assert flagged[answered & ~healthy].mean() > 0.85
    assert flagged[healthy].mean() < 0.02


def test_voltage_alone_is_enough(frame):
    bare = frame[["source_row", "Cell ID", "string", "Timestamp", "CellVoltage", "CellVoltage_flag"]]
    features = fleet_features(bare)
    assert source_columns(bare) == ["CellVoltage"]
    scores = score_fleet(bare, features, fit_on(training_rows(bare, features)))
    assert {"S0/3", "S1/1", "S1/2"} <= set(scores.events["Cell ID"])
