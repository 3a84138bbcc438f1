import numpy as np
import pandas as pd
import pytest
from bms_schema.data.columns import MEASURED_NAMES, SENSOR_NAMES, flag_of
from bms_schema.data.table import canonical_table, load_battery_table
from bms_schema.run.errors import MissingColumn
from bms_schema.run.tables import write_table

from tests.schema.fleet import small_fleet


def packets():
    """Return three strings whose cells are all numbered from 1, as a stationary BMS exports them."""
    frame = small_fleet(n_strings=3, cells=5, moments=4)
    text = frame["Cell ID"].str.split("/", expand=True)
    return frame.drop(columns=["string", "Cell ID"]).assign(
        SiteID="CHARGER-" + text[0], DeviceID=text[0], CellNumber=text[1]
    )


def test_cells_numbered_within_strings_are_told_apart():
    table = canonical_table(packets())
    assert table.frame["Cell ID"].nunique() == 15
    assert table.frame["Cell ID"].iloc[0] == "CHARGER-S0/1"
    assert table.frame["string"].nunique() == 3


def test_ids_that_are_unique_already_are_kept():
    table = canonical_table(small_fleet())
    assert set(table.frame["Cell ID"]) == {f"S{s}/{c}" for s in range(2) for c in range(1, 5)}


def test_repeating_cell_ids_get_their_string_in_front():
    frame = small_fleet()
    frame["Cell ID"] = frame["Cell ID"].str.split("/").str[1]
    assert canonical_table(frame).frame["Cell ID"].nunique() == 8


def test_site_and_device_name_a_string_together_where_neither_does_alone():
    frame = packets().assign(SiteID=["A", "A", "B"] * 20, DeviceID=["1", "2", "1"] * 20)
    assert set(canonical_table(frame).frame["string"]) == {"A:1", "A:2", "B:1"}


def test_a_serial_number_per_cell_names_no_string():
    frame = packets().assign(SiteID="A", DeviceID="1")
    frame["SerialNumber"] = "SN" + frame["CellNumber"].astype(str)
    assert set(canonical_table(frame).frame["string"]) == {"A"}


def test_numbers_written_as_floats_are_the_same_cell():
    frame = packets().assign(CellNumber=packets()["CellNumber"].astype(float))
    assert "CHARGER-S0/1" in set(canonical_table(frame).frame["Cell ID"])


def test_no_cell_and_no_string_column_is_one_cell():
    frame = small_fleet(1, 1).drop(columns=["string", "Cell ID"])
    assert canonical_table(frame).frame["Cell ID"].unique().tolist() == ["string-1"]


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        ("65.535", "sentinel"),
        ("65535.0", "sentinel"),
        ("-3.4028234663852886e+38", "sentinel"),
        ("7.5", "out_of_range"),
        ("n/a", "not_a_number"),
        ("inf", "not_a_number"),
        ("--", "not_a_number"),
        ("null", "blank"),
        ("0xFFFF", "sentinel"),
        ("0x7fffffff", "sentinel"),
        ("0x50", "not_a_number"),
        ("", "blank"),
        (None, "blank"),
        ("2.2", ""),
    ],
)
def test_what_is_no_reading_is_missing_and_says_why(value, flag):
    frame = small_fleet().astype({"CellVoltage": object})
    frame.loc[3, "CellVoltage"] = value
    table = canonical_table(frame)
    assert len(table.frame) == len(frame)
    assert table.frame.loc[3, flag_of("CellVoltage")] == flag
    assert np.isnan(table.frame.loc[3, "CellVoltage"]) == (flag != "")
    assert table.frame["CellVoltage"].notna().sum() == len(frame) - (flag != "")


def test_a_sentinel_in_one_column_leaves_the_others_of_its_row_alone():
    frame = small_fleet()
    frame.loc[5, "CellTemperature"] = 65535.0
    row = canonical_table(frame).frame.loc[5]
    assert np.isnan(row["CellTemperature"])
    assert row["CellVoltage"] == frame.loc[5, "CellVoltage"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_cleaned_file_reads_back_as_the_same_table(tmp_path, suffix):
    frame = small_fleet().astype({"CellVoltage": object}).assign(Site="007", Note="as is")
    frame.loc[[1, 2], "CellVoltage"] = [65.535, "broken"]
    first = canonical_table(frame.sample(frac=1, random_state=0)).frame
    second = load_battery_table(write_table(first, tmp_path / f"cleaned{suffix}")).frame
    pd.testing.assert_frame_equal(first, second, check_dtype=False)


def test_row_order_changes_nothing_but_the_order():
    frame = small_fleet()
    shuffled = frame.sample(frac=1, random_state=1)
    one = canonical_table(frame).frame.sort_values(["Cell ID", "Timestamp"]).drop(columns="source_row")
    two = canonical_table(shuffled).frame.sort_values(["Cell ID", "Timestamp"]).drop(columns="source_row")
    pd.testing.assert_frame_equal(one.reset_index(drop=True), two.reset_index(drop=True))


def test_source_row_counts_the_input_and_survives():
    frame = small_fleet().iloc[::-1]
    table = canonical_table(frame).frame
    assert table["source_row"].tolist() == list(range(len(frame)))
    kept = canonical_table(table.iloc[10:20]).frame
    assert kept["source_row"].tolist() == list(range(10, 20))


@pytest.mark.parametrize(
    ("given", "expected"), [("TRUE", 1.0), ("0", 0.0), (1, 1.0), (False, 0.0), ("maybe", np.nan)]
)
def test_labels_are_read_in_every_spelling(given, expected):
    frame = small_fleet().assign(IsDead=given)
    np.testing.assert_equal(canonical_table(frame).frame["IsDead"].iloc[0], expected)


@pytest.mark.parametrize("name", SENSOR_NAMES[:4])
def test_a_missing_or_unusable_required_column_is_named(name):
    with pytest.raises(MissingColumn, match=name):
        canonical_table(small_fleet().drop(columns=name))
    with pytest.raises(MissingColumn, match=f"'{name}' holds no usable value"):
        canonical_table(small_fleet().assign(**{name: "text"}))


def test_every_unusable_column_is_told_with_its_own_range():
    frame = small_fleet().assign(CellVoltage=np.nan, AmbientTemperature="warm")
    with pytest.raises(MissingColumn, match=r"CellVoltage from .* V, AmbientTemperature from .* °C") as told:
        canonical_table(frame)
    assert "'CellVoltage', 'AmbientTemperature' hold no usable value" in str(told.value)


def test_scaled_values_are_not_to_be_renamed_into_readings():
    frame = small_fleet().rename(columns={name: f"{name}_scaled" for name in SENSOR_NAMES})
    with pytest.raises(MissingColumn, match="pass the cleaned table instead"):
        canonical_table(frame)


def test_sealed_cells_need_no_gravity_but_flooded_ones_do():
    frame = small_fleet().drop(columns="CellSpecificGravity")
    assert canonical_table(frame).chemistry.profile.name == "vrla"
    with pytest.raises(MissingColumn, match="CellSpecificGravity"):
        canonical_table(frame, chemistry="lead_acid_flooded")


def test_the_chemistry_and_its_reason_are_told():
    table = canonical_table(small_fleet().assign(CellVoltage=3.7).drop(columns="CellSpecificGravity"))
    assert table.chemistry.profile.name == "li_ion"
    assert any("median of 3.70 V" in note for note in table.notes)


def test_a_twelve_volt_block_is_six_cells():
    table = canonical_table(small_fleet().assign(CellVoltage=13.4).drop(columns="CellSpecificGravity"))
    assert table.chemistry.cells_per_block == 6
    assert table.frame["CellVoltage"].notna().all()


def test_other_columns_are_carried_untouched():
    table = canonical_table(small_fleet().assign(**{"Odd one": "007 "}))
    assert (table.frame["Odd one"] == "007 ").all()


def test_decimal_commas_become_numbers(tmp_path):
    frame = small_fleet(1, 3, 4)
    text = frame.to_csv(sep=";", decimal=",", index=False)
    (tmp_path / "comma.csv").write_text(text)
    read = load_battery_table(tmp_path / "comma.csv").frame
    for name in [name for name in MEASURED_NAMES if name in frame]:
        np.testing.assert_allclose(read[name], frame[name])


def test_where_only_the_dead_are_marked_blank_means_alive_and_is_said():
    marked = canonical_table(small_fleet().assign(IsDead=[1, None, None, None] * 60))
    assert marked.frame["IsDead"].isin([0.0, 1.0]).all()
    assert any("blank is read as alive" in note for note in marked.notes)
    full = canonical_table(small_fleet().assign(IsDead=[1, 0, None, None] * 60))
    assert full.frame["IsDead"].isna().sum() == 120


def test_files_cleaned_one_by_one_are_numbered_anew_when_read_together(tmp_path):
    for month in ("01", "02"):
        frame = small_fleet()
        frame["Timestamp"] += pd.DateOffset(months=int(month))
        write_table(canonical_table(frame).frame, tmp_path / f"{month}.csv")
    together = load_battery_table(tmp_path).frame
    assert together["source_row"].tolist() == list(range(len(together)))


def test_a_wide_table_is_made_long():
    wide = small_fleet(1, 1).drop(columns=["CellVoltage", "Cell ID"]).assign(V_1=2.1, V_2=2.2, V_3=2.3)
    table = canonical_table(wide)
    assert table.frame["Cell ID"].tolist()[:4] == ["S0/1", "S0/2", "S0/3", "S0/1"]
    assert table.frame["CellVoltage"].tolist()[:3] == [2.1, 2.2, 2.3]
    assert table.frame["source_row"].tolist()[:4] == [0, 0, 0, 1]
    assert any(note.startswith("wide: 3 cells from V_1") for note in table.notes)
