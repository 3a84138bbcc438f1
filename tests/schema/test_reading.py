import codecs
import csv
import gzip
import io
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from bms_schema.data.file_form import FileForm
from bms_schema.data.reading import is_table, open_table, read_table
from bms_schema.data.text_blocks import TextFindings, text_blocks
from bms_schema.data.text_rows import RowParser
from bms_schema.run.errors import InvalidArgument, NotEnoughData, UnreadableTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GOOD = "Cell ID,CellVoltage\nA,2.2\nB,2.1\n"


def written(folder, text, name="log.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def packed(inside, text, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(inside, text)


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
    assert any("2 line(s) not UTF-8; read as Windows-1252" in note for note in raw.notes)


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


@pytest.mark.parametrize("name", ["log.tsv", "log.txt", "log.log", "log.csv.gz", "log.zip", "log.log.zip"])
def test_text_tables_of_every_name_read_the_same_plain_or_packed(tmp_path, name):
    content, path = GOOD.encode(), tmp_path / name
    if name.endswith(".zip"):
        packed("inside.csv", GOOD, path)
    else:
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert is_table(path)
    assert read_table(path).frame["CellVoltage"].tolist() == ["2.2", "2.1"]


def test_a_zip_must_hold_one_table(tmp_path):
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", GOOD)
        archive.writestr("b.csv", GOOD)
    with pytest.raises(UnreadableTable, match=r"holds 2 tables \(a.csv, b.csv\)"):
        read_table(path)


def test_a_readme_beside_the_table_is_no_table(tmp_path):
    path = tmp_path / "one.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "as exported")
        archive.writestr("log.csv", GOOD)
    assert len(read_table(path).frame) == 2


@pytest.mark.parametrize("name", ["cut.csv.gz", "cut.zip"])
def test_a_packed_file_that_breaks_off_is_refused(tmp_path, name):
    text = "Cell ID,CellVoltage\n" + "".join(f"A{row},{row * 7919 % 1000}\n" for row in range(20_000))
    path = tmp_path / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        packed("log.csv", text, path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UnreadableTable, match=r"breaks off after|no whole zip"):
        read_table(path)


def test_chunks_are_numbered_on_and_can_be_read_twice(tmp_path):
    source = open_table(written(tmp_path, "Cell ID,CellVoltage\n" + "A,2.2\n" * 7), chunksize=3)
    for _ in range(2):
        chunks = list(source.chunks())
        assert [list(chunk.index) for chunk in chunks] == [[0, 1, 2], [3, 4, 5], [6]]
        assert all(chunk.columns.tolist() == source.names for chunk in chunks)
        assert all(dtype == "string[pyarrow]" for chunk in chunks for dtype in chunk.dtypes)


def test_what_a_pass_meets_is_noted_once_however_often_it_is_read(tmp_path):
    source = open_table(written(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8\n"))
    for _ in range(2):
        list(source.chunks())
    assert source.notes == ["1 row(s) with fewer values than names, the missing ones blank (first: line 3)"]


def test_a_short_row_in_the_middle_is_filled_with_blanks(tmp_path):
    frame = read_table(written(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8\n")).frame
    assert frame["b"].tolist() == ["2", "5", "7"]
    assert frame["c"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(("end", "kept"), [("A,12.3,2", "12.3"), ("A,12", None), ('A,12.3,"2.', "12.3")])
def test_the_value_in_which_a_file_breaks_off_is_not_believed(tmp_path, end, kept):
    raw = read_table(written(tmp_path, f"Cell ID,Current,CellVoltage,Note\nA,1,2.2,x\n{end}"))
    last = raw.frame.iloc[-1]
    assert last["Cell ID"] == "A"
    assert pd.isna(last["CellVoltage"])
    assert last["Current"] == kept if kept else pd.isna(last["Current"])
    assert any("breaks off in line 3" in note for note in raw.notes)


def test_a_last_line_without_a_line_end_is_whole_if_it_has_every_value(tmp_path):
    raw = read_table(written(tmp_path, GOOD.removesuffix("\n")))
    assert raw.frame["CellVoltage"].tolist() == ["2.2", "2.1"]
    assert raw.notes == []


def test_joined_exports_repeat_their_header_and_it_is_no_reading(tmp_path):
    raw = read_table(written(tmp_path, GOOD + GOOD))
    assert raw.frame["CellVoltage"].tolist() == ["2.2", "2.1", "2.2", "2.1"]
    assert "the header line again 1 time(s), skipped (first: below row 2)" in raw.notes


def test_another_header_in_the_middle_is_refused(tmp_path):
    text = "Cell ID,CellVoltage,CellTemperature\nA,2.2,25\nCell ID,CellTemperature,CellVoltage\nA,25,2.2\n"
    with pytest.raises(UnreadableTable, match="another header below row 1"):
        read_table(written(tmp_path, text))


@pytest.mark.parametrize(
    "above",
    [
        "# exported by a BMS, version 2\n",
        "Battery report;;;\nSite: A\n\n",
        "sep=;\n",
        "Serial;1234\nFrom;2025-01-01\n\n",
    ],
)
def test_lines_before_the_header_are_skipped_and_counted(tmp_path, above):
    raw = read_table(written(tmp_path, above + "Timestamp;Cell ID;CellVoltage;Mode\n2025-01-01;A;2.2;x\n"))
    assert raw.frame.columns.tolist() == ["Timestamp", "Cell ID", "CellVoltage", "Mode"]
    assert raw.frame.iloc[0].tolist() == ["2025-01-01", "A", "2.2", "x"]
    assert any("before the header" in note for note in raw.notes)


def test_a_line_of_units_below_the_header_is_no_reading(tmp_path):
    raw = read_table(written(tmp_path, "Time;CellVoltage;CellTemperature\n;V;[°C]\n1;2,2;25,1\n"))
    assert raw.frame["CellVoltage"].tolist() == ["2,2"]
    assert "line 2 holds units, not readings; skipped" in raw.notes


def test_a_first_row_of_words_that_are_no_units_stays(tmp_path):
    raw = read_table(written(tmp_path, "Time,CellVoltage\n1,fault\n2,2.2\n"))
    assert raw.frame["CellVoltage"].tolist() == ["fault", "2.2"]


def test_comment_lines_between_the_rows_are_skipped_and_counted(tmp_path):
    raw = read_table(written(tmp_path, "a,b\n1,2\n# logger restarted\n3,4\n"))
    assert raw.frame["a"].tolist() == ["1", "3"]
    assert raw.notes == ["1 comment line(s) skipped (first: line 3)"]


def test_names_that_repeat_are_numbered(tmp_path):
    assert read_table(written(tmp_path, "a,V,,V\n1,2,3,4\n")).frame.columns.tolist() == [
        "a",
        "V",
        "column 3",
        "V (2)",
    ]


LATE = 60_000  # rows beyond whatever a reader may look at first


def test_a_decimal_comma_far_below_whole_numbers_is_found(tmp_path):
    text = "Cell ID;CellVoltage\n" + "A;2\n" * LATE + "A;2,25\n"
    raw = read_table(written(tmp_path, text))
    assert raw.decimal_comma and "decimal comma" in raw.notes


def test_a_decimal_comma_far_below_decimal_points_is_refused(tmp_path):
    text = "Cell ID;CellVoltage\n" + "A;2.1\n" * LATE + "A;2,25\n"
    with pytest.raises(UnreadableTable, match="mixes decimal commas and decimal points in 'CellVoltage'"):
        read_table(written(tmp_path, text))


def test_a_decimal_point_far_below_decimal_commas_is_refused(tmp_path):
    text = "Cell ID;CellVoltage\n" + "A;2,1\n" * LATE + "A;2.25\n"
    with pytest.raises(UnreadableTable, match="mixes decimal commas and decimal points in 'CellVoltage'"):
        read_table(written(tmp_path, text))


def test_quotes_behind_a_space_are_quotes(tmp_path):
    frame = read_table(written(tmp_path, 'a, b\n1, "x"\n2, "y, z"\n')).frame
    assert frame["b"].tolist() == ["x", "y, z"]


@pytest.mark.parametrize("text", ['a,b\n1,"x"\n', 'a,b\n1, "x"\n'])
def test_a_quoted_value_is_its_inside(tmp_path, text):
    assert read_table(written(tmp_path, text)).frame["b"].tolist() == ["x"]


def test_a_comma_in_a_text_column_makes_no_decimal_comma(tmp_path):
    raw = read_table(written(tmp_path, "Balanced;CellVoltage\n3,4;2.21\n"))
    assert not raw.decimal_comma


def test_more_values_than_names_far_below_are_refused_with_their_line(tmp_path):
    text = "a,b\n" + "1,2\n" * LATE + "1,2,3\n"
    with pytest.raises(UnreadableTable, match=f"line {LATE + 2:,} has 3 values"):
        read_table(written(tmp_path, text))


def test_a_nul_byte_far_below_is_refused_with_its_line(tmp_path):
    text = "a,b\n" + "1,2\n" * LATE + "1,\0\n"
    with pytest.raises(UnreadableTable, match=f"NUL byte in line {LATE + 2:,}"):
        read_table(written(tmp_path, text))


def test_a_line_far_below_that_is_no_utf8_is_read_and_said(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes("a,ü\n".encode() + b"1,2\n" * LATE + "1,°C\n".encode("cp1252"))
    raw = read_table(path, chunksize=1000)
    assert raw.frame["ü"].iloc[-1] == "°C"
    assert f"1 line(s) not UTF-8; read as Windows-1252 (first: line {LATE + 2:,})" in raw.notes


def test_a_line_break_inside_quotes_stays_in_its_value(tmp_path):
    text = "a,b,c\n" + '1,"x\ny",3\n' * 5
    frame = read_table(written(tmp_path, text)).frame
    assert frame["b"].tolist() == ["x\ny"] * 5
    assert frame["c"].tolist() == ["3"] * 5


def test_quotes_that_never_close_are_refused_with_their_line(tmp_path):
    with pytest.raises(UnreadableTable, match="line 3 opens a quotation mark"):
        read_table(written(tmp_path, 'a,b\n1,2\n3,"4\n5,6\n7,8\n'))


def test_rows_with_all_values_among_shifted_ones_are_told(tmp_path):
    text = "Cell ID,CellVoltage,Extra\n" + "A,2.2\n" * 500 + "B,2.1,7\n"
    raw = read_table(written(tmp_path, text))
    assert raw.frame["Extra"].tolist()[-1] == "7"
    assert "1 row(s) with more values than the others (first: line 502)" in raw.notes


def test_a_folder_takes_its_tables_in_the_order_of_their_numbers(tmp_path):
    for part in (10, 2, 1):
        written(tmp_path, f"Cell ID,CellVoltage\nA{part},2.2\n", f"day{part}.csv")
    written(tmp_path, "how to read this", "readme.txt")
    raw = read_table(tmp_path)
    assert raw.frame["Cell ID"].tolist() == ["A1", "A2", "A10"]
    assert raw.notes == ["left out beside the tables: readme.txt"]


def test_files_with_other_columns_are_read_side_by_side(tmp_path):
    written(tmp_path, "Cell ID,CellVoltage\nA,2.2\n", "a.csv")
    written(tmp_path, "Cell ID,CellTemperature\nB,25\n", "b.csv")
    frame = read_table(tmp_path).frame
    assert frame.columns.tolist() == ["Cell ID", "CellVoltage", "CellTemperature"]
    assert frame.isna().sum().tolist() == [0, 1, 1]


def test_a_parquet_folder_reads_like_one_file_and_its_folder_names_are_columns(tmp_path):
    folder = tmp_path / "cleaned.parquet"
    for string in ("A", "B"):
        part = folder / f"string={string}" / "part.0.parquet"
        part.parent.mkdir(parents=True)
        pd.DataFrame({"Cell ID": ["1", "2"], "CellVoltage": [2.2, 2.1]}).to_parquet(part)
    frame = read_table(folder).frame
    assert frame["string"].tolist() == ["A", "A", "B", "B"]
    assert frame["CellVoltage"].tolist() == [2.2, 2.1, 2.2, 2.1]


@pytest.mark.parametrize("chunksize", [1, 2, 100])
def test_parquet_columns_have_the_same_type_however_the_file_is_cut(tmp_path, chunksize):
    path = tmp_path / "log.parquet"
    pd.DataFrame(
        {
            "whole": [1, 2, 3, 4],
            "gap": pd.array([1, 2, None, 4], dtype="Int64"),
            "label": pd.Categorical(["x", "y", "x", None]),
            "yes": pd.array([True, True, None, False], dtype="boolean"),
        },
        index=pd.Index(pd.date_range("2025-01-01", periods=4), name="Timestamp"),
    ).to_parquet(path)
    frames = list(open_table(path, chunksize=chunksize).chunks())
    expected = {
        "whole": "int64",
        "gap": "float64",
        "label": "string",
        "yes": "boolean",
        "Timestamp": "datetime64[ns]",
    }
    assert all({name: str(dtype) for name, dtype in frame.dtypes.items()} == expected for frame in frames)


def test_the_size_told_in_advance_is_that_of_the_unpacked_text(tmp_path):
    text = "Cell ID,CellVoltage\n" + "".join(f"A{row},{row * 7919 % 1000}\n" for row in range(5000))
    plain = written(tmp_path, text)
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress(text.encode()))
    packed("log.csv", text, tmp_path / "log.zip")
    assert open_table(plain).bytes == open_table(tmp_path / "log.zip").bytes == len(text)
    assert len(text) <= open_table(tmp_path / "log.csv.gz").bytes <= 2 * len(text)


VALUES = st.text(st.sampled_from("ab1.,; \t\"\n'#é°\u00a0"), max_size=6)
QUIET = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


ROWS = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(VALUES, min_size=width, max_size=width), min_size=1, max_size=8)
)


def parser(width):
    names = tuple("wxyz"[:width])
    return RowParser(FileForm(",", names, names, width, 0, False, ()), Path("x.csv"), TextFindings())


def as_csv(rows, quoting):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows(rows)
    return text.getvalue().encode()


@QUIET
@given(ROWS, st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_the_fast_and_the_careful_parser_give_the_same_rows(rows, quoting):
    block = as_csv(rows, quoting)
    careful = parser(len(rows[0]))
    careful._fast = lambda block: None
    assert parser(len(rows[0])).parse(block).equals(careful.parse(block))


@QUIET
@given(ROWS, st.data())
def test_a_block_may_end_at_any_line_even_inside_quotes(rows, data):
    lines = as_csv(rows, csv.QUOTE_ALL).removesuffix(b"\n").split(b"\n")
    cut = data.draw(st.integers(0, len(lines)))
    whole, halves = parser(len(rows[0])), parser(len(rows[0]))
    parts = [b"".join(line + b"\n" for line in part) for part in (lines[:cut], lines[cut:])]
    tables = [halves.parse(part) for part in parts if part]
    halves.finish()
    assert pa.concat_tables(tables).equals(whole.parse(b"".join(parts)))


@QUIET
@given(
    st.sampled_from([b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE]), st.binary(max_size=300), st.integers(4, 12)
)
def test_where_blocks_are_cut_changes_nothing(mark, content, size):
    def read(size):
        findings = TextFindings()
        try:
            blocks = list(text_blocks(io.BytesIO(mark + content), size, Path("x.csv"), findings))
        except (UnreadableTable, UnicodeError) as error:
            return type(error)
        return b"".join(blocks), findings.notes

    assert read(size) == read(10_000)


def test_damaged_text_in_a_parquet_file_is_refused(tmp_path):
    path = tmp_path / "damaged.parquet"
    frame = pd.DataFrame({"Cell ID": ["cell-one", "cell-two"], "CellVoltage": ["2.21 V", "2.22 V"]})
    frame.to_parquet(path, compression="none")
    path.write_bytes(path.read_bytes().replace(b"2.21 V", b"2.2\xb0 V"))
    with pytest.raises(UnreadableTable, match=r"damaged\.parquet"):
        read_table(path)
