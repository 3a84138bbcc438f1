import numpy as np
import pandas as pd
import pytest
from bms_schema.data.reading import open_table, read_table
from bms_schema.data.wide import find_wide, melt
from bms_schema.run.errors import UnreadableTable

WIDE = (
    "time,Vtot,V_1,V_2,V_3,T_1,T_2,I\n2025-01-01,6.6,2.1,2.2,2.3,24,26,5\n2025-01-02,6.5,2.0,,2.5,25,255,-5\n"
)


def written(folder, text, name="pack.csv"):
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "pattern",
    ["V{}", "V_{}", "V_{:02d}", "U{}", "Cell {}", "CellVoltage_{:02d}", "VCell{}", "Cell {} Voltage", "Cell{}_V",
     "cell-{} [V]", "V{}_mV"],
)  # fmt: skip
def test_numbered_voltages_are_recognised_however_they_are_written(pattern):
    names = ["time", *(pattern.format(number) for number in range(1, 13)), "current"]
    assert find_wide(names).numbers == tuple(range(1, 13))


@pytest.mark.parametrize(
    "names",
    [
        ["time", "V1", "V2"],
        ["Timestamp", "CellVoltage", "V1", "V2", "V3"],
        ["Timestamp", "CellNumber", "V1", "V2", "V3"],
        ["Timestamp", "Voltage", "Current", "V1", "V2", "V3"],
        ["V1os", "V1_BG", "V_2nd", "Vtot", "V3x"],
        ["Temp1", "Temp2", "Temp3"],
    ],
    ids=["too few", "one voltage", "one cell number", "three phases", "look-alikes", "no voltage"],
)
def test_other_tables_are_not_wide(names):
    assert find_wide(names) is None


def test_look_alikes_beside_the_cells_are_carried():
    names = ["Time", *(f"V{number}" for number in range(1, 9)), "V1os", "V1_BG", "V_2nd", "Vtot", "Temp"]
    layout = find_wide(names)
    assert layout.numbers == tuple(range(1, 9))
    assert layout.long_names(names)[3:] == ["Time", "V1os", "V1_BG", "V_2nd", "Vtot", "Temp"]


def test_the_pack_voltage_beside_four_cells_is_carried():
    names = ["time", "Voltage", "V1", "V2", "V3", "V4"]
    assert find_wide(names).long_names(names)[2:] == ["CellVoltage", "time", "Voltage"]


def test_a_wide_file_becomes_one_row_per_cell_in_order(tmp_path):
    frame = read_table(written(tmp_path, WIDE)).frame
    assert frame.columns.tolist() == [
        "source_row", "CellNumber", "CellVoltage", "CellTemperature", "time", "Vtot", "I",
    ]  # fmt: skip
    assert frame["source_row"].tolist() == [0, 0, 0, 1, 1, 1]
    assert frame["CellNumber"].tolist() == ["1", "2", "3"] * 2
    assert frame["CellVoltage"].fillna("").tolist() == ["2.1", "2.2", "2.3", "2.0", "", "2.5"]
    assert frame["Vtot"].tolist() == ["6.6"] * 3 + ["6.5"] * 3


def test_cells_get_the_median_of_the_probes_that_answer_and_the_note_says_so(tmp_path):
    raw = read_table(written(tmp_path, WIDE))
    assert raw.frame["CellTemperature"].tolist() == [25.0] * 3 + [25.0] * 3
    assert raw.notes == [
        "wide: 3 cells from V_1 … V_3, one row per cell and time; CellTemperature of every cell is the median of "
        "the row's fitted probes (T_1 … T_2): the file does not tell which probe sits at which cell"
    ]


def test_the_median_of_probes_is_that_of_numpy_over_the_readings():
    rng = np.random.default_rng(3)
    values = rng.choice([10.0, 20.5, 30.0, 255.0, 511.0, 65535.0, np.nan], size=(200, 7))
    chunk = pd.DataFrame(values, columns=[f"T{probe}" for probe in range(7)])
    chunk = chunk.assign(V1=3.3, V2=3.3, V3=3.3)
    long = melt(chunk, find_wide(list(chunk)))
    for row, given in enumerate(values):
        readings = given[given < 100]
        if readings.size:
            assert long["CellTemperature"][3 * row] == np.median(readings)


def test_a_row_without_any_reading_keeps_what_its_probes_said():
    chunk = pd.DataFrame({"V1": ["3"], "V2": ["3"], "V3": ["3"], "T1": ["255"], "T2": [None]}, dtype="string")
    assert melt(chunk, find_wide(list(chunk)))["CellTemperature"].tolist() == [255.0] * 3


def test_a_probe_that_says_zero_from_first_to_last_is_not_fitted(tmp_path):
    rows = "".join(f"{day},2.1,2.2,2.3,0,{-day},0\n" for day in range(1, 40))
    raw = read_table(written(tmp_path, "time,V1,V2,V3,T1,T2,Probe9\n" + rows))
    assert raw.frame["CellTemperature"].tolist()[:6] == [-1.0] * 3 + [-2.0] * 3
    assert any("never fitted: T1" in note for note in raw.notes)


def test_zero_degrees_count_where_a_probe_ever_shows_something_else(tmp_path):
    rows = "".join(f"{day},2.1,2.2,2.3,0,4\n" for day in range(12_000))
    raw = read_table(written(tmp_path, "time,V1,V2,V3,T1,T2\n" + rows + "0,2.1,2.2,2.3,7,4\n"))
    assert raw.frame["CellTemperature"].iloc[0] == 2.0


def test_as_many_temperatures_and_gravities_as_cells_go_by_number(tmp_path):
    text = "time,V2,V1,V3,T1,T2,T3,SG_1,SG_3,Ohm_1,Ohm_2,Ohm_3\n0,2.2,2.1,2.3,21,22,23,1.21,1.23,5,6,7\n"
    frame = read_table(written(tmp_path, text)).frame
    assert frame["CellVoltage"].tolist() == ["2.1", "2.2", "2.3"]
    assert frame["CellTemperature"].tolist() == ["21", "22", "23"]
    assert frame["CellSpecificGravity"].fillna("").tolist() == ["1.21", "", "1.23"]
    assert frame["Ohm"].tolist() == ["5", "6", "7"]
    assert not {"T1", "SG_1", "Ohm_1", "V1"} & set(frame)


def test_a_battery_id_names_the_string_of_a_wide_file(tmp_path):
    frame = read_table(written(tmp_path, "battery_id,V1,V2,V3\nB7,2.1,2.2,2.3\n")).frame
    assert frame["string"].tolist() == ["B7"] * 3


def test_a_source_row_that_is_there_is_kept(tmp_path):
    frame = read_table(written(tmp_path, "source_row,V1,V2,V3\n17,2.1,2.2,2.3\n")).frame
    assert frame["source_row"].tolist() == ["17"] * 3


@pytest.mark.parametrize("chunksize", [1, 2, 4, 1000])
def test_chunk_size_changes_nothing_and_bounds_the_rows(tmp_path, chunksize):
    path = written(tmp_path, WIDE * 1 + WIDE.split("\n", 1)[1] * 5)
    source = open_table(path, chunksize=chunksize)
    chunks = list(source.chunks())
    assert source.names == chunks[0].columns.tolist()
    assert max(map(len, chunks)) <= chunksize
    pd.testing.assert_frame_equal(pd.concat(chunks), read_table(path).frame)


def test_parquet_and_decimal_commas_melt_to_the_same_temperatures(tmp_path):
    expected = read_table(written(tmp_path, WIDE)).frame
    comma = written(tmp_path, WIDE.replace(",", ";").replace(".", ","), "comma.csv")
    read_table(tmp_path / "pack.csv", layout="as_is").frame.to_parquet(tmp_path / "pack.parquet")
    assert read_table(comma).frame["CellTemperature"].tolist() == expected["CellTemperature"].tolist()
    pd.testing.assert_frame_equal(read_table(tmp_path / "pack.parquet").frame, expected)


def test_as_is_leaves_the_columns_alone(tmp_path):
    frame = read_table(written(tmp_path, WIDE), layout="as_is").frame
    assert frame.columns.tolist() == WIDE.split("\n")[0].split(",")
    assert len(frame) == 2


def test_rows_are_numbered_on_over_the_files_of_a_folder(tmp_path):
    for part in (1, 2):
        written(tmp_path, WIDE, f"part{part}.csv")
    frame = read_table(tmp_path).frame
    assert frame["source_row"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_files_of_different_batteries_are_not_mixed(tmp_path):
    written(tmp_path, WIDE, "a.csv")
    written(tmp_path, "time,V_1,V_2,V_3,V_4\n0,2,2,2,2\n", "b.csv")
    with pytest.raises(UnreadableTable, match="different cells"):
        read_table(tmp_path)
