"""Invariants of a battery string that the simulated readings must show."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.simulate import SimulatedFleet, simulate_fleet
from bms_generate.simulator.charger import float_set_point_v
from bms_generate.simulator.chemistry import CHEMISTRIES
from bms_generate.simulator.duty import Discharge, draw_discharges, follow_duty
from bms_generate.simulator.processes import ar1, first_order_lag

HEALTHY = {"death_fraction": 0.0, "fault_fraction": 0.0, "sentinel_fraction": 0.0}


@pytest.fixture(scope="module")
def healthy() -> SimulatedFleet:
    return simulate_fleet(n_strings=3, days=60, seed=2, **HEALTHY)


def per_time(fleet: SimulatedFleet, column: str, string: str = "S001") -> pd.DataFrame:
    rows = fleet.readings[fleet.readings["string"] == string]
    return rows.pivot_table(column, "Timestamp", "Cell ID", aggfunc="first")


def test_all_cells_of_a_string_carry_one_current_and_one_ambient(healthy: SimulatedFleet):
    shared = healthy.readings.groupby(["string", "Timestamp"])[["InstantaneousCurrent", "AmbientTemperature"]]
    assert shared.nunique().eq(1).all(axis=None)


def test_float_voltage_falls_three_millivolt_per_degree_and_is_clamped():
    flooded, lithium = CHEMISTRIES["lead_acid_flooded"], CHEMISTRIES["li_ion"]
    at = float_set_point_v(flooded, np.array([25.0, 26.0, 40.0, 60.0, -20.0, 5.0]))
    assert at[0] - at[1] == pytest.approx(0.003)
    assert at[2] == at[3] and at[4] == at[5]
    assert 2.20 <= at[0] <= 2.23
    assert np.ptp(float_set_point_v(lithium, np.array([10.0, 40.0]))) == 0.0


def test_the_strings_of_a_fleet_share_the_weather_and_have_rooms_of_their_own(healthy: SimulatedFleet):
    room = [per_time(healthy, "AmbientTemperature", s).iloc[:, 0] for s in ("S001", "S002", "S003")]
    assert min(room[0].corr(room[1]), room[0].corr(room[2])) > 0.6
    assert abs(room[0] - room[1]).mean() > 0.1


def test_a_string_floats_lower_in_summer_than_in_winter():
    winter, summer = (
        simulate_fleet(n_strings=1, days=10, start=start, **HEALTHY) for start in ("2026-01-10", "2026-07-10")
    )
    warmer_c = summer.readings["CellTemperature"].median() - winter.readings["CellTemperature"].median()
    lower_v = winter.readings["CellVoltage"].median() - summer.readings["CellVoltage"].median()
    assert warmer_c > 2.0
    assert lower_v == pytest.approx(0.003 * warmer_c, abs=0.003)


def test_healthy_cells_float_within_the_window_and_close_to_their_string(healthy: SimulatedFleet):
    voltage = per_time(healthy, "CellVoltage")
    on_float = voltage[per_time(healthy, "InstantaneousCurrent").iloc[:, 0].abs() < 0.6]
    assert on_float.mean(axis=1).between(2.19, 2.24).all()
    assert on_float.std(axis=1).mean() == pytest.approx(0.011, abs=0.006)


@pytest.mark.parametrize(
    ("chemistry", "median_v", "window_v"),
    [("lead_acid_flooded", (2.205, 2.23), (2.14, 2.25)), ("vrla", (2.25, 2.275), (2.15, 2.30))],
)
def test_cells_at_room_temperature_float_inside_the_window_of_their_chemistry(
    chemistry: str, median_v: tuple[float, float], window_v: tuple[float, float]
):
    readings = simulate_fleet(n_strings=4, seed=1, chemistry=chemistry, **HEALTHY).readings
    on_float = readings[readings["InstantaneousCurrent"].between(0.0, 1.0)]
    assert on_float["AmbientTemperature"].median() == pytest.approx(20.0, abs=2.0)
    cells = on_float.groupby("Cell ID")["CellVoltage"].median()
    assert median_v[0] <= cells.median() <= median_v[1]
    assert cells.between(*window_v).mean() >= 0.98


def test_a_minute_into_a_discharge_voltage_is_open_circuit_less_current_times_resistance():
    fleet = simulate_fleet(n_strings=1, days=2, interval_minutes=1, **HEALTHY)
    current = per_time(fleet, "InstantaneousCurrent").iloc[:, 0]
    first = int(np.argmax(current.to_numpy() < -5.0))
    grown = 1.0 + fleet.cells["resistance_rise_per_year"] * fleet.cells["age_years"]
    expected = 1.215 + 0.84 + current.iloc[first] * (fleet.cells["resistance_ohm"] * grown).mean()
    assert per_time(fleet, "CellVoltage").iloc[first].mean() == pytest.approx(expected, abs=0.006)


def test_every_load_step_shows_in_the_voltage_of_the_string(healthy: SimulatedFleet):
    current = per_time(healthy, "InstantaneousCurrent").iloc[:, 0]
    voltage = per_time(healthy, "CellVoltage").mean(axis=1)
    begins = (current < -5.0) & (current.shift() > -1.0)
    assert begins.sum() >= 4
    assert (voltage[begins] < voltage.shift()[begins] - 0.1).all()
    assert voltage[begins].between(1.8, 2.1).all()


def test_gravity_and_state_of_charge_fall_together_and_gravity_later(healthy: SimulatedFleet):
    soc = per_time(healthy, "StateOfCharge").mean(axis=1)
    gravity = per_time(healthy, "CellSpecificGravity").mean(axis=1)
    temperature = per_time(healthy, "CellTemperature").mean(axis=1)
    at_reference = gravity + 0.00072 * (temperature - 25.0)
    correlations = [soc.corr(at_reference.shift(-lag)) for lag in range(12)]
    assert max(correlations) > 0.6
    assert int(np.argmax(correlations)) >= 1


def test_open_circuit_voltage_of_a_full_flooded_cell_is_gravity_plus_084():
    flooded = CHEMISTRIES["lead_acid_flooded"]
    assert flooded.full_gravity is not None
    assert flooded.ocv_v[-1] == pytest.approx(flooded.full_gravity + 0.84)


def test_state_of_charge_counts_the_coulombs_of_the_string():
    hours = np.arange(0.0, 96.0, 0.01)
    rate, depth = follow_duty(hours, [Discharge(1.0, 4.0, 0.1), Discharge(30.0, 2.0, 0.2)])
    discharged = -np.minimum(rate, 0.0).sum() * 0.01
    charged = np.maximum(rate, 0.0).sum() * 0.01
    assert discharged == pytest.approx(0.8, abs=0.005)
    assert depth.max() == pytest.approx(0.4, abs=0.005)
    assert charged * 0.9 == pytest.approx(discharged, rel=0.01)
    assert depth[-1] < 1e-3


def test_the_recharge_starts_at_the_limit_and_then_only_tapers():
    hours = np.arange(0.0, 40.0, 0.1)
    rate, _ = follow_duty(hours, [Discharge(1.0, 5.0, 0.12)])
    recharge = rate[hours > 6.05]
    assert recharge[0] == pytest.approx(0.1)
    assert (np.diff(recharge) <= 1e-12).all()


@pytest.mark.parametrize("span_h", [2.0, 48.0, 24.0 * 365])
def test_every_string_is_discharged_and_never_twice_at_once(span_h: float):
    discharges = draw_discharges(np.random.default_rng(0), span_h)
    assert discharges[0].start_h < span_h
    ends = [d.start_h + d.hours for d in discharges]
    assert all(end < later.start_h for end, later in zip(ends, discharges[1:], strict=False))
    assert all(d.rate_per_h * d.hours <= 0.6 + 1e-9 for d in discharges)


def test_a_cell_follows_the_room_late_and_heats_under_load(healthy: SimulatedFleet):
    ambient = per_time(healthy, "AmbientTemperature").iloc[:, 0]
    cell = per_time(healthy, "CellTemperature").mean(axis=1)
    correlations = [ambient.corr(cell.shift(-lag)) for lag in range(12)]
    assert 1 <= int(np.argmax(correlations)) <= 8
    assert cell.diff().std() < ambient.diff().std()
    depth = 100.0 - per_time(healthy, "StateOfCharge").mean(axis=1)
    excess = cell - ambient.rolling(12, min_periods=1).mean()
    assert excess[depth > 10].mean() > excess[depth < 1].mean()


def test_what_a_dying_cell_lacks_on_float_is_shared_by_the_others():
    arguments = {"n_strings": 1, "days": 30, "fault_fraction": 0.0, "sentinel_fraction": 0.0, "seed": 3}
    with_death = simulate_fleet(death_fraction=0.01, **arguments)
    without = simulate_fleet(death_fraction=0.0, **arguments)
    assert len(with_death.truth) == 1
    dead = with_death.truth["Cell ID"].iloc[0]
    # Load and room are drawn apart from fate, so the two strings differ by the death alone.
    change = (per_time(with_death, "CellVoltage") - per_time(without, "CellVoltage")).iloc[-1]
    assert change[dead] < -0.2
    others = change.drop(dead)
    assert others.between(0.002, 0.12).all()
    assert change.mean() == pytest.approx(0.0, abs=0.001)


def test_the_wander_of_a_cell_has_the_memory_and_spread_it_was_asked_for():
    noise = ar1(np.random.default_rng(1), (20_000, 3), 2.0, 1.0, 10.0)
    assert noise.std() == pytest.approx(2.0, rel=0.1)
    lag1 = np.mean([np.corrcoef(noise[:-1, c], noise[1:, c])[0, 1] for c in range(3)])
    assert lag1 == pytest.approx(np.exp(-0.1), abs=0.02)


def test_a_lag_starts_in_equilibrium_and_reaches_63_per_cent_after_its_time_constant():
    step = np.r_[0.0, np.ones(2000)]
    assert first_order_lag(step, 0.01, 5.0)[500] == pytest.approx(1.0 - np.exp(-1.0), abs=0.003)
    np.testing.assert_allclose(first_order_lag(np.full(5, 3.0), 1.0, 2.0), 3.0)


def test_deviations_of_a_healthy_cell_are_not_white(healthy: SimulatedFleet):
    voltage = per_time(healthy, "CellVoltage")
    deviation = voltage.sub(voltage.median(axis=1), axis=0)
    own = deviation.sub(deviation.mean())
    lag1 = own.apply(lambda cell: cell.autocorr(1))
    assert lag1.median() > 0.5
