"""On Dask, with one worker or two, rows and events are those of the run in memory."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_anomaly import engine, whole_file
from bms_anomaly.detected import Step
from bms_anomaly.workflow import detect
from bms_generate.simulate import simulate_fleet
from bms_schema.run import dask_workers
from bms_schema.run.errors import RunCancelled
from bms_schema.run.jobs import execute
from bms_schema.run.partitions import group_strings
from bms_schema.run.run_folder import Run, failing_cleanly

from tests.clusters import cluster_of, work_in_this_process

KEYS = ["source_row", "Cell ID"]
OPTIONS = {
    "default": {},
    "share of rows": {"contamination": 0.05},
    "healthy rows": {"false_alarm_rate": 0.02},
}


@pytest.fixture(scope="module")
def raw():
    """Four strings of six cells, ten days hourly, rows in time order; one string has no temperatures."""
    readings = simulate_fleet(
        n_strings=4, cells_per_string=6, days=10, seed=9, sentinel_fraction=0.03
    ).readings
    readings.loc[readings["string"] == readings["string"].iloc[-1], "CellTemperature"] = np.nan
    return readings.assign(Remark=[f"r{row}" for row in range(len(readings))])


@pytest.fixture
def path(raw, tmp_path):
    raw.to_csv(tmp_path / "raw.csv", index=False)
    return tmp_path / "raw.csv"


@pytest.fixture
def without_dask(monkeypatch):
    """What the workers do, done one after another in this process."""

    monkeypatch.setenv("BMS_MEMORY_BUDGET", "1MiB")
    work_in_this_process(monkeypatch, engine)


@pytest.fixture(autouse=True)
def two_groups(monkeypatch):
    """Two groups of two strings."""
    monkeypatch.setattr(engine, "group_strings", lambda rows: group_strings(rows, target=3_000))


@pytest.fixture(scope="module")
def home(raw, tmp_path_factory):
    """A workspace beside the data, for what is worked out once."""
    folder = tmp_path_factory.mktemp("memory")
    raw.to_csv(folder / "raw.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def expected(home):
    """What the run in memory finds, by the options asked with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BMS_HOME", str(home / "home"))
        patch.setenv("BMS_DATA_ROOTS", str(home))
        return {name: found_in(home / "raw.csv", **options) for name, options in OPTIONS.items()}


def found_in(path, **options):
    """Detect in a file; return the tool's data with the tables in place of their paths."""
    defaults = {
        "contamination": None,
        "false_alarm_rate": None,
        "model": "",
        "seed": 0,
        "chemistry": "auto",
        "output_format": "csv",
    }
    run = Run("bms-anomaly", "detect_anomalies")
    envelope, _ = execute(partial(detect, data_path=str(path), **{**defaults, **options}), run)
    assert envelope.data is not None, envelope.message
    data = envelope.data.model_dump()
    return data | {"rows": table(data["result_csv"]), "events": table(data["events_csv"])}


def table(path):
    read = partial(pd.read_csv, float_precision="round_trip") if path.endswith(".csv") else pd.read_parquet
    frame = read(path)
    for name in frame.select_dtypes(["object", "string", "category"]):
        frame[name] = frame[name].astype("string").fillna("")
    for name in {"Timestamp", "start", "end"} & set(frame):
        frame[name] = pd.to_datetime(frame[name])
    by = KEYS if "source_row" in frame else ["Cell ID", "start"]
    frame = frame.sort_values(by, ignore_index=True)
    return frame.astype(dict.fromkeys(frame.select_dtypes("number"), "float64"))


def assert_alike(found, wanted):
    for name in ("rows", "events"):
        columns = list(wanted[name])
        pd.testing.assert_frame_equal(
            found[name][columns], wanted[name], check_dtype=False, rtol=1e-5, atol=1e-5, obj=name
        )
    for name in ("anomalies", "rows_without_reading", "kinds", "sensor_events"):
        assert found[name] == wanted[name], name
    assert [cell["cell_id"] for cell in found["top_cells"]] == [
        cell["cell_id"] for cell in wanted["top_cells"]
    ]


def test_the_run_in_memory_finds_something_to_compare(expected):
    default, share, rate = (expected[name] for name in OPTIONS)
    assert default["engine"] == "pandas"
    assert len(default["events"]) >= 4 and default["anomalies"] > 50
    assert len({found["anomalies"] for found in (default, share, rate)}) == 3


@pytest.mark.parametrize(
    ("workers", "options", "source", "output_format"),
    [(1, "default", "csv", "parquet"), (2, "share of rows", "parquet", "csv")],
    ids=["one worker, CSV to Parquet", "two workers, Parquet to CSV"],
)
def test_rows_and_events_on_workers_are_those_of_the_run_in_memory(
    raw, expected, tmp_path, monkeypatch, workers, options, source, output_format
):
    path = tmp_path / f"raw.{source}"
    raw.to_csv(path, index=False) if source == "csv" else raw.to_parquet(path)
    with cluster_of(workers, tmp_path / "dask") as cluster:
        scheduler = cluster.scheduler_address
        monkeypatch.setenv("BMS_DASK_SCHEDULER", scheduler)
        found = found_in(path, output_format=output_format, **OPTIONS[options])
    assert found["engine"] == "dask" and any(scheduler in note for note in found["notes"])
    assert_alike(found, expected[options])
    assert not list(Path(found["result_csv"]).parent.glob("scratch*"))
    for name in ("timeline_png", "timeline_html", "heatmap_png", "heatmap_html"):
        assert Path(found[name]).stat().st_size > 5_000


def test_shuffled_rows_in_small_chunks_give_the_same(raw, expected, tmp_path, without_dask, monkeypatch):
    monkeypatch.setattr(whole_file, "DEFAULT_CHUNKSIZE", 700)
    path = tmp_path / "shuffled.csv"
    raw.assign(source_row=range(len(raw))).sample(frac=1.0, random_state=1).to_csv(path, index=False)
    found = found_in(path, **OPTIONS["healthy rows"])
    assert found["engine"] == "dask"
    assert_alike(found, expected["healthy rows"])


def test_a_stored_model_scores_alike_beyond_memory(path, home, expected, without_dask, monkeypatch):
    monkeypatch.setenv("BMS_HOME", str(home / "home"))
    found = found_in(path, model=expected["default"]["model_version"])
    assert_alike(found, expected["default"])


def test_a_file_beyond_the_budget_starts_workers_of_its_own(path, expected, monkeypatch):
    monkeypatch.setenv("BMS_MEMORY_BUDGET", "1MiB")
    monkeypatch.setenv("BMS_THREADS", "1")
    found = found_in(path)
    assert found["engine"] == "dask" and any("BMS_MEMORY_BUDGET" in note for note in found["notes"])
    assert_alike(found, expected["default"])


def test_a_string_too_long_for_the_memory_is_named(call, raw, path, monkeypatch):
    monkeypatch.setenv("BMS_MEMORY_BUDGET", "1MiB")
    monkeypatch.setattr(engine, "WORKER_BYTES_PER_ROW", 2**20)
    message = call("detect_anomalies", data_path=str(path))["message"]
    assert f"string '{raw['string'].iloc[0]}'" in message and "Raise BMS_MEMORY_BUDGET" in message


def test_a_cluster_that_does_not_answer_is_named(call, path, workspace, monkeypatch):
    monkeypatch.setenv("BMS_DASK_SCHEDULER", "tcp://127.0.0.1:1")
    monkeypatch.setattr(dask_workers, "ANSWER_S", 1.0)
    envelope = call("detect_anomalies", data_path=str(path))
    assert envelope["status"] == "error" and "tcp://127.0.0.1:1" in envelope["message"]
    assert not list(workspace.rglob("*.partial")) and not list(workspace.rglob("scratch*"))


def test_a_run_cancelled_between_the_groups_leaves_nothing(path, workspace, without_dask):
    told = []

    def stop(done, total, message):
        told.append(done)
        if done >= Step.SCORE:
            raise RunCancelled

    run = Run("bms-anomaly", "detect_anomalies", report=stop)
    with pytest.raises(RunCancelled), failing_cleanly(run):
        detect(run, str(path), None, None, "", 0, "auto", "csv")
    assert told == sorted(told)
    assert not (workspace / "models").exists()
    left = {item.name for folder in (workspace / "runs").iterdir() for item in folder.iterdir()}
    assert left == {"run.log", "manifest.json"}
