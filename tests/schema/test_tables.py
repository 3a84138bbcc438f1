"""Tables on disk: what a CSV looks like, and that slices, threads and parts change nothing in it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_schema.run import tables
from bms_schema.run.errors import MachineProblem
from bms_schema.run.tables import write_table


def text_of(frame: pd.DataFrame, folder: Path, **options: object) -> str:
    return write_table(frame, folder / "table.csv", **options).read_text(encoding="utf-8")


def test_times_are_iso_with_fractions_only_where_a_column_has_them(tmp_path: Path) -> None:
    whole = pd.to_datetime(["2026-01-31 12:00:00", None])
    split = pd.to_datetime(["2026-01-31 12:00:00.25", "1960-01-01"], format="ISO8601")
    zoned = pd.to_datetime(["2026-01-31 12:00:00", None]).tz_localize("Europe/Berlin")
    lines = text_of(pd.DataFrame({"w": whole, "s": split, "z": zoned}), tmp_path).splitlines()
    assert lines[1] == '"2026-01-31T12:00:00","2026-01-31T12:00:00.250000","2026-01-31T11:00:00"'
    assert lines[2] == ',"1960-01-01T00:00:00.000000",'


def test_a_part_shows_fractions_because_another_part_has_them(tmp_path: Path) -> None:
    part = pd.DataFrame({"t": pd.to_datetime(["2026-01-31 12:00:00"])})
    assert text_of(part, tmp_path, fractions=True, header=False) == '"2026-01-31T12:00:00.000000"\n'


@pytest.mark.parametrize("rows", [0, 1, 7, 20])
@pytest.mark.parametrize("threads", [1, 3])
def test_slices_and_threads_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, threads: int
) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"x": rng.normal(size=rows), "n": range(rows), "c": [f'"{row}",' for row in range(rows)]}
    )
    frame.loc[frame.index % 3 == 0, "x"] = np.nan
    expected = text_of(frame, tmp_path)
    monkeypatch.setattr(tables, "_SLICE_ROWS", 3)
    assert text_of(frame, tmp_path, threads=threads) == expected
    back = pd.read_csv(tmp_path / "table.csv", float_precision="round_trip")
    assert len(back) == rows and list(back) == ["x", "n", "c"]
    np.testing.assert_array_equal(back["x"].astype(float), frame["x"])


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_a_column_of_several_types_becomes_text(tmp_path: Path, name: str) -> None:
    path = write_table(pd.DataFrame({"row": range(4), "mixed": [1, "one", None, 2.5]}), tmp_path / name)
    back = pd.read_csv(path) if name.endswith("csv") else pd.read_parquet(path)
    assert back["mixed"].fillna("").astype(str).tolist() == ["1", "one", "", "2.5"]


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "table.csv").mkdir()
    with pytest.raises(MachineProblem, match=r"table\.csv"):
        write_table(pd.DataFrame({"x": [1.0]}), tmp_path / "table.csv")
