"""The door: shape of the tables, reproducibility, independence of strings, refusals."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.simulate import row_truth, simulate_fleet, simulate_string
from bms_generate.simulator.allocation import DYING_STREAM, FLEET_STREAM
from bms_generate.simulator.thermal import WEATHER_STREAM
from pandas.testing import assert_frame_equal

READING_COLUMNS = [
    "string",
    "Cell ID",
    "Timestamp",
    "CellVoltage",
    "CellTemperature",
    "InstantaneousCurrent",
    "AmbientTemperature",
    "CellSpecificGravity",
    "StateOfCharge",
    "IsDead",
]


def test_a_fleet_has_one_row_per_cell_and_sample_in_the_order_a_bms_logs():
    fleet = simulate_fleet(n_strings=3, cells_per_string=5, days=2, interval_minutes=30)
    readings = fleet.readings
    assert list(readings.columns) == READING_COLUMNS
    assert len(readings) == 3 * 5 * 96
    assert readings["Timestamp"].dtype == "datetime64[ns]"
    assert_frame_equal(readings, readings.sort_values(["Timestamp", "string", "Cell ID"], kind="stable"))
    steps = np.diff(readings["Timestamp"].unique())
    assert (steps == np.timedelta64(30, "m")).all()
    assert len(fleet.cells) == 15 and fleet.cells["Cell ID"].is_unique


def test_the_same_seed_gives_the_same_fleet_and_another_seed_another():
    first, again, other = (simulate_fleet(n_strings=2, days=3, seed=seed) for seed in (4, 4, 5))
    for table in ("readings", "truth", "cells"):
        assert_frame_equal(getattr(first, table), getattr(again, table))
    assert not first.readings["CellVoltage"].equals(other.readings["CellVoltage"])


@pytest.mark.parametrize("index", [0, 1])
def test_a_string_is_the_same_in_a_fleet_of_two_in_a_fleet_of_six_and_alone(index: int):
    arguments = {"cells_per_string": 8, "days": 10, "seed": 7, "fault_fraction": 0.3, "dying_fraction": 0.2}
    alone = simulate_string(index, **arguments)
    name = alone.cells["string"].iloc[0]
    for n_strings in (2, 6):
        fleet = simulate_fleet(n_strings=n_strings, **arguments)
        for table in ("readings", "truth", "cells"):
            whole = getattr(fleet, table)
            assert_frame_equal(whole[whole["string"] == name].reset_index(drop=True), getattr(alone, table))


def test_the_random_streams_of_the_fleet_are_none_of_its_first_string():
    own = {tuple(s.generate_state(4)) for s in np.random.SeedSequence([3, 0]).spawn(50)}
    shared = [
        np.random.SeedSequence(3, spawn_key=(key,)) for key in (FLEET_STREAM, WEATHER_STREAM, DYING_STREAM)
    ]
    assert not own & {tuple(s.generate_state(4)) for s in shared}


def test_cell_numbers_keep_their_order_when_a_string_has_more_than_99_cells():
    fleet = simulate_string(0, cells_per_string=120, days=1)
    assert fleet.cells["Cell ID"].is_monotonic_increasing


def test_the_default_arguments_of_a_string_are_those_of_a_fleet():
    assert_frame_equal(simulate_fleet(n_strings=1).readings, simulate_string(0).readings)


@pytest.mark.parametrize("chemistry", ["vrla", "li_ion"])
def test_sealed_and_lithium_cells_have_no_gravity_not_even_as_a_sentinel(chemistry: str):
    readings = simulate_fleet(n_strings=1, days=3, chemistry=chemistry, sentinel_fraction=0.2).readings
    assert readings["CellSpecificGravity"].isna().all()
    assert readings["CellVoltage"].eq(65.535).any()


def test_readings_are_quantised_as_a_bms_logs_them():
    readings = simulate_fleet(n_strings=1, days=3).readings
    for column, decimals in {"CellVoltage": 3, "CellTemperature": 1, "InstantaneousCurrent": 1}.items():
        values = readings[column]
        assert values.equals(values.round(decimals))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"n_strings": 0}, "n_strings"),
        ({"n_strings": 1.5}, "n_strings"),
        ({"n_strings": True}, "n_strings"),
        ({"cells_per_string": 0}, "cells_per_string"),
        ({"seed": -1}, "seed"),
        ({"interval_minutes": 0}, "interval_minutes"),
        ({"interval_minutes": float("nan")}, "interval_minutes"),
        ({"days": float("inf")}, "days"),
        ({"days": -1.0}, "days"),
        ({"days": 1.0, "interval_minutes": 1440.0}, "days=1"),
        ({"death_fraction": 1.01}, "death_fraction"),
        ({"dying_fraction": -0.01}, "dying_fraction"),
        ({"death_fraction": 0.6, "dying_fraction": 0.5}, "dying_fraction"),
        ({"fault_fraction": -0.1}, "fault_fraction"),
        ({"sentinel_fraction": "much"}, "sentinel_fraction"),
        ({"chemistry": "nickel"}, "chemistry"),
        ({"start": "one fine day"}, "start"),
        ({"start": "2026-01-01T00:00:00Z"}, "start"),
        ({"start": None}, "start"),
        ({"start": "2261-12-31", "days": 400}, "start"),
        ({"start": "2262-01-01", "days": 100, "dying_fraction": 0.1}, "start"),
    ],
)
def test_a_bad_argument_is_refused_with_what_was_found_and_expected(arguments: dict, named: str):
    with pytest.raises(ValueError, match=named) as refusal:
        simulate_fleet(**arguments)
    text = str(refusal.value)
    assert "expected" in text or "Give a start" in text


@pytest.mark.parametrize("n_samples", [2, 3, 5])
@pytest.mark.parametrize("cells_per_string", [1, 7])
def test_the_shortest_and_smallest_fleets_hold_together(n_samples: int, cells_per_string: int):
    fleet = simulate_fleet(
        n_strings=2,
        cells_per_string=cells_per_string,
        days=n_samples / 24,
        death_fraction=0.5,
        dying_fraction=0.3,
        fault_fraction=1.0,
    )
    assert len(fleet.readings) == 2 * cells_per_string * n_samples
    assert fleet.readings[["CellVoltage", "CellTemperature", "StateOfCharge"]].notna().all(axis=None)
    assert row_truth(fleet).any()


def test_a_fleet_without_events_has_an_empty_truth_of_the_same_types():
    quiet = simulate_fleet(n_strings=2, days=2, death_fraction=0, fault_fraction=0, sentinel_fraction=0)
    eventful = simulate_fleet(n_strings=2, days=2)
    assert quiet.truth.empty
    assert quiet.truth.dtypes.equals(eventful.truth.dtypes)
    assert not row_truth(quiet).any()
    assert quiet.cells["fate"].eq("healthy").all()
    assert quiet.readings["IsDead"].eq(0).all()
    assert pd.api.types.is_bool_dtype(row_truth(quiet))
