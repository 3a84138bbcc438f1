"""Where a fault that is clear today began: slow faults far back, sudden ones at once."""

import numpy as np
import pandas as pd
import pytest
from bms_anomaly.events import NO_EVENT
from bms_anomaly.onset import from_onset, onset_chance
from bms_schema.data.moments import order_cells

HOURS, ONSET = 400, 200


def course(exponent, signals=1, seed=0, height=12.0):
    """Noise of one sigma, from the onset on with a growing deviation that reaches `height` at the end."""
    rng = np.random.default_rng(seed)
    growth = np.clip(np.arange(HOURS) - ONSET, 0, None) / (HOURS - ONSET)
    return rng.normal(size=(HOURS, signals)) + height * (growth**exponent)[:, None]


def even_odds(chance):
    return int(np.argmax(chance >= 0.5))


def one_cell(values):
    times = pd.date_range("2026-01-01", periods=len(values), freq="h")
    frame = pd.DataFrame({"Cell ID": "a", "string": "s", "Timestamp": times})
    slow = pd.Series(values).rolling(25, center=True, min_periods=1).median().to_numpy()
    return order_cells(frame.assign(source_row=np.arange(len(frame)))), values[:, None], slow[:, None]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0])
def test_the_onset_of_a_slow_fault_is_found_to_two_days_of_eight(exponent, seed):
    chance = onset_chance(np.arange(HOURS) * 3600.0, course(exponent, seed=seed))
    assert abs(even_odds(chance) - ONSET) <= 48
    assert (np.diff(chance) >= 0).all()
    assert chance[-1] == pytest.approx(1.0)


def test_more_signals_that_agree_make_the_onset_more_certain():
    hours = np.arange(HOURS) * 3600.0
    unsure = [((c > 0.05) & (c < 0.95)).sum() for c in (onset_chance(hours, course(1.5, n)) for n in (1, 3))]
    assert unsure[1] < unsure[0]


def test_a_signal_without_readings_changes_nothing():
    hours, one = np.arange(HOURS) * 3600.0, course(1.5)
    np.testing.assert_array_equal(
        onset_chance(hours, np.c_[one, np.full(HOURS, np.nan)]), onset_chance(hours, one)
    )


def test_nothing_is_said_of_a_level_course_or_of_a_short_one():
    assert onset_chance(np.arange(HOURS) * 3600.0, course(1.5, height=0.0)) is None
    assert onset_chance(np.arange(20) * 3600.0, course(1.5)[-20:]) is None


def test_an_event_is_drawn_back_to_the_faint_beginning_of_its_fault():
    order, own, slow = one_cell(course(1.5)[:, 0])
    score, codes = np.full(HOURS, 0.5), np.full(HOURS, NO_EVENT)
    score[300:], codes[300:] = 5.0, 0
    begun, drawn = from_onset(score, np.zeros(HOURS), codes, own, slow, order)
    first = np.flatnonzero(drawn != NO_EVENT)[0]
    assert abs(first - ONSET) <= 48
    assert (drawn[first:] == 0).all()
    assert (begun[:100] < 1).all()
    assert (np.diff(begun[:300]) >= 0).all()


def test_an_event_that_began_days_early_is_cut_to_a_sudden_fault():
    own = np.random.default_rng(0).normal(size=HOURS)
    own[ONSET:] += 20.0
    order, own, slow = one_cell(own)
    score, codes = np.full(HOURS, 0.5), np.full(HOURS, NO_EVENT)
    score[150:], codes[150:] = 5.0, 0
    drawn = from_onset(score, np.zeros(HOURS), codes, own, slow, order)[1]
    assert abs(np.flatnonzero(drawn != NO_EVENT)[0] - ONSET) <= 12


def test_a_fault_without_a_course_keeps_its_event():
    own = np.random.default_rng(0).normal(size=HOURS)
    order, own, slow = one_cell(own)
    score, codes = np.full(HOURS, 0.5), np.full(HOURS, NO_EVENT)
    score[300:340], codes[300:340] = 5.0, 0
    begun, drawn = from_onset(score, np.zeros(HOURS), codes, own, slow, order)
    np.testing.assert_array_equal(begun, score)
    np.testing.assert_array_equal(drawn, codes)


def test_the_search_stops_at_the_event_before():
    values = course(1.5)[:, 0]
    order, own, slow = one_cell(values)
    score, codes = np.full(HOURS, 0.5), np.full(HOURS, NO_EVENT)
    score[280:284], codes[280:284] = 6.0, 0
    score[300:], codes[300:] = 5.0, 1
    begun, drawn = from_onset(score, np.zeros(HOURS), codes, own, slow, order)
    np.testing.assert_array_equal(begun[:284], score[:284])
    assert (drawn[:280] == NO_EVENT).all()


def test_a_lone_reading_that_was_odd_by_itself_stays_odd():
    order, own, slow = one_cell(course(1.5)[:, 0])
    score, lone, codes = np.full(HOURS, 0.5), np.zeros(HOURS), np.full(HOURS, NO_EVENT)
    score[300:], codes[300:] = 5.0, 0
    lone[50] = 4.0
    begun, drawn = from_onset(score, lone, codes, own, slow, order)
    assert begun[50] == 4.0
    assert drawn[50] != NO_EVENT
    assert drawn[50] != drawn[350]
