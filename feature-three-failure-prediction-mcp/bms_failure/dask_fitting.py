"""Training through XGBoost's Dask interface, one booster per worker at a time.

What there is to learn from is thinned to some ten thousand cell-days (see `learning_rows`), which any worker holds.
So the folds are spread over the workers, not the rows of a fold: row sampling and histograms are then those of a
training in this process, and so are the trees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any

from bms_schema.run.dask_workers import LONGEST_SILENCE_S
from bms_schema.run.errors import MachineProblem

from bms_failure.booster import LEARNT_NAMES, PARAMETERS, ROUNDS, LearningSet
from bms_failure.fitting import Waiting

if TYPE_CHECKING:
    import numpy as np
    import xgboost
    from distributed import Client


def fit_on_workers(
    sets: Sequence[Callable[[], LearningSet]], seed: int, waiting: Waiting, *, client: Client
) -> Iterator[xgboost.Booster]:
    """Yield a booster for each set, in their order; a `Fit` once the client is bound.

    Args:
        sets: Each returns what to learn from; called for as many at a time as there are workers.
        seed: Of row and column sampling.
        waiting: Called every few seconds; may raise to stop, once the boosters being trained stand.
        client: From `workers`.

    Raises:
        MachineProblem: a worker was lost while it trained.
    """
    addresses = sorted(client.scheduler_info(n_workers=-1)["workers"])
    with ThreadPoolExecutor(max(1, len(addresses)), thread_name_prefix="boosters") as pool:
        trained = [
            pool.submit(_fit_one, make, seed, client, addresses[number % len(addresses)])
            for number, make in enumerate(sets)
        ]
        try:
            for booster in trained:
                while wait([booster], timeout=LONGEST_SILENCE_S).not_done:
                    waiting()
                yield booster.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _fit_one(make: Callable[[], LearningSet], seed: int, client: Client, address: str) -> xgboost.Booster:
    import dask
    import xgboost
    from xgboost import dask as on_dask

    learnt = make()
    with dask.annotate(workers=[address]):
        there = partial(_there, client=client, address=address)
        try:
            matrix = on_dask.DaskDMatrix(
                client,
                there(learnt.values),
                there(learnt.event),
                weight=there(learnt.weight),
                feature_names=list(LEARNT_NAMES),
            )
            parameters: dict[str, Any] = PARAMETERS | {"seed": seed}
            booster: xgboost.Booster = on_dask.train(client, parameters, matrix, num_boost_round=ROUNDS)[
                "booster"
            ]
        except (xgboost.core.XGBoostError, RuntimeError, OSError) as error:
            raise MachineProblem(
                f"The Dask worker at {address} was lost while it trained: {error}.",
                expected="workers that keep running",
                fix="Look at the machine's memory and the log, then run again.",
            ) from error
    return booster


def _there(values: np.ndarray, client: Client, address: str) -> Any:
    """Return the values as a Dask array of one piece that lies on a worker."""
    from dask import array

    piece = client.scatter(values, workers=[address], hash=False)
    return array.from_delayed(piece, shape=values.shape, dtype=values.dtype)
