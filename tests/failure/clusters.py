"""Dask clusters for tests."""

from contextlib import contextmanager


@contextmanager
def cluster_of(workers, folder):
    """A cluster as a user would start one."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=None, local_directory=str(folder)
    ) as started:
        yield started
