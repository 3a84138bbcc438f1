"""Bad folders: an envelope that says what to do, and nothing half-written."""

import json

import pandas as pd
import pytest

from tests.generate.sdv_folders import NUMERICAL, battery_table, call, write_battery, write_folder


def spoil_metadata(folder, change):
    path = folder / "metadata.json"
    metadata = json.loads(path.read_text())
    path.write_text(json.dumps(change(metadata)))


def without(key):
    return lambda metadata: {name: value for name, value in metadata.items() if name != key}


def with_table(change):
    def changed(metadata):
        change(metadata["tables"]["battery"])
        return metadata

    return changed


def with_csv(table):
    return lambda folder: table(pd.read_csv(folder / "battery.csv")).to_csv(
        folder / "battery.csv", index=False
    )


def link_to(parent):
    ends = {"parent_table_name": parent, "parent_primary_key": "source_row"}
    return ends | {"child_table_name": "battery", "child_foreign_key": "k"}


BAD = {
    "no metadata": (lambda folder: (folder / "metadata.json").unlink(), "sdv_folder"),
    "no CSV": (lambda folder: (folder / "battery.csv").unlink(), "no CSV"),
    "empty CSV": (lambda folder: (folder / "battery.csv").write_text(""), "empty"),
    "header only": (with_csv(lambda table: table.iloc[:0]), "no rows"),
    "one row": (with_csv(lambda table: table.iloc[:1]), "1 row"),
    "column missing in the CSV": (with_csv(lambda table: table.drop(columns="CellVoltage")), "CellVoltage"),
    "column missing in the metadata": (with_csv(lambda table: table.assign(extra=1)), "extra"),
    "text in numbers": (
        with_csv(
            lambda table: table.astype({"CellVoltage": object}).replace({"CellVoltage": {65.535: "ERR"}})
        ),
        "battery.CellVoltage holds 24 value(s) of another kind, first 'ERR' in data row 1",
    ),
    "text in times": (with_csv(lambda table: table.assign(Timestamp="soon")), "Timestamp"),
    "text in truth values": (with_csv(lambda table: table.assign(alarm="maybe")), "alarm"),
    "repeated key": (
        with_csv(lambda table: table.assign(source_row=1)),
        "battery.source_row are missing or repeated (239 repeated: 1).",
    ),
    "missing key": (
        with_csv(lambda table: table.assign(source_row=table["source_row"].where(table.index > 3))),
        "battery.source_row are missing or repeated (4 missing, first in data row 1).",
    ),
    "no JSON": (lambda folder: (folder / "metadata.json").write_text("{nope"), "no JSON"),
    "what to do about it": (lambda folder: (folder / "metadata.json").write_text("{nope"), "or delete it"),
    "fields of SDV before 1.0": (
        lambda folder: spoil_metadata(
            folder, with_table(lambda table: table.update(fields=table.pop("columns")))
        ),
        "table 'battery' has 'fields' in place of 'columns', as SDV wrote before version 1.0. To convert it",
    ),
    "fields of one table": (
        lambda folder: spoil_metadata(folder, lambda data: {"fields": data["tables"]["battery"]["columns"]}),
        "it has 'fields' in place of 'columns', as SDV wrote before version 1.0",
    ),
    "a list": (lambda folder: (folder / "metadata.json").write_text("[]"), "list"),
    "tables a list": (lambda folder: spoil_metadata(folder, lambda data: data | {"tables": []}), "tables"),
    "no tables": (lambda folder: spoil_metadata(folder, without("tables")), "tables"),
    "relationships an object": (
        lambda folder: spoil_metadata(folder, lambda data: data | {"relationships": {}}),
        "relationships",
    ),
    "a relationship to nowhere": (
        lambda folder: spoil_metadata(
            folder, lambda data: data | {"relationships": [{"parent_table_name": "x"}]}
        ),
        "a relationship lacks parent_primary_key, child_table_name, child_foreign_key",
    ),
    "a relationship to a table that is not there": (
        lambda folder: spoil_metadata(folder, lambda data: data | {"relationships": [link_to("nix")]}),
        "from battery to nix names the table 'nix', which is not there; tables: battery",
    ),
    "a relationship by a column that is not there": (
        lambda folder: spoil_metadata(folder, lambda data: data | {"relationships": [link_to("battery")]}),
        "names the child_foreign_key 'k', which is no column of battery: source_row, string",
    ),
    "unknown version": (
        lambda folder: spoil_metadata(folder, lambda data: data | {"METADATA_SPEC_VERSION": "V99"}),
        "V99",
    ),
    "no columns": (
        lambda folder: spoil_metadata(folder, with_table(lambda table: table.pop("columns"))),
        "columns",
    ),
    "column without sdtype": (
        lambda folder: spoil_metadata(
            folder, with_table(lambda table: table["columns"].update(CellVoltage={}))
        ),
        "sdtype",
    ),
    "unknown sdtype": (
        lambda folder: spoil_metadata(
            folder, with_table(lambda table: table["columns"].update(CellVoltage={"sdtype": "volts"}))
        ),
        "column 'CellVoltage' of table 'battery' has the unknown sdtype 'volts'; known: numerical, datetime",
    ),
    "unknown key": (
        lambda folder: spoil_metadata(
            folder, with_table(lambda table: table["columns"].update(CellVoltage=NUMERICAL | {"unit": "V"}))
        ),
        "unit",
    ),
    "primary key unknown": (
        lambda folder: spoil_metadata(folder, with_table(lambda table: table.update(primary_key="nobody"))),
        "the primary_key 'nobody' of table 'battery' is none of its columns: source_row",
    ),
    "primary key a list": (
        lambda folder: spoil_metadata(
            folder, with_table(lambda table: table.update(primary_key=["string", "serial"]))
        ),
        "primary",
    ),
    "table without CSV": (
        lambda folder: spoil_metadata(
            folder, lambda data: data | {"tables": data["tables"] | {"other": {"columns": {"x": NUMERICAL}}}}
        ),
        "other.csv",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_folder_is_told_and_stays_as_it_was(name, battery, workspace):
    spoil, told = BAD[name]
    spoil(battery)
    before = sorted(item.name for item in battery.iterdir())
    envelope = call("sdv_generate", folder_name=str(battery))
    assert envelope["status"] == "error"
    assert told in envelope["message"], envelope["message"]
    assert "failed unexpectedly" not in envelope["message"]
    assert envelope["data"] is None
    assert sorted(item.name for item in battery.iterdir()) == before
    runs = workspace / "runs"
    assert not runs.exists() or all(item.name.endswith(".failed") for item in runs.iterdir())


@pytest.mark.parametrize("tool", ["sdv_generate", "sdv_evaluate", "sdv_visualize"])
@pytest.mark.parametrize("folder", ["nowhere", "file.csv", "empty", "/", ""])
def test_a_folder_that_is_none_is_told(tool, folder, tmp_path):
    (tmp_path / "file.csv").write_text("x\n1\n")
    (tmp_path / "empty").mkdir()
    path = folder if folder in {"/", ""} else str(tmp_path / folder)
    more = {"table_name": "t", "column_name": "c"} if tool == "sdv_visualize" else {}
    envelope = call(tool, folder_name=path, **more)
    assert envelope["status"] == "error"
    assert "failed unexpectedly" not in envelope["message"]


def test_a_csv_that_links_out_of_the_roots_is_refused(battery, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "battery.csv"
    battery_table().to_csv(outside, index=False)
    (battery / "battery.csv").unlink()
    (battery / "battery.csv").symlink_to(outside)
    assert "BMS_DATA_ROOTS" in call("sdv_generate", folder_name=str(battery))["message"]


@pytest.mark.parametrize("arguments", [{"rows": 0}, {"rows": 10**9}, {"scale": 0}, {"seed": -1}, {"nope": 1}])
def test_impossible_arguments_are_told_with_their_bounds(battery, arguments):
    envelope = call("sdv_generate", folder_name=str(battery), **arguments)
    assert next(iter(arguments)) in envelope["message"]
    assert not (battery / "synthetic_data").exists()


def test_rows_of_related_tables_are_asked_for_by_scale(related):
    assert "scale" in call("sdv_generate", folder_name=str(related), rows=10)["message"]


@pytest.mark.parametrize("name", ["fleet.parquet", "fleet/S001.parquet"])
def test_a_folder_with_parquet_alone_is_told_what_it_holds_and_how_to_get_csv(name, tmp_path):
    path = tmp_path / "pq" / name
    path.parent.mkdir(parents=True)
    battery_table().to_parquet(path)
    message = call("sdv_generate", folder_name=str(tmp_path / "pq"), write_metadata=True)["message"]
    assert f"has no CSV file; it holds {'fleet.parquet' if path.stem == 'fleet' else 'fleet/'}." in message
    assert "output_format='csv'" in message and "sdv_folder" in message


def test_rows_and_scale_together_are_refused(battery):
    envelope = call("sdv_generate", folder_name=str(battery), rows=10, scale=2)
    assert "rows=10 and scale=2 both say how many rows" in envelope["message"]
    assert not (battery / "synthetic_data").exists()


def test_an_unknown_parent_is_told(related):
    readings = pd.read_csv(related / "readings.csv")
    readings.loc[3, "Cell ID"] = "C999"
    readings.to_csv(related / "readings.csv", index=False)
    message = call("sdv_generate", folder_name=str(related), method="copula")["message"]
    assert "1 of 240 values of readings.Cell ID name no row of cells: C999. Expected: values of" in message
    assert call("sdv_generate", folder_name=str(related), method="trees")["status"] == "success"


def test_three_levels_of_tables_are_refused_where_sdv_is_asked_for(tmp_path):
    key = {"id": {"sdtype": "id"}, "up": {"sdtype": "id"}, "x": NUMERICAL}
    frame = pd.DataFrame({"id": range(20), "up": range(20), "x": range(20)})
    tables = {name: {"primary_key": "id", "columns": key} for name in ("a", "b", "c")}
    links = [
        {
            "parent_table_name": parent,
            "parent_primary_key": "id",
            "child_table_name": child,
            "child_foreign_key": "up",
        }
        for parent, child in (("a", "b"), ("b", "c"))
    ]
    folder = write_folder(tmp_path / "deep", dict.fromkeys(tables, frame), tables, links)
    assert "3 levels" in call("sdv_generate", folder_name=str(folder), method="copula")["message"]


def test_a_table_in_which_nothing_varies_is_told(tmp_path):
    frame = pd.DataFrame({"x": [1.0] * 20, "y": [None] * 20})
    columns = {"x": NUMERICAL, "y": NUMERICAL}
    folder = write_folder(tmp_path / "flat", {"t": frame}, {"t": {"columns": columns}})
    assert "varies" in call("sdv_generate", folder_name=str(folder))["message"]


def test_infinities_count_as_missing_and_spoil_nothing(tmp_path):
    table = battery_table()
    table.loc[7, "InstantaneousCurrent"] = float("inf")
    folder = write_battery(tmp_path / "inf", table)
    assert call("sdv_generate", folder_name=str(folder))["status"] == "success"
    made = pd.read_csv(folder / "synthetic_data" / "battery.csv")["InstantaneousCurrent"]
    assert made.notna().mean() > 0.9
    assert made.abs().max() < 100
