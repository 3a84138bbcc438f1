import numpy as np
import pandas as pd
import pytest
from bms_forecast.baselines import Baselines, Method
from bms_forecast.candidates import Candidates
from bms_forecast.daily_shape import shaped_level
from bms_forecast.features import SeriesFeatures
from bms_forecast.grid import Grid, make_grid
from bms_forecast.linear import LinearForecast
from bms_forecast.samples import Samples, crossed, training_origins

LENGTH, ORIGIN = 24 * 6, 24 * 4
AHEAD = np.arange(1, 13)


def grid_of(later: float | None = None) -> Grid:
    """Two hourly series with one covariate; everything after ORIGIN replaced by `later` where given."""
    rng = np.random.default_rng(0)
    when = pd.date_range("2026-01-01", periods=LENGTH, freq="h")
    parts = []
    for name in ("a", "b"):
        y, x = rng.normal(size=LENGTH), rng.normal(size=LENGTH)
        y[10:13] = np.nan
        if later is not None:
            y[ORIGIN + 1 :], x[ORIGIN + 1 :] = later, later
        parts.append(pd.DataFrame({"unique_id": name, "ds": when, "y": y, "x": x}))
    return make_grid(pd.concat(parts, ignore_index=True), exogenous=["x"])


def table(grid: Grid, row: int = 0) -> np.ndarray:
    samples = crossed(np.array([row]), np.array([ORIGIN]), AHEAD)
    return SeriesFeatures(grid, 24, 72).table(samples.rows, samples.origins, samples.horizons)


def test_no_reading_after_the_origin_enters_a_feature() -> None:
    np.testing.assert_array_equal(table(grid_of()), table(grid_of(later=1e6)))
    now, then = (SeriesFeatures(grid, 24, 72) for grid in (grid_of(), grid_of(later=1e6)))
    place = np.array([0, 1]), np.array([ORIGIN, ORIGIN])
    np.testing.assert_array_equal(now.recent(*place, 72, 20.0), then.recent(*place, 72, 20.0))
    np.testing.assert_array_equal(now.covariates(*place, 20.0), then.covariates(*place, 20.0))
    np.testing.assert_array_equal(now.experience(*place), then.experience(*place))


def test_no_reading_after_the_origin_enters_a_baseline() -> None:
    samples = crossed(np.array([0, 1]), np.array([ORIGIN]), AHEAD)
    now, then = (Baselines(grid, 24) for grid in (grid_of(), grid_of(later=1e6)))
    for method in now.methods:
        triple = (samples.rows, samples.origins, samples.horizons)
        np.testing.assert_array_equal(now.point(method, *triple), then.point(method, *triple))


def test_no_feature_crosses_series() -> None:
    alone = grid_of()
    other = Grid(
        ["a"],
        alone.ends[:1],
        alone.end_s[:1],
        alone.step_s,
        alone.values[:1],
        {"x": alone.exogenous["x"][:1]},
    )
    np.testing.assert_array_equal(table(alone), table(other))


def test_features_scale_with_the_series() -> None:
    grid = grid_of()
    doubled = Grid(grid.ids, grid.ends, grid.end_s, grid.step_s, 200 * grid.values, grid.exogenous)
    np.testing.assert_allclose(table(grid), table(doubled), rtol=1e-4, atol=1e-4)


def test_every_column_has_a_name() -> None:
    grid = grid_of()
    assert len(SeriesFeatures(grid, 24, 72).names()) == table(grid).shape[1]


def test_lags_and_trailing_means_are_those_of_a_slow_loop() -> None:
    grid = grid_of()
    features = SeriesFeatures(grid, 24, 72)
    level, scale = features.level_and_scale(np.array([1]), np.array([ORIGIN]))
    past = grid.values[1, : ORIGIN + 1]
    row = dict(zip(features.names(), table(grid, 1)[0], strict=True))
    assert np.isclose(level[0], np.mean(past[-3:]))
    assert np.isclose(row["lag5"], (past[-6] - level[0]) / scale[0], rtol=1e-5)
    assert np.isclose(row["mean24"], (np.mean(past[-24:]) - level[0]) / scale[0], rtol=1e-4)
    assert np.isclose(row["std24"], np.std(past[-24:]) / scale[0], rtol=1e-4)
    assert np.isclose(
        row["season1"], (past[-24] - level[0]) / scale[0], rtol=1e-5
    )  # one step ahead of a day ago


def test_nothing_after_the_cut_teaches() -> None:
    samples = crossed(np.array([0, 1]), np.array([ORIGIN - 30]), AHEAD)
    said = []
    for grid in (grid_of(), grid_of(later=1e6)):
        features = SeriesFeatures(grid, 24, 16)
        candidates = Candidates.fitted(features, ORIGIN + 1, 12, seed=0)
        assert candidates is not None
        said.append(candidates.said(features, samples))
    np.testing.assert_array_equal(said[0].points, said[1].points)
    np.testing.assert_array_equal(said[0].spread, said[1].spread)


def test_columns_set_apart_teach_nothing() -> None:
    grid = grid_of()
    wild = Grid(grid.ids, grid.ends, grid.end_s, grid.step_s, grid.values.copy(), grid.exogenous)
    wild.values[:, 130:] = 1e3
    samples = crossed(np.array([0, 1]), np.array([40]), AHEAD)
    said = []
    for of in (grid, wild):
        fold = Candidates.fitted(SeriesFeatures(of, 24, 16), LENGTH, 12, seed=0, apart=range(130, LENGTH))
        assert fold is not None
        said.append(fold.said(SeriesFeatures(grid, 24, 16), samples).points)
    np.testing.assert_array_equal(*said)


def test_the_linear_forecast_finds_a_leading_covariate() -> None:
    rng = np.random.default_rng(4)
    lead = rng.normal(size=600)
    frame = pd.DataFrame(
        {
            "unique_id": "a",
            "ds": pd.date_range("2026-01-01", periods=600, freq="h"),
            "y": np.roll(lead, 1) + 0.05 * rng.normal(size=600),
            "x": lead,
        }
    )
    features = SeriesFeatures(make_grid(frame, exogenous=["x"]), 0, 24)
    linear = LinearForecast.fitted(features, *training_origins(features.grid, 450, 10_000), 450, 1)
    assert linear is not None
    later = np.arange(460, 599)
    samples = Samples(np.zeros(later.size, int), later, np.ones(later.size, int))
    level, scale = features.level_and_scale(samples.rows, later)
    came = features.grid.values[0, later + 1]
    error = came - (linear.change(features, samples) * scale + level)
    # Without the covariate nothing can be known of the next value: the error would be its own size.
    assert np.abs(error).mean() < 0.3 * np.abs(came).mean()


def test_an_outage_of_the_string_is_an_excursion_and_neither_a_daily_cycle_nor_a_lone_fall_is() -> None:
    hours = np.arange(24 * 8)
    day = 20.0 + 3.0 * np.sin(2 * np.pi * hours / 24)
    float_v = np.full(hours.size, 2.2) + 0.002 * np.random.default_rng(0).normal(size=hours.size)
    outage, alone = float_v.copy(), np.where(hours >= 100, -0.3, 0.0)
    outage[100:104] = 1.9
    when = pd.date_range("2026-01-01", periods=hours.size, freq="h")
    parts = [
        pd.DataFrame({"unique_id": name, "ds": when, "y": y, "deviation": apart})
        for name, y, apart in (("cell", outage, 0.0), ("dying", float_v + alone, alone), ("room", day, 0.0))
    ]
    features = SeriesFeatures(make_grid(pd.concat(parts), exogenous=["deviation"]), 24, 32)
    at = features.names().index("since_excursion")
    later = hours[48:]
    cell, dying, room = (
        features.table(np.full(later.size, row), later, np.ones(later.size, int))[:, at] for row in range(3)
    )
    # Before a day is over there is nothing to tell an excursion by.
    for calm in (dying, room):
        assert (np.isnan(calm) | (later - calm < 24)).all()
    assert 100 <= np.nanmax(later - cell) <= 104


@pytest.mark.parametrize("method", ["recent median", "daily shape"])
def test_the_level_outlasts_an_outage_and_its_end_and_keeps_a_change_for_good(method: Method) -> None:
    volts = np.full(24 * 12, 2.2)
    volts[100:108], volts[200:] = 1.9, 1.8
    when = pd.date_range("2026-01-01", periods=volts.size, freq="h")
    baselines = Baselines(make_grid(pd.DataFrame({"unique_id": "a", "ds": when, "y": volts})), 24)
    # In the outage, one hour after its end, and half a day after the change.
    at = np.array([103, 108, 212])
    told = baselines.point(method, np.zeros(3, int), at, np.ones(3, int))
    np.testing.assert_allclose(told, [2.2, 2.2, 1.8])


def test_the_daily_shape_follows_the_day_through_an_outage() -> None:
    hours = np.arange(24 * 12)
    day = np.sin(2 * np.pi * hours / 24)
    volts = 2.2 + day
    volts[100:106], volts[-3:] = 0.5, 0.5
    when = pd.date_range("2026-01-01", periods=volts.size, freq="h")
    baselines = Baselines(make_grid(pd.DataFrame({"unique_id": "a", "ds": when, "y": volts})), 24)
    ahead = np.arange(1, 49)
    told = baselines.point("daily shape", np.zeros(48, int), np.full(48, hours[-1]), ahead)
    np.testing.assert_allclose(told, 2.2 + np.sin(2 * np.pi * (hours[-1] + ahead) / 24), atol=0.02)


def test_the_daily_shape_reads_nothing_after_its_origin() -> None:
    volts = np.random.default_rng(4).normal(2.2, 0.1, (2, 200))
    volts[0, 20:60] = np.nan
    rows, origins, ahead = np.array([0, 1, 0]), np.array([120, 90, 65]), np.array([1, 30, 5])
    told = shaped_level(volts, rows, origins, ahead, 24, 9)
    later = volts.copy()
    later[:, 121:], later[1, 91:] = 99.0, 99.0
    np.testing.assert_array_equal(shaped_level(later, rows, origins, ahead, 24, 9), told)
    alone = [shaped_level(volts, *(item[[k]] for item in (rows, origins, ahead)), 24, 9)[0] for k in range(3)]
    assert np.isfinite(told).all() and told.tolist() == alone


def test_a_usual_day_of_few_days_takes_the_spread_of_the_trees() -> None:
    rng = np.random.default_rng(6)
    volts = 2.2 + 0.01 * rng.normal(size=24 * 30)
    volts[24 * 18 : 24 * 29] = np.nan
    when = pd.date_range("2026-01-01", periods=volts.size, freq="h")
    features = SeriesFeatures(make_grid(pd.DataFrame({"unique_id": "a", "ds": when, "y": volts})), 24, 48)
    candidates = Candidates.fitted(features, 24 * 18, 24, 0)
    assert candidates is not None
    before, after = (
        candidates.said(features, Samples(np.zeros(1, int), np.array([at]), np.array([3])))
        for at in (24 * 18 - 1, volts.size - 1)
    )
    at = (np.array([item]) for item in (0, volts.size - 1, 3))
    assert features.baselines.usual_day(*at, np.array([0.5]))[1] == [3]
    assert before.usual_spread is not None and after.usual_spread is not None
    assert (after.usual_spread == after.spread).all() and (before.usual_spread != before.spread).any()


def reach_of(values: np.ndarray) -> tuple[float, float]:
    when = pd.date_range("2026-01-01", periods=len(values), freq="h")
    features = SeriesFeatures(make_grid(pd.DataFrame({"unique_id": "a", "ds": when, "y": values})), 24, 72)
    low, high = features.reachable(np.array([0]), np.array([len(values) - 1]))
    return float(low[0]), float(high[0])


def test_a_voltage_that_is_charged_to_the_same_end_every_day_cannot_be_forecast_beyond_it() -> None:
    assert reach_of(np.tile(np.linspace(3.0, 4.2, 24), 10)) == (3.0, 4.2)


def test_a_voltage_that_drifts_may_be_forecast_to_drift_on_but_not_back_beyond_its_beginning() -> None:
    low, high = reach_of(np.linspace(2.3, 2.1, 241))
    np.testing.assert_allclose((low, high), (2.0, 2.3))
