"""The command line: read the request, run the chain, write the report, return the exit code."""

import functools
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import anyio
from rich.console import Console

from bms_driver.chain import Plan, run_chain
from bms_driver.environment import MissingUv, ServerCommand, find_uv, server_commands
from bms_driver.interrupt import Interrupted, until_interrupted
from bms_driver.output import make_output_folder, write_whole
from bms_driver.progress import display_for, final_table
from bms_driver.report import Run, report_html
from bms_driver.request import BadInput, Request, read_request
from bms_driver.result import StageResult, overall_status, pipeline_object, to_json
from bms_driver.stages import SIMULATE, STAGE_NAMES, Work, servers_of, with_prerequisites

FINE, STAGE_FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(argv: list[str] | None = None, commands: Mapping[str, ServerCommand] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: Arguments; None means those of the process.
        commands: How servers are started; None means as their READMEs say, with uv.
    """
    try:
        request = read_request(argv)
        stages = with_prerequisites(request.stages, simulate=request.data_path is None)
        if commands is None:
            commands = server_commands(servers_of(stages), find_uv(os.environ))
        out = make_output_folder(request.out, os.environ)
    except BadInput as error:
        _say(f"error: {error}")
        return BAD_INPUT
    except MissingUv as error:
        _say(f"error: {error}")
        if request.as_json:
            skipped = {name: StageResult("skipped", f"not started: {error}") for name in STAGE_NAMES}
            data_path = None if request.data_path is None else str(request.data_path)
            _print_json({**pipeline_object(skipped, data_path, None), "status": "error"})
        return STAGE_FAILED
    needed = {name: commands[name] for name in servers_of(stages)}
    try:
        return _run(request, stages, needed, out)
    except (Interrupted, KeyboardInterrupt):
        _say(f"interrupted: no report was written; server logs: {out / 'logs'}")
        return INTERRUPTED
    except OSError as error:
        _say(f"error: the results could not be written to {out}: {error}")
        return STAGE_FAILED


def _run(request: Request, stages: tuple[str, ...], commands: Mapping[str, ServerCommand], out: Path) -> int:
    begun = datetime.now(UTC)
    plan = Plan(Work(request.data_path, out, request.steps, request.cell_id), stages, request.timeout_s)
    if request.data_path is None:
        _say("no data file was given: data-generator-mcp simulates a fleet first")
    with display_for(stages) as display:
        chain = functools.partial(run_chain, plan, commands, os.environ, display)
        results = anyio.run(until_interrupted, chain)
    data_path = _data_path(request, results)
    report = out / "report.html"
    run = Run(results, data_path, out, begun, datetime.now(UTC))
    write_whole(report, report_html(run))
    outcome = pipeline_object(results, data_path, str(report))
    write_whole(out / "pipeline.json", to_json(outcome) + "\n")
    if request.as_json:
        _print_json(outcome)
    else:
        console = Console()
        console.print(final_table(results))
        print(f"Report: {report}")
    return FINE if overall_status(results) == "success" else STAGE_FAILED


def _data_path(request: Request, results: Mapping[str, StageResult]) -> str | None:
    if request.data_path is not None:
        return str(request.data_path)
    simulated = results[SIMULATE].data or {}
    csv = simulated.get("csv")
    return csv if isinstance(csv, str) else None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print_json(outcome: dict[str, object]) -> None:
    print(to_json(outcome), flush=True)
