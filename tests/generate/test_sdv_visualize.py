"""Pictures show both distributions over the same bins, and are refused where there is none."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_generate.plots import OTHERS, prepare_comparison
from bms_generate.publish import file_name

from tests.generate.sdv_folders import call, succeed


def compare(real, synthetic, sdtype="numerical"):
    real, synthetic = pd.Series(real, name="x"), pd.Series(synthetic, name="x")
    return prepare_comparison(real, synthetic, {"sdtype": sdtype}, "t.x")


@pytest.mark.parametrize("column", ["CellVoltage", "string", "Timestamp", "alarm", "firmware"])
def test_every_kind_of_column_is_drawn_and_copied_into_the_data_folder(twin, column):
    data = succeed("sdv_visualize", folder_name=str(twin), table_name="battery", column_name=column)
    png, page = Path(data["plot_png"]), Path(data["plot_html"])
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "plotly" in page.read_text(encoding="utf-8")
    manifest = json.loads((png.parent / "manifest.json").read_text(encoding="utf-8"))
    assert str(twin / "synthetic_data") in manifest["inputs"]
    copies = {item.name for item in (twin / "evaluation_plots").iterdir()}
    assert copies == {png.name, page.name}


@pytest.mark.parametrize(
    ("table", "column", "told"),
    [
        ("battery", "Cell ID", "identifier"),
        ("battery", "empty", "missing"),
        ("battery", "nope", "CellVoltage"),
        ("nope", "CellVoltage", "battery"),
    ],
)
def test_what_cannot_be_drawn_is_told(twin, table, column, told):
    envelope = call("sdv_visualize", folder_name=str(twin), table_name=table, column_name=column)
    assert envelope["status"] == "error"
    assert told in envelope["message"]
    assert not (twin / "evaluation_plots").exists()


def test_pictures_are_not_written_through_a_link(twin, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (twin / "evaluation_plots").symlink_to(tmp_path / "elsewhere")
    envelope = call("sdv_visualize", folder_name=str(twin), table_name="battery", column_name="CellVoltage")
    assert "is a link" in envelope["message"]
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("value", [pd.Timestamp("2026-01-01"), 1e17, 2.23])
def test_a_column_of_one_value_is_one_bar(value):
    sdtype = "datetime" if isinstance(value, pd.Timestamp) else "numerical"
    table = compare([value] * 20, [value] * 3, sdtype).table
    (bar,) = table[table["real"] > 0].to_dict("records")
    assert bar["real"] == bar["synthetic"] == 1.0
    assert bar["left"] <= value <= bar["right"]


def test_the_bins_are_shared_and_hold_all_values():
    comparison = compare([0.0, 1.0, 2.0, np.nan], [5.0, 10.0])
    table = comparison.table
    assert table["real"].sum() == pytest.approx(1.0)
    assert table["synthetic"].sum() == pytest.approx(1.0)
    assert (table["left"].iloc[0], table["right"].iloc[-1]) == (0.0, 10.0)
    assert "25.0% missing" in comparison.caption


def test_labels_are_ranked_by_the_real_ones_and_the_rest_summed():
    real = [f"l{number:02}" for number in range(40) for _ in range(41 - number)]
    table = compare(real, ["l00", "unseen"], "categorical").table
    assert table["label"].iloc[0] == "l00"
    assert table["label"].iloc[-1] == OTHERS
    assert table["real"].sum() == pytest.approx(1.0)
    assert table["synthetic"].sum() == pytest.approx(1.0)


def test_axes_carry_the_unit_of_a_known_column():
    voltage = pd.Series([2.0, 2.1], name="cell_voltage")
    assert prepare_comparison(voltage, voltage, {"sdtype": "numerical"}, "t").label == "Cell voltage [V]"


def test_file_names_are_legal_and_never_collide():
    names = [file_name("t", column) for column in ("dV/dt", "dV:dt", "../x", "dV dt")]
    assert len(set(names)) == 4
    assert not any(set(name) & set("/:. ") for name in names)
