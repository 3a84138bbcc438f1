"""Dask clusters for tests, and the work of workers done without any."""

from contextlib import contextmanager


@contextmanager
def cluster_of(workers, folder):
    """A cluster as a user would start one."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=None, local_directory=str(folder)
    ) as started:
        yield started


def work_in_this_process(monkeypatch, engine):
    """Have an engine do one after another here what its workers would do."""

    @contextmanager
    def nobody(*_):
        yield None

    def one_by_one(client, work, items, describe, waiting):
        for item in items:
            waiting()
            yield item, work(item)

    monkeypatch.setattr(engine, "workers", nobody)
    monkeypatch.setattr(engine, "require_shared_files", lambda client, file: None)
    monkeypatch.setattr(engine, "each_done", one_by_one)
