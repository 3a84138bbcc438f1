"""Cells that are alive at the end of the span and die soon after it."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.simulate import SimulatedFleet, row_truth, simulate_fleet
from bms_generate.simulator.allocation import Allocation, Member
from bms_generate.simulator.deaths import let_die
from bms_generate.simulator.settings import Settings
from pandas.testing import assert_frame_equal

from tests.generate.sdv_folders import succeed


@pytest.fixture(scope="module")
def fleet() -> SimulatedFleet:
    return simulate_fleet(n_strings=6, seed=7, dying_fraction=0.15, sentinel_fraction=0.0)


def dying(fleet: SimulatedFleet) -> pd.DataFrame:
    return fleet.truth[fleet.truth["death"] > fleet.readings["Timestamp"].max()]


@pytest.mark.parametrize("seed", range(4))
def test_about_the_asked_share_is_dying_beside_those_that_die(seed: int):
    fleet = simulate_fleet(days=3, seed=seed, dying_fraction=0.15)
    assert abs(len(dying(fleet)) - 0.15 * 96) <= 1
    assert abs(fleet.cells["fate"].str.startswith("death_").sum() - 0.25 * 96) <= 2


def test_the_dying_are_alive_throughout_and_announce_their_end(fleet: SimulatedFleet):
    late, end = dying(fleet), fleet.readings["Timestamp"].max()
    mine = fleet.readings["Cell ID"].isin(late["Cell ID"])
    assert fleet.readings.loc[mine, "IsDead"].eq(0).all()
    assert set(late["kind"]) == {"death_slow", "death_sudden"}
    assert late["end"].eq(end).all()
    assert late["onset_of_precursor"].equals(late["start"]) and (late["start"] < end).all()
    fate = fleet.cells.set_index("Cell ID")["fate"].loc[late["Cell ID"]]
    assert fate.tolist() == late["kind"].tolist()
    assert late["Cell ID"].is_unique and late["string"].nunique() == 6


def test_they_die_soon_after_the_end(fleet: SimulatedFleet):
    late, times = dying(fleet), fleet.readings["Timestamp"]
    after = (late["death"] - times.max()) / (times.max() - times.min())
    assert after.between(0.005, 0.125).all()
    assert after.max() - after.min() > 0.03


@pytest.mark.parametrize("kind", ["slow", "sudden"])
@pytest.mark.parametrize(("days", "interval"), [(3, 60), (30, 60), (30, 10), (180, 360), (900, 720)])
def test_their_precursor_is_well_advanced_at_the_end(kind: str, days: float, interval: float):
    settings = Settings(cells_per_string=1, days=days, interval_minutes=interval)
    for seed in range(15):
        rng = np.random.default_rng(seed)
        allocation = Allocation((), (Member(0, kind, rng.random()),), ())
        (death,), decay = let_die(settings, allocation, rng, rng)
        severity = decay.voltage_drop_v[-1, 0] / death.voltage_drop_v
        assert 0.5 - 1e-9 <= severity <= 0.95 + 1e-9
        assert not decay.is_dead.any() and death.died > settings.n_samples - 1
        assert (np.diff(decay.resistance_rise[:, 0]) >= 0.0).all()
        assert not decay.resistance_rise[: death.onset + 1].any()


def test_their_voltage_sinks_below_their_string_before_the_end(fleet: SimulatedFleet):
    off = fleet.readings["CellVoltage"] - fleet.readings.groupby(["string", "Timestamp"])[
        "CellVoltage"
    ].transform("median")
    sunk = []
    for event in dying(fleet).itertuples():
        mine = off[fleet.readings["Cell ID"] == event[1]].to_numpy()
        early = fleet.readings["Timestamp"].unique() < event.start
        sunk.append(np.median(mine[early]) - np.median(mine[-12:]))
    assert np.median(sunk) > 0.02


def test_their_rows_are_anomalous_from_the_onset_on(fleet: SimulatedFleet):
    marked = row_truth(fleet)
    for event in dying(fleet).itertuples():
        mine = fleet.readings["Cell ID"] == event[1]
        assert marked[mine].equals((fleet.readings.loc[mine, "Timestamp"] >= event.start).rename(marked.name))


def test_asking_for_dying_cells_moves_nothing_else():
    arguments = {"n_strings": 3, "cells_per_string": 12, "days": 10, "seed": 5, "fault_fraction": 0.0}
    without, with_dying = simulate_fleet(**arguments), simulate_fleet(**arguments, dying_fraction=0.2)
    late = set(dying(with_dying)["Cell ID"])
    assert len(late) >= 6
    kept = set(without.truth["Cell ID"]) & set(with_dying.truth["Cell ID"]) - late
    dead = without.truth["kind"].str.startswith("death_")
    assert set(without.truth.loc[dead, "Cell ID"]) <= kept
    deaths = [
        f.truth[f.truth["kind"].str.startswith("death_") & ~f.truth["Cell ID"].isin(late)]
        for f in (without, with_dying)
    ]
    assert_frame_equal(*(table.reset_index(drop=True) for table in deaths))
    # The others share out in voltage what a dying cell lacks; all else of theirs stays.
    same = ["InstantaneousCurrent", "AmbientTemperature", "IsDead"]
    assert_frame_equal(without.readings[same], with_dying.readings[same])
    parameters = without.cells.columns.drop("fate")
    assert_frame_equal(without.cells[parameters], with_dying.cells[parameters])
    healthy = [set(f.cells.loc[f.cells["fate"] == "healthy", "Cell ID"]) for f in (without, with_dying)]
    rows = without.readings["Cell ID"].isin(healthy[0] & healthy[1])
    for column in ("CellTemperature", "CellSpecificGravity", "StateOfCharge"):
        assert without.readings.loc[rows, column].equals(with_dying.readings.loc[rows, column])


def test_every_cell_may_die_in_the_span_or_after_it():
    fleet = simulate_fleet(
        n_strings=7, cells_per_string=5, days=4, death_fraction=0.3, dying_fraction=0.7, fault_fraction=1.0
    )
    late, dead = set(dying(fleet)["Cell ID"]), set(fleet.readings.query("IsDead == 1")["Cell ID"])
    assert not late & dead and len(late | dead) >= 34
    assert fleet.cells["fate"].str.startswith("death_").sum() == len(late | dead)


def test_the_tool_counts_the_dying_apart_from_the_dead():
    data = succeed("simulate_battery_fleet", n_strings=2, cells_per_string=8, days=3, dying_fraction=0.2)
    truth = pd.read_csv(data["truth_csv"], parse_dates=["death"])
    readings = pd.read_csv(data["csv"], parse_dates=["Timestamp"])
    assert data["dying_cells"] == (truth["death"] > readings["Timestamp"].max()).sum() > 0
    assert data["dead_cells"] == readings.loc[readings["IsDead"] == 1, "Cell ID"].nunique()
