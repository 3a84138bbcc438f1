"""The terms of a synthetic reading, each by itself."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.cell_traits import measure
from bms_generate.centres import means, medians
from bms_generate.courses import Course, shared_burden
from bms_generate.daily_course import DailyCourse
from bms_generate.episodes import Episode, Fate, Fates, befall, place
from bms_generate.fleet_layout import as_table, lay_out
from bms_generate.logged_form import LoggedForm
from bms_generate.string_levels import Levels, Signals, robust_spread
from bms_generate.string_signals import QuietStrings, model_strings
from bms_generate.usual_states import lasting_from
from bms_generate.wander import Wander
from hypothesis import given
from hypothesis import strategies as st

HOURS = np.arange(240).astype("timedelta64[h]") + np.datetime64("2026-01-01", "ns")


def coupled(moments: int, series: int) -> np.ndarray:
    """Two signals with memory, the second following the first."""
    random = np.random.default_rng(0)
    values = np.zeros((moments, series, 2))
    matrix = np.array([[0.9, 0.0], [0.3, 0.6]])
    for now in range(1, moments):
        values[now] = values[now - 1] @ matrix.T + random.normal(size=(series, 2)) * [0.3, 0.1]
    return values


def lagged(values: np.ndarray, lag: int) -> np.ndarray:
    """Covariance of the signals now with those `lag` readings ago, over all series."""
    now, then = values[lag:].reshape(-1, 2), values[: len(values) - lag].reshape(-1, 2)
    return now.T @ then / len(now)


@pytest.mark.parametrize("lag", [0, 1, 6])
def test_a_mixture_keeps_the_covariance_at_every_lag_and_between_signals(lag):
    real = coupled(400, 40)
    rest = np.zeros(400, dtype=bool)
    (made,) = Wander().fit([real], [rest], waves=3).sample([rest], [40], np.random.default_rng(1))
    assert np.allclose(lagged(made, lag), lagged(real, lag), atol=0.15 * np.abs(lagged(real, 0)).max())


def test_a_mixture_is_the_copy_of_no_series():
    real = coupled(200, 20)
    rest = np.zeros(200, dtype=bool)
    (made,) = Wander().fit([real], [rest], waves=3).sample([rest], [20], np.random.default_rng(1))
    alike = np.corrcoef(np.concatenate([real[:, :, 0], made[:, :, 0]], axis=1).T)[:20, 20:]
    assert np.abs(alike).max() < 0.9


def test_cells_are_as_restless_far_from_rest_as_the_real_ones():
    real = np.random.default_rng(0).normal(size=(400, 30, 1))
    busy = np.arange(400) % 40 < 10
    real[busy] *= 4.0
    (made,) = Wander().fit([real], [busy], waves=3).sample([busy], [30], np.random.default_rng(1))
    assert made[busy].std() / made[~busy].std() == pytest.approx(4.0, rel=0.1)


def test_levels_keep_mean_and_spread_and_are_not_the_real_ones():
    real = np.random.default_rng(0).normal(size=(5, 3)) * [1.0, 10.0, 0.0] + 2.0
    levels = Levels().fit([Signals(HOURS, np.tile(row, (240, 1))) for row in real])
    drawn = levels.sample(10, np.random.default_rng(1))
    assert np.allclose(drawn[:5].mean(axis=0), real.mean(axis=0))
    assert np.allclose(drawn[5:].std(axis=0), real.std(axis=0))
    assert not np.isclose(drawn[:5, 0], real[:, 0]).any()


def test_traits_are_found_in_spite_of_faults():
    random = np.random.default_rng(0)
    excursion = np.zeros((300, 1))
    excursion[50:70] = -1.0
    offset, slope = np.array([0.1, -0.2, 0.0]), np.array([0.5, 0.0, -0.3])
    cells = offset + slope * excursion + random.normal(0, 0.01, (300, 3))
    cells[200:204, 0] += 5.0
    found = measure(cells[:, :, None], excursion, np.ones((300, 3), dtype=bool))
    assert np.allclose(found.offset[:, 0], offset, atol=0.01)
    assert np.allclose(found.slope[:, 0], slope, atol=0.05)
    assert np.allclose(found.spread[:, 0], 0.01, rtol=0.3)


def test_a_string_that_never_moved_tells_no_slope():
    cells = np.random.default_rng(0).normal(0, 0.01, (100, 3, 1))
    assert np.isnan(measure(cells, np.zeros((100, 1)), np.ones((100, 3), dtype=bool)).slope).all()


def test_the_mean_bridges_what_is_no_usual_reading():
    own = np.full((10, 4, 1), 2.0)
    own[3, 0] = 50.0
    usual = np.ones((10, 4), dtype=bool)
    usual[3, 0] = False
    own[5, 1] = np.nan
    assert np.allclose(means(own, usual), 2.0)
    assert np.allclose(medians(own), 2.0)


def test_a_state_lasts_from_where_it_never_ends():
    unusual = np.zeros((6, 4, 1), dtype=bool)
    unusual[4:, 1] = True  # to the end
    unusual[2, 2] = True  # over again
    unusual[1, 3] = unusual[5, 3] = True  # came and went before
    assert lasting_from(unusual).tolist() == [6, 4, 6, 6]


@given(
    st.lists(st.tuples(st.integers(1, 12), st.sampled_from(["", "start", "end"])), max_size=12),
    st.integers(0, 99),
)
def test_stretches_never_overlap_and_keep_to_their_end_of_the_log(wanted, seed):
    taken, random, used = np.zeros(30, dtype=bool), np.random.default_rng(seed), 0
    for length, edge in wanted:
        start = place(taken, length, edge, random)
        if start is None:
            continue
        used += length
        assert 0 <= start <= 30 - length
        assert edge != "start" or start == 0
        assert edge != "end" or start == 30 - length
    assert taken.sum() == used


def test_a_course_ends_where_the_log_ends_and_is_stretched_from_there():
    states = np.zeros((10, 1), dtype=np.int16)
    states[6:] = 1
    course = Course(np.arange(10.0)[:, None], states, 6, np.zeros((2, 1)))
    rest = np.zeros((10, 1)), np.zeros(10, dtype=bool)
    for stretch, dead in ((1.0, 4), (0.5, 2), (2.0, 8)):
        fate = Fate(course=course, stretch=stretch)
        added, made, silent = befall(fate, *rest, np.zeros(1, dtype=np.int16), np.random.default_rng(0))
        assert added[-1, 0] == 9.0 and abs(made.sum() - dead) <= 1 and not silent.any()


def test_a_dead_cell_bears_the_load_of_another_string_as_it_bore_its_own():
    excursion, states = np.zeros((40, 1)), np.zeros((40, 1), dtype=np.int16)
    excursion[[5, 6, 30, 31, 32], 0] = -0.2
    states[20:] = 1
    calm = excursion[:, 0] == 0
    residual = (
        np.where(np.arange(40) >= 20, -0.5, 0.0)[:, None]
        + np.where(np.arange(40)[:, None] >= 20, 4, 0) * excursion
    )
    course = Course.of(residual, states, 20, excursion, calm)
    assert course.burden[0, 0] == pytest.approx(4.0) and np.isnan(course.burden[1, 0])
    assert course.residual[31, 0] == pytest.approx(-0.5)
    elsewhere = np.zeros((40, 1))
    elsewhere[[3, 25]] = -0.1
    added = course.over(elsewhere, elsewhere[:, 0] != 0, 1.0, 1.0)[0]
    assert added[25, 0] == pytest.approx(-0.9) and added[3, 0] == 0.0


def test_how_a_cell_bears_a_load_that_its_log_does_not_show_is_taken_from_the_others():
    states = np.zeros((4, 0), dtype=np.int16)
    courses = [
        Course(np.zeros((4, 1)), states, 0, np.array([[slope], [np.nan]])) for slope in (2.0, 4.0, np.nan)
    ]
    assert shared_burden(courses)[0, 0] == 3.0 and np.isnan(shared_burden(courses)[1, 0])


def test_every_real_fate_is_drawn_as_often_as_the_next_one():
    fates = Fates()
    fates.lived = [
        Fate([Episode(np.full((1, 1), float(k)), np.zeros((1, 0), dtype=np.int16))]) for k in range(6)
    ]
    fates.courses = [Course(np.zeros((4, 1)), np.zeros((4, 0), dtype=np.int16), 0, np.zeros((2, 1)))] * 2
    fates.ending = [0.5, 0.0]
    drawn = fates.draw([4, 4, 4, 4], np.random.default_rng(0))
    assert sorted(sum(fate.course is not None for fate in string) for string in drawn) == [0, 0, 2, 2]
    lived = [fate.episodes[0].residual[0, 0] for string in drawn for fate in string if fate.course is None]
    assert sorted(lived) == sorted([*range(6), *range(6)])


def test_the_course_of_a_day_is_found_and_noise_has_none():
    clock = np.arange(240) % 24
    values = np.column_stack([np.sin(2 * np.pi * clock / 24), np.random.default_rng(0).normal(size=240)])
    found = DailyCourse().fit([Signals(HOURS, values)], [values], [np.zeros(240, dtype=bool)])
    assert np.allclose(found.at(HOURS)[:, 0], values[:, 0], atol=0.02)
    assert np.ptp(found.at(HOURS)[:, 1]) == 0 or found.at(HOURS)[:, 1].std() < 0.5


def test_a_spread_is_that_of_a_bell_curve_and_never_zero_for_a_few_unusual_values():
    bell = np.random.default_rng(0).normal(0, 2.0, 5000)
    resting = np.where(np.arange(5000) % 20 == 0, 1.0, 0.0)
    spread = robust_spread(np.column_stack([bell, resting]))
    assert spread[0] == pytest.approx(2.0, rel=0.05)
    assert 0 < spread[1] < 1


def test_a_missed_distribution_is_brought_back_and_a_good_one_left_alone():
    random = np.random.default_rng(0)
    spiky = np.where(random.random(4000) < 0.7, 0.0, -20.0)
    back = LoggedForm.fit(random.normal(-6, 9, 4000), spiky).apply(random.normal(-6, 9, 4000))
    assert set(back) <= {0.0, -20.0} or np.isin(back, [0.0, -20.0]).mean() > 0.95
    assert (back == 0).mean() == pytest.approx(0.7, abs=0.05)
    real = random.normal(2.2, 0.01, 4000).round(3)
    alike = random.normal(2.2, 0.01, 4000)
    assert np.array_equal(
        LoggedForm.fit(alike, real).apply(alike), np.clip(alike, real.min(), real.max()).round(3)
    )


@pytest.mark.parametrize("by_time", [True, False])
def test_a_table_laid_out_comes_back_as_it_was(by_time):
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "string": np.repeat(["a", "b"], 40),
            "Cell ID": np.repeat([f"{s}/{k}" for s in "ab" for k in range(2)], 20),
            "Timestamp": np.tile(HOURS[:20], 4),
            "own": random.normal(size=80),
            "shared": np.tile(random.normal(size=20), 4),
            "state": random.choice(["x", "y", None], 80),
            "rated": 200,
        }
    )
    if by_time:
        table = table.sort_values("Timestamp", kind="stable", ignore_index=True)
    fleet = lay_out(table, ["Cell ID"], "Timestamp", ["string"])
    assert fleet.columns.shared == ["shared"] and fleet.columns.own == ["own"]
    assert fleet.columns.states == ["state"] and "rated" in fleet.columns.attributes
    pd.testing.assert_frame_equal(
        as_table(fleet, fleet.strings).fillna({"state": "-"}), table.fillna({"state": "-"})
    )


def test_cells_with_clocks_of_their_own_are_strings_of_their_own():
    moments = [HOURS[:30] + np.timedelta64(k, "m") for k in range(3)]
    table = pd.DataFrame(
        {
            "Cell ID": np.repeat(["a", "b", "c"], 30),
            "Timestamp": np.concatenate(moments),
            "own": np.random.default_rng(0).normal(size=90),
        }
    )
    assert len(lay_out(table, ["Cell ID"], "Timestamp").strings) == 3


def test_what_lies_out_of_range_does_not_pile_up_at_its_ends():
    random = np.random.default_rng(0)
    real, drawn = random.uniform(2.0, 2.4, 2000).round(3), random.normal(2.2, 0.115, 8000)
    logged = LoggedForm.fit(drawn, real).apply(random.normal(2.2, 0.115, 8000))
    for limit in (real.min(), real.max()):
        assert np.mean(logged == limit) < 0.005  # clipping makes 4 %


def test_a_signal_that_rests_but_for_a_step_of_its_logger_now_and_then_is_at_rest():
    random = np.random.default_rng(0)
    strings = []
    for _ in range(3):
        charge = np.where(random.random(240) < 0.01, 99.9, 100.0)
        strings.append(Signals(HOURS, np.column_stack([random.normal(0.4, 0.1, 240).round(1), charge])))
    assert isinstance(model_strings(strings, waves=10), QuietStrings)


def test_a_room_of_few_degrees_is_measured_and_codes_are_states():
    frame = pd.DataFrame(
        {
            "Cell ID": ["a"] * 8,
            "Timestamp": HOURS[:8],
            "warm": [25, 25, 26, 27, 28, 28, 27, 26],
            "alarm": [0, 0, 3, 2, 0, 0, 1, 0],
        }
    )
    columns = lay_out(frame, ["Cell ID"], "Timestamp").columns
    assert columns.own == ["warm"] and columns.states == ["alarm"]
