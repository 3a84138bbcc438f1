"""Telling the user what happens: a live table on a terminal, plain lines elsewhere, all on stderr."""

import sys
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from bms_driver.result import StageResult

STYLES = {"success": "green", "error": "red", "skipped": "yellow", "running": "cyan", "waiting": "dim"}
# [U] Often enough to see that it lives, rare enough for a log file.
LINE_EVERY_S = 5.0


class Display(Protocol):
    """What the chain reports to."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def installing(self, server: str, line: str) -> None:
        """Tell that a server's environment is being installed; `line` is the installer's latest."""

    def installed(self, server: str, *, ok: bool) -> None:
        """Tell that the installation ended."""

    def started(self, stage: str) -> None:
        """Tell that a stage's tool is being called."""

    def progress(self, stage: str, done: float, total: float | None, message: str) -> None:
        """Tell how far a stage is."""

    def finished(self, stage: str, result: StageResult) -> None:
        """Tell how a stage ended."""


class LineDisplay:
    """One plain line per event; progress of a stage at most every few seconds."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def _tell(self, line: str) -> None:
        print(line, file=self._stream, flush=True)

    def _due(self, key: str) -> bool:
        now = time.monotonic()
        if now - self._last.get(key, 0.0) < LINE_EVERY_S:
            return False
        self._last[key] = now
        return True

    def installing(self, server: str, line: str) -> None:
        if not line:
            self._tell(f"installing {server}")
        elif self._due(server):
            self._tell(f"installing {server}: {line}")

    def installed(self, server: str, *, ok: bool) -> None:
        self._tell(f"installed {server}" if ok else f"could not install {server}")

    def started(self, stage: str) -> None:
        self._tell(f"{stage}: started")

    def progress(self, stage: str, done: float, total: float | None, message: str) -> None:
        if self._due(stage):
            share = f"{done / total:.0%} " if total else ""
            self._tell(f"{stage}: {share}{message}".rstrip(": "))

    def finished(self, stage: str, result: StageResult) -> None:
        self._tell(f"{stage}: {result.status} in {result.seconds:.1f} s: {result.message}")


@dataclass
class _Row:
    state: str = "waiting"
    message: str = ""
    done: float = 0.0
    total: float | None = None
    begun: float | None = None
    seconds: float | None = None

    def elapsed(self) -> str:
        """Return the seconds so far or in the end, "" before the start."""
        if self.seconds is not None:
            return f"{self.seconds:.1f}"
        return "" if self.begun is None else f"{time.monotonic() - self.begun:.0f}"


class LiveDisplay:
    """A table that is redrawn in place; each stage has a row, installations stand below."""

    def __init__(self, stages: tuple[str, ...], console: Console) -> None:
        self._rows = {name: _Row() for name in stages}
        self._installing: dict[str, str] = {}
        # Transient: the closing table takes its place.
        self._live = Live(console=console, get_renderable=self.render, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def installing(self, server: str, line: str) -> None:
        self._installing[server] = line

    def installed(self, server: str, *, ok: bool) -> None:
        self._installing.pop(server, None)

    def started(self, stage: str) -> None:
        row = self._rows[stage]
        row.state, row.begun = "running", time.monotonic()

    def progress(self, stage: str, done: float, total: float | None, message: str) -> None:
        row = self._rows[stage]
        row.done, row.total, row.message = done, total, message or row.message

    def finished(self, stage: str, result: StageResult) -> None:
        row = self._rows[stage]
        row.state, row.message, row.seconds = result.status, result.message, result.seconds

    def render(self) -> Group:
        """Return the table as it stands now; called by rich from its own thread."""
        table = Table(expand=True)
        table.add_column("stage", no_wrap=True)
        table.add_column("state", no_wrap=True)
        table.add_column("", ratio=1)
        table.add_column("s", justify="right", no_wrap=True)
        for name, row in list(self._rows.items()):
            bar = None
            if row.state == "running" and row.total:
                bar = ProgressBar(total=row.total, completed=row.done, width=30)
            text = Text(row.message, overflow="ellipsis", no_wrap=True)
            table.add_row(
                name, Text(row.state, STYLES[row.state]), Group(bar, text) if bar else text, row.elapsed()
            )
        below = [
            Spinner("dots", Text(f"installing {server} {line}", overflow="ellipsis", no_wrap=True))
            for server, line in list(self._installing.items())
        ]
        return Group(table, *below)


def display_for(stages: tuple[str, ...]) -> Display:
    """Return the display that fits where stderr goes."""
    console = Console(stderr=True)
    return LiveDisplay(stages, console) if console.is_terminal else LineDisplay(sys.stderr)


def final_table(results: dict[str, StageResult]) -> Table:
    """Return the closing table: stage, status, seconds, message."""
    table = Table("stage", "status", "s", "message")
    for name, result in results.items():
        table.add_row(
            name, Text(result.status, STYLES[result.status]), f"{result.seconds:.1f}", Text(result.message)
        )
    return table
