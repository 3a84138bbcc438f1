"""Features whose value one can check by hand."""

import numpy as np
import pandas as pd
import pytest
from bms_schema.data.features import add_features
from bms_schema.data.table import canonical_table

from tests.schema.fleet import small_fleet


def one_cell(n: int = 8, step: str = "1h", **readings) -> pd.DataFrame:
    return small_fleet(1, 1, n, step=step).assign(**readings)


def featured(frame: pd.DataFrame) -> pd.DataFrame:
    return add_features(canonical_table(frame).frame)


def test_gravity_is_brought_to_25_degrees():
    made = featured(one_cell(3, CellSpecificGravity=1.24, CellTemperature=[25.0, 35.0, 15.0]))
    np.testing.assert_allclose(made["gravity_25c"], [1.24, 1.2472, 1.2328])


def test_an_hour_at_35_degrees_ages_a_cell_by_two():
    made = featured(one_cell(4, CellTemperature=35.0))
    np.testing.assert_allclose(made["thermal_age_h"], [0.0, 2.0, 4.0, 6.0])
    np.testing.assert_allclose(made["ageing_factor_30d"], [np.nan, 2.0, 2.0, 2.0])


def test_the_pace_of_ageing_weighs_hours_and_not_readings():
    hours = np.array([0.0, 10.0, *(10.0 + np.arange(1, 20) / 60)])
    frame = one_cell(21, CellTemperature=[25.0, 25.0, *[45.0] * 19])
    frame["Timestamp"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(hours, unit="h")
    made = featured(frame)
    factor = 2.0 ** ((np.array([25.0, 25.0, *[45.0] * 19]) - 25) / 10)
    expected = np.trapezoid(factor, hours) / hours[-1]
    assert made["ageing_factor_30d"].iloc[-1] == pytest.approx(expected)
    assert expected < 1.2


def test_charge_is_counted_and_what_was_drawn_today_stands_beside_it():
    current = [10.0, 10.0, 10.0, 0.0, -20.0, -20.0, -20.0, 0.0]
    made = featured(one_cell(InstantaneousCurrent=current))
    np.testing.assert_allclose(made["charge_ah"], [0, 10, 20, 25, 15, -5, -25, -35])
    np.testing.assert_allclose(made["discharged_24h_ah"], [0, 0, 0, 0, 10, 30, 50, 60])


def test_yesterdays_discharge_leaves_the_days_window():
    current = [-20.0, -20.0, *[0.0] * 28]
    made = featured(one_cell(30, InstantaneousCurrent=current))
    assert made["discharged_24h_ah"].iloc[2] == pytest.approx(30.0)
    np.testing.assert_allclose(made["discharged_24h_ah"].iloc[26:], 0.0, atol=1e-12)
    np.testing.assert_allclose(made["charge_ah"].iloc[2:], -30.0)


def test_nothing_is_counted_across_a_gap_and_the_count_goes_on_after_it():
    frame = one_cell(8, InstantaneousCurrent=10.0, CellTemperature=25.0)
    frame.loc[4:, "Timestamp"] += pd.Timedelta(hours=20)
    made = featured(frame)
    np.testing.assert_allclose(made["charge_ah"], [0, 10, 20, 30, 30, 40, 50, 60])
    np.testing.assert_allclose(made["thermal_age_h"], [0, 1, 2, 3, 3, 4, 5, 6])


@pytest.mark.parametrize(("missing", "counted"), [(4, 110.0), (5, 50.0)])
def test_a_few_missing_readings_are_bridged_and_a_long_silence_is_not(missing, counted):
    frame = one_cell(12, InstantaneousCurrent=10.0)
    frame.loc[3 : 2 + missing, "InstantaneousCurrent"] = np.nan
    charge = featured(frame)["charge_ah"]
    assert charge[3 : 2 + missing].isna().all()
    assert charge.iloc[-1] == pytest.approx(counted)


def test_large_load_steps_count_for_more_in_the_months_resistance():
    current = [0.0, -100.0, 0.0, -6.0, 0.0]
    voltage = [2.200, 2.100, 2.200, 2.188, 2.200]  # 1 mΩ at 100 A, 2 mΩ by rounding at 6 A
    made = featured(one_cell(5, InstantaneousCurrent=current, CellVoltage=voltage))
    month = made["load_step_resistance_30d_ohm"]
    assert month[:3].isna().all()
    assert made["load_step_resistance_ohm"].iloc[4] == pytest.approx(0.002)
    assert month.iloc[4] == pytest.approx((10 + 10 + 0.072 + 0.072) / (10_000 + 10_000 + 36 + 36))


def test_a_cell_that_sinks_shows_a_slope_and_its_neighbours_do_not():
    fleet = small_fleet(1, 12, 24 * 20)
    days = (fleet["Timestamp"] - fleet["Timestamp"].min()) / pd.Timedelta(days=1)
    fleet["CellVoltage"] -= np.where(fleet["Cell ID"] == "S0/3", 0.01 * days, 0.0)
    last = featured(fleet).groupby("Cell ID").last()
    sinking, others = last.loc["S0/3"], last.drop(index="S0/3")
    assert sinking["voltage_z_slope_7d"] < 3 * others["voltage_z_slope_7d"].min() < 0
    assert sinking["voltage_z_level_30d"] < others["voltage_z_level_30d"].min() - 10
    assert sinking["voltage_z_volatility_7d"] > 2 * others["voltage_z_volatility_7d"].max()


def test_a_slope_waits_for_half_its_window_and_an_outage_of_hours_does_not_empty_it():
    fleet = small_fleet(1, 4, 24 * 10)
    fleet.loc[fleet["Timestamp"] >= "2026-01-05", "Timestamp"] += pd.Timedelta(hours=9)
    made = featured(fleet)
    age = made["Timestamp"] - made["Timestamp"].min()
    assert made.loc[age < pd.Timedelta(days=3), "voltage_z_slope_7d"].isna().all()
    assert made.loc[age > pd.Timedelta(days=3.6), "voltage_z_slope_7d"].notna().all()
    assert made["voltage_z_slope_90d"].isna().all()
