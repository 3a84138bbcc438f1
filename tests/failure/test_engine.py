"""On Dask, with one worker or two, lives, features, trees and risks are those of the run in memory."""

from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from bms_failure import engine, whole_file
from bms_failure.booster import fit_booster
from bms_failure.watch import Watched, watch
from bms_failure.workflow import predict_failure
from bms_schema.data.table import canonical_table
from bms_schema.run import dask_workers
from bms_schema.run.errors import MachineProblem, RunCancelled
from bms_schema.run.jobs import execute
from bms_schema.run.partitions import group_strings
from bms_schema.run.run_folder import Run, failing_cleanly

from tests.clusters import cluster_of, work_in_this_process

ARGUMENTS = {
    "horizon_days": 30, "model": "", "seed": 4, "chemistry": "auto", "output_format": "csv",
}  # fmt: skip


def groups_of_two(rows):
    return group_strings(rows, target=6_000)


@pytest.fixture(autouse=True)
def two_groups(monkeypatch):
    """Two groups of two strings, in memory as on workers."""
    monkeypatch.setattr(engine, "group_strings", groups_of_two)
    monkeypatch.setattr(whole_file, "group_strings", groups_of_two)


@pytest.fixture
def without_dask(monkeypatch):
    """What the workers do, done one after another in this process."""

    def fit_here(sets, seed, waiting, *, client):
        for make in sets:
            waiting()
            yield fit_booster(make(), seed)

    monkeypatch.setenv("BMS_MEMORY_BUDGET", "1MiB")
    work_in_this_process(monkeypatch, engine)
    monkeypatch.setattr(engine, "fit_on_workers", fit_here)


@pytest.fixture
def path(readings, tmp_path):
    readings.to_csv(tmp_path / "fleet.csv", index=False)
    return tmp_path / "fleet.csv"


@pytest.fixture(scope="module")
def expected(readings, tmp_path_factory):
    """What the run in memory finds."""
    folder = tmp_path_factory.mktemp("memory")
    readings.to_csv(folder / "fleet.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole_file, "group_strings", groups_of_two)
        patch.setenv("BMS_HOME", str(folder))
        patch.setenv("BMS_DATA_ROOTS", str(folder))
        return found_in(folder / "fleet.csv")


def found_in(path):
    """Run the tool on a file; return its data, with the risks in place of their path."""
    envelope, _ = execute(
        partial(predict_failure, data_path=str(path), **ARGUMENTS), Run("bms-failure", "predict_cell_failure")
    )
    assert envelope.data is not None, envelope.message
    data = envelope.data.model_dump()
    return data | {"risks": pd.read_csv(data["risk_csv"], float_precision="round_trip")}


def watched_in(path) -> Watched:
    run = Run("bms-failure", "predict_cell_failure")
    with (
        failing_cleanly(run),
        whole_file.watched_file(run, path, chemistry="auto", tell=lambda share, words: None) as (watched, _),
    ):
        run.begin()
        return watched


def assert_alike(found, wanted):
    pd.testing.assert_frame_equal(found["risks"], wanted["risks"], rtol=1e-9, atol=1e-9)
    for name in ("method", "metrics", "in_words", "dead_cells", "failing_cells", "cells"):
        assert found[name] == wanted[name], name


def assert_same_fleet(found: Watched, wanted: Watched):
    for name in ("moments", "course", "living"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(wanted, name), rtol=1e-9, atol=1e-9)
    pd.testing.assert_frame_equal(found.lives.table, wanted.lives.table)
    assert found.lives.dead_at_end == wanted.lives.dead_at_end
    assert found.cells == wanted.cells
    assert (found.source.measured, found.source.labelled) == (wanted.source.measured, wanted.source.labelled)


def test_risks_on_two_workers_are_those_of_the_run_in_memory(readings, expected, tmp_path, monkeypatch):
    readings.to_parquet(tmp_path / "fleet.parquet")
    with cluster_of(2, tmp_path / "dask") as cluster:
        monkeypatch.setenv("BMS_DASK_SCHEDULER", cluster.scheduler_address)
        found = found_in(tmp_path / "fleet.parquet")
        assert any(cluster.scheduler_address in note for note in found["notes"])
    assert (expected["engine"], found["engine"]) == ("pandas", "dask")
    assert expected["method"] == "classifier"  # else the trees would not be compared
    assert_alike(found, expected)
    assert not list(Path(found["risk_csv"]).parent.glob("scratch*"))


def test_a_file_beyond_the_budget_starts_workers_of_its_own(path, expected, monkeypatch):
    monkeypatch.setenv("BMS_MEMORY_BUDGET", "1MiB")
    monkeypatch.setenv("BMS_THREADS", "1")
    found = found_in(path)
    assert found["engine"] == "dask" and any("BMS_MEMORY_BUDGET" in note for note in found["notes"])
    assert_alike(found, expected)


@pytest.mark.parametrize("on_dask", [False, True], ids=["in memory", "on Dask"])
def test_shuffled_rows_in_small_chunks_are_the_same_fleet(
    readings, tmp_path, workspace, without_dask, monkeypatch, on_dask
):
    wanted = watch(canonical_table(readings))
    monkeypatch.setattr(whole_file, "DEFAULT_CHUNKSIZE", 700)
    monkeypatch.setattr(whole_file, "rows_in_memory", lambda: 0 if on_dask else None)
    path = tmp_path / "shuffled.csv"
    readings.assign(source_row=range(len(readings))).sample(frac=1.0, random_state=1).to_csv(
        path, index=False
    )
    found = watched_in(path)
    assert found.source.engine == ("dask" if on_dask else "pandas")
    assert_same_fleet(found, wanted)


def test_a_string_without_temperatures_and_labels_is_the_same_on_dask(
    readings, tmp_path, workspace, without_dask, monkeypatch
):
    """Columns that one group lacks are typed by the whole table."""
    bare = readings["string"] == readings["string"].iloc[-1]
    readings = readings.assign(
        CellTemperature=readings["CellTemperature"].mask(bare), IsDead=readings["IsDead"].mask(bare)
    )
    readings.sort_values("string", kind="stable").to_parquet(tmp_path / "bare.parquet")
    found = watched_in(tmp_path / "bare.parquet")
    monkeypatch.setenv("BMS_MEMORY_BUDGET", "8GiB")
    wanted = watched_in(tmp_path / "bare.parquet")
    assert (found.source.engine, wanted.source.engine) == ("dask", "pandas")
    assert_same_fleet(found, wanted)


def test_a_string_too_long_for_the_memory_is_named(readings, path, workspace, monkeypatch):
    monkeypatch.setenv("BMS_MEMORY_BUDGET", "1MiB")
    monkeypatch.setattr(engine, "WORKER_BYTES_PER_ROW", 2**20)
    with pytest.raises(MachineProblem, match=r"string 'S001'.*Raise BMS_MEMORY_BUDGET"):
        watched_in(path)


def test_a_cluster_that_does_not_answer_is_named(path, workspace, monkeypatch):
    monkeypatch.setenv("BMS_DASK_SCHEDULER", "tcp://127.0.0.1:1")
    monkeypatch.setattr(dask_workers, "ANSWER_S", 1.0)
    with pytest.raises(MachineProblem, match=r"tcp://127\.0\.0\.1:1"):
        watched_in(path)
    assert not list(workspace.rglob("*.partial")) and not list(workspace.rglob("scratch*"))


@pytest.mark.parametrize("at", ["1 of 2 groups", "fold 3"])
@pytest.mark.parametrize("on_dask", [False, True], ids=["in memory", "on Dask"])
def test_a_run_cancelled_on_the_way_leaves_nothing(path, workspace, without_dask, monkeypatch, on_dask, at):
    monkeypatch.setattr(whole_file, "rows_in_memory", lambda: 0 if on_dask else None)
    told = []

    def stop(done, total, message):
        told.append(done)
        if at in message:
            raise RunCancelled

    run = Run("bms-failure", "predict_cell_failure", report=stop)
    with pytest.raises(RunCancelled), failing_cleanly(run):
        predict_failure(run, data_path=str(path), **ARGUMENTS)
    assert told == sorted(told) and len(told) > 3
    assert not (workspace / "models").exists()
    assert {item.name for item in workspace.glob("runs/*/*")} <= {"run.log", "manifest.json"}
    assert on_dask == any(workspace.glob("runs/*.failed"))  # in memory nothing had been written yet
