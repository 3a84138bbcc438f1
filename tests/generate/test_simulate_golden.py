"""Fleets asked for with the arguments of old are what they were: figures elsewhere rest on their seeds."""

import pytest
from bms_generate.simulate import row_truth, simulate_fleet

DYING = {"n_strings": 3, "seed": 7, "days": 20, "death_fraction": 0.2, "dying_fraction": 0.15}
SEALED = {"chemistry": "vrla", "seed": 3, "days": 12, "interval_minutes": 15}
LITHIUM = {"chemistry": "li_ion", "seed": 4, "days": 20, "dying_fraction": 0.1, "fault_fraction": 0.5}
MEASURED = ["CellVoltage", "CellTemperature", "InstantaneousCurrent", "AmbientTemperature", "StateOfCharge"]


@pytest.mark.parametrize(
    ("arguments", "means", "anomalous", "first_death"),
    [
        (
            {},
            [2.214584, 19.43996, 0.100066, 19.316828, 99.607434],
            5340,
            "S001/C09 death_slow 2026-01-27 21:00:00",
        ),
        (
            DYING,
            [2.205366, 21.154342, 0.087867, 21.054947, 99.747895],
            5796,
            "S001/C02 death_unheralded 2026-01-10 10:00:00",
        ),
        (
            SEALED,
            [2.259335, 20.919965, 0.175296, 20.828026, 99.536903],
            10540,
            "S001/C01 death_slow 2026-01-08 11:15:00",
        ),
        (
            LITHIUM,
            [3.397499, 22.437708, 0.017727, 22.279277, 99.18298],
            6946,
            "S001/C02 death_slow 2026-01-21 15:00:00",
        ),
    ],
)
def test_a_fleet_is_the_one_it_always_was(arguments, means, anomalous, first_death):
    fleet = simulate_fleet(**arguments)
    answered = fleet.readings[fleet.readings["CellTemperature"] < 65535.0]
    # Means, so that one reading rounded the other way by another maths library is no failure.
    assert answered[MEASURED].mean().tolist() == pytest.approx(means, abs=2e-6)
    assert int(row_truth(fleet).sum()) == anomalous
    death = fleet.truth.loc[fleet.truth["death"].notna()].iloc[0]
    assert f"{death['Cell ID']} {death['kind']} {death['death']}" == first_death
