"""Ctrl-C and a service manager's SIGTERM: cancel the work, so that every server is closed."""

import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

T = TypeVar("T")


class Interrupted(Exception):
    """The run was told to stop and has stopped."""


async def until_interrupted(work: Callable[[], Awaitable[T]]) -> T:
    """Return what `work` returns; Interrupted when a signal cancelled it.

    On Windows Ctrl-C arrives as KeyboardInterrupt instead.
    """
    # A job started in the background ignores Ctrl-C on purpose; SIGTERM it obeys.
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signals = (signal.SIGTERM,) if ignored else (signal.SIGTERM, signal.SIGINT)
    results: list[T] = []
    async with anyio.create_task_group() as tasks:
        if sys.platform != "win32":
            tasks.start_soon(_cancel_on, signals, tasks.cancel_scope)
        results.append(await work())
        tasks.cancel_scope.cancel()
    if not results:
        raise Interrupted
    return results[0]


async def _cancel_on(signals: tuple[signal.Signals, ...], scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(*signals) as received:
        async for _ in received:
            break
    scope.cancel()
