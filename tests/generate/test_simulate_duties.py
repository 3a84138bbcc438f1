"""What solar cycling and UPS tests make of a string: charge, voltage, gravity and time of day must agree."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.simulate import SimulatedFleet, simulate_fleet
from bms_generate.simulator.chemistry import CHEMISTRIES
from bms_generate.simulator.duty import MAX_DEPTH, MIN_GAP_H, Duty, draw_ups_discharges
from bms_generate.simulator.settings import Settings
from bms_generate.simulator.sky import clear_sky
from bms_generate.simulator.solar import DEEPEST, follow_sun

HEALTHY = {"death_fraction": 0.0, "fault_fraction": 0.0, "sentinel_fraction": 0.0}


def follow(seed: int = 1, **options) -> tuple[Settings, Duty]:
    settings = Settings(duty="solar", seed=seed, **options)
    return settings, follow_sun(settings, np.random.default_rng(seed))


def string_means(fleet: SimulatedFleet, string: str = "S001") -> pd.DataFrame:
    rows = fleet.readings[fleet.readings["string"] == string]
    return rows.groupby("Timestamp")[
        ["CellVoltage", "InstantaneousCurrent", "StateOfCharge", "CellSpecificGravity", "CellTemperature"]
    ].mean()


@pytest.fixture(scope="module")
def solar() -> SimulatedFleet:
    return simulate_fleet(
        n_strings=2, cells_per_string=8, days=60, interval_minutes=15, duty="solar", seed=2, **HEALTHY
    )


@pytest.fixture(scope="module")
def ups() -> SimulatedFleet:
    return simulate_fleet(n_strings=2, cells_per_string=8, days=40, duty="ups_test", seed=4, **HEALTHY)


@pytest.mark.parametrize("start", ["2026-01-01", "2026-06-15"])
@pytest.mark.parametrize("seed", [0, 5])
def test_every_ampere_hour_of_a_solar_string_is_accounted_for(start: str, seed: int):
    settings, duty = follow(seed, days=40, interval_minutes=1, start=start)
    rate = duty.rate_per_h
    # Sun and load change every 15 minutes; between, the current runs smoothly.
    smooth = np.arange(1, len(rate)) % 15 != 0
    mean = np.where(smooth, (rate[:-1] + rate[1:]) / 2.0, rate[:-1])
    stored = np.where(mean > 0.0, 0.9, 1.0) * mean * settings.substep_h
    np.testing.assert_allclose(-np.diff(duty.depth).cumsum(), stored.cumsum(), atol=2e-3)
    assert np.abs(stored).sum() > 10.0
    assert duty.depth.min() > 0.0 and duty.depth.max() <= DEEPEST


@pytest.mark.parametrize("chemistry", sorted(CHEMISTRIES))
def test_a_solar_string_charges_only_while_the_sun_is_up_and_carries_the_load_by_night(chemistry: str):
    settings, duty = follow(days=30, chemistry=chemistry)
    dark = (
        clear_sky(*settings.clock(settings.fine_h - 0.25))
        + clear_sky(*settings.clock(settings.fine_h + 0.25))
        == 0
    )
    assert (duty.rate_per_h[dark] <= 0.0).all()
    assert (duty.rate_per_h[~dark] > 0.0).mean() > 0.6
    serving = dark & (duty.depth < DEEPEST)
    assert duty.rate_per_h[serving].max() < -0.004
    evening = (settings.fine_h % 24.0 > 18.1) & (settings.fine_h % 24.0 < 22.9)
    assert duty.rate_per_h[serving & evening].mean() < 2.0 * duty.rate_per_h[serving & ~evening].mean()


def test_the_panel_works_nine_hours_in_december_and_twelve_in_june_when_the_sun_rises_behind_it():
    hours = np.arange(0.0, 24.0, 0.1)
    june, december = ((clear_sky(hours, np.full(240, day)) > 0.0).sum() / 10.0 for day in (172.0, 355.0))
    assert june == pytest.approx(12.0, abs=0.2) and december == pytest.approx(9.2, abs=0.2)
    assert int(np.argmax(clear_sky(hours, np.full(240, 80.0)))) == 120


def test_dull_days_leave_a_solar_string_partly_charged_and_at_worst_shed_its_load():
    _, duty = follow(2, days=365)
    fullest = 1.0 - duty.depth[: 364 * 288].reshape(364, 288).min(axis=1)
    assert 0.05 < (fullest < 0.9).mean() < 0.5
    assert (fullest > 0.95).mean() > 0.3
    shed = duty.depth >= DEEPEST
    assert shed.any()
    assert duty.rate_per_h[shed].min() == 0.0
    assert (duty.rate_per_h[shed] == 0.0).mean() > 0.9


def test_the_sky_and_the_loads_are_the_same_at_every_sampling_interval():
    _, hourly = follow(days=20, interval_minutes=60)
    _, fine = follow(days=20, interval_minutes=1)
    np.testing.assert_allclose(fine.depth[::60][: 20 * 24], hourly.depth[::12], atol=1e-9)


def test_all_strings_of_a_fleet_cycle_under_one_sky(solar: SimulatedFleet):
    charge = [
        string_means(solar, name)["InstantaneousCurrent"].clip(lower=0.0).resample("D").sum()
        for name in ("S001", "S002")
    ]
    assert charge[0].corr(charge[1]) > 0.6
    assert abs(charge[0] / charge[1] - 1.0).median() > 0.005


def test_a_solar_controller_holds_absorption_then_float_and_no_more(solar: SimulatedFleet):
    means = string_means(solar)
    compensated = 2.45 - 0.004 * (means["CellTemperature"] - 25.0)
    assert (means["CellVoltage"] < compensated + 0.04).all()
    charging = means["InstantaneousCurrent"] > 0.5
    at_absorption = charging & (means["CellVoltage"] > compensated - 0.04)
    at_float = charging & means["CellVoltage"].between(2.16, 2.26) & (means["StateOfCharge"] > 94.0)
    assert at_absorption.mean() > 0.05 and at_float.mean() > 0.02
    assert means.loc[at_absorption, "StateOfCharge"].min() < 85.0


def test_charging_lifts_and_load_lowers_the_voltage_at_one_state_of_charge(solar: SimulatedFleet):
    means = string_means(solar)
    middle = means["StateOfCharge"].between(75.0, 85.0)
    load, charge = means["InstantaneousCurrent"] < -3.0, means["InstantaneousCurrent"] > 8.0
    lifted = (
        means.loc[middle & charge, "CellVoltage"].median() - means.loc[middle & load, "CellVoltage"].median()
    )
    assert 0.1 < lifted < 0.5
    night = means[(means.index.hour < 5) & (means["InstantaneousCurrent"] < 0.0)]
    assert night["CellVoltage"].corr(night["StateOfCharge"]) > 0.8
    assert night["CellVoltage"].between(1.85, 2.08).all()


def test_the_voltages_of_a_solar_string_rise_at_dawn_without_a_jump_and_spread_under_absorption():
    fleet = simulate_fleet(
        n_strings=1, cells_per_string=8, days=12, interval_minutes=1, duty="solar", **HEALTHY
    )
    means = string_means(fleet)
    is_charged = means["InstantaneousCurrent"].rolling(5, center=True).mean() > 0.0
    dawn = is_charged & ~is_charged.shift(fill_value=True)
    steps = means["CellVoltage"].diff().abs().rolling(15, center=True).max()
    assert dawn.sum() >= 10
    assert steps[dawn].max() < 0.05 and steps.max() > 0.15
    spread = fleet.readings.groupby("Timestamp")["CellVoltage"].std()
    around = (spread.shift(-15) / spread.shift(15))[dawn]
    assert around.median() == pytest.approx(1.0, abs=0.25)
    held = means["CellVoltage"] > 2.42
    assert spread[held].median() > 1.3 * spread[dawn].median()


def test_what_a_dead_solar_cell_lacks_is_shared_only_while_the_controller_holds_the_voltage():
    arguments = {"n_strings": 1, "cells_per_string": 12, "days": 30, "duty": "solar", "seed": 2} | HEALTHY
    with_death = simulate_fleet(**(arguments | {"death_fraction": {"unheralded": 0.01}}))
    without = simulate_fleet(**arguments)
    dead = with_death.truth["Cell ID"].iloc[0]
    both = with_death.readings.assign(before=without.readings["CellVoltage"])
    late = both[(both["Timestamp"] > with_death.truth["death"].iloc[0] + pd.Timedelta(days=1))]
    others = late[late["Cell ID"] != dead].groupby("Timestamp").mean(numeric_only=True)
    lifted = others["CellVoltage"] - others["before"]
    night, held = others["InstantaneousCurrent"] < -0.5, others["before"].between(2.44, 2.50)
    assert lifted[night].abs().max() < 0.003
    assert lifted[held].median() > 0.015
    bulk = (others["InstantaneousCurrent"] > 1.0) & others["before"].between(2.0, 2.12)
    assert bulk.sum() >= 3 and lifted[bulk].median() < 0.5 * lifted[held].median()


def test_gravity_of_a_solar_string_follows_its_charge(solar: SimulatedFleet):
    means = string_means(solar)
    at_reference = means["CellSpecificGravity"] + 0.00072 * (means["CellTemperature"] - 25.0)
    daily = pd.DataFrame({"gravity": at_reference, "soc": means["StateOfCharge"]}).resample("D").mean()
    assert daily["gravity"].corr(daily["soc"]) > 0.85
    assert at_reference.between(1.095, 1.22).all()


@pytest.mark.parametrize("chemistry", sorted(CHEMISTRIES))
@pytest.mark.parametrize("duty", ["solar", "ups_test"])
def test_every_duty_suits_every_chemistry(chemistry: str, duty: str):
    fleet = simulate_fleet(
        n_strings=2,
        days=40,
        duty=duty,
        chemistry=chemistry,
        sentinel_fraction=0.0,
        fault_fraction=0.0,
        seed=6,
    )
    profile = CHEMISTRIES[chemistry]
    alive = fleet.readings[~fleet.readings["Cell ID"].isin(fleet.truth["Cell ID"])]
    assert alive["CellVoltage"].between(profile.ocv_v[0] - 0.3, profile.absorption_voltage_v + 0.25).all()
    assert alive["StateOfCharge"].between(5.0, 100.0).all()
    assert fleet.readings["CellVoltage"].between(0.0, 4.0).all()
    assert fleet.readings.groupby(["string", "Timestamp"])["InstantaneousCurrent"].nunique().eq(1).all()


def test_a_ups_is_tested_every_week_at_the_same_hour_and_load(ups: SimulatedFleet):
    for name in ("S001", "S002"):
        means = string_means(ups, name)
        tests = means[(means["InstantaneousCurrent"] < -30.0)]
        assert 4 <= len(tests) <= 6
        on_schedule = (tests.index - tests.index[0]) % pd.Timedelta(days=7) == pd.Timedelta(0)
        assert on_schedule.mean() >= 0.75
        assert tests.index[0].hour in range(8, 18)
        load = tests.loc[on_schedule, "InstantaneousCurrent"]
        assert load.std() < 0.1 * abs(load.mean())


def test_a_ups_test_shows_the_resistance_of_its_string(ups: SimulatedFleet):
    means = string_means(ups)
    under_load = means["InstantaneousCurrent"] < -30.0
    current, voltage = means.loc[under_load, "InstantaneousCurrent"], means.loc[under_load, "CellVoltage"]
    cells = ups.cells[ups.cells["string"] == "S001"]
    ohm = (cells["resistance_ohm"] * (1.0 + cells["resistance_rise_per_year"] * cells["age_years"])).mean()
    np.testing.assert_allclose(voltage, 1.215 + 0.84 + current * ohm, atol=0.03)
    assert means.loc[~under_load, "CellVoltage"].median() > 2.19


@pytest.mark.parametrize("span_h", [1.0, 30.0, 24.0 * 365 * 6])
def test_a_ups_is_discharged_at_least_once_and_never_while_it_recovers_from_an_outage(span_h: float):
    for seed in range(5):
        discharges = draw_ups_discharges(np.random.default_rng(seed), span_h, 13.5)
        assert 0.0 <= discharges[0].start_h < span_h
        assert all(d.rate_per_h * d.hours < MAX_DEPTH for d in discharges)
        outages = [d for d in discharges if d.hours not in (0.25, 0.25 * span_h)]
        for outage in outages:
            end_h = outage.start_h + outage.hours
            others = [d for d in discharges if d is not outage]
            assert not any(outage.start_h - 0.25 < d.start_h < end_h + MIN_GAP_H for d in others)
    if span_h > 1e4:
        assert len(outages) == pytest.approx(span_h / (45 * 24), rel=0.4)
        assert len(discharges) - len(outages) > 0.9 * span_h / 168


def test_ups_tests_keep_to_the_clock_wherever_the_span_begins():
    settings = Settings(duty="ups_test", start="2026-03-01 13:30")
    (hour,), _ = settings.clock(np.zeros(1))
    starts = [
        d.start_h for d in draw_ups_discharges(np.random.default_rng(3), 700.0, hour) if d.hours == 0.25
    ]
    assert all(8.0 <= (13.5 + start) % 24.0 < 18.0 and (13.5 + start) % 1.0 == 0.0 for start in starts)
