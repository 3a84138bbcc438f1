"""What each column is gets found out from the real table alone."""

import numpy as np
import pytest
from bms_generate.telemetry_roles import find_roles, string_codes

from tests.generate.telemetry_tables import SHARED, fleet, series


def test_a_fleet_has_cells_strings_shared_signals_and_a_label():
    roles = find_roles(fleet(0))
    assert (roles.entity, roles.time, roles.label) == (["Cell ID"], "Timestamp", "IsDead")
    assert (roles.strings_by, roles.string) == ("columns", ["string"])
    assert roles.shared == SHARED
    assert {"CellVoltage", "CellTemperature", "CellSpecificGravity"} <= set(roles.cell)


def test_strings_are_read_off_the_cells_names():
    table = series(cells=3, strings=2)
    roles = find_roles(table)
    assert roles.strings_by == "prefix"
    codes = string_codes(table, roles.entity, roles.strings_by, roles.string)
    assert codes.tolist() == [0] * 120 + [1] * 120


def test_cells_without_a_string_are_one_string_only_if_they_share_a_signal():
    table = series(strings=1)
    table["Cell ID"] = table["Cell ID"].str[-2:]
    assert find_roles(table).strings_by == "whole"
    lonely = table.assign(current=np.random.default_rng(1).normal(size=len(table)))
    assert find_roles(lonely).strings_by == "cell"
    assert find_roles(lonely).shared == []


def test_a_lagging_gateway_does_not_hide_a_shared_signal_but_two_currents_do():
    table = series(cells=4, readings=200)
    table.loc[7, "current"] += 1
    assert find_roles(table).shared == ["current"]
    table.loc[table["Cell ID"] == "S0/C1", "current"] += 1
    assert find_roles(table).shared == []


def test_cells_numbered_within_a_site_need_both_columns():
    table = series(cells=3, strings=2)
    parts = table.pop("Cell ID").str.split("/", expand=True)
    table = table.assign(SiteID=parts[0], CellNumber=parts[1].str[1:].astype(int))
    roles = find_roles(table)
    assert (roles.entity, roles.string) == (["CellNumber", "SiteID"], ["SiteID"])
    assert roles.cell == ["voltage"]


@pytest.mark.parametrize(("every", "found"), [(10, "alarm"), (4, "alarm"), (2, None), (1.5, None)])
def test_what_is_true_in_less_than_half_of_the_rows_is_a_label(every, found):
    table = series()
    table["alarm"] = np.arange(len(table)) % every < 1
    roles = find_roles(table)
    assert roles.label == found
    assert roles.categories == ([] if found else ["alarm"])


def test_the_rarest_of_the_truth_values_is_the_label():
    rows = np.arange(320)
    assert find_roles(series().assign(often=rows % 3 == 0, seldom=rows % 5 == 0)).label == "seldom"


def test_constants_row_numbers_and_keys_are_no_signals():
    table = series().assign(constant=1.0, source_row=range(320), key=range(320))
    columns = {name: {"sdtype": "numerical"} for name in table}
    columns |= {"Cell ID": {"sdtype": "id"}, "Timestamp": {"sdtype": "datetime"}}
    roles = find_roles(table, {"columns": columns, "primary_key": "key"})
    assert roles.signals == ["current", "voltage"]


def test_a_table_without_time_has_numbers_and_categories_only():
    table = series().drop(columns=["Cell ID", "Timestamp"]).assign(kind=["a", "b"] * 160)
    roles = find_roles(table)
    assert not roles.is_series
    assert (roles.cell, roles.shared, roles.categories) == (["current", "voltage"], [], ["kind"])
