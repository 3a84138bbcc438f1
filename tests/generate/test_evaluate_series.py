"""Memory in time, cells that differ, clocks and shared signals, against slow loops and known truth."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.correlations import autocorrelations, compare_correlations, cross_correlations
from bms_generate.series_scores import cell_variances, compare_clocks, label_rates, shared_spread
from bms_generate.telemetry import arrange, cut_windows, plan_windows
from bms_generate.telemetry_roles import find_roles

from tests.generate.telemetry_tables import scores, series

SIGNALS = ["current", "voltage"]


def both(real, synthetic):
    roles = find_roles(real)
    assert roles.signals == SIGNALS
    return arrange(real, roles), arrange(synthetic, roles)


def with_gaps(table):
    """Lose a third of the rows and a tenth of the voltages."""
    random = np.random.default_rng(8)
    table = table[random.random(len(table)) < 0.67].reset_index(drop=True)
    return table.assign(voltage=table["voltage"].mask(random.random(len(table)) < 0.1))


def slow_correlation(table, one, other, lag):
    """Put every cell on its full grid and let pandas correlate."""
    found = []
    for _, cell in table.groupby("Cell ID"):
        grid = cell.set_index("Timestamp")[SIGNALS].asfreq("30min")
        pairs = pd.DataFrame({"now": grid[one], "later": grid[other].shift(-lag)}).dropna()
        if len(pairs) >= 8:
            found.append(pairs["now"].corr(pairs["later"]))
    return np.mean(found)


def test_correlations_agree_with_a_slow_loop_over_gaps_and_missing_values():
    table = with_gaps(series(readings=60))
    real, synthetic = both(table, table.sample(frac=1, random_state=1))
    by_lag = compare_correlations(real, synthetic)
    own = autocorrelations(by_lag, SIGNALS)
    assert set(own["lag"]) == {1, 2, 6, 24}
    for row in own.itertuples():
        assert row.real == pytest.approx(slow_correlation(table, row.signal, row.signal, row.lag), abs=1e-9)
        assert row.synthetic == pytest.approx(row.real, abs=1e-12)
    cross = cross_correlations(by_lag, SIGNALS)
    assert sorted(zip(cross["signal"], cross["other"], cross["lag"], strict=True)) == [
        ("current", "voltage", 0),
        ("current", "voltage", 1),
        ("voltage", "current", 1),
    ]
    for row in cross.itertuples():
        assert row.real == pytest.approx(slow_correlation(table, row.signal, row.other, row.lag), abs=1e-9)


def test_lags_never_cross_cells():
    up_and_down = series(cells=2, strings=1, readings=30)
    up_and_down["Cell ID"] = up_and_down["Cell ID"].str[-2:]
    up_and_down["voltage"] = np.r_[np.arange(30.0), 1000 - np.arange(30.0)]
    late = up_and_down["Cell ID"] == "C1"  # begins when the other has ended
    up_and_down["Timestamp"] += pd.to_timedelta(np.where(late, 15, 0), "h")
    up_and_down["current"] += np.where(late, 5, 0)
    found = autocorrelations(compare_correlations(*both(up_and_down, up_and_down)), SIGNALS).set_index(
        ["signal", "lag"]
    )
    assert found.loc[("voltage", 1), "real"] == pytest.approx(1.0)


def test_a_synthetic_clock_that_never_ticks_has_no_memory():
    real = series()
    seconds = np.random.default_rng(1).integers(0, 40 * 1800, len(real))
    synthetic = real.assign(Timestamp=real["Timestamp"].min() + pd.to_timedelta(seconds, "s"))
    found = autocorrelations(compare_correlations(*both(real, synthetic)), SIGNALS)
    assert found["real"].notna().all()
    assert not (found.loc[found["lag"] == 1, "synthetic"].abs() > 0.5).any()
    clock = compare_clocks(*both(real, synthetic))
    assert (clock.step_s, clock.regular_real) == (1800.0, 1.0)
    assert clock.regular_synthetic < 0.5


def test_repeated_moments_of_a_cell_are_counted():
    real = series()
    synthetic = real.assign(Timestamp=real["Timestamp"].dt.floor("60min"))
    clock = compare_clocks(*both(real, synthetic))
    assert (clock.repeated_real, clock.repeated_synthetic) == (0.0, 1.0)


def test_variances_between_and_within_cells():
    real = series(cells=2, strings=1, readings=30)
    real["Cell ID"] = real["Cell ID"].str[-2:]
    real["voltage"] = np.r_[np.tile([1.0, 3.0], 15), np.tile([5.0, 7.0], 15)]
    synthetic = real.assign(voltage=real["voltage"].to_numpy()[np.argsort(np.arange(60) % 30, kind="stable")])
    table = cell_variances(*both(real, synthetic), SIGNALS).set_index("signal")
    assert table.loc["voltage", "between_real"] == pytest.approx(4.0)
    assert table.loc["voltage", "within_real"] == pytest.approx(1.0)
    assert table.loc["voltage", "between_ratio"] < 0.05
    assert table.loc["current", "between_ratio"] == 1.0  # one string, one current: no variance on either side


def test_a_shared_current_that_differs_from_cell_to_cell_is_seen():
    real = series(cells=2)
    synthetic = real.assign(current=real["current"] + np.where(real["Cell ID"].str.endswith("C0"), 1.0, -1.0))
    synthetic = synthetic[
        (synthetic.index % 2 == 0) | synthetic["Cell ID"].str.endswith("C0")
    ]  # moments of one cell
    spread = shared_spread(*both(real, synthetic), ["current"]).iloc[0]
    assert spread["real"] == 0.0
    assert spread["synthetic"] == pytest.approx(1.0)


def test_label_rates_count_readings_and_cells():
    real = series().assign(IsDead=0)
    real.loc[real["Cell ID"] == "S0/C0", "IsDead"] = [0] * 30 + [1] * 10
    synthetic = real.assign(IsDead=[0] * 319 + [1])
    rates = label_rates(*both(real, synthetic), "IsDead")
    assert (rates.rows_real, rates.cells_real) == (10 / 320, 1 / 8)
    assert (rates.rows_synthetic, rates.cells_synthetic) == (1 / 320, 1 / 8)


def test_windows_are_days_from_midnight_of_24_means():
    table = series(cells=1, readings=48 * 8)
    telemetry = arrange(table, find_roles(table))
    plan = plan_windows(telemetry)
    windows = cut_windows(telemetry, plan)
    assert plan.points == 24
    assert windows.values.shape == (16, 48)
    first_day = table["current"].to_numpy()[:48].reshape(24, 2).mean(axis=1)
    assert windows.values[0, :24] == pytest.approx(first_day, abs=1e-6)
    late = table.assign(Timestamp=table["Timestamp"] + pd.Timedelta("18h"))
    begun = cut_windows(arrange(late, find_roles(late)), plan)
    assert np.all(begun.start % (24 * 3600 * 10**9) == 0)
    assert len(begun.start) == 16  # the 6 hours of the first day are no window, the 18 of the last are


def test_short_series_are_cut_into_quarters():
    table = series(readings=40)
    plan = plan_windows(arrange(table, find_roles(table)))
    assert plan.length == 5 * 3600 * 10**9
    assert plan.points == 10


def test_a_shuffled_fleet_has_no_memory_and_currents_of_its_own():
    found = scores("shuffled").series
    first = found.autocorrelation[found.autocorrelation["lag"] == 1].set_index("signal")
    assert first.loc["CellTemperature", "real"] > 0.8
    assert first["synthetic"].abs().max() < 0.1
    assert (found.shared["real"] == 0).all()
    assert (found.shared["synthetic"] > 0.5).all()
    assert found.variance.set_index("signal").loc["CellVoltage", "between_ratio"] < 0.2
    assert abs(found.cross_correlation.iloc[0]["real"] - found.cross_correlation.iloc[0]["synthetic"]) > 0.3


def test_a_copy_differs_in_nothing():
    found = scores("copy").series
    assert (found.autocorrelation["real"] == found.autocorrelation["synthetic"]).all()
    assert (found.variance[["between_ratio", "within_ratio"]] == 1.0).all(axis=None)
