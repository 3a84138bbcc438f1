"""One prediction at a time, off the event loop: the models' thread pools would fight for the cores otherwise."""

from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
from bms_schema.run.envelope import Envelope, Outcome
from fastapi import Response

from bms_live.errors import TooBusy

MOST_WAITING = 16


class Worker:
    """Runs predictions one after the other in a worker thread; `/health` answers meanwhile."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._one_at_a_time = anyio.CapacityLimiter(1)

    async def answer(self, work: Callable[[], Outcome[Any]]) -> Response:
        """Do the work and return its envelope as JSON; the JSON is written in the worker thread too.

        Raises:
            TooBusy: too many predictions wait already.
            BmsError: from the work.
        """
        state = self._one_at_a_time.statistics()
        if state.borrowed_tokens and state.tasks_waiting >= self._most_waiting:
            raise TooBusy(
                f"A prediction runs and {state.tasks_waiting} wait already.",
                expected=f"at most {self._most_waiting} waiting",
                fix="Try again in a moment.",
            )
        return await anyio.to_thread.run_sync(_as_response, work, limiter=self._one_at_a_time)


def _as_response(work: Callable[[], Outcome[Any]]) -> Response:
    outcome = work()
    envelope = Envelope[Any](status="success", message=outcome.message, data=outcome.data)
    return Response(envelope.model_dump_json(), media_type="application/json")
