import numpy as np
import pandas as pd
from bms_forecast.baselines import Baselines
from bms_forecast.features import SeriesFeatures
from bms_forecast.grid import Grid, make_grid
from bms_forecast.learn import crossed, training_samples

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


def test_training_targets_lie_before_the_cut() -> None:
    samples = training_samples(grid_of(), ORIGIN, 12, seed=0)
    assert len(samples.rows) > 100
    assert samples.targets.max() < ORIGIN
