"""One folder per run: written as `.partial`, renamed when complete, `.failed` when not.

BMS_HOME/runs/<UTC>-<server>-<hash5>/          complete: outputs, run.log, manifest.json
BMS_HOME/runs/<UTC>-<server>-<hash5>.partial/  being written, or left by a crash: never a result
BMS_HOME/runs/<UTC>-<server>-<hash5>.failed/   ended by an error; run.log tells which
"""

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bms_schema.run.envelope import finite_or_none
from bms_schema.run.errors import BmsError, MachineProblem, RunCancelled
from bms_schema.run.hashing import sha256_of
from bms_schema.run.versions import installed_versions
from bms_schema.run.workspace import runs_folder

LOG_NAME = "run.log"
MANIFEST_NAME = "manifest.json"
PARTIAL, FAILED = ".partial", ".failed"
ProgressReport = Callable[[float, float | None, str | None], None]


def _no_report(done: float, total: float | None, message: str | None) -> None:
    """Stand in for a caller that wants no progress."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_stamp(*parts: str) -> str:
    """Return `<UTC>-<parts>-<hash5>`; no colon, so that it is a legal name on Windows too."""
    digest = hashlib.sha256(f"{parts}{time.time_ns()}{os.getpid()}{os.urandom(8).hex()}".encode()).hexdigest()
    return "-".join((f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}", *parts, digest[:5]))


@dataclass
class Run:
    """A run of one tool: where to write, what to record, whom to tell.

    The folder appears with the first use, so that arguments refused early leave nothing behind.

    Args:
        server: Server name, part of the folder's name.
        tool: Tool name.
        arguments: The tool's arguments as called, for the manifest.
        libraries: Distributions whose versions the manifest records.
        report: Called with (done, total, message); may raise `RunCancelled`.
    """

    server: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    report: ProgressReport = _no_report
    seed: int | None = None
    split: str | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    _id: str = ""
    _handler: logging.Handler | None = None
    _started: str = field(default_factory=_now)
    _said: str | None = None

    @property
    def begun(self) -> bool:
        """Whether the folder exists."""
        return bool(self._id)

    def begin(self) -> str:
        """Create the `.partial` folder and its log if they do not exist yet; return the run id."""
        if self._id:
            return self._id
        parent = runs_folder()
        try:
            parent.mkdir(parents=True, exist_ok=True)
            run_id = new_stamp(self.server)
            (parent / f"{run_id}{PARTIAL}").mkdir()
        except OSError as error:
            raise MachineProblem(
                f"The run folder below '{parent}' cannot be created: {error}.",
                expected="a writable BMS_HOME",
                fix="Set BMS_HOME to a folder this user may write.",
            ) from error
        self._id = run_id
        handler = logging.FileHandler(self.folder / LOG_NAME, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._handler = handler
        self._logger.setLevel(logging.INFO)
        self._logger.addHandler(handler)
        self._logger.info("%s.%s %s", self.server, self.tool, json.dumps(dict(self.arguments), default=str))
        return run_id

    @property
    def _logger(self) -> logging.Logger:
        return logging.getLogger(f"bms.{self._id}")

    @property
    def log(self) -> logging.Logger:
        """The run's logger; its lines go to `run.log` and to stderr."""
        self.begin()
        return self._logger

    @property
    def id(self) -> str:
        """The run's id, which is the published folder's name."""
        return self.begin()

    @property
    def folder(self) -> Path:
        """The folder to write into while the run lasts."""
        return runs_folder() / f"{self.id}{PARTIAL}"

    @property
    def published_folder(self) -> Path:
        """The folder's path once the run is complete."""
        return runs_folder() / self.id

    def path(self, name: str) -> Path:
        """Return where to write the output `name` now."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def published(self, name: str) -> str:
        """Return the absolute path that `name` will have once the run is complete."""
        return str(self.published_folder / name)

    def add_input(self, path: Path) -> None:
        """Record an input file or folder with its content hash."""
        self.inputs[str(path)] = sha256_of(path)

    def warn(self, text: str) -> None:
        """Record something the caller should know; it goes to the log and the manifest."""
        self.warnings.append(text)
        self.log.warning(text)

    def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Tell how far the work is, and stop here if the caller has cancelled.

        Raises:
            RunCancelled: the caller asked for it.
        """
        if message and message != self._said and self.begun:  # one that waits says so five times a second
            self._logger.info(message)
        self._said = message
        self.report(done, total, message)

    def write_manifest(self, status: str, message: str, data: Any = None) -> None:
        """Write `manifest.json`: all it takes to know, and to repeat, what was done."""
        folder = self.folder
        artefacts = {
            item.relative_to(folder).as_posix(): sha256_of(item)
            for item in sorted(folder.rglob("*"))
            if item.is_file() and item.name not in {LOG_NAME, MANIFEST_NAME}
        }
        manifest = {
            "run_id": self.id,
            "server": self.server,
            "tool": self.tool,
            "status": status,
            "message": message,
            "arguments": dict(self.arguments),
            "inputs": self.inputs,
            "started": self._started,
            "finished": _now(),
            "seed": self.seed,
            "split": self.split,
            "metrics": self.metrics,
            "warnings": self.warnings,
            "versions": installed_versions(self.libraries),
            "artefacts": artefacts,
            "data": data,
        }
        text = json.dumps(_strict(manifest), indent=2, default=str, ensure_ascii=False, allow_nan=False)
        (folder / MANIFEST_NAME).write_text(text, encoding="utf-8")

    def close(self, suffix: str = "") -> Path:
        """Close the log and give the folder its final name; return that path."""
        source, target = self.folder, runs_folder() / f"{self.id}{suffix}"
        if self._handler is not None:
            self._logger.removeHandler(self._handler)
            self._handler.close()
            self._handler = None
        source.rename(target)
        return target


@contextmanager
def failing_cleanly(run: Run) -> Iterator[Run]:
    """Turn a run that raises into `<run>.failed/` with its log; the error goes on to the caller."""
    try:
        yield run
    except BaseException as error:
        if run.begun:
            anticipated = isinstance(error, BmsError)
            if isinstance(error, RunCancelled):
                run.log.warning("%s", error)
            else:
                run.log.error("%s", error, exc_info=None if anticipated else error)
            status = "cancelled" if isinstance(error, RunCancelled) else "error"
            text = str(error) if anticipated else f"{type(error).__name__}: {error}"
            _drop_outputs(run.folder)
            run.write_manifest(status, text)
            run.close(FAILED)
        raise


def _strict(value: Any) -> Any:
    """Return the value with null for NaN and ±inf, for which JSON has no word."""
    if isinstance(value, Mapping):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return finite_or_none(value) if isinstance(value, float) else value


def _drop_outputs(folder: Path) -> None:
    """Remove what a failed run had written so far: only its log may be read."""
    for item in sorted(folder.rglob("*"), reverse=True):
        if item.is_dir():
            item.rmdir()
        elif item.name != LOG_NAME:
            item.unlink()
