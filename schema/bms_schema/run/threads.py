"""One setting for every thread pool: `BMS_THREADS`, default the cores this process may use."""

import os

from bms_schema.run.errors import InvalidArgument

_POOL_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def thread_count() -> int:
    """Return how many threads a numeric library may use in this process.

    Raises:
        InvalidArgument: `BMS_THREADS` is not a whole number of at least 1.
    """
    configured = os.environ.get("BMS_THREADS", "").strip()
    if not configured:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    if not configured.isdigit() or int(configured) < 1:
        raise InvalidArgument(
            f"BMS_THREADS is '{configured}'.",
            expected="a whole number of at least 1",
            fix="Unset it or set it right.",
        )
    return int(configured)


def cap_thread_pools() -> None:
    """Cap OpenMP and BLAS before they load; five servers may share the cores.

    Two OpenMP runtimes that fight for two cores turned a 1.3 s training into 80 s. What the user has
    set already wins.
    """
    for variable in _POOL_VARIABLES:
        os.environ.setdefault(variable, str(thread_count()))
