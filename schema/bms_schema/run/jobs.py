"""Executing a tool's work: one heavy run at a time, errors as envelopes, background runs and their state.

Nothing here knows MCP; `mcp_boundary` and the HTTP service put their protocol around it.
"""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bms_schema.run.envelope import Envelope, MaybeFloat, Outcome, ToolData
from bms_schema.run.errors import BmsError, InvalidArgument, RunCancelled, UnknownName
from bms_schema.run.run_folder import FAILED, LOG_NAME, MANIFEST_NAME, PARTIAL, Run, failing_cleanly
from bms_schema.run.workspace import runs_folder

logger = logging.getLogger("bms.jobs")
Work = Callable[[Run], Outcome[Any]]

_HEAVY = threading.Lock()
_WAIT_S = 0.2


class RunState(ToolData):
    """Where a run stands; `result` is the tool's own data once it has succeeded."""

    run_id: str
    state: Literal["running", "success", "error", "cancelled", "unfinished"]
    message: str
    done: MaybeFloat = None
    total: MaybeFloat = None
    result: dict[str, Any] | None = None


def failure(message: str, log_path: str | None = None) -> Envelope[Any]:
    """Return the error envelope."""
    return Envelope[Any](status="error", message=message, data=None, log_path=log_path)


def unexpected(tool: str, error: Exception) -> str:
    """Word an unanticipated failure for the caller: what and where to look, no traceback."""
    text = " ".join(str(error).split())[:300]
    if isinstance(error, MemoryError):
        return f"{tool} ran out of memory. Pass less data at once, or a machine with more memory."
    what = f"{type(error).__name__}: {text}"
    return f"{tool} failed unexpectedly ({what}). The log has the details; please report it."


def execute(work: Work, run: Run) -> tuple[Envelope[Any], tuple[str, ...]]:
    """Do the work as the only heavy run of this process and publish its folder.

    Returns:
        The envelope, and the file names of the run folder worth linking to.
    """
    try:
        with failing_cleanly(run):
            while not _HEAVY.acquire(timeout=_WAIT_S):
                run.progress(0, None, "waiting for another run of this server")
            try:
                return _publish(work(run), run)
            finally:
                _HEAVY.release()
    except BmsError as error:
        return failure(str(error), _failed_log(run)), ()
    except Exception as error:  # the boundary: whatever happens, the caller gets an envelope
        logger.exception("%s.%s", run.server, run.tool)
        return failure(unexpected(run.tool, error), _failed_log(run)), ()


def _publish(outcome: Outcome[Any], run: Run) -> tuple[Envelope[Any], tuple[str, ...]]:
    log_path = run.published(LOG_NAME) if run.begun else None
    envelope = Envelope[Any](status="success", message=outcome.message, data=outcome.data, log_path=log_path)
    if run.begun:
        run.log.info(outcome.message)  # no progress: what is done is no longer cancelled
        run.write_manifest("success", outcome.message, outcome.data.model_dump(mode="json"))
        run.close()
    return envelope, outcome.links


def _failed_log(run: Run) -> str | None:
    return str(runs_folder() / f"{run.id}{FAILED}" / LOG_NAME) if run.begun else None


@dataclass
class _Job:
    cancelled: threading.Event = field(default_factory=threading.Event)
    done: float | None = None
    total: float | None = None
    message: str = "started"

    def report(self, done: float, total: float | None, message: str | None) -> None:
        self.done, self.total, self.message = done, total, message or self.message
        if self.cancelled.is_set():
            raise RunCancelled


class Jobs:
    """Background runs of one server process; the run folder is the record that outlives it."""

    def __init__(self) -> None:
        self._live: dict[str, _Job] = {}
        self._lock = threading.Lock()

    def start(self, work: Work, run: Run) -> str:
        """Begin `work` in a thread of its own and return the run id at once."""
        job = _Job()
        run.report = job.report
        run_id = run.begin()

        def body() -> None:
            try:
                execute(work, run)
            finally:
                with self._lock:
                    self._live.pop(run_id, None)

        with self._lock:
            self._live[run_id] = job
        threading.Thread(target=body, name=run_id, daemon=True).start()
        return run_id

    def state(self, run_id: str) -> RunState:
        """Say where a run stands, whether this process runs it or it ended long ago.

        Raises:
            UnknownName: no run of that id.
        """
        with self._lock:
            job = self._live.get(run_id)
        if job is not None:
            return RunState(
                run_id=run_id, state="running", message=job.message, done=job.done, total=job.total
            )
        for suffix in ("", FAILED):
            manifest = _folder(run_id, suffix) / MANIFEST_NAME
            if manifest.is_file():
                found = json.loads(manifest.read_text(encoding="utf-8"))
                return RunState(
                    run_id=run_id, state=found["status"], message=found["message"], result=found["data"]
                )
        if _folder(run_id, PARTIAL).is_dir():
            text = (
                "Not run by this server process and not finished: another process is at it, or it was killed."
            )
            return RunState(run_id=run_id, state="unfinished", message=text)
        parent = runs_folder()
        known = sorted((item.name for item in parent.iterdir()), reverse=True)[:10] if parent.is_dir() else []
        raise UnknownName.among("run", run_id, known)

    def log_path(self, run_id: str) -> str | None:
        """Return where the run's log lies now, None if there is no such run."""
        logs = [_folder(run_id, suffix) / LOG_NAME for suffix in ("", FAILED, PARTIAL)]
        return next((str(log) for log in logs if log.is_file()), None)

    def cancel(self, run_id: str) -> RunState:
        """Ask a live run to stop at its next step.

        Raises:
            InvalidArgument: the run is not live in this process.
        """
        with self._lock:
            job = self._live.get(run_id)
        if job is None:
            state = self.state(run_id)
            raise InvalidArgument(
                f"Run '{run_id}' cannot be cancelled: its state is {state.state}.",
                expected="a running run",
                fix="Nothing to do.",
            )
        job.cancelled.set()
        return RunState(
            run_id=run_id, state="running", message="Cancellation requested; it stops at its next step."
        )


def _folder(run_id: str, suffix: str) -> Path:
    """Return a run's folder; an id that is no plain name leads nowhere."""
    plain = Path(run_id).name == run_id and run_id not in {"", ".", ".."}
    return runs_folder() / (f"{run_id}{suffix}" if plain else "?")
