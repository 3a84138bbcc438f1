"""The truth of a simulated fleet: who dies, who is faulty, which rows are anomalous."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.simulate import SimulatedFleet, row_truth, simulate_fleet

FAULTS = {"drift", "thermal", "noise", "spike", "stuck", "dropout"}


@pytest.fixture(scope="module")
def fleet() -> SimulatedFleet:
    return simulate_fleet(seed=11, sentinel_fraction=0.02)


@pytest.fixture(scope="module")
def plain() -> SimulatedFleet:
    """Many faults, no sentinels, so that every logged value is what the sensor gave."""
    return simulate_fleet(n_strings=2, fault_fraction=0.6, sentinel_fraction=0.0, seed=5)


def deaths(fleet: SimulatedFleet) -> pd.DataFrame:
    return fleet.truth[fleet.truth["kind"].str.startswith("death_")]


def is_silent(readings: pd.DataFrame) -> pd.Series:
    return readings["CellVoltage"] == 65.535


def deviation(fleet: SimulatedFleet, column: str) -> pd.Series:
    values = fleet.readings[column]
    return values - fleet.readings.groupby(["string", "Timestamp"])[column].transform("median")


def rows_of(fleet: SimulatedFleet, event: pd.Series) -> pd.Series:
    readings = fleet.readings
    inside = readings["Timestamp"].between(event["start"], event["end"])
    return inside & (readings["Cell ID"] == event["Cell ID"])


@pytest.mark.parametrize("seed", range(5))
def test_about_the_asked_share_of_cells_dies_or_is_faulty(seed: int):
    fate = simulate_fleet(n_strings=4, days=3, seed=seed).cells["fate"]
    dying = fate.str.startswith("death_").sum()
    assert abs(dying - 9.6) <= 1
    assert abs(fate.isin(FAULTS).sum() - 0.1 * (96 - dying)) <= 1


@pytest.mark.parametrize("death_fraction", [0.001, 0.02, 0.1])
@pytest.mark.parametrize("n_strings", [2, 5])
def test_two_strings_have_a_death_however_small_the_fraction(death_fraction: float, n_strings: int):
    for seed in range(4):
        fleet = simulate_fleet(
            n_strings=n_strings, cells_per_string=6, days=2, death_fraction=death_fraction, seed=seed
        )
        assert deaths(fleet)["string"].nunique() >= 2


def test_every_kind_of_fault_and_of_death_occurs_in_a_fleet_of_the_default_size(fleet: SimulatedFleet):
    assert set(fleet.truth["kind"]) == FAULTS | {"death_slow", "death_sudden", "death_unheralded"}


def test_when_all_cells_die_none_is_left_to_be_faulty_and_voltages_stay_sane():
    fleet = simulate_fleet(n_strings=2, days=20, death_fraction=1.0, fault_fraction=1.0, sentinel_fraction=0)
    assert fleet.cells["fate"].str.startswith("death_").all()
    assert fleet.readings["CellVoltage"].between(0.0, 3.0).all()


def test_the_dead_stay_dead_and_the_others_never_are(fleet: SimulatedFleet):
    readings = fleet.readings
    first_dead = readings[readings["IsDead"] == 1].groupby("Cell ID")["Timestamp"].min()
    expected = deaths(fleet).set_index("Cell ID")["death"]
    pd.testing.assert_series_equal(
        first_dead, expected.sort_index(), check_names=False, check_index_type=False
    )
    assert readings.groupby("Cell ID")["IsDead"].is_monotonic_increasing.all()


def test_event_times_lie_in_order_inside_the_span_and_on_the_grid(fleet: SimulatedFleet):
    stamps = set(fleet.readings["Timestamp"])
    truth, dying = fleet.truth, deaths(fleet)
    assert set(truth["start"]) | set(truth["end"]) | set(dying["death"]) <= stamps
    assert (truth["start"] <= truth["end"]).all()
    assert (dying["start"] <= dying["death"]).all() and (dying["death"] < dying["end"]).all()
    heralded = dying["kind"] != "death_unheralded"
    assert dying.loc[heralded, "onset_of_precursor"].equals(dying.loc[heralded, "start"])
    assert dying.loc[~heralded, "onset_of_precursor"].isna().all()
    assert truth.loc[truth["kind"].isin(FAULTS), ["death", "onset_of_precursor"]].isna().all(axis=None)


def test_deaths_are_spread_over_the_later_part_and_leave_three_dead_samples(fleet: SimulatedFleet):
    start, end = fleet.readings["Timestamp"].min(), fleet.readings["Timestamp"].max()
    place = (deaths(fleet)["death"] - start) / (end - start)
    assert place.between(0.29, 0.96).all()
    assert place.max() - place.min() > 0.4
    assert fleet.readings.groupby("Cell ID")["IsDead"].sum().loc[deaths(fleet)["Cell ID"]].ge(3).all()


def test_a_long_span_gives_slow_deaths_weeks_of_warning_and_sudden_ones_days():
    dying = deaths(simulate_fleet(n_strings=4, days=180, interval_minutes=360))
    lead_days = (dying["death"] - dying["start"]) / pd.Timedelta(days=1)
    assert lead_days[dying["kind"] == "death_slow"].between(20, 61).all()
    assert lead_days[dying["kind"] == "death_sudden"].between(1.5, 5.5).all()
    assert lead_days[dying["kind"] == "death_unheralded"].eq(0).all()


def test_a_dead_cell_is_low_on_float(plain: SimulatedFleet):
    last = plain.readings[plain.readings["Timestamp"] == plain.readings["Timestamp"].max()]
    dying = deaths(plain)
    old_enough = dying[dying["death"] < last["Timestamp"].iloc[0] - pd.Timedelta(days=1)]
    dead = last.set_index("Cell ID")["CellVoltage"].loc[old_enough["Cell ID"]]
    assert len(dead) >= 3 and (dead < 2.1).all()


def test_a_precursor_grows_gradually():
    fleet = simulate_fleet(n_strings=6, days=180, interval_minutes=360, fault_fraction=0, sentinel_fraction=0)
    low = -deviation(fleet, "CellVoltage")
    slow = fleet.truth[fleet.truth["kind"] == "death_slow"]
    means = []
    for _, event in slow.iterrows():
        mine = fleet.readings["Cell ID"] == event["Cell ID"]
        progress = (fleet.readings["Timestamp"] - event["start"]) / (event["death"] - event["start"])
        before = low[mine & (progress < 0)].mean()
        means.append(
            [low[mine & progress.between(a, a + 0.3, "left")].mean() - before for a in (0.0, 0.35, 0.7)]
        )
    early, middle, late = np.median(means, axis=0)
    assert -0.002 < early < middle < late
    assert 0.02 < late < 0.15


def test_no_answer_hits_the_three_channels_together_at_the_asked_rate(fleet: SimulatedFleet):
    readings = fleet.readings
    silent = is_silent(readings)
    assert silent.mean() == pytest.approx(0.02, abs=0.003)
    assert silent.equals(readings["CellTemperature"] == 65535.0)
    assert silent.equals(readings["CellSpecificGravity"] == 59.749)
    assert readings.loc[silent, "InstantaneousCurrent"].abs().max() < 100
    assert not row_truth(fleet)[silent].any()


def test_row_truth_is_the_union_of_the_events_whatever_the_row_order(fleet: SimulatedFleet):
    expected = pd.Series(False, index=fleet.readings.index)
    for _, event in fleet.truth.iterrows():
        expected |= rows_of(fleet, event)
    expected &= ~is_silent(fleet.readings)
    marked = row_truth(fleet)
    assert marked.equals(expected.rename(marked.name))
    shuffled = SimulatedFleet(fleet.readings.sample(frac=0.3, random_state=0), fleet.truth, fleet.cells)
    assert row_truth(shuffled).equals(marked.loc[shuffled.readings.index])


def test_healthy_cells_have_no_anomalous_row_and_dead_rows_are_all_anomalous(fleet: SimulatedFleet):
    marked = row_truth(fleet)
    healthy = fleet.cells.loc[fleet.cells["fate"] == "healthy", "Cell ID"]
    assert not marked[fleet.readings["Cell ID"].isin(healthy)].any()
    assert marked[(fleet.readings["IsDead"] == 1) & ~is_silent(fleet.readings)].all()


def test_a_hot_cell_is_hot_in_its_marked_rows_and_not_outside(plain: SimulatedFleet):
    hotter, marked = deviation(plain, "CellTemperature"), row_truth(plain)
    thermal = plain.truth[plain.truth["kind"] == "thermal"]
    assert len(thermal) >= 3
    for cell, events in thermal.groupby("Cell ID"):
        mine = plain.readings["Cell ID"] == cell
        assert hotter[mine & ~marked].max() < 4.5
        for _, event in events.iterrows():
            rows = rows_of(plain, event)
            assert marked[rows].all()
            assert hotter[rows].max() == pytest.approx(event["magnitude"], abs=3.0)


def test_a_drift_reaches_its_magnitude_and_ends(plain: SimulatedFleet):
    off = deviation(plain, "CellVoltage")
    for _, event in plain.truth[plain.truth["kind"] == "drift"].iterrows():
        mine, inside = plain.readings["Cell ID"] == event["Cell ID"], rows_of(plain, event)
        usual = off[mine & ~inside].median()
        assert off[inside].tail(6).median() - usual == pytest.approx(event["magnitude"], abs=0.03)
        assert abs(off[inside].head(6).median() - usual) < 0.03


def test_a_stuck_cell_repeats_its_last_value_in_every_channel(plain: SimulatedFleet):
    for _, event in plain.truth[plain.truth["kind"] == "stuck"].iterrows():
        inside = rows_of(plain, event)
        before = (plain.readings["Cell ID"] == event["Cell ID"]) & (
            plain.readings["Timestamp"] == event["start"] - pd.Timedelta(hours=1)
        )
        for column in ("CellVoltage", "CellTemperature", "CellSpecificGravity"):
            held = plain.readings.loc[inside | before, column]
            assert (held == held.iloc[0]).all()
        assert event["magnitude"] == inside.sum()


def test_spikes_are_single_rows_dropouts_are_low_and_noise_is_wide(plain: SimulatedFleet):
    truth, voltage = plain.truth, plain.readings["CellVoltage"]
    off = deviation(plain, "CellVoltage")
    spikes = truth[truth["kind"] == "spike"]
    assert len(spikes) >= 4 and (spikes["start"] == spikes["end"]).all()
    for _, event in spikes.iterrows():
        assert off[rows_of(plain, event)].iloc[0] == pytest.approx(event["magnitude"], abs=0.06)
    for _, event in truth[truth["kind"] == "dropout"].iterrows():
        assert voltage[rows_of(plain, event)].between(0.0, 1.25).all()
    for _, event in truth[truth["kind"] == "noise"].iterrows():
        mine, inside = plain.readings["Cell ID"] == event["Cell ID"], rows_of(plain, event)
        usual = off[mine & ~inside].diff().abs().median()
        assert off[inside].diff().abs().median() > 2.0 * usual


def test_events_of_one_cell_never_overlap_and_the_first_sample_is_clean(plain: SimulatedFleet):
    ordered = plain.truth.sort_values(["Cell ID", "start"])
    previous_end = ordered.groupby("Cell ID")["end"].shift()
    assert (ordered["start"] > previous_end)[previous_end.notna()].all()
    faults = ordered[ordered["kind"].isin(FAULTS)]
    assert (faults["start"] > plain.readings["Timestamp"].min()).all()
