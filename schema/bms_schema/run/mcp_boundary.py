"""The one place where tools become MCP: strict arguments, envelopes, progress, background runs, health.

A tool function is plain: `def tool(run: Run, data_path: Annotated[str, Field(...)], …) -> Outcome[Data]`.
Its docstring is what the model reads. Functions without a `run` parameter need no run folder.
"""

import functools
import inspect
import logging
import mimetypes
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, get_args

import anyio
import anyio.from_thread
import anyio.to_thread
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.server.mcpserver.tools import Tool
from mcp.shared.path_security import PathEscapeError, safe_join
from mcp.types import CallToolResult, ResourceLink, TextContent, ToolAnnotations
from pydantic import ConfigDict, Field, ValidationError

from bms_schema.run.envelope import Envelope, Outcome, RunStarted
from bms_schema.run.errors import BmsError, RunCancelled
from bms_schema.run.health import Health, check_health
from bms_schema.run.jobs import Jobs, RunState, execute, failure, unexpected
from bms_schema.run.run_folder import LOG_NAME, PARTIAL, Run
from bms_schema.run.threads import cap_thread_pools
from bms_schema.run.tool_schema import input_schema, output_schema, word_refusal
from bms_schema.run.workspace import runs_folder

logger = logging.getLogger("bms.boundary")

_WAITING_CALLS = 16
_MOST_LINKS = 5
_BACKGROUND = Annotated[
    bool,
    Field(description="Return a run_id at once; poll run_status. For runs longer than the host's timeout."),
]
_RUN_ID = Annotated[
    str, Field(min_length=1, max_length=200, description="Run id, e.g. from background=true.")
]


@dataclass(frozen=True)
class ToolSpec:
    """How a tool function is offered.

    Args:
        function: The tool; its name is the tool's name.
        title: Short title for people.
        background: Offer `background: bool`.
        destructive: It may overwrite something that was there.
        read_only: It changes nothing.
    """

    function: Callable[..., Outcome[Any]]
    title: str
    background: bool = False
    destructive: bool = False
    read_only: bool = False


class _EnvelopeTool(Tool):
    """A tool whose refused arguments come back as our envelope too."""

    async def run(self, arguments: dict[str, Any], context: Any, convert_result: bool = False) -> Any:
        try:
            self.fn_metadata.validate_arguments(arguments)
        except ValidationError as error:
            return _reply(failure(word_refusal(self.name, error, self.parameters.get("properties", {}))))
        return await super().run(arguments, context, convert_result)


class _ArtefactServer(MCPServer[Any]):
    """A server whose artefacts say what they are; the SDK knows one media type per resource template."""

    async def read_resource(self, uri: Any, context: Any = None) -> Any:
        found = await super().read_resource(uri, context)
        if not isinstance(found, list):
            return found
        return [replace(item, mime_type=_media_type(str(uri))) for item in found]


def _media_type(name: str) -> str:
    text = "text/plain" if name.endswith(".log") else None
    return mimetypes.guess_type(name)[0] or text or "application/octet-stream"


def _reply(envelope: Envelope[Any], links: Sequence[str] = (), run_id: str | None = None) -> CallToolResult:
    content: list[Any] = [TextContent(type="text", text=envelope.model_dump_json())]
    for name in links[:_MOST_LINKS]:
        uri = f"artefact://{run_id}/{name}"
        content.append(ResourceLink(type="resource_link", uri=uri, name=name, mime_type=_media_type(name)))
    return CallToolResult(
        content=content,
        structured_content=envelope.model_dump(mode="json"),
        is_error=envelope.status == "error",
    )


def _make_tool(
    spec: ToolSpec, server: str, libraries: tuple[str, ...], jobs: Jobs, calls: anyio.CapacityLimiter
) -> Tool:
    signature = inspect.signature(spec.function, eval_str=True)
    wants_run = "run" in signature.parameters
    envelope = _envelope_type(signature, background=spec.background)
    parameters = [item for name, item in signature.parameters.items() if name != "run"]
    keyword = inspect.Parameter.KEYWORD_ONLY
    if spec.background:
        parameters.append(inspect.Parameter("background", keyword, default=False, annotation=_BACKGROUND))
    parameters.append(inspect.Parameter("ctx", keyword, default=None, annotation=Context))

    async def call(*, ctx: Context, background: bool = False, **arguments: Any) -> CallToolResult:
        if not wants_run:
            return await anyio.to_thread.run_sync(
                _answer, functools.partial(spec.function, **arguments), spec.function.__name__
            )
        run = Run(server, spec.function.__name__, arguments, libraries)

        def work(run: Run) -> Outcome[Any]:
            return spec.function(run=run, **arguments)

        if background:
            return await anyio.to_thread.run_sync(_start, jobs, work, run)
        run.report = _reporter(ctx)
        result, links = await anyio.to_thread.run_sync(execute, work, run, limiter=calls)
        return _reply(result, links, run.id if links else None)

    call.__name__ = spec.function.__name__
    call.__doc__ = inspect.getdoc(spec.function)
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [item.replace(kind=keyword) for item in parameters],
        return_annotation=Annotated[CallToolResult, envelope],
    )
    call.__annotations__ = {item.name: item.annotation for item in parameters} | {
        "return": Annotated[CallToolResult, envelope]
    }
    return _strict(call, spec)


def _envelope_type(signature: inspect.Signature, *, background: bool) -> Any:
    """Return the result type of a tool that is annotated `-> Outcome[Data]`."""
    data: Any = get_args(signature.return_annotation)[0]
    return Envelope.__class_getitem__(data | RunStarted if background else data)


def _answer(function: Callable[[], Outcome[Any]], tool: str) -> CallToolResult:
    """Run a quick tool that needs no run folder."""
    try:
        outcome = function()
    except BmsError as error:
        return _reply(failure(str(error)))
    except Exception as error:  # the boundary: whatever happens, the caller gets an envelope
        logger.exception("%s", tool)
        return _reply(failure(unexpected(tool, error)))
    return _reply(
        Envelope[Any](status="success", message=outcome.message, data=outcome.data, log_path=outcome.log_path)
    )


def _start(jobs: Jobs, work: Callable[[Run], Outcome[Any]], run: Run) -> CallToolResult:
    try:
        run_id = jobs.start(work, run)
    except BmsError as error:
        return _reply(failure(str(error)))
    text = f"Started in the background. Ask run_status(run_id='{run_id}')."
    data = RunStarted(run_id=run_id)
    return _reply(
        Envelope[Any](status="success", message=text, data=data, log_path=str(run.folder / LOG_NAME))
    )


def _reporter(ctx: Context) -> Callable[[float, float | None, str | None], None]:
    """Return a progress function for the worker thread that stops it once the client has cancelled.

    The protocol wants every progress to be above the one before; what is not is not sent.
    """
    furthest = -1.0

    def report(done: float, total: float | None, message: str | None) -> None:
        nonlocal furthest
        try:
            anyio.from_thread.check_cancelled()
            if done > furthest:
                furthest = done
                anyio.from_thread.run(ctx.report_progress, done, total, message)
        except BaseException as error:  # the back end's cancellation is no Exception
            raise RunCancelled from error

    return report


def _strict(call: Callable[..., Awaitable[CallToolResult]], spec: ToolSpec) -> Tool:
    """Build the tool so that unknown arguments are refused and the schemas carry no generated titles."""
    annotations = ToolAnnotations(
        title=spec.title,
        read_only_hint=spec.read_only,
        destructive_hint=spec.destructive,
        idempotent_hint=spec.read_only,
        open_world_hint=False,
    )
    tool = _EnvelopeTool.from_function(call, title=spec.title, annotations=annotations)
    model = tool.fn_metadata.arg_model
    strict: Any = type(
        model.__name__, (model,), {"model_config": ConfigDict(extra="forbid"), "__module__": model.__module__}
    )
    tool.fn_metadata.arg_model = strict
    tool.parameters = input_schema(strict.model_json_schema(by_alias=True))
    if tool.fn_metadata.output_schema is not None:
        tool.fn_metadata.output_schema = output_schema(tool.fn_metadata.output_schema)
    return tool


def build_server(
    *,
    name: str,
    title: str,
    version: str,
    instructions: str,
    tools: Sequence[ToolSpec],
    libraries: tuple[str, ...],
    models: tuple[str, ...] = (),
) -> MCPServer[Any]:
    """Return an MCP server with the given tools, `health_check`, run resources and, if asked for, background runs.

    Args:
        name: Server name, e.g. "bms-anomaly"; run folders carry it.
        title: Name for people.
        version: The server package's version.
        instructions: When to use which tool, in which order, in which units; under 2,000 characters.
        tools: The tools.
        libraries: Distributions named by health_check and in manifests.
        models: Model names whose latest version health_check tells.
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    jobs, calls = Jobs(), anyio.CapacityLimiter(_WAITING_CALLS)

    def health_check() -> Outcome[Health]:
        """Server version, workspace, free disk, libraries and latest models. Call it when something fails."""
        return check_health(name, version, [tool.name for tool in built], libraries, models)

    def run_status(run_id: _RUN_ID) -> Outcome[RunState]:
        """State, progress and, once done, the result of a background run."""
        state = jobs.state(run_id)
        return Outcome(f"{state.state}: {state.message}", state, log_path=jobs.log_path(run_id))

    def cancel_run(run_id: _RUN_ID) -> Outcome[RunState]:
        """Stop a background run at its next step; nothing of it is kept."""
        state = jobs.cancel(run_id)
        return Outcome(state.message, state)

    specs = [*tools, ToolSpec(health_check, "Server health", read_only=True)]
    if any(spec.background for spec in tools):
        specs += [
            ToolSpec(run_status, "State of a background run", read_only=True),
            ToolSpec(cancel_run, "Cancel a background run", destructive=True),
        ]
    built = [_make_tool(spec, name, libraries, jobs, calls) for spec in specs]
    server = _ArtefactServer(name, title=title, version=version, instructions=instructions, tools=built)
    server.resource("artefact://{run_id}/{+name}", name="artefact", description="A file of a completed run.")(
        read_artefact
    )
    return server


def read_artefact(run_id: str, name: str) -> str | bytes:
    """Return a file of a completed run: text for CSV, JSON, HTML and logs, bytes for the rest."""
    try:
        path = Path(safe_join(safe_join(runs_folder(), run_id), name))
    except PathEscapeError as error:
        raise ResourceNotFoundError(f"'{name}' is no file of run '{run_id}'.") from error
    if any(part.endswith(PARTIAL) for part in (run_id, *Path(name).parts)) or not path.is_file():
        raise ResourceNotFoundError(f"Run '{run_id}' has no file '{name}'.")
    return (
        path.read_text(encoding="utf-8")
        if path.suffix in {".csv", ".json", ".html", ".log"}
        else path.read_bytes()
    )


def serve(server: MCPServer[Any]) -> None:
    """Run a server over stdio: thread pools capped, stdout flushed by line so that no stray text lingers in it.

    A setting that makes no sense ends it with one line on stderr.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)
    try:
        cap_thread_pools()
    except BmsError as error:
        sys.exit(f"{server.name}: {error}")
    server.run()
