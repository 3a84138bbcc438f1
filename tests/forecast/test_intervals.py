import numpy as np
from bms_forecast.baselines import error_quantiles
from bms_forecast.blend import best_weights, weights_of_bands
from bms_forecast.conformal import apply_shifts, fit_shifts
from bms_forecast.plan import make_plan

LEVELS = np.array([0.05, 0.5, 0.95])


def test_conformal_shifts_bring_too_narrow_quantiles_to_their_coverage() -> None:
    rng = np.random.default_rng(1)
    horizons = np.tile(np.arange(1, 5), 2000)
    narrow = np.tile([-0.2, 0.0, 0.2], (len(horizons), 1))
    shifts = fit_shifts(rng.normal(size=len(horizons)), narrow, horizons, 4, LEVELS)
    widened = apply_shifts(narrow, horizons, shifts, LEVELS)
    later = rng.normal(size=len(horizons))
    inside = (later >= widened[:, 0]) & (later <= widened[:, 2])
    assert 0.88 <= inside.mean() <= 0.92
    assert (widened[:, 1] == 0.0).all()


def test_past_errors_become_intervals_that_cover() -> None:
    rng = np.random.default_rng(2)
    quantiles = error_quantiles(rng.normal(size=(200, 6)), LEVELS)
    later = rng.normal(size=(500, 6))
    assert 0.87 <= ((later >= quantiles[:, 0]) & (later <= quantiles[:, 2])).mean() <= 0.94


def test_the_parts_of_a_plan_follow_each_other_without_overlap() -> None:
    for length in (8, 20, 50, 200, 720, 5000):
        for horizon in (1, 6, 24, 10_000):
            plan = make_plan(np.full(length, True), horizon)
            assert plan.reportable
            assert 0 < plan.calibrate_from < plan.report_from < plan.end == length
            assert min(plan.report_origins()) == plan.report_from - 1
            assert max(plan.report_origins()) + plan.window == length - 1


def test_the_best_mixture_is_found() -> None:
    rng = np.random.default_rng(3)
    truth, noise = rng.normal(size=2000), rng.normal(size=2000)
    # Two whose errors cancel each other, and one that is off.
    points = np.column_stack([truth + noise, truth - noise, truth + 5.0])
    assert best_weights(points, truth).tolist() == [0.5, 0.5, 0.0]
    assert best_weights(np.column_stack([truth, points[:, 2]]), truth).tolist() == [1.0, 0.0]


def test_each_band_of_horizons_has_its_own_mixture() -> None:
    rng = np.random.default_rng(5)
    horizons = np.tile(np.arange(1, 9), 500)
    truth = rng.normal(size=horizons.size)
    # The first candidate knows the next step alone, the second all others alone; the last band was never read.
    off = np.where(horizons == 1, 0.0, 3.0) * rng.normal(size=horizons.size)
    points = np.column_stack([truth + off, truth + np.where(horizons == 1, 3.0, 0.0)])
    weights = weights_of_bands(points, np.where(horizons < 8, truth, np.nan), horizons, 8)
    assert weights.tolist() == [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]
