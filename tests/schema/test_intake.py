"""A table looked at once, planned, and read as canonical rows."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from bms_schema.data.columns import PREPROCESS_REQUIRED
from bms_schema.data.intake import common_types, take_in
from bms_schema.run.errors import MissingColumn

from tests.schema.fleet import small_fleet


@pytest.fixture(scope="module")
def fleet() -> pd.DataFrame:
    """Two strings of five cells, five days hourly: 1,200 rows; carried `Remark`."""
    readings = small_fleet(n_strings=2, cells=5, moments=120)
    readings["Remark"] = [f"r{row:04d}" for row in range(len(readings))]
    return readings


def test_a_small_table_is_parsed_once_and_a_large_one_is_not_kept(
    fleet: pd.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "fleet.csv"
    fleet.to_csv(path, index=False)

    def intake(most_rows: int):
        return take_in(
            path,
            require=PREPROCESS_REQUIRED,
            chunksize=500,
            chemistry="auto",
            most_rows=most_rows,
            told=lambda rows: None,
        )

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
        take_in(
            path,
            require=PREPROCESS_REQUIRED,
            chunksize=100,
            chemistry="auto",
            most_rows=None,
            told=seen.append,
        )
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
