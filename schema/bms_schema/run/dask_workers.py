"""Dask workers for one run: a local cluster by itself, or the one that `BMS_DASK_SCHEDULER` names."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bms_schema.run.errors import BmsError, InvalidArgument, MachineProblem
from bms_schema.run.memory import VARIABLE, in_words
from bms_schema.run.threads import thread_count

if TYPE_CHECKING:
    from distributed import Client, Future

    from bms_schema.run.partitions import Group

SCHEDULER_VARIABLE = "BMS_DASK_SCHEDULER"
# Measured: a worker takes 0.25 GiB with our libraries loaded, and up to 1.0 GiB at work on a usual group.
LEAST_WORKER_MEMORY = 3 * 2**29
EMPTY_WORKER_BYTES = 2**29  # what a worker takes with no rows
LONGEST_SILENCE_S = (
    2.0  # how long a cancelled run may go on, and how long a cluster may take to answer in tests
)
ANSWER_S = 30.0
Item = TypeVar("Item")
Result = TypeVar("Result")


def scheduler_address() -> str:
    """Return the address in `BMS_DASK_SCHEDULER`, empty where none is set.

    Raises:
        InvalidArgument: it is no address.
    """
    address = os.environ.get(SCHEDULER_VARIABLE, "").strip()
    if address and not re.fullmatch(r"(tcp|tls)://[^/\s]+:\d+", address):
        raise InvalidArgument(
            f"{SCHEDULER_VARIABLE} is '{address}'.",
            expected="the address of a Dask scheduler, such as tcp://10.0.0.5:8786",
            fix="Set it right, or unset it to work on this machine.",
        )
    return address


def why_workers(rows: int, bytes_per_row: int, budget: int) -> str:
    """Say why a table is worked on by Dask.

    Args:
        rows: Of the table.
        bytes_per_row: What a row takes in memory.
        budget: Bytes that the run may take.
    """
    if address := scheduler_address():
        return f"worked on by the Dask cluster at {address} ({SCHEDULER_VARIABLE})"
    return (
        f"worked on by Dask in parts: in memory it would take about {in_words(rows * bytes_per_row)} of the "
        f"{in_words(budget)} that {VARIABLE} allows"
    )


def memory_for(groups: Sequence[Group], bytes_per_row: int, budget: int) -> int:
    """Return the bytes that a worker takes at most, where a string is worked on as a whole.

    Args:
        groups: Of whole strings.
        bytes_per_row: What work on a row takes.
        budget: Bytes that local workers may take together.

    Raises:
        MachineProblem: the longest string takes more than this machine may give.
    """
    longest = max(groups, key=lambda group: group.rows)
    need = EMPTY_WORKER_BYTES + longest.rows * bytes_per_row
    if not scheduler_address() and need > max(budget, LEAST_WORKER_MEMORY):
        raise MachineProblem(
            f"A string is worked on as a whole, and {longest} takes about {in_words(need)} of the "
            f"{in_words(budget)} that one run may take.",
            expected="strings that fit into memory",
            fix=f"Raise {VARIABLE}, or pass a file with fewer days.",
        )
    return need


@contextmanager
def workers(scratch: Path, budget: int, need: int = LEAST_WORKER_MEMORY) -> Iterator[Client]:
    """Yield a client of the workers, gone again with the block however it ends.

    Args:
        scratch: Folder of the run that local workers may write their own files into.
        budget: Bytes that the local workers may take together.
        need: Bytes that one item of work takes at most: the larger it is, the fewer local workers there are.

    Raises:
        InvalidArgument: the address or the number of threads makes no sense.
        MachineProblem: the cluster does not answer, or does not see this run's files.
    """
    import distributed  # noqa: F401 (it sets its own level when loaded)

    logging.getLogger("distributed").setLevel(logging.WARNING)
    address = scheduler_address()
    with _connected(address) if address else _local(scratch, budget, need) as client:
        yield client


@contextmanager
def _local(scratch: Path, budget: int, need: int) -> Iterator[Client]:
    import dask
    from distributed import Client, LocalCluster

    # A worker keeps nothing between tasks that could be spilled, and a paused one would wait for ever.
    kept = {f"distributed.worker.memory.{threshold}": False for threshold in ("target", "spill", "pause")}
    count = max(1, min(thread_count(), budget // max(need, LEAST_WORKER_MEMORY)))
    with (
        dask.config.set(kept),
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            memory_limit=max(budget // count, LEAST_WORKER_MEMORY),
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # any free port for its health page
            local_directory=str(scratch),
            silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    from distributed import Client

    try:
        client = Client(address, timeout=ANSWER_S)
        client.wait_for_workers(1, timeout=ANSWER_S)
    except (OSError, TimeoutError) as error:
        raise MachineProblem(
            f"The Dask cluster at {address} ({SCHEDULER_VARIABLE}) does not answer or has no worker: {error}.",
            expected="a scheduler with at least one worker",
            fix=f"Start them, or unset {SCHEDULER_VARIABLE} to work on this machine.",
        ) from error
    with client:
        yield client


def require_shared_files(client: Client, file: Path) -> None:
    """Check that every worker sees a file of this run.

    Raises:
        MachineProblem: one does not.
    """
    blind = [worker for worker, sees in client.run(_is_file, str(file)).items() if not sees]
    if blind:
        raise MachineProblem(
            f"The Dask worker at {blind[0]} does not see '{file}'.",
            expected="a BMS_HOME that lies on a file system shared by this machine and all workers",
            fix=f"Set BMS_HOME to a shared folder, or unset {SCHEDULER_VARIABLE} to work on this machine.",
        )


def _is_file(path: str) -> bool:
    return Path(path).is_file()


def each_done(
    client: Client,
    work: Callable[[Item], Result],
    items: Sequence[Item],
    describe: Callable[[Item], str],
    waiting: Callable[[], None],
) -> Iterator[tuple[Item, Result]]:
    """Yield (item, result) as the workers finish them, in whatever order.

    Work on a worker that died is done again on another; work that has killed several ends the run.

    Args:
        client: From `workers`.
        work: An importable function.
        items: What to do it on.
        describe: Says for the error what an item is and how large.
        waiting: Called every few seconds; may raise to stop everything.

    Raises:
        BmsError: as raised by the work.
        MachineProblem: an item killed its workers, or the cluster is gone.
    """
    import distributed

    working = time.monotonic()
    futures: dict[Future, Item] = dict(zip(client.map(work, items, pure=False), items, strict=True))
    try:
        pending = set(futures)
        while pending:
            waiting()
            if client.scheduler_info()["workers"]:
                working = time.monotonic()
            elif time.monotonic() - working > ANSWER_S:
                raise _no_workers()
            try:
                done = distributed.wait(
                    pending, timeout=LONGEST_SILENCE_S, return_when="FIRST_COMPLETED"
                ).done
            except TimeoutError:
                continue
            for future in done:
                pending.discard(future)
                yield futures[future], _result(future, describe(futures[future]))
    finally:
        client.cancel(list(futures))


def _no_workers() -> MachineProblem:
    return MachineProblem(
        f"The Dask cluster has had no worker for {ANSWER_S:.0f} s: they died and did not come back.",
        expected="workers that keep running",
        fix="Look at the machine's memory and the log, then run again.",
    )


def _result(future: Any, what: str) -> Any:
    import distributed
    from distributed.client import FutureCancelledError

    try:
        return future.result()
    except BmsError:
        raise
    except (distributed.KilledWorker, MemoryError) as error:
        raise MachineProblem(
            f"The workers ran out of memory or died repeatedly at {what}.",
            expected=f"workers with at least {in_words(LEAST_WORKER_MEMORY)} each that keep running",
            fix="Raise BMS_MEMORY_BUDGET, lower BMS_THREADS (fewer, larger workers), or give this string its own "
            "file with fewer cells.",
        ) from error
    except (FutureCancelledError, OSError) as error:
        raise MachineProblem(
            f"The Dask cluster failed at {what}: {error}.",
            expected="a cluster and a disk that stay available",
            fix="Look at the cluster's and the disk's state and run again.",
        ) from error
