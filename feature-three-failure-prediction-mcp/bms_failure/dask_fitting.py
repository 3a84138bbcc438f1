"""Training through XGBoost's Dask interface, one booster per worker at a time.

What there is to learn from is thinned to some ten thousand cell-days (see `learning_rows`), which any worker holds.
So the folds are spread over the workers, not the rows of a fold: row sampling and histograms are then those of a
training in this process, and so are the trees.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from bms_schema.run.dask_workers import ANSWER_S, LONGEST_SILENCE_S
from bms_schema.run.errors import MachineProblem

from bms_failure.booster import LEARNT_NAMES, PARAMETERS, ROUNDS, LearningSet
from bms_failure.fitting import Waiting

if TYPE_CHECKING:
    import numpy as np
    import xgboost
    from distributed import Client

TRIES = 3


def fit_on_workers(
    sets: Sequence[Callable[[], LearningSet]], seed: int, waiting: Waiting, *, client: Client
) -> Iterator[xgboost.Booster]:
    """Yield a booster for each set, in their order; a `Fit` once the client is bound.

    A booster whose worker died is trained again on another; an error while the worker lives is raised as it is.

    Args:
        sets: Each returns what to learn from; called for as many at a time as there are workers.
        seed: Of row and column sampling.
        waiting: Called every few seconds; may raise to stop, once the boosters being trained stand.
        client: From `workers`.

    Raises:
        MachineProblem: the workers died over it repeatedly.
    """
    with ThreadPoolExecutor(max(1, len(_addresses(client))), thread_name_prefix="boosters") as pool:
        trained = [pool.submit(_fit_one, make, seed, client, number) for number, make in enumerate(sets)]
        try:
            for booster in trained:
                waiting()
                while wait([booster], timeout=LONGEST_SILENCE_S).not_done:
                    waiting()
                yield booster.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _fit_one(make: Callable[[], LearningSet], seed: int, client: Client, number: int) -> xgboost.Booster:
    """Train on one of the workers that are there, in turn.

    Raises:
        MachineProblem: a worker was lost at every try.
    """
    import distributed
    import xgboost
    from distributed.client import FutureCancelledError

    # What a lost worker shows itself as, by the step that it is lost at.
    lost = (
        xgboost.core.XGBoostError, distributed.KilledWorker, FutureCancelledError, RuntimeError, OSError, KeyError,
    )  # fmt: skip
    learnt, found = make(), ""
    for _ in range(TRIES):
        worker = None
        try:
            worker = _pick(client, number)
            return _fit_at(worker[0], learnt, seed, client)
        except lost as error:
            if worker is not None and _lives(client, worker):
                raise  # then the worker is not to blame, and another would fail alike
            found = str(error)
    raise MachineProblem(
        f"The Dask workers were lost {TRIES} times while they trained: {found}.",
        expected="workers that keep running",
        fix="Look at the machine's memory and the log, then run again.",
    )


def _pick(client: Client, number: int) -> tuple[str, int]:
    """Return address and process of one of the workers that are there.

    Raises:
        OSError: there is none.
    """
    client.wait_for_workers(1, timeout=ANSWER_S)
    addresses = _addresses(client)
    if not addresses:
        raise OSError("the last worker left")
    address = addresses[number % len(addresses)]
    return address, client.run(os.getpid, workers=[address])[address]


def _lives(client: Client, worker: tuple[str, int]) -> bool:
    """Return whether a worker answers and is still the same process: a restarted one may keep its address."""
    address, process = worker
    try:
        return bool(client.run(os.getpid, workers=[address]) == {address: process})
    except (OSError, KeyError, ValueError, RuntimeError):
        return False


def _fit_at(address: str, learnt: LearningSet, seed: int, client: Client) -> xgboost.Booster:
    from dask import annotate, array
    from xgboost import dask as on_dask

    def there(values: np.ndarray) -> Any:
        piece = client.scatter(values, workers=[address], hash=False)
        return array.from_delayed(piece, shape=values.shape, dtype=values.dtype)

    with annotate(workers=[address]):
        matrix = on_dask.DaskDMatrix(
            client,
            there(learnt.values),
            there(learnt.event),
            weight=there(learnt.weight),
            feature_names=list(LEARNT_NAMES),
        )
        parameters = PARAMETERS | {"seed": seed}
        trained: dict[str, Any] = on_dask.train(client, parameters, matrix, num_boost_round=ROUNDS)
    return trained["booster"]


def _addresses(client: Client) -> list[str]:
    return sorted(client.scheduler_info(n_workers=-1)["workers"])
