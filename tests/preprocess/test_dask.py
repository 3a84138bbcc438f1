"""On Dask, with one worker or two, every table and the report are those of the run in memory."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bms_generate.simulate import simulate_fleet
from bms_preprocess import engine as dask_engine
from bms_preprocess import preprocess, tasks
from bms_schema.run import dask_workers
from bms_schema.run.partitions import group_strings

from tests.clusters import cluster_of
from tests.preprocess.conftest import Call
from tests.preprocess.in_process import run_in_process

TABLES = ("cleaned", "features", "imputed", "scaled")
KEYS = ["source_row", "Cell ID"]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Four strings of eight cells, twenty days hourly, rows in time order; `Remark` differs in every row."""
    readings = simulate_fleet(
        n_strings=4, cells_per_string=8, days=20, seed=9, sentinel_fraction=0.03
    ).readings
    readings.loc[readings.index % 11 == 0, "CellTemperature"] = None
    return readings.assign(Remark=[f"r{row}" for row in range(len(readings))])


@pytest.fixture(scope="module", params=[1, 2], ids=["one worker", "two workers"])
def scheduler(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster as a user would start one."""
    with cluster_of(request.param, tmp_path_factory.mktemp("dask")) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two groups of two strings."""
    monkeypatch.setattr(dask_engine, "group_strings", lambda rows: group_strings(rows, target=8_000))


def table(path: str) -> pd.DataFrame:
    """Read a CSV or Parquet table, one file or a folder, in an order of its own; flags and text as text."""
    read = partial(pd.read_csv, float_precision="round_trip") if path.endswith(".csv") else pd.read_parquet
    frame = read(path)
    text = [
        name for name in frame if name.endswith("_flag") or not pd.api.types.is_numeric_dtype(frame[name])
    ]
    for name in text:
        frame[name] = frame[name].astype("string").fillna("")
    if "Timestamp" in frame:
        frame["Timestamp"] = pd.to_datetime(frame["Timestamp"])
    frame = frame.sort_values(KEYS, ignore_index=True)
    numbers = frame.select_dtypes("number").columns
    return frame.astype(dict.fromkeys(numbers, "float64"))


@pytest.fixture(scope="module")
def in_memory(raw: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("expected")
    result = preprocess(raw)
    expected = {}
    for name in TABLES:
        getattr(result, name).to_parquet(folder / f"{name}.parquet")
        expected[name] = table(str(folder / f"{name}.parquet"))
    return expected


@pytest.mark.parametrize(
    ("chunksize", "source", "output_format"),
    [(1000, "csv", "parquet"), (100_000, "parquet", "csv")],
    ids=["small chunks of CSV to Parquet", "Parquet to CSV"],
)
def test_every_table_is_that_of_the_run_in_memory(
    call: Call,
    home: Path,
    raw: pd.DataFrame,
    in_memory: dict[str, pd.DataFrame],
    scheduler: str,
    small_parts: None,
    monkeypatch: pytest.MonkeyPatch,
    chunksize: int,
    source: str,
    output_format: str,
) -> None:
    path = home / f"raw.{source}"
    raw.to_csv(path, index=False) if source == "csv" else raw.to_parquet(path)
    monkeypatch.setenv("BMS_DASK_SCHEDULER", scheduler)
    arguments: dict[str, Any] = {"chunksize": chunksize, "output_format": output_format}
    envelope = call("preprocess_battery_data_tool", data_path=str(path), **arguments)
    data = envelope["data"]
    assert data is not None, envelope["message"]
    assert data["engine"] == "dask" and any(scheduler in note for note in data["notes"])
    for name in TABLES:
        found = table(data[f"{name}_csv"])
        pd.testing.assert_frame_equal(found, in_memory[name], check_dtype=False, rtol=1e-9, atol=1e-12)
    run = Path(data["cleaned_csv"]).parent
    assert not list(run.glob("scratch*"))


def test_shuffled_rows_and_one_chunk_give_the_same(
    raw: pd.DataFrame, in_memory: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    path = tmp_path / "raw.parquet"
    numbered = raw.assign(source_row=range(len(raw)))
    numbered.sample(frac=1.0, random_state=1).to_parquet(path)
    result = preprocess(path, chunksize=10_000_000)
    for name in TABLES:
        getattr(result, name).to_parquet(tmp_path / "table.parquet")
        found = table(str(tmp_path / "table.parquet"))[list(in_memory[name])]
        pd.testing.assert_frame_equal(found, in_memory[name], check_dtype=False, rtol=1e-9, atol=1e-12)


def test_a_table_beyond_the_budget_starts_workers_of_its_own(
    call: Call, home: Path, fleet: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / "raw.csv"
    fleet.to_csv(path, index=False)
    monkeypatch.setenv("BMS_MEMORY_BUDGET", "1MiB")
    monkeypatch.setenv("BMS_THREADS", "1")
    data = call("preprocess_battery_data_tool", data_path=str(path))["data"]
    assert data["engine"] == "dask" and any("BMS_MEMORY_BUDGET" in note for note in data["notes"])
    assert table(data["cleaned_csv"])["source_row"].tolist() == list(range(len(fleet)))


def test_a_cluster_that_does_not_answer_is_named(
    call: Call, home: Path, fleet: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / "raw.csv"
    fleet.to_csv(path, index=False)
    monkeypatch.setenv("BMS_DASK_SCHEDULER", "tcp://127.0.0.1:1")
    monkeypatch.setattr(dask_workers, "ANSWER_S", 1.0)
    envelope = call("preprocess_battery_data_tool", data_path=str(path))
    assert envelope["status"] == "error" and "tcp://127.0.0.1:1" in envelope["message"]
    assert not list(home.rglob("*.partial")) and not list(home.rglob("scratch*"))


def test_a_long_string_in_several_blocks_gives_the_same(
    raw: pd.DataFrame, in_memory: dict[str, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two passes over a group in this process, with blocks of two cells each."""
    monkeypatch.setattr(tasks, "BLOCK_ROWS", 1_000)
    raw.to_csv(tmp_path / "raw.csv", index=False)
    run_in_process(tmp_path / "raw.csv", tmp_path / "out", monkeypatch)
    for name in TABLES:
        found = table(str(tmp_path / "out" / f"{name}.parquet"))
        pd.testing.assert_frame_equal(found, in_memory[name], check_dtype=False, rtol=1e-9, atol=1e-12)
