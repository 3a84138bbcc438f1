import numpy as np
from bms_forecast.baselines import error_quantiles
from bms_forecast.conformal import apply_shifts, fit_shifts
from bms_forecast.fitted import within_experience
from bms_forecast.learn import Samples
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
            plan = make_plan(length, horizon)
            assert plan.reportable
            assert 0 < plan.calibrate_from < plan.report_from < plan.end == length
            calibration = plan.calibration_origins(1)
            assert min(calibration) == plan.calibrate_from - 1
            assert max(calibration) + plan.window == plan.report_from - 1
            assert min(plan.report_origins()) == plan.report_from - 1
            assert max(plan.report_origins()) + plan.window == length - 1


def test_a_forecast_stays_near_what_its_series_has_shown_up_to_the_origin() -> None:
    values = np.array([[20.0, 22.0, np.nan, 90.0], [5.0, 5.0, 5.0, 5.0]])
    wild = np.tile([-100.0, 21.0, 100.0], (2, 1))
    samples = Samples(np.array([0, 1]), np.array([2, 2]), np.array([1, 1]))
    calm, constant = within_experience(wild, values, samples)
    # 20 to 22 so far: the 90 that comes later is not known, a constant past says nothing about its range.
    assert calm.tolist() == [19.0, 21.0, 23.0]
    assert constant.tolist() == [-100.0, 21.0, 100.0]
