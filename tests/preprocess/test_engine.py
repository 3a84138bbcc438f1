"""What the engine is made of, one process at a time: groups of strings, blocks of cells, parts on disk."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bms_preprocess.intake import common_types, take_in
from bms_preprocess.learning import SAMPLE_ROWS, SmallestHashes
from bms_preprocess.part_files import PartFile
from bms_preprocess.partitions import Group, cell_blocks, group_strings, read_group, write_groups
from bms_preprocess.whole_table import BYTES_PER_ROW, rows_in_memory
from bms_schema.data.table import canonical_table
from bms_schema.run.errors import MachineProblem, MissingColumn, RunCancelled
from hypothesis import given
from hypothesis import strategies as st


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 50), min_size=1, max_size=20), st.integers(1, 60))
def test_groups_hold_every_string_once_and_only_one_alone_may_be_too_large(rows, target) -> None:
    groups = group_strings(rows, target)
    assert sorted(name for group in groups for name in group.strings) == sorted(rows)
    assert [group.number for group in groups] == list(range(len(groups)))
    for group in groups:
        assert group.rows == sum(rows[name] for name in group.strings)
        assert group.rows <= target or len(group.strings) == 1


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=60), st.integers(1, 30))
def test_blocks_hold_whole_cells_and_every_row_once_in_order(cells: list[str], most: int) -> None:
    frame = pd.DataFrame({"Cell ID": cells})
    blocks = cell_blocks(frame, most)
    assert sorted(np.concatenate(blocks)) == list(range(len(cells)))
    owners = [set(frame["Cell ID"].iloc[block]) for block in blocks]
    assert sum(map(len, owners)) == len(set(cells))
    for block, owner in zip(blocks, owners, strict=True):
        assert (np.diff(block) > 0).all()
        assert len(block) <= most or len(owner) == 1


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=30), max_size=8), st.integers(1, 40))
def test_the_sample_is_cut_at_the_same_hash_however_rows_arrive(parts: list[list[int]], size: int) -> None:
    everything = sorted(value for part in parts for value in part)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bms_preprocess.learning.SAMPLE_ROWS", size)
        smallest = SmallestHashes()
        for part in parts:
            smallest.add(np.array(part, dtype=np.uint64))
        assert smallest.cut == (everything[:size][-1] if everything else 0)


def test_the_sample_serves_both_fits() -> None:
    from bms_preprocess import imputation, scaling

    assert min(imputation.FIT_ROWS, scaling.FIT_ROWS) <= SAMPLE_ROWS


def canonical(fleet: pd.DataFrame) -> pd.DataFrame:
    return canonical_table(fleet).frame


def schema_of(frame: pd.DataFrame) -> pa.Schema:
    fields = [(name, pa.string() if frame[name].dtype.name == "category" else None) for name in frame]
    inferred = pa.Schema.from_pandas(frame, preserve_index=False)
    return pa.schema([(name, kind or inferred.field(name).type) for name, kind in fields])


@pytest.mark.parametrize("chunk", [97, 5000])
def test_rows_sorted_into_groups_come_back_whole_and_in_order(
    fleet: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr("bms_preprocess.partitions.BUFFER_BYTES", 100_000)
    frame = canonical(fleet)
    groups = group_strings(frame["string"].value_counts().to_dict(), target=600)
    chunks = (frame.iloc[start : start + chunk] for start in range(0, len(frame), chunk))
    told: list[int] = []
    write_groups(chunks, groups, schema_of(frame), tmp_path / "rows", told.append)
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
        write_groups([frame], groups, schema_of(frame), tmp_path / "rows", stop)


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


def test_a_small_table_is_parsed_once_and_a_large_one_is_not_kept(
    fleet: pd.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "fleet.csv"
    fleet.to_csv(path, index=False)

    def intake(most_rows: int):
        return take_in(path, chunksize=500, chemistry="auto", most_rows=most_rows, told=lambda rows: None)

    small, large = intake(1200), intake(1199)
    assert small.kept is not None and large.kept is None
    once, twice = pd.concat(list(small.frames())), pd.concat(list(large.frames()))
    assert once.index.tolist() == list(range(1200))
    pd.testing.assert_frame_equal(once, twice, check_exact=True)


def test_a_missing_column_is_told_before_the_rows_are_read(fleet: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "fleet.csv"
    fleet.drop(columns="CellVoltage").to_csv(path, index=False)
    seen: list[int] = []
    with pytest.raises(MissingColumn, match="CellVoltage"):
        take_in(path, chunksize=100, chemistry="auto", most_rows=None, told=seen.append)
    assert seen == []


def test_types_of_chunks_that_do_not_go_together_become_text() -> None:
    types = None
    for kinds in (
        {"a": pa.int64(), "b": pa.null()},
        {"a": pa.float64(), "b": pa.string()},
        {"a": pa.float64(), "b": pa.int64()},
    ):
        types = common_types(types, pa.schema(kinds))
    assert types == pa.schema({"a": pa.float64(), "b": pa.string()})


def test_the_budget_decides_how_many_rows_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMS_MEMORY_BUDGET", str(1000 * BYTES_PER_ROW))
    assert rows_in_memory() == 1000


def test_a_group_is_named_by_its_strings_and_its_size() -> None:
    assert str(Group(0, ("A", "B", "C", "D"), 12_000)) == "string 'A', 'B', 'C' and 1 more (12,000 rows)"
