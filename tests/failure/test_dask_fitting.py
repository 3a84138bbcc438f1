"""Boosters of Dask workers are those of this process; a lost worker is told from an error."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import xgboost
from bms_failure import dask_fitting
from bms_failure.booster import LEARNT_NAMES, LearningSet, fit_booster
from bms_failure.dask_fitting import fit_on_workers
from bms_failure.fitting import nothing_to_tell
from bms_schema.run.errors import MachineProblem

from tests.clusters import cluster_of


def learning_sets(count):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3_000, len(LEARNT_NAMES))).astype(np.float32)
    event = (rng.random(3_000) < 1.0 / (1.0 + np.exp(2.0 - values[:, 0]))).astype(float)
    learnt = LearningSet(values, event, rng.random(3_000) + 0.5)
    return [lambda: learnt] * count


def test_trees_of_workers_are_those_of_this_process_even_if_a_worker_dies(tmp_path):
    wanted = fit_booster(learning_sets(1)[0](), 7).get_dump(with_stats=True)
    with cluster_of(2, tmp_path) as cluster, cluster.get_client() as client:
        found = fit_on_workers(learning_sets(6), 7, nothing_to_tell, client=client)
        dumps = [next(found).get_dump(with_stats=True)]
        os.kill(min(client.run(os.getpid).values()), signal.SIGKILL)
        dumps += [booster.get_dump(with_stats=True) for booster in found]
    assert dumps == [wanted] * 6
    assert fit_booster(learning_sets(1)[0](), 8).get_dump(with_stats=True) != wanted


def test_workers_that_do_not_come_back_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(dask_fitting, "ANSWER_S", 0.2)
    with cluster_of(0, tmp_path) as cluster, cluster.get_client() as client:
        found = fit_on_workers(learning_sets(1), 7, nothing_to_tell, client=client)
        with pytest.raises(MachineProblem, match="workers were lost"):
            next(found)


def test_what_is_wrong_with_the_data_is_no_loss_of_workers(monkeypatch, tmp_path):
    (make,) = learning_sets(1)
    wrong = replace(make(), event=np.full(3_000, 2.0))  # a share of those who die is at most 1
    tries = []
    fit_at = dask_fitting._fit_at
    monkeypatch.setattr(dask_fitting, "_fit_at", lambda *given: (tries.append(given[0]), fit_at(*given))[1])
    with cluster_of(1, tmp_path) as cluster, cluster.get_client() as client:
        found = fit_on_workers([lambda: wrong], 7, nothing_to_tell, client=client)
        with pytest.raises(xgboost.core.XGBoostError, match="base_score must be in"):
            next(found)
    assert len(tries) == 1


def test_the_last_worker_may_leave_before_it_is_asked(monkeypatch, tmp_path):
    monkeypatch.setattr(dask_fitting, "_addresses", lambda client: [])
    with cluster_of(1, tmp_path) as cluster, cluster.get_client() as client:
        found = fit_on_workers(learning_sets(1), 7, nothing_to_tell, client=client)
        with pytest.raises(MachineProblem, match="the last worker left"):
            next(found)
