"""The server processes: installed two at a time, started when first needed, stopped together."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import TaskGroup
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.dispatcher import ProgressFnT
from mcp_types import CONNECTION_CLOSED, CallToolResult, TextContent

from bms_driver.environment import ServerCommand
from bms_driver.failures import (
    ServerFailure,
    call_failure,
    install_failure,
    missing_command,
    start_failure,
)
from bms_driver.install import run_install
from bms_driver.progress import Display

# [U] Ten times a slow start without .pyc files, for machines that are busy with other servers.
START_TIMEOUT_S = 120.0
INSTALLS_AT_ONCE = 2

# What a closed pipe can raise beside the SDK's own error.
_CALL_ERRORS = (MCPError, RuntimeError, ValueError, anyio.BrokenResourceError, anyio.ClosedResourceError)


@dataclass
class _Connection:
    """One running server; `ready` is set when either `client` or `failure` is."""

    log_start: int
    ready: anyio.Event = field(default_factory=anyio.Event)
    close: anyio.Event = field(default_factory=anyio.Event)
    client: Client | None = None
    failure: ServerFailure | None = None


class Servers:
    """All servers of a run. Each lives in one task of `tasks`, which enters and leaves its client."""

    def __init__(
        self,
        commands: Mapping[str, ServerCommand],
        env: dict[str, str],
        logs: Path,
        display: Display,
        tasks: TaskGroup,
    ) -> None:
        self._commands, self._env, self._logs = commands, env, logs
        self._display, self._tasks = display, tasks
        self._installed = {name: anyio.Event() for name in commands}
        self._install_failures: dict[str, ServerFailure] = {}
        self._connections: dict[str, _Connection] = {}

    def log_of(self, server: str) -> Path:
        """Return where this server's installation and stderr are written."""
        return self._logs / f"{server}.log"

    async def install(self) -> None:
        """Install every server's environment, two at a time; failures are told to who needs it."""
        limiter = anyio.CapacityLimiter(INSTALLS_AT_ONCE)
        async with anyio.create_task_group() as group:
            for name, command in self._commands.items():
                group.start_soon(self._install_one, name, command, limiter)

    async def _install_one(self, name: str, command: ServerCommand, limiter: anyio.CapacityLimiter) -> None:
        if command.sync is not None:
            async with limiter:
                log = self.log_of(name)
                self._display.installing(name, "")
                try:
                    code, output = await run_install(
                        command.sync, self._env, log, lambda line: self._display.installing(name, line)
                    )
                    if code != 0:
                        self._install_failures[name] = install_failure(name, output, log)
                except FileNotFoundError:
                    self._install_failures[name] = missing_command(name, command.sync[0], log)
                self._display.installed(name, ok=name not in self._install_failures)
        self._installed[name].set()

    async def wait_installed(self, server: str) -> None:
        """Wait until the server's environment is there; ServerFailure when it could not be made."""
        await self._installed[server].wait()
        if server in self._install_failures:
            raise self._install_failures[server]

    async def _connected(self, server: str) -> _Connection:
        connection = self._connections.get(server)
        if connection is None or connection.close.is_set():
            log = self.log_of(server)
            connection = _Connection(log.stat().st_size if log.exists() else 0)
            self._connections[server] = connection
            self._tasks.start_soon(self._host, server, connection)
        await connection.ready.wait()
        if connection.failure is not None:
            raise connection.failure
        return connection

    async def call(
        self, server: str, tool: str, arguments: dict[str, Any], timeout_s: float, on_progress: ProgressFnT
    ) -> dict[str, Any]:
        """Call a tool, starting its installed server if need be; ServerFailure when no answer came.

        Returns:
            The tool's envelope, see `envelope_of`.
        """
        connection = await self._connected(server)
        assert connection.client is not None
        try:
            result = await connection.client.call_tool(
                tool, arguments, read_timeout_seconds=timeout_s, progress_callback=on_progress
            )
        except _CALL_ERRORS as error:
            dead = not isinstance(error, MCPError | RuntimeError) or (
                isinstance(error, MCPError) and error.code == CONNECTION_CLOSED
            )
            if dead:
                connection.close.set()  # the next stage that needs this server gets a fresh one
            raise call_failure(
                server, tool, self.log_of(server), connection.log_start, timeout_s, error
            ) from error
        return envelope_of(result)

    def stop(self) -> None:
        """Let every server's task leave its client, which closes stdin and ends the process."""
        for connection in self._connections.values():
            connection.close.set()

    async def _host(self, server: str, connection: _Connection) -> None:
        command, log = self._commands[server].run, self.log_of(server)
        parameters = StdioServerParameters(command=command[0], args=list(command[1:]), env=self._env)
        try:
            with (
                log.open("a", encoding="utf-8") as errlog,
                anyio.move_on_after(START_TIMEOUT_S) as starting,
            ):
                transport = stdio_client(parameters, errlog=errlog)
                async with Client(transport, read_timeout_seconds=START_TIMEOUT_S) as client:
                    starting.deadline = math.inf
                    connection.client = client
                    connection.ready.set()
                    await connection.close.wait()
            if starting.cancelled_caught:
                late = TimeoutError(f"no answer within {START_TIMEOUT_S:g} s")
                connection.failure = start_failure(server, log, connection.log_start, late)
        except FileNotFoundError:
            connection.failure = missing_command(server, command[0], log)
        except (ExceptionGroup, MCPError, OSError, RuntimeError, ValueError) as error:
            # After the start this is only a dead server's last gasp; its call has told the story.
            connection.failure = start_failure(server, log, connection.log_start, error)
        finally:
            connection.close.set()
            connection.ready.set()


def envelope_of(result: CallToolResult) -> dict[str, Any]:
    """Return the envelope of a tool's answer; a refused argument comes as text and is wrapped."""
    content = result.structured_content
    if isinstance(content, dict) and content.get("status") in ("success", "error"):
        return content
    texts = [part.text for part in result.content if isinstance(part, TextContent)]
    text = " ".join(texts) or "the tool answered without a result envelope"
    return {"status": "error", "message": text, "data": None, "log_path": None}
