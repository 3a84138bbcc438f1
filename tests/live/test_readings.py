"""Readings enter through the door that files use."""

import pandas as pd
import pytest
from bms_live.readings import battery_table
from bms_live.requests import MAX_COLUMNS
from bms_schema.data.table import canonical_table
from bms_schema.run.errors import InputError, MissingColumn

READING = {
    "StringID": "S1",
    "CellNumber": 3,
    "PacketDateTime": "2026-01-01T00:00:00",
    "VCell": 2.25,
    "CellTemp": 25.0,
    "StringCurrent": 0.2,
    "AmbientTemp": 22.0,
    "SG": 1.215,
}


def test_an_export_s_own_names_are_understood():
    frame = battery_table([READING]).frame
    assert frame.loc[0, ["Cell ID", "CellVoltage", "CellSpecificGravity"]].tolist() == ["S1/3", 2.25, 1.215]
    assert frame.loc[0, "Timestamp"] == pd.Timestamp("2026-01-01")


def test_sentinels_and_nulls_are_missing_readings():
    readings = [READING, READING | {"VCell": 65.535}, READING | {"VCell": None}, READING | {"VCell": "n/a"}]
    frame = battery_table(readings).frame
    assert frame["CellVoltage"].notna().tolist() == [True, False, False, False]
    assert frame["CellVoltage_flag"].tolist() == ["", "sentinel", "blank", "not_a_number"]


def test_a_reading_may_lack_a_column_that_others_have():
    without = {name: value for name, value in READING.items() if name != "CellTemp"}
    assert battery_table([READING, without]).frame["CellTemperature"].isna().tolist() == [False, True]


def test_json_and_a_frame_in_memory_give_the_same_table():
    readings = [READING | {"CellNumber": cell, "VCell": 2.2 + cell / 100} for cell in range(1, 5)]
    expected = canonical_table(pd.DataFrame(readings)).frame
    pd.testing.assert_frame_equal(battery_table(readings).frame, expected)


def test_a_missing_column_is_named():
    with pytest.raises(MissingColumn, match="CellVoltage"):
        battery_table([{"CellTemp": 25.0, "StringCurrent": 0.2, "AmbientTemp": 22.0}])


@pytest.mark.parametrize("readings", [[{}], [{f"column-{n}": 1} for n in range(MAX_COLUMNS + 1)]])
def test_the_number_of_distinct_columns_is_bounded(readings):
    with pytest.raises(InputError, match="distinct columns"):
        battery_table(readings)
