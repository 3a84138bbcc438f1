import numpy as np
import pytest
from bms_forecast.blend import Courses
from bms_forecast.crossing import chances_beyond
from bms_forecast.levels import chance_below
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

LEVELS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
STEPS, COURSES = 6, 40
forecasts = arrays(float, (STEPS, 5), elements=st.floats(-5, 5)).map(lambda drawn: np.sort(drawn, axis=1))
ranks = arrays(float, (COURSES, STEPS), elements=st.floats(0, 1) | st.just(np.nan))


def _inside(ranks: np.ndarray) -> Courses:
    return Courses(ranks, np.zeros_like(ranks))


def _calm(median: float = 2.25, spread: float = 0.01) -> np.ndarray:
    return np.tile(median + spread * np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), (STEPS, 1))


@given(forecasts, ranks, st.floats(-8, 8), st.booleans())
def test_chances_rise_with_the_horizon_and_are_never_below_any_one_steps(
    quantiles: np.ndarray, ranks: np.ndarray, limit: float, above: bool
) -> None:
    found = chances_beyond(quantiles, LEVELS, limit, above=above, courses=_inside(ranks)).within
    at_once = chance_below(quantiles, LEVELS, limit)
    at_once = 1.0 - at_once if above else at_once
    assert ((found >= 0.0) & (found <= 1.0)).all()
    assert (np.diff(found) >= 0.0).all()
    if not np.isclose(quantiles, limit).any():  # a flat forecast on the limit is on neither side of it
        assert (found >= at_once - 1e-9).all()


@given(forecasts, ranks, st.floats(-8, 8))
def test_a_mirrored_forecast_crosses_a_mirrored_limit_as_likely(
    quantiles: np.ndarray, ranks: np.ndarray, limit: float
) -> None:
    assume(not np.isclose(quantiles, limit).any())  # a flat forecast on the limit is on neither side of it
    below = chances_beyond(quantiles, LEVELS, limit, courses=_inside(ranks)).within
    mirrored = chances_beyond(-quantiles[:, ::-1], LEVELS, -limit, above=True, courses=_inside(1.0 - ranks))
    assert np.allclose(below, mirrored.within)


def test_what_is_certain_is_one_and_what_is_far_is_none() -> None:
    courses = _inside(np.random.default_rng(0).uniform(size=(COURSES, STEPS)))
    assert chances_beyond(_calm(), LEVELS, 3.0, courses=courses).within.tolist() == [1.0] * STEPS
    assert chances_beyond(_calm(), LEVELS, 1.0, courses=courses).within.max() < 1e-9
    assert chances_beyond(_calm(), LEVELS, 1.0, above=True, courses=courses).within.tolist() == [1.0] * STEPS


def test_steps_that_err_together_cross_less_often_than_steps_that_err_apart() -> None:
    rng, limit = np.random.default_rng(1), 2.25 - 0.015
    at_once = float(chance_below(_calm(), LEVELS, limit)[0])
    together = np.tile(rng.uniform(size=(400, 1)), (1, STEPS))
    apart = rng.uniform(size=(400, STEPS))
    one = chances_beyond(_calm(), LEVELS, limit, courses=_inside(together)).within[-1]
    many = chances_beyond(_calm(), LEVELS, limit, courses=_inside(apart)).within[-1]
    assert one == pytest.approx(at_once, abs=0.05)
    assert many == pytest.approx(1.0 - (1.0 - at_once) ** STEPS, abs=0.05)


def test_a_discharge_that_the_quantiles_cannot_show_is_seen_in_one_course_of_ten() -> None:
    ranks, excess = np.full((10, STEPS), 0.5), np.zeros((10, STEPS))
    ranks[0, 3:], excess[0, 3:] = 0.0, -0.2
    found = chances_beyond(_calm(), LEVELS, 2.13, courses=Courses(ranks, excess)).within
    assert found[:3].max() < 1e-6
    assert found[3:].tolist() == pytest.approx([0.1] * 3)
    deeper = chances_beyond(_calm(), LEVELS, 2.02, courses=Courses(ranks, excess)).within
    assert deeper[-1] < 1e-6  # it went to 2.03 V and no further


def test_a_place_where_nothing_was_read_shows_nothing_and_a_course_of_few_readings_is_left_out() -> None:
    ranks = np.full((4, STEPS), 0.5)
    ranks[0, 0], ranks[1, :5] = np.nan, np.nan
    excess = np.where(np.isnan(ranks), np.nan, 0.0)
    ranks[1, 5], excess[1, 5] = 0.0, -1.0
    assert chances_beyond(_calm(), LEVELS, 2.13, courses=Courses(ranks, excess)).within.max() < 1e-6


def test_without_courses_and_beyond_their_reach_the_chance_is_a_lower_bound() -> None:
    alone = chances_beyond(_calm(), LEVELS, 2.24)
    assert alone.is_bound.all()
    assert alone.within[-1] == pytest.approx(chance_below(_calm(), LEVELS, 2.24)[0])
    short = chances_beyond(_calm(), LEVELS, 2.24, courses=_inside(np.full((9, 4), 0.01)))
    assert short.is_bound.tolist() == [False] * 4 + [True] * 2
    assert (short.within == 1.0).all()  # what was crossed by step four is crossed by step six
    none = chances_beyond(_calm(), LEVELS, 2.24, courses=_inside(np.empty((0, STEPS))))
    assert none.is_bound.all()


def test_a_limit_may_move_with_the_room() -> None:
    room = np.linspace(15.0, 30.0, STEPS)
    found = chances_beyond(_calm(30.0), LEVELS, room + 10.0, above=True).within
    assert found[0] == 1.0
    assert chances_beyond(_calm(30.0), LEVELS, room[::-1] + 10.0, above=True).within[0] < 1e-6


def test_a_flat_forecast_on_the_limit_is_not_beyond_it() -> None:
    flat = np.full((STEPS, 5), 50.0)
    assert chances_beyond(flat, LEVELS, 50.0, above=True).within.max() == 0.0
    assert chances_beyond(flat, LEVELS, 50.0).within.max() == 0.0
