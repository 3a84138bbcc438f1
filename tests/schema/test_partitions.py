"""Whole strings sorted into parts, and parts on disk, one process at a time."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bms_schema.data.table import canonical_table
from bms_schema.run.errors import MachineProblem, RunCancelled
from bms_schema.run.part_files import PartFile
from bms_schema.run.partitions import Group, group_strings, parts_schema, read_group, write_groups
from hypothesis import given
from hypothesis import strategies as st

from tests.schema.fleet import small_fleet


@pytest.fixture(scope="module")
def fleet() -> pd.DataFrame:
    """Two strings of five cells, five days hourly: 1,200 rows; carried `Remark`."""
    readings = small_fleet(n_strings=2, cells=5, moments=120)
    readings["Remark"] = [f"r{row:04d}" for row in range(len(readings))]
    return readings


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 50), min_size=1, max_size=20), st.integers(1, 60))
def test_groups_hold_every_string_once_and_only_one_alone_may_be_too_large(rows, target) -> None:
    groups = group_strings(rows, target)
    assert sorted(name for group in groups for name in group.strings) == sorted(rows)
    assert [group.number for group in groups] == list(range(len(groups)))
    for group in groups:
        assert group.rows == sum(rows[name] for name in group.strings)
        assert group.rows <= target or len(group.strings) == 1


def canonical(fleet: pd.DataFrame) -> pd.DataFrame:
    return canonical_table(fleet).frame


@pytest.mark.parametrize("chunk", [97, 5000])
def test_rows_sorted_into_groups_come_back_whole_and_in_order(
    fleet: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr("bms_schema.run.partitions.BUFFER_BYTES", 100_000)
    frame = canonical(fleet)
    groups = group_strings(frame["string"].value_counts().to_dict(), target=600)
    chunks = (frame.iloc[start : start + chunk] for start in range(0, len(frame), chunk))
    told: list[int] = []
    write_groups(chunks, groups, parts_schema(frame, pa.schema([])), tmp_path / "rows", told.append)
    assert len(groups) == 2 and told[-1] == len(frame)
    for group in groups:
        back = read_group(tmp_path / "rows", group).to_pandas()
        expected = frame[frame["string"].isin(group.strings)].reset_index(drop=True)
        assert len(back) == group.rows
        pd.testing.assert_frame_equal(
            back[list(expected)].astype(expected.dtypes.to_dict()), expected, check_exact=True
        )


def test_a_run_that_is_cancelled_while_rows_are_sorted_stops(fleet: pd.DataFrame, tmp_path: Path) -> None:
    frame = canonical(fleet)

    def stop(rows: int) -> None:
        raise RunCancelled

    groups = group_strings(frame["string"].value_counts().to_dict())
    with pytest.raises(RunCancelled):
        write_groups([frame], groups, parts_schema(frame, pa.schema([])), tmp_path / "rows", stop)


def test_a_part_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    table = pa.table({"x": [1.0, None]})

    def broken_off(name: str) -> None:
        with PartFile(tmp_path / name) as part:
            part.write(table)
            raise RunCancelled

    for name in ("part.csv", "part.parquet"):
        with pytest.raises(RunCancelled):
            broken_off(name)
        assert not list(tmp_path.iterdir())
    with PartFile(tmp_path / "part.csv") as part:
        part.write(table)
        part.write(table)
        assert not (tmp_path / "part.csv").exists()
    assert (tmp_path / "part.csv").read_text() == '"x"\n1\n\n1\n\n'


def test_a_parquet_part_has_a_row_group_per_block(tmp_path: Path) -> None:
    with PartFile(tmp_path / "part.parquet") as part:
        for rows in (3, 0, 2):
            part.write(pa.table({"x": np.zeros(rows)}))
    file = pq.ParquetFile(tmp_path / "part.parquet")
    assert [file.read_row_group(number).num_rows for number in range(file.num_row_groups)] == [3, 0, 2]


def test_a_part_never_makes_the_folder_of_a_run_that_was_given_up(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    for name in ("part.csv", "part.parquet"):
        with pytest.raises(MachineProblem), PartFile(gone / name) as part:
            part.write(pa.table({"x": [1.0]}))
    assert not gone.exists()


def test_a_group_is_named_by_its_strings_and_its_size() -> None:
    assert str(Group(0, ("A", "B", "C", "D"), 12_000)) == "string 'A', 'B', 'C' and 1 more (12,000 rows)"
