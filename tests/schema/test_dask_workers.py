"""Workers that die, refuse or are no longer wanted."""

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from bms_schema.run import dask_workers
from bms_schema.run.dask_workers import each_done, require_shared_files, workers
from bms_schema.run.errors import InputError, MachineProblem, RunCancelled
from bms_schema.run.partitions import Group


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("BMS_THREADS", "1")
    with workers(tmp_path / "dask", budget=2**31) as started:
        yield started


GROUPS = [Group(0, ("A",), 5), Group(1, ("B",), 7)]


def die_once(group: Group, marks: str) -> int:
    """Kill the worker the first time."""
    mark = Path(marks) / str(group.number)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return group.number


def die_always(group: Group) -> int:
    """Kill every worker."""
    os.kill(os.getpid(), signal.SIGKILL)
    return group.number


def outlast_the_worker(group: Group) -> int:
    """Be still at it when the worker goes."""
    time.sleep(60)
    return group.number


def refuse(group: Group) -> int:
    """Find fault with the input."""
    raise InputError("What is there.", expected="what was expected", fix="What to do.")


def test_the_work_of_a_worker_that_died_is_done_again(client: Any, tmp_path: Path) -> None:
    work = partial(die_once, marks=str(tmp_path))
    done = dict(each_done(client, work, GROUPS, str, lambda: None))
    assert done == {GROUPS[0]: 0, GROUPS[1]: 1}


def test_work_that_kills_every_worker_ends_with_its_name_and_advice(client: Any) -> None:
    with pytest.raises(MachineProblem, match=r"string 'A' \(5 rows\).*BMS_MEMORY_BUDGET"):
        list(each_done(client, die_always, GROUPS[:1], str, lambda: None))


def test_an_error_in_the_work_reaches_the_caller_as_it_was_worded(client: Any) -> None:
    with pytest.raises(InputError, match=r"What is there\. Expected: what was expected\. What to do\."):
        list(each_done(client, refuse, GROUPS, str, lambda: None))


def test_a_caller_that_stops_waiting_stops_the_work(client: Any) -> None:
    def stop() -> None:
        raise RunCancelled

    with pytest.raises(RunCancelled):
        list(each_done(client, str, GROUPS, str, stop))


def test_workers_that_do_not_see_the_files_are_refused(client: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    require_shared_files(client, tmp_path / "file")
    with pytest.raises(MachineProblem, match="BMS_HOME"):
        require_shared_files(client, tmp_path / "elsewhere")


def test_a_cluster_without_workers_is_not_waited_for_without_end(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_workers, "ANSWER_S", 0.1)
    client.cluster.scale(0)
    with pytest.raises(MachineProblem, match="no worker"):
        list(each_done(client, outlast_the_worker, GROUPS, str, lambda: None))
