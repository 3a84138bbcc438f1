"""The run itself: every stage waits for those before it, independent ones go side by side."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

import anyio

from bms_driver.environment import ServerCommand, server_environment
from bms_driver.failures import ServerFailure, one_line
from bms_driver.progress import Display
from bms_driver.result import StageResult
from bms_driver.servers import Servers
from bms_driver.stages import STAGE_NAMES, STAGES, Stage, StageInputError, Work

MIN_AT_ONCE = 2


@dataclass(frozen=True)
class Plan:
    """What to run: the work, the stages with their prerequisites, seconds that one call may take."""

    work: Work
    stages: tuple[str, ...]
    timeout_s: float


async def run_chain(
    plan: Plan, commands: Mapping[str, ServerCommand], environ: Mapping[str, str], display: Display
) -> dict[str, StageResult]:
    """Run the planned stages and return one result for each, and for each that was not asked for.

    Args:
        plan: What to run.
        commands: How each needed server is started.
        environ: Variables that the servers inherit, see `server_environment`.
        display: Told of everything as it happens.
    """
    env = server_environment(environ, plan.work.data_path, plan.work.out)
    logs = plan.work.out / "logs"
    logs.mkdir(exist_ok=True)
    async with anyio.create_task_group() as tasks:
        run = _Run(plan, Servers(commands, env, logs, display, tasks), display)
        tasks.start_soon(run.servers.install)
        async with anyio.create_task_group() as stages:
            for name in plan.stages:
                stages.start_soon(run.stage, STAGES[name])
        run.servers.stop()
    not_asked = {name: StageResult("skipped", "not asked for") for name in STAGE_NAMES}
    ended = not_asked | run.results
    return {name: ended[name] for name in STAGES if name in ended}


class _Run:
    """The state that the stages of one run share."""

    def __init__(self, plan: Plan, servers: Servers, display: Display) -> None:
        self.plan, self.servers, self.display = plan, servers, display
        self.results: dict[str, StageResult] = {}
        self._ended = {name: anyio.Event() for name in plan.stages}
        self._slots = anyio.CapacityLimiter(max(MIN_AT_ONCE, os.cpu_count() or 1))

    async def stage(self, stage: Stage) -> None:
        """Wait for the predecessors, run the stage or skip it, and tell who waits for it."""
        needs = [name for name in stage.needs if name in self._ended]
        for name in needs:
            await self._ended[name].wait()
        failed = [name for name in needs if self.results[name].status != "success"]
        if failed:
            result = StageResult("skipped", self._why_skipped(failed[0]))
        else:
            result = await self._attempt(stage)
        self.results[stage.name] = result
        if result.status == "success":
            self.plan.work.done[stage.name] = result.data or {}
        self.display.finished(stage.name, result)
        self._ended[stage.name].set()

    def _why_skipped(self, failed: str) -> str:
        return f"{failed} failed" if self.results[failed].status == "error" else f"{failed} was skipped"

    async def _attempt(self, stage: Stage) -> StageResult:
        begun = time.monotonic()
        try:
            await self.servers.wait_installed(stage.server)
            async with self._slots:
                begun = time.monotonic()
                self.display.started(stage.name)
                return await self._call(stage, begun)
        except (ServerFailure, StageInputError) as error:
            log = str(self.servers.log_of(stage.server))
            return StageResult("error", one_line(str(error)), time.monotonic() - begun, None, log)

    async def _call(self, stage: Stage, begun: float) -> StageResult:
        async def on_progress(progress: float, total: float | None, message: str | None) -> None:
            self.display.progress(stage.name, progress, total, one_line(message or ""))

        call = await anyio.to_thread.run_sync(stage.build, self.plan.work)
        envelope = await self.servers.call(
            stage.server, stage.tool, call.arguments, self.plan.timeout_s, on_progress
        )
        seconds = time.monotonic() - begun
        message, log_path = str(envelope.get("message") or ""), envelope.get("log_path")
        if envelope["status"] == "error":
            log_path = log_path or str(self.servers.log_of(stage.server))
            return StageResult("error", one_line(f"{message} (log: {log_path})"), seconds, None, log_path)
        remarked = one_line(f"{message} {call.remark}")
        return StageResult("success", remarked, seconds, envelope.get("data") or {}, log_path)
