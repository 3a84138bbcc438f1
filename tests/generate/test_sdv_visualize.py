"""Every column gets a picture and a sentence that fits it, and so does every pair that says something."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_generate.cell_plot import FARTHEST, LABELLED, TYPICAL, choose_cells, prepare_cells
from bms_generate.findings import find_out
from bms_generate.pair_tables import prepare_pair
from bms_generate.plots import OTHERS, draw_comparison, prepare_comparison
from bms_generate.publish import file_name
from bms_generate.telemetry_roles import find_roles
from sdmetrics.single_column import KSComplement, TVComplement

from tests.generate.sdv_folders import call, succeed, synthetic

PNG = b"\x89PNG"


def look(folder, column, second=None, table="battery"):
    more = {} if second is None else {"second_column": second}
    return call("sdv_visualize", folder_name=str(folder), table_name=table, column_name=column, **more)


def compare(real, synthetic, sdtype="numerical"):
    real, synthetic = pd.Series(real, name="x"), pd.Series(synthetic, name="x")
    return prepare_comparison(real, synthetic, {"sdtype": sdtype}, "t.x")


@pytest.mark.parametrize(
    ("column", "kind", "told"),
    [
        ("CellVoltage", "numerical", "real median 2.2 V, synthetic 2.2"),
        ("string", "categorical", "labels real"),
        ("Timestamp", "datetime", "real 2026-03-01 00:00 to 2026-03-02 15:00"),
        ("alarm", "categorical", "'False' has 78.8 % real"),
        ("firmware", "constant", "one value, 'v7', and so has the synthetic one"),
        ("empty", "missing", "100.0 % real and 100.0 % synthetic missing"),
        ("Cell ID", "identifier", "no synthetic one is a real one"),
        ("source_row", "identifier", "plain numbers, which any count would repeat"),
    ],
)
def test_every_kind_of_column_is_drawn_told_and_copied_into_the_data_folder(twin, column, kind, told):
    envelope = look(twin, column)
    data = envelope["data"]
    assert data["kind"] == kind
    assert told in envelope["message"]
    files = [Path(data[key]) for key in ("plot_png", "plot_html", "cells_png") if data[key]]
    assert files[0].read_bytes().startswith(PNG)
    assert (data["cells_png"] is not None) == (kind == "numerical")
    manifest = json.loads((files[0].parent / "manifest.json").read_text(encoding="utf-8"))
    assert str(twin / "synthetic_data") in manifest["inputs"]
    assert {item.name for item in (twin / "evaluation_plots").iterdir()} == {item.name for item in files}


def test_the_page_is_small_shows_the_pictures_without_a_network_and_holds_no_rows(twin):
    page = Path(page_of(twin, "CellVoltage")).read_text(encoding="utf-8")
    assert len(page) < 500_000
    assert page.count("data:image/png;base64,") == 2
    assert page.index("without a network it stays away") < page.index("plotly-graph-div")
    assert "2026-03-01" not in page
    assert len(json.loads(page.split('"x":')[1].split(',"y"')[0])["bdata"]) < 500


def page_of(folder, column, second=None):
    envelope = look(folder, column, second)
    assert envelope["status"] == "success", envelope["message"]
    return envelope["data"]["plot_html"]


@pytest.mark.parametrize(
    ("first", "second", "kind", "told"),
    [
        ("CellVoltage", "CellTemperature", "density", "correlation real"),
        ("CellVoltage", "string", "boxes", "correlation ratio real"),
        ("alarm", "string", "shares", "Cramér's V real"),
        ("CellVoltage", "Timestamp", "band", "correlation with time real"),
        ("alarm", "Timestamp", "shares", "Cramér's V real"),
    ],
)
def test_every_pair_of_kinds_is_drawn_with_its_association(twin, first, second, kind, told):
    envelope = look(twin, first, second)
    assert envelope["data"]["kind"] == kind
    assert told in envelope["message"]
    assert Path(envelope["data"]["plot_png"]).read_bytes().startswith(PNG)
    assert envelope["data"]["cells_png"] is None


@pytest.mark.parametrize(
    ("table", "column", "second", "told"),
    [
        ("battery", "nope", None, "one of: source_row, string"),
        ("battery", "cell_voltag", None, "Did you mean 'CellVoltage'?"),
        ("nope", "CellVoltage", None, "one of: battery"),
        ("battery", "CellVoltage", "CellTemprature", "Did you mean 'CellTemperature'"),
        ("battery", "CellVoltage", "CellVoltage", "another column"),
        ("battery", "CellVoltage", "Cell ID", "'Cell ID' is an identifier"),
        ("battery", "empty", "CellVoltage", "'empty' has no value"),
        ("battery", "CellVoltage", "firmware", "'firmware' has one value only"),
    ],
)
def test_what_cannot_be_drawn_is_told(twin, table, column, second, told):
    envelope = look(twin, column, second, table)
    assert envelope["status"] == "error"
    assert told in envelope["message"]
    assert not (twin / "evaluation_plots").exists()


def test_real_identifiers_that_come_out_are_counted(twin):
    made = synthetic(twin)
    real = pd.read_csv(twin / "battery.csv")
    made["Cell ID"] = made["Cell ID"].mask(
        made["Cell ID"] == made["Cell ID"].iloc[0], real["Cell ID"].iloc[0]
    )
    made.to_csv(twin / "synthetic_data" / "battery.csv", index=False)
    assert "1 of 6 synthetic ones are real ones" in look(twin, "Cell ID")["message"]


@pytest.mark.parametrize("sdtype", ["text", "name", "categorical"])
def test_no_remark_or_name_of_a_real_row_is_shown(sdtype):
    notes = [f"Mr {row} of street {row % 97}" for row in range(2000)]
    found = compare(notes, [*notes[:1256], *(f"synthetic-{row}" for row in range(744))], sdtype)
    assert found.state == "identifier"
    assert "Mr" not in found.finding + found.table.to_string()
    assert "real 2,000 different values in 2,000 rows" in found.finding
    assert "1,256 of 2,000 synthetic ones are real ones" in found.finding


def test_missing_readings_are_told_with_their_runs(twin):
    table = pd.read_csv(twin / "battery.csv")
    table["CellVoltage"] = [65.535 if row % 40 < 5 else 2.2 + row % 7 / 100 for row in range(len(table))]
    table.to_csv(twin / "battery.csv", index=False)
    made = synthetic(twin)
    made["CellVoltage"] = [None if row % 8 == 0 else 2.2 + row % 7 / 100 for row in range(len(made))]
    made.to_csv(twin / "synthetic_data" / "battery.csv", index=False)
    message = look(twin, "CellVoltage")["message"]
    assert "12.5 % real and 12.5 % synthetic missing, in runs of 5.0 and 1.0 readings of a cell" in message


def test_a_related_child_table_has_its_cells_drawn(related):
    shutil.copytree(related, related / "synthetic_data", ignore=shutil.ignore_patterns("metadata.json"))
    data = succeed(
        "sdv_visualize", folder_name=str(related), table_name="readings", column_name="CellVoltage"
    )
    assert Path(data["cells_png"]).read_bytes().startswith(PNG)


def test_pictures_are_not_written_through_a_link(twin, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (twin / "evaluation_plots").symlink_to(tmp_path / "elsewhere")
    assert "is a link" in look(twin, "CellVoltage")["message"]
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    ("value", "other"),
    [(pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-01T09:30")), (1e17, 2e17), (2.23, 2.24), (0, 1)],
)
def test_a_constant_column_is_compared_by_its_value(value, other):
    sdtype = "datetime" if isinstance(value, pd.Timestamp) else "numerical"
    same = compare([value] * 20, [value] * 3, sdtype)
    assert same.table[["real", "synthetic"]].to_numpy().tolist() == [[1.0, 1.0]]
    different = compare([value] * 20, [value, other], sdtype)
    assert "50.0 % of the synthetic differ" in different.finding
    assert different.table["label"].tolist()[-1] == OTHERS


def test_a_column_missing_on_one_side_only_is_told():
    comparison = compare([1.0, 2.0], [np.nan, np.nan])
    assert comparison.state == "missing"
    assert "the synthetic column has no value" in comparison.finding
    assert comparison.table.set_index("label")["synthetic"].to_dict() == {"present": 0.0, "missing": 1.0}


def test_the_bins_are_shared_and_hold_all_values():
    comparison = compare([0.0, 1.0, 2.0, np.nan], [5.0, 10.0])
    table = comparison.table
    assert table["real"].sum() == pytest.approx(1.0)
    assert table["synthetic"].sum() == pytest.approx(1.0)
    assert table["left"].iloc[0] <= 0.0
    assert table["right"].iloc[-1] >= 10.0
    assert "25.0% missing" in comparison.caption


def test_values_in_steps_are_not_drawn_as_a_comb():
    hours = pd.date_range("2026-01-01", periods=168, freq="h").to_series(name="x")
    tenths = pd.Series(np.arange(0, 1000) / 10, name="x")
    for even, sdtype in ((hours, "datetime"), (tenths, "numerical")):
        shares = compare(even.to_numpy(), even.to_numpy(), sdtype).table["real"]
        assert shares.iloc[:-1].max() == pytest.approx(shares.iloc[:-1].min())


def test_an_outlier_does_not_squeeze_the_bins_and_what_is_left_out_is_told():
    usual = np.linspace(2.1, 2.3, 1000)
    comparison = compare([*usual, 0.0, 0.1], [*usual, 0.5])
    table = comparison.table
    assert table["left"].iloc[0] > 2.0
    outside = 1 - table[["real", "synthetic"]].sum()
    assert outside["synthetic"] < outside["real"] < 0.006
    told = [f"{100 * share:.1f} % of the {side}" for side, share in outside.items()]
    assert "outside this picture: " in comparison.caption
    assert all(words in draw_comparison(comparison).axes[0].get_xlabel() for words in told)
    assert "outside" not in compare(usual, usual).caption


def test_truth_values_are_drawn_as_the_file_writes_them(twin):
    for path in (twin / "battery.csv", twin / "synthetic_data" / "battery.csv"):
        table = pd.read_csv(path)
        table.assign(alarm=table["alarm"].astype(int)).to_csv(path, index=False)
    assert "'0' has 78.8 % real" in look(twin, "alarm")["message"]


def test_labels_are_ranked_by_the_real_ones_and_the_rest_summed():
    real = [f"l{number:02}" for number in range(40) for _ in range(41 - number)]
    table = compare(real, ["l00", "unseen"], "categorical").table
    assert table["label"].iloc[0] == "l00"
    assert table["label"].iloc[-1] == OTHERS
    assert table["real"].sum() == pytest.approx(1.0)
    assert table["synthetic"].sum() == pytest.approx(1.0)


def test_numbered_labels_stand_in_their_order_and_1_is_1_0():
    table = compare([10, 2, 2, 9], [2.0, np.nan, 10.0], "ordinal").table
    assert table["label"].tolist() == ["2", "9", "10"]


def test_many_numbers_of_rows_per_identifier_fall_into_classes():
    real = [name for name in range(100) for _ in range(name + 1)]
    table = compare(real, [1, 1, 2], "id").table
    assert table["label"].tolist() == ["1", "2–3", "4–7", "8–15", "16–31", "32–63", "64–127"]
    assert table["real"].sum() == pytest.approx(1.0)
    assert table["synthetic"].tolist()[:2] == [0.5, 0.5]


def test_the_sentences_give_the_scores_of_sdv():
    random = np.random.default_rng(3)
    real, other = (
        pd.Series(random.normal(size=400), name="x"),
        pd.Series(random.normal(0.3, 1, 300), name="x"),
    )
    gap = 100 * (1 - KSComplement.compute(real, other))
    assert f"differ by {gap:.1f} % at most" in find_out(real, other, "numerical")
    labels, others = pd.Series(list("aabbbc"), name="x"), pd.Series(list("abccdd"), name="x")
    moved = 100 * (1 - TVComplement.compute(labels, others))
    assert f"{moved:.1f} % of the rows would have to change label" in find_out(labels, others, "categorical")


def test_axes_carry_the_unit_of_a_known_column():
    voltage = pd.Series([2.0, 2.1], name="cell_voltage")
    assert prepare_comparison(voltage, voltage, {"sdtype": "numerical"}, "t").label == "Cell voltage [V]"
    letter = voltage.rename("t")  # no temperature by itself
    assert prepare_comparison(letter, letter, {"sdtype": "numerical"}, "t").label == "t"


def test_the_missing_shares_have_a_panel_where_any_are_missing():
    assert len(draw_comparison(compare([1.0, 2.0, np.nan], [1.0, 2.0])).axes) == 2
    assert len(draw_comparison(compare([1.0, 2.0], [1.0, 2.0])).axes) == 1


def series(levels, labelled=()):
    parts = [
        pd.DataFrame(
            {
                "Cell ID": cell,
                "Timestamp": pd.date_range("2026-01-01", periods=20, freq="h"),
                "v": level + np.arange(20) / 100,
                "IsDead": int(cell in labelled),
            }
        )
        for cell, level in levels.items()
    ]
    return pd.concat(parts, ignore_index=True)


LEVELS = {"a": 2.0, "b": 2.1, "c": 2.2, "d": 2.15, "e": 9.0}


def test_the_cells_are_chosen_by_the_rule():
    frame = series(LEVELS)
    assert choose_cells(frame, find_roles(frame), "v") == {TYPICAL: ("d",), FARTHEST: ("e",)}
    frame = series(LEVELS, labelled="e")
    chosen = choose_cells(frame, find_roles(frame), "v")
    assert chosen == {LABELLED: ("e",), TYPICAL: ("d",), FARTHEST: ("a",)}


def test_gaps_of_a_cell_stay_gaps():
    frame = series({"a": 2.0, "b": 2.1})
    gappy = frame[~frame["Timestamp"].between("2026-01-01T05", "2026-01-01T09")].copy()
    gappy.loc[gappy["Timestamp"] == "2026-01-01T15", "v"] = np.nan
    cells = prepare_cells(gappy, frame, find_roles(frame), "v")
    for side, breaks in (("real", 2), ("synthetic", 0)):
        shown = cells.table[(cells.table["side"] == side) & (cells.table["role"] == TYPICAL)]
        assert shown["time"].is_monotonic_increasing
        assert shown["value"].isna().sum() == breaks
    assert cells.roles == [TYPICAL, FARTHEST]


def pair(first, second, kinds=("numerical", "numerical"), other=None):
    frame = pd.DataFrame({"x": first, "y": second})
    specs = {"x": {"sdtype": kinds[0]}, "y": {"sdtype": kinds[1]}}
    return prepare_pair(frame, frame if other is None else other, specs, "x", "y")


def test_a_density_has_the_same_bins_on_both_sides_and_all_rows_in_them():
    other = pd.DataFrame({"x": [5.0, 6.0, 7.0], "y": [-1.0, 0.0, 1.0]})
    made = pair([1.0, 2.0, 3.0, np.nan], [3.0, 2.0, 1.0, 4.0], other=other)
    sides = dict(list(made.table.groupby("side")))
    edges = ["x_left", "x_right", "y_left", "y_right"]
    assert np.array_equal(sides["real"][edges], sides["synthetic"][edges])
    assert [side["share"].sum() for side in sides.values()] == pytest.approx([1.0, 1.0])
    assert "correlation real -1.000, synthetic 1.000 (3 and 3 rows have both)" in made.finding


def test_an_outlier_does_not_squeeze_a_density_and_is_told():
    values = np.append(np.linspace(0, 1, 999), 1e6)
    made = pair(values, np.linspace(0, 1, 1000))
    assert made.table["x_right"].max() < 2
    assert "1.0% and 1.0% of the rows lie outside the frame" in made.finding


def test_boxes_hold_the_quantiles_of_each_label():
    made = pair(["a"] * 5 + ["b"] * 5, [1.0, 2, 3, 4, 5, 11, 12, 13, 14, 15], ("categorical", "numerical"))
    real = made.table[made.table["side"] == "real"].set_index("x")
    assert real["median"].to_dict() == {"a": 3.0, "b": 13.0}
    assert real["share"].tolist() == [0.5, 0.5]
    assert "correlation ratio real 0.962" in made.finding


def test_shares_of_two_labels_sum_to_one_with_the_others_named():
    names = [f"n{number:02}" for number in range(30)] * 2
    made = pair(names, ["u", "v"] * 30, ("categorical", "categorical"))
    assert made.table.groupby("side")["share"].sum().tolist() == pytest.approx([1.0, 1.0])
    assert OTHERS in made.table["x"].tolist()
    assert OTHERS not in made.table["y"].tolist()


def test_a_band_follows_a_number_over_time():
    times = pd.date_range("2026-01-01", periods=240, freq="h")
    made = pair(times, np.arange(240.0), ("datetime", "numerical"))
    real = made.table[made.table["side"] == "real"]
    assert real["median"].is_monotonic_increasing
    assert "correlation with time real 1.000" in made.finding


def test_too_few_common_rows_make_no_pair(twin):
    table = pd.read_csv(twin / "battery.csv")
    table["CellTemperature"] = table["CellTemperature"].where(table.index == 5)
    table.loc[5, "CellTemperature"] = 20.0
    table.loc[7, "CellTemperature"] = 21.0
    table.to_csv(twin / "battery.csv", index=False)
    assert "Only 2 real rows have both" in look(twin, "CellVoltage", "CellTemperature")["message"]


def test_file_names_are_legal_and_never_collide():
    names = [file_name("t", column) for column in ("dV/dt", "dV:dt", "../x", "dV dt")]
    assert len(set(names)) == 4
    assert not any(set(name) & set("/:. ") for name in names)
