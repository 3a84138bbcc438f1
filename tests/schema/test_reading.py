import gzip

import pandas as pd
import pytest
from bms_schema.data.reading import read_table
from bms_schema.run.errors import InvalidArgument, NotEnoughData, UnreadableTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GOOD = "Cell ID,CellVoltage\nA,2.2\nB,2.1\n"


def written(folder, text, name="log.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GOOD, "utf-8"),
        (GOOD, "utf-8-sig"),
        (GOOD, "utf-16"),
        (GOOD.replace("\n", "\r\n"), "utf-8"),
        (GOOD.replace(",", ";"), "utf-8"),
        (GOOD.replace(",", "\t"), "utf-8"),
        (GOOD.replace(",", " , "), "utf-8"),
        (GOOD.replace("\n", ",\n").replace("CellVoltage,", "CellVoltage"), "utf-8"),
        (GOOD + "\n\n", "utf-8"),
    ],
    ids=["plain", "bom", "utf16", "crlf", "semicolon", "tab", "spaces", "trailing delimiter", "blank lines"],
)
def test_every_way_to_write_the_same_table_reads_the_same(tmp_path, text, encoding):
    frame = read_table(written(tmp_path, text, encoding=encoding)).frame
    assert frame.columns.tolist() == ["Cell ID", "CellVoltage"]
    assert frame["Cell ID"].tolist() == ["A", "B"]
    assert frame["CellVoltage"].tolist() == ["2.2", "2.1"]


def test_windows_1252_is_read_and_said(tmp_path):
    raw = read_table(written(tmp_path, "Cell ID,Täg\nA,°C\n", encoding="cp1252"))
    assert raw.frame.columns.tolist() == ["Cell ID", "Täg"]
    assert "not UTF-8; read as Windows-1252" in raw.notes


def test_decimal_commas_are_noticed(tmp_path):
    raw = read_table(written(tmp_path, "Cell ID;CellVoltage\nA;2,23\n"))
    assert raw.decimal_comma
    assert raw.frame["CellVoltage"].tolist() == ["2,23"]


def test_decimal_commas_are_noticed_below_cells_that_do_not_answer(tmp_path):
    text = "Cell ID;CellVoltage\n" + "".join(f"A{cell};\n" for cell in range(60)) + "A60;2,25\n"
    assert read_table(written(tmp_path, text)).decimal_comma


def test_more_names_than_values_keeps_the_columns_and_says_so(tmp_path):
    raw = read_table(written(tmp_path, "Cell ID,CellVoltage,Extra\nA,2.2\nB,2.1\n"))
    assert raw.frame["CellVoltage"].tolist() == ["2.2", "2.1"]
    assert raw.frame["Extra"].isna().all()
    assert any("3 names over 2 values" in note for note in raw.notes)


def test_gzip_parquet_and_folders_read_like_the_csv(tmp_path):
    expected = read_table(written(tmp_path, GOOD)).frame
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress(GOOD.encode()))
    expected.to_parquet(tmp_path / "log.parquet")
    for name in ("log.csv.gz", "log.parquet"):
        pd.testing.assert_frame_equal(read_table(tmp_path / name).frame, expected, check_dtype=False)
    folder = tmp_path / "many"
    folder.mkdir()
    for part in ("b", "a"):
        written(folder, GOOD.replace("A,", f"{part},"), f"{part}.csv")
    written(folder, "not a table", "readme.txt")
    assert read_table(folder).frame["Cell ID"].tolist() == ["a", "B", "b", "B"]


@pytest.mark.parametrize("chunksize", [1, 2, 7, 100_000])
def test_chunk_size_changes_nothing(tmp_path, chunksize):
    text = "Cell ID,CellVoltage\n" + "".join(f"A{i},{i}\n" if i % 3 else f"A{i},\n" for i in range(20))
    path = written(tmp_path, text)
    pd.testing.assert_frame_equal(read_table(path, chunksize=chunksize).frame, read_table(path).frame)


def test_leading_zeros_and_words_stay_as_written(tmp_path):
    raw = read_table(written(tmp_path, "Cell ID,Flag,NA\n007,True,NA\n"))
    assert raw.frame.iloc[0].tolist() == ["007", "True", "NA"]


@pytest.mark.parametrize(
    ("text", "name", "error", "says"),
    [
        ("", "a.csv", NotEnoughData, "is empty"),
        ("\n \n", "a.csv", NotEnoughData, "only blank lines"),
        ("Cell ID,CellVoltage\n", "a.csv", NotEnoughData, "no rows"),
        ("1,2.2\n2,2.1\n", "a.csv", UnreadableTable, "no header"),
        ("a,b\n1,2\n1,2,3\n", "a.csv", UnreadableTable, "line 3"),
        ("a,b\n1,2,3\n4,5,6\n", "a.csv", UnreadableTable, "line 2"),
        ("a\0b,c\n", "a.csv", UnreadableTable, "binary"),
        ("PAR1nonsense", "a.parquet", UnreadableTable, "Parquet"),
        ("not gzip", "a.csv.gz", UnreadableTable, "cannot be read"),
        ("{}", "a.json", UnreadableTable, "no kind of table"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(tmp_path, text, name, error, says):
    with pytest.raises(error, match=says):
        read_table(written(tmp_path, text, name))


def test_an_empty_folder_and_a_bad_chunk_size_are_refused(tmp_path):
    with pytest.raises(UnreadableTable, match="holds no table"):
        read_table(tmp_path)
    with pytest.raises(InvalidArgument, match="chunksize is 0"):
        read_table(written(tmp_path, GOOD), chunksize=0)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_any_bytes_end_in_a_table_or_a_clear_refusal(tmp_path, content):
    path = tmp_path / "fuzz.csv"
    path.write_bytes(content)
    try:
        frame = read_table(path).frame
    except (NotEnoughData, UnreadableTable):
        return
    assert len(frame) > 0
    assert frame.columns.is_unique
