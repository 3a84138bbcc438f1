"""Fleets too big for one table: a file per string, the same bytes, bounded memory, clean endings."""

from pathlib import Path

import pandas as pd
import pytest
from bms_generate import simulate_files
from bms_generate.simulate_files import require_feasible
from bms_generate.simulator.settings import Settings
from bms_generate.workflow import write_fleet
from bms_schema.data.table import load_battery_table
from bms_schema.run.errors import InvalidArgument, RunCancelled
from bms_schema.run.run_folder import Run, failing_cleanly
from pandas.testing import assert_frame_equal

from tests.generate.sdv_folders import call, succeed

SIZE = {"cells_per_string": 5, "days": 3, "seed": 3, "death_fraction": 0.2, "dying_fraction": 0.1}
EVERY_OPTION = SIZE | {
    "duty": "solar",
    "chemistry": "vrla",
    "death_fraction": {"slow": 0.2, "unheralded": 0.1},
    "fault_fraction": {"thermal": 0.2, "sensor": 0.3},
}


@pytest.fixture
def in_parts(monkeypatch):
    """Let a small fleet be a big one."""
    monkeypatch.setattr(simulate_files, "MOST_ROWS_IN_ONE_FILE", 100)


def parts(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


@pytest.mark.parametrize("table_format", ["csv", "parquet"])
@pytest.mark.parametrize("options", [SIZE, EVERY_OPTION, SIZE | {"duty": "ups_test"}])
def test_the_file_of_a_string_is_the_same_however_many_strings_there_are(options, table_format, in_parts):
    few, many = (
        parts(succeed("simulate_battery_fleet", n_strings=n, output_format=table_format, **options)["csv"])
        for n in (2, 6)
    )
    assert list(many) == [f"S00{k}.{table_format}" for k in range(1, 7)]
    assert few == {name: many[name] for name in few} and len(few) == 2


@pytest.mark.parametrize("table_format", ["csv", "parquet"])
def test_the_parts_of_a_fleet_together_are_its_one_table(table_format, monkeypatch):
    def read(path):
        return pd.read_csv(path) if table_format == "csv" else pd.read_parquet(path)

    whole = succeed("simulate_battery_fleet", n_strings=3, output_format=table_format, **EVERY_OPTION)
    monkeypatch.setattr(simulate_files, "MOST_ROWS_IN_ONE_FILE", 100)
    split = succeed("simulate_battery_fleet", n_strings=3, output_format=table_format, **EVERY_OPTION)
    joined = pd.concat([read(path) for path in sorted(Path(split["csv"]).iterdir())])
    joined = joined.sort_values(["Timestamp", "string", "Cell ID"], kind="stable", ignore_index=True)
    assert_frame_equal(joined, read(whole["csv"]))
    for table in ("truth_csv", "cells_csv"):
        assert_frame_equal(read(split[table]), read(whole[table]))
    paths = {"csv", "truth_csv", "cells_csv"}
    assert {k: v for k, v in split.items() if k not in paths} == {
        k: v for k, v in whole.items() if k not in paths
    }


def test_the_folder_of_a_big_fleet_is_a_data_path_of_the_other_servers(in_parts):
    data = succeed("simulate_battery_fleet", n_strings=3, output_format="parquet", **SIZE)
    table = load_battery_table(Path(data["csv"]))
    assert len(table.frame) == data["rows"] == 3 * 5 * 72
    assert table.frame["Cell ID"].nunique() == data["cells"]


def test_the_reply_counts_the_cells_by_fate_and_says_where_the_parts_are(in_parts):
    envelope = call("simulate_battery_fleet", n_strings=4, **EVERY_OPTION)
    data, cells = envelope["data"], pd.read_csv(envelope["data"]["cells_csv"])
    assert data["fates"] == cells["fate"].value_counts().to_dict()
    assert sum(data["fates"].values()) == data["cells"] == 20
    sensors = cells["fate"].isin(["drift", "noise", "spike", "stuck", "dropout"]).sum()
    assert f"sensor faults in {sensors}," in envelope["message"] and sensors
    assert f"One file per string in '{data['csv']}'" in envelope["message"]


def test_progress_is_told_string_by_string():
    told = []
    run = Run("bms-generate", "simulate_battery_fleet", report=lambda *said: told.append(said))
    write_fleet(run, output_format="csv", n_strings=3, **SIZE)
    run.close()
    assert told == [*((k, 4, f"simulating string {k + 1} of 3") for k in range(3)), (3, 4, "writing")]


def test_a_fleet_cancelled_between_two_strings_leaves_no_table(in_parts, workspace):
    def cancel(done, total, message):
        if done == 2:
            raise RunCancelled

    run = Run("bms-generate", "simulate_battery_fleet", report=cancel)
    with pytest.raises(RunCancelled), failing_cleanly(run):
        write_fleet(run, output_format="parquet", n_strings=4, **SIZE)
    (left,) = (workspace / "runs").iterdir()
    assert left.suffix == ".failed"
    assert sorted(item.name for item in left.rglob("*")) == ["manifest.json", "run.log"]


def test_a_hundred_million_rows_may_be_asked_for_and_no_row_more(monkeypatch):
    monkeypatch.setenv("BMS_MEMORY_BUDGET", "4GiB")
    settings = Settings(cells_per_string=125, days=8000 / 24)
    require_feasible(settings, 100)
    with pytest.raises(InvalidArgument, match=r"101,000,000 rows\. Expected: at most 100,000,000"):
        require_feasible(settings, 101)


def test_a_string_that_does_not_fit_into_the_memory_is_refused_with_the_rows_that_would(
    monkeypatch, workspace
):
    monkeypatch.setenv("BMS_MEMORY_BUDGET", "2MB")
    message = call("simulate_battery_fleet", n_strings=2, cells_per_string=100, days=3)["message"]
    assert "One string makes 7,200 rows" in message and "at most 5,000 rows per string" in message
    assert not (workspace / "runs").exists()
    succeed("simulate_battery_fleet", n_strings=4, cells_per_string=50, days=3)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"death_fraction": {"slo": 0.1}}, "expected some of slow, sudden, unheralded"),
        ({"death_fraction": 2}, "less than or equal to 1"),
        ({"fault_fraction": {"sensor": 0.9, "drift": 0.2}}, "add up to 1.1"),
        ({"duty": "idle"}, "'standby', 'solar' or 'ups_test'"),
        ({"death_fraction": "much"}, "input should be a valid number"),
    ],
)
def test_a_bad_option_is_told_with_what_was_expected_and_leaves_nothing(options, told, workspace):
    envelope = call("simulate_battery_fleet", **(SIZE | options))
    assert envelope["status"] == "error" and told in envelope["message"]
    assert not (workspace / "runs").exists()


def test_one_of_a_kind_is_told_in_the_singular():
    message = call("simulate_battery_fleet", n_strings=1, cells_per_string=2, days=1)["message"]
    assert "Simulated 2 cells in 1 string, 48 rows" in message
    assert "1 cell dies, 0 more soon after the end" in message
