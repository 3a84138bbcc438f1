import pytest
from bms_schema.data.columns import COLUMNS, MEASURED, match_columns, normalised


@pytest.mark.parametrize("name", ["cell voltage", "CELL_VOLTAGE", "CellVoltage", "\ufeffCell-Voltage"])
def test_case_spaces_and_underscores_do_not_matter(name):
    assert match_columns([name]) == {"CellVoltage": name}


def test_the_canonical_name_wins_over_an_alias():
    assert match_columns(["Voltage", "CellVoltage"])["CellVoltage"] == "CellVoltage"


def test_packet_time_wins_over_server_time():
    assert match_columns(["Time", "CellServerTime", "PacketDateTime"])["Timestamp"] == "PacketDateTime"


def test_no_alias_means_two_things():
    seen: dict[str, str] = {}
    for column in COLUMNS.values():
        for name in {normalised(item) for item in (column.name, *column.aliases)}:
            assert seen.setdefault(name, column.name) == column.name


@pytest.mark.parametrize("column", MEASURED, ids=lambda column: column.name)
def test_every_measured_column_names_the_source_of_its_range_and_has_sentinels(column):
    assert column.source
    assert 65535.0 in column.sentinels
    assert column.low < column.high
