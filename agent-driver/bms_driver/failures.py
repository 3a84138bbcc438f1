"""Every way a server can let the driver down, told in one line with the log's path."""

from pathlib import Path

from mcp import MCPError
from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT

# Long enough for a server's own advice, short enough for one row of a table.
LINE_LIMIT = 600
_TAIL_BYTES = 16_384


class ServerFailure(Exception):
    """A server could not be prepared, started or called; the text is one line with its log."""


def one_line(text: str, limit: int = LINE_LIMIT) -> str:
    """Return the text on one line, cut to `limit` characters.

    >>> one_line("found 3\\n  expected 4")
    'found 3 expected 4'
    """
    joined = " ".join(text.split())
    return joined if len(joined) <= limit else joined[: limit - 1] + "…"


def last_words(log: Path, start: int = 0) -> str:
    """Return what was written last to the log after byte `start`, or "".

    That is the last line with text, as Python ends a traceback, or uv's `error:` with its causes.
    """
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(start, size - _TAIL_BYTES))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    errors = [place for place, line in enumerate(said) if line.startswith("error:")]
    return one_line(" ".join(said[errors[-1] if errors else -1 :]), 300)


def install_failure(server: str, output: list[str], log: Path) -> ServerFailure:
    """Return the failure of `uv sync`: uv's own error line, else its last one."""
    lines = [line.strip() for line in output if line.strip()]
    marked = [line for line in lines if line.startswith(("error", "×"))]
    reason = (marked or lines[-1:] or ["no reason given"])[0]
    return ServerFailure(
        one_line(f"the environment of {server} could not be installed: {reason} (log: {log})")
    )


def start_failure(server: str, log: Path, start: int, error: BaseException) -> ServerFailure:
    """Return why a server did not come up; what it said on stderr beats what the client saw."""
    reason = last_words(log, start) or _innermost(error)
    return ServerFailure(one_line(f"{server} did not start: {reason} (log: {log})"))


def missing_command(server: str, command: str, log: Path) -> ServerFailure:
    """Return the failure of a command that this machine does not have."""
    return ServerFailure(f"{server} did not start: the command {command!r} was not found (log: {log})")


def call_failure(
    server: str, tool: str, log: Path, start: int, timeout_s: float, error: Exception
) -> ServerFailure:
    """Return what went wrong in a call: death, time limit, broken schema or refusal."""
    code = error.code if isinstance(error, MCPError) else None
    if code == REQUEST_TIMEOUT:
        reason = f"{tool} of {server} gave no answer within {timeout_s:g} s (--timeout)"
    elif code == CONNECTION_CLOSED:
        said = last_words(log, start)
        reason = f"{server} died during {tool}" + (f"; its last line: {said}" if said else "")
    elif isinstance(error, RuntimeError):
        # The library appends the whole schema; its first line says what was wrong.
        reason = (
            f"{tool} of {server} broke its own output schema: {one_line(str(error).splitlines()[0], 300)}"
        )
    else:
        reason = f"{tool} of {server} failed: {_innermost(error)}"
    return ServerFailure(one_line(f"{reason} (log: {log})", LINE_LIMIT))


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return one_line(str(error) or type(error).__name__, 300)
