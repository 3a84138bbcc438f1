"""The metadata the server writes by itself: what each column is, and nothing of what is in it."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_generate.column_kinds import names_something, tell_kind
from bms_generate.dataset import read_dataset
from bms_generate.metadata_writing import describe_tables
from bms_generate.table_links import link_tables
from bms_generate.time_formats import find_format
from bms_schema.data.reading import RawTable
from bms_schema.data.timestamps import TimeRule
from sdv.metadata import Metadata

from tests.generate.sdv_folders import battery_table, call, succeed, synthetic

ROWS = 60


def text(values, name="x"):
    return pd.Series(values, name=name).astype("string").rename(name)


def kind_of(values, name="x", canonical=None, **more):
    return tell_kind(text(values, name), canonical, **more).kind


def described(decimal_comma=False, **tables):
    raw = {
        name: RawTable(pd.DataFrame(frame).astype("string"), [], decimal_comma)
        for name, frame in tables.items()
    }
    metadata, assumptions = describe_tables(raw)
    return metadata, "\n".join(assumptions)


def folder_of(tmp_path, **frames):
    folder = tmp_path / "raw"
    folder.mkdir()
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def stamps(count=ROWS, style="%Y-%m-%dT%H:%M:%S", start="2026-03-01"):
    return pd.date_range(start, periods=count, freq="h").strftime(style)


def test_a_battery_table_without_metadata_gets_one_and_a_twin(tmp_path):
    table = battery_table()
    folder = folder_of(tmp_path, battery=table)
    data = succeed("sdv_generate", folder_name=str(folder), write_metadata=True)
    assert data["tables"] == {"battery": len(table)}
    written = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    assert {item.name for item in folder.iterdir()} == {"battery.csv", "metadata.json", "synthetic_data"}
    columns = written["tables"]["battery"]["columns"]
    assert {name: spec["sdtype"] for name, spec in columns.items()} == {
        "source_row": "id",
        "string": "id",
        "serial": "id",
        "Cell ID": "id",
        "Timestamp": "datetime",
        "CellVoltage": "numerical",
        "CellTemperature": "numerical",
        "CellSpecificGravity": "numerical",
        "InstantaneousCurrent": "numerical",
        "alarm": "boolean",
        "firmware": "categorical",
        "empty": "categorical",
    }
    assert written["tables"]["battery"] | {"columns": 0} == {
        "columns": 0,
        "primary_key": "source_row",
        "sequence_key": "Cell ID",
        "sequence_index": "Timestamp",
    }
    notes = "\n".join(data["notes"])
    assert "metadata.json was written" in notes
    assert "made up in the twin (describe one as categorical to keep them): source_row, string" in notes
    assert not set(synthetic(folder)["string"]) & set(table["string"])
    assert succeed("sdv_generate", folder_name=str(folder))["tables"] == data["tables"]


def test_sdv_itself_accepts_what_is_written_and_the_data_with_it(tmp_path):
    cells = pd.DataFrame({"Cell ID": battery_table()["Cell ID"].unique()}).assign(rated=100.5)
    folder = folder_of(tmp_path, battery=battery_table(), cells=cells)
    succeed("sdv_generate", folder_name=str(folder), write_metadata=True)
    metadata = Metadata.load_from_json(folder / "metadata.json")
    metadata.validate()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # our frames hold times where the format tells of text
        metadata.validate_data(read_dataset(folder).tables)
    made = synthetic(folder)
    assert set(made["Cell ID"]) <= set(synthetic(folder, "cells")["Cell ID"])


def test_an_existing_metadata_is_never_replaced(battery):
    before = (battery / "metadata.json").read_bytes()
    envelope = call("sdv_generate", folder_name=str(battery), write_metadata=True)
    assert "does not replace" in envelope["message"]
    assert (battery / "metadata.json").read_bytes() == before
    assert not (battery / "synthetic_data").exists()


def test_a_folder_without_one_is_told_how_to_get_one(tmp_path):
    folder = folder_of(tmp_path, battery=battery_table())
    assert "write_metadata=true" in call("sdv_generate", folder_name=str(folder))["message"]
    assert not (folder / "metadata.json").exists()


def test_nothing_is_written_where_a_table_cannot_be_read_or_there_is_none(tmp_path):
    folder = folder_of(tmp_path)
    assert "has no CSV file" in call("sdv_generate", folder_name=str(folder), write_metadata=True)["message"]
    (folder / "broken.csv").write_text("a,b\n1,2\n1,2,3,4\n")
    assert call("sdv_generate", folder_name=str(folder), write_metadata=True)["status"] == "error"
    assert [item.name for item in folder.iterdir()] == ["broken.csv"]


def test_the_log_of_a_run_that_fails_later_tells_what_was_assumed(tmp_path):
    folder = folder_of(tmp_path, battery=battery_table().head(3))
    envelope = call("sdv_generate", folder_name=str(folder), write_metadata=True)
    assert "at least 10" in envelope["message"]
    assert "made up in the twin" in Path(envelope["log_path"]).read_text(encoding="utf-8")
    assert json.loads((folder / "metadata.json").read_text(encoding="utf-8"))["tables"]


def test_no_value_of_the_table_gets_into_the_metadata():
    random = np.random.default_rng(5)
    voltage = random.normal(2.2, 0.01, ROWS).round(3)
    metadata, _ = described(
        t={
            "Cell ID": ["SECRET-1"] * ROWS,
            "Timestamp": stamps(),
            "CellVoltage": voltage,
            "load": random.normal(777, 3, ROWS).round(2),
            "mode": ["topsecret", "other"] * (ROWS // 2),
        }
    )
    written = json.dumps(metadata)
    for value in ("SECRET-1", "topsecret", "777", str(voltage.min()), str(voltage.max())):
        assert value not in written
    assert metadata["tables"]["t"]["columns"]["CellVoltage"] == {
        "sdtype": "numerical",
        "range_min": -0.5,
        "range_max": 3.0,
        "range_is_nullable": True,
    }
    assert metadata["tables"]["t"]["columns"]["load"] == {"sdtype": "numerical"}


@pytest.mark.parametrize(
    ("volts", "gravity", "limits", "told"),
    [
        (2.2, 1.24, (-0.5, 3.0), "lead_acid_flooded: specific gravity is measured"),
        (3.3, None, (0.0, 5.0), "li_ion"),
        (13.5, None, (-3.0, 18.0), "vrla"),
    ],
)
def test_the_voltage_range_is_that_of_the_chemistry(volts, gravity, limits, told):
    metadata, assumptions = described(
        t={"CellVoltage": [volts] * ROWS, "CellSpecificGravity": [gravity] * ROWS}
    )
    spec = metadata["tables"]["t"]["columns"]["CellVoltage"]
    assert (spec["range_min"], spec["range_max"]) == limits
    assert told in assumptions


def test_sentinels_do_not_count_but_readings_beyond_the_range_leave_it_out():
    metadata, assumptions = described(
        t={"CellTemperature": [25.0, 65.535] * 30, "AmbientTemperature": [77.0, 20.0] * 30}
    )
    columns = metadata["tables"]["t"]["columns"]
    assert columns["CellTemperature"]["range_max"] == 100.0
    assert columns["AmbientTemperature"] == {"sdtype": "numerical"}
    assert "AmbientTemperature gets no range: 30 values lie outside the plausible -50 to 70" in assumptions


def test_numbers_with_words_among_them_are_no_numbers_and_it_is_said():
    metadata, assumptions = described(
        t={"CellVoltage": ["2.2", "ERR"] * 30, "capacity": ["[]", *(str(n / 7) for n in range(1, 60))]}
    )
    columns = metadata["tables"]["t"]["columns"]
    assert columns == {"CellVoltage": {"sdtype": "categorical"}, "capacity": {"sdtype": "id"}}
    assert "CellVoltage is no column of numbers because of 30 values, the first 'ERR'" in assumptions
    assert "capacity is no column of numbers because of 1 values, the first '[]'" in assumptions


def test_a_reading_stays_a_number_however_it_is_written():
    for values in (["02.20", "02.21"] * 30, ["0", "1"] * 30, [None] * 60, ["2"] * 60):
        assert kind_of(values, "CellVoltage", "CellVoltage") == "number"


def test_decimal_commas_are_numbers():
    metadata, _ = described(
        decimal_comma=True, t={"CellVoltage": ["2,21", "2,22"] * 30, "load": ["1,5", "2,5"] * 30}
    )
    assert {spec["sdtype"] for spec in metadata["tables"]["t"]["columns"].values()} == {"numerical"}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["0", "1"] * 30, "truth"),
        (["True", "FALSE"] * 30, "truth"),
        (["yes", "no"] * 30, "label"),
        (["0.0", "1.0"] * 30, "code"),
        (["1"] * 60, "number"),
        ([str(number % 7) for number in range(70)], "code"),
        ([str(number % 7) for number in range(30)], "number"),
        ([str(number) for number in range(60)], "number"),
        ([str(number / 7) for number in range(60)], "number"),
        (["1e3", "2.5"] * 30, "number"),
        ([f"{number:04}" for number in range(60)], "free text"),
        ([str(2**60 + number) for number in range(60)], "identifier"),
        ([f"remark number {number}" for number in range(60)], "free text"),
        (["float", "discharge", "rest"] * 20, "label"),
        (["2.1.15", "2.1.16"] * 30, "label"),
        (["09:12:46", "10:15:00"] * 30, "time of day"),
        (["1767225600", "1767229200"] * 30, "code"),
        ([None] * 60, "empty"),
    ],
)
def test_a_column_is_told_by_its_values(values, kind):
    assert kind_of(values) == kind


def test_epochs_are_times_only_in_a_time_column():
    metadata, assumptions = described(
        t={"Timestamp": [str(1767225600 + 3600 * hour) for hour in range(ROWS)]}
    )
    assert metadata["tables"]["t"]["columns"]["Timestamp"] == {"sdtype": "datetime"}
    assert "in no single format: ISO 8601 (UTC) in the twin" in assumptions


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("SiteID", True),
        ("device id", True),
        ("customer_email", True),
        ("GPS Latitude", True),
        ("Serial Number", True),
        ("source_row", True),
        ("Humid", False),
        ("Valid", False),
        ("CellNumber", False),
        ("Current", False),
    ],
)
def test_a_column_that_identifies_is_told_by_its_name(name, names):
    assert names_something(name, None) is names


@pytest.mark.parametrize(
    "style",
    [
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M",
        "%d/%m/%Y",
        "%m/%d/%Y %I:%M:%S %p",
        "%d-%b-%Y %H:%M",
        "%d.%m.%y %H:%M",
        "%Y%m%dT%H:%M:%S",
    ],
)
def test_the_format_of_times_is_found_and_writes_the_same_text(style):
    written = text(pd.date_range("2026-01-13", periods=40, freq="9h").strftime(style))
    found = find_format(written, TimeRule(day_first=not style.startswith("%m")))
    again = pd.to_datetime(written.astype(object), format=found).dt.strftime(found)
    assert again.tolist() == written.tolist()


def test_mixed_or_zoned_times_have_no_single_format():
    for values in (["2026-01-01T00:00:00", "2026-01-02 00:00:00"], ["2026-01-01T00:00:00+05:30"] * 2):
        assert find_format(text(values), TimeRule()) is None


def test_an_ambiguous_date_is_read_as_the_other_dates_of_its_table():
    days = ["07/05/2026", "08/05/2026"] * 30
    for sure, style in (("2026-05-07T09:00:00", "%d/%m/%Y"), ("2026-07-05T09:00:00", "%m/%d/%Y")):
        metadata, assumptions = described(t={"Date": days, "PacketDateTime": [sure] * 60})
        assert metadata["tables"]["t"]["columns"]["Date"]["datetime_format"] == style
        assert "could be day first or month first" in assumptions
    metadata, assumptions = described(t={"Date": days, "InstallationDate": ["21/08/2024"] * 60})
    assert metadata["tables"]["t"]["columns"]["Date"]["datetime_format"] == "%d/%m/%Y"
    assert "dates are day first" in assumptions


def test_a_cell_number_is_told_with_the_columns_of_its_string():
    table = {"SiteID": ["A"] * ROWS, "CellNumber": [1, 2] * 30, "PacketDateTime": [*stamps(30), *stamps(30)]}
    metadata, assumptions = described(t=table)
    assert "sequence_key" not in metadata["tables"]["t"]
    assert "one for each CellNumber within SiteID, in the order of PacketDateTime" in assumptions


def test_a_cell_that_counts_within_a_string_is_no_sequence_key():
    rows = {"string": ["A"] * 30 + ["B"] * 30, "Cell": ["1", "2"] * 30}
    table = rows | {"Timestamp": [*stamps(30), *stamps(30)]}
    assert described(t=table)[0]["tables"]["t"].get("sequence_key") is None


def test_a_series_of_something_else_is_told_by_its_values():
    table = {"rack id": ["r1"] * 30 + ["r2"] * 30, "logged": [*stamps(30), *stamps(30)]}
    metadata, _ = described(t=table)
    assert metadata["tables"]["t"]["sequence_key"] == "rack id"
    table["logged"] = ["2026-03-01T00:00:00"] * ROWS
    assert "sequence_key" not in described(t=table)[0]["tables"]["t"]


def keys(**tables):
    return link_tables({name: pd.DataFrame(frame).astype("string") for name, frame in tables.items()})


def pairs(links):
    return [(link["parent_table_name"], link["child_table_name"]) for link in links.relationships]


def test_a_table_refers_to_the_one_in_which_its_values_are_unique():
    links = keys(readings={"cell id": ["a", "a", "b", None]}, cells={"cell id": ["a", "b", "c"]})
    assert pairs(links) == [("cells", "readings")]
    assert links.primary_keys == {"cells": "cell id"}


def test_tables_that_do_not_fit_are_not_linked_and_it_is_said():
    links = keys(readings={"cell id": ["a", "a", "x"]}, cells={"cell id": ["a", "b"]})
    assert pairs(links) == []
    assert "readings.cell id has 1 values that cells lacks" in links.remarks[0]
    numbered = keys(readings={"id": ["1", "2", "3"]}, cells={"id": ["1", "2"]})
    assert pairs(numbered) == []
    assert numbered.primary_keys == {"readings": "id", "cells": "id"}


def test_of_several_parents_the_longest_is_and_the_rest_are_its_children():
    links = keys(
        fleet={"cell id": ["a", "a", "b"]}, truth={"cell id": ["a", "b"]}, cells={"cell id": ["a", "b", "c"]}
    )
    assert pairs(links) == [("cells", "fleet"), ("cells", "truth")]
    assert links.primary_keys == {"cells": "cell id"}


def test_relationships_never_close_a_circle():
    links = keys(
        one={"a id": ["1x", "2x", "3x"], "b id": ["u", "u", "v"]},
        two={"b id": ["u", "v", "w"], "a id": ["1x", "1x", "2x"]},
    )
    assert len(pairs(links)) == 1


def test_a_chain_of_tables_is_linked_link_by_link():
    links = keys(
        sites={"site id": ["n", "s"]},
        cells={"cell id": ["a", "b", "c"], "site id": ["n", "n", "s"]},
        readings={"cell id": ["a", "a", "b", "c"]},
    )
    assert sorted(pairs(links)) == [("cells", "readings"), ("sites", "cells")]
    assert links.primary_keys == {"sites": "site id", "cells": "cell id"}


def test_many_assumptions_leave_room_in_the_reply(tmp_path):
    wide = pd.DataFrame(
        {f"a rather long name of label number {n} with more words": list("ab") * 30 for n in range(90)}
    )
    tables = {f"table_with_a_long_name_{n}": wide.assign(load=np.arange(60.0) / 7) for n in range(1)}
    envelope = call("sdv_generate", folder_name=str(folder_of(tmp_path, **tables)), write_metadata=True)
    assert envelope["status"] == "success"
    assert any("and 78 more" in note for note in envelope["data"]["notes"])
