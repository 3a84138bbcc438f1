import numpy as np
import pytest
from bms_forecast.levels import at_levels, chance_below, level_of, normal_scores
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

LEVELS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
ascending = arrays(float, (3, 5), elements=st.floats(-1e3, 1e3)).map(lambda drawn: np.sort(drawn, axis=1))


def test_a_normal_distribution_is_reproduced_between_and_beyond_the_levels() -> None:
    quantiles = norm.ppf(LEVELS, loc=20.0, scale=2.0)[None, :]
    wanted = np.array([0.001, 0.1, 0.6, 0.999])
    assert np.allclose(at_levels(quantiles, LEVELS, wanted)[0], norm.ppf(wanted, 20.0, 2.0))
    for value in (14.0, 19.0, 27.0):
        assert np.isclose(chance_below(quantiles, LEVELS, value)[0], norm.cdf(value, 20.0, 2.0))


@given(ascending, st.floats(-1e4, 1e4), st.floats(0.0, 1e3))
def test_the_chance_to_lie_below_rises_with_the_value_and_stays_a_chance(
    quantiles: np.ndarray, value: float, more: float
) -> None:
    low, high = (chance_below(quantiles, LEVELS, at) for at in (value, value + more))
    assert ((low >= 0.0) & (high <= 1.0) & (low <= high + 1e-12)).all()


@given(st.lists(st.floats(0.01, 5.0), min_size=4, max_size=4), st.floats(0.001, 0.999))
def test_a_value_and_its_level_are_each_others_inverse(steps: list[float], level: float) -> None:
    quantiles = np.cumsum([0.0, *steps])[None, :]
    value = at_levels(quantiles, LEVELS, np.array([level]))[:, 0]
    assert np.isclose(level_of(quantiles, LEVELS, value)[0], level, atol=1e-6)


def test_a_forecast_without_spread_is_below_or_it_is_not() -> None:
    flat = np.full((1, 5), 2.0)
    assert [chance_below(flat, LEVELS, at)[0] for at in (1.9, 2.0, 2.1)] == [0.0, 0.0, 1.0]


def test_a_missing_reading_has_no_level_and_an_outage_lies_below_all() -> None:
    calm = 2.25 + 0.001 * norm.ppf(LEVELS)[None, :]
    assert np.isnan(level_of(calm, LEVELS, np.array([np.nan]))[0])
    assert level_of(calm, LEVELS, np.array([2.0]))[0] < 1e-100


def test_levels_at_the_ends_stay_finite() -> None:
    assert np.isfinite(normal_scores(np.array([0.0, 1.0]))).all()
    assert normal_scores(np.array([0.25]))[0] == pytest.approx(norm.ppf(0.25))
