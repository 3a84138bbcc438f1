"""The boundary as a client sees it."""

import threading
from pathlib import Path
from typing import Annotated, Literal

import anyio
import pytest
from bms_schema.run.envelope import MaybeFloat, Outcome, ToolData
from bms_schema.run.errors import NotEnoughData
from bms_schema.run.jobs import Jobs, execute
from bms_schema.run.mcp_boundary import ToolSpec, _start, build_server, read_artefact
from bms_schema.run.run_folder import Run
from mcp import Client, MCPError
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from pydantic import Field


class Worked(ToolData):
    csv: str
    score: MaybeFloat = None


class Gate:
    """Lets a test hold a tool at a known place."""

    def __init__(self):
        self.reached, self.open = threading.Event(), threading.Event()


def server_with(gate=None):
    def work(
        run: Run,
        data_path: Annotated[str, Field(description="Path.")],
        steps: Annotated[int, Field(ge=1, le=9)] = 2,
        mode: Literal["ok", "refuse", "crash"] = "ok",
        share: Annotated[float, Field(ge=0, le=1)] | dict[str, float] = 0.1,
    ) -> Outcome[Worked]:
        """Work on a file."""
        run.path("out.csv").write_text("x\n1\n")
        for step in range(steps):
            run.progress(step, steps, f"step {step}")
            if gate:
                gate.reached.set()
                assert gate.open.wait(20)
        if mode == "refuse":
            raise NotEnoughData("One row.", expected="two", fix="Pass more.")
        if mode == "crash":
            raise ZeroDivisionError("secret detail")
        return Outcome(
            f"worked on {data_path}", Worked(csv=run.published("out.csv"), score=float("nan")), ("out.csv",)
        )

    return build_server(
        name="bms-test",
        title="Test",
        version="1",
        instructions="Test.",
        tools=[ToolSpec(work, "Work", background=True)],
        libraries=("numpy", "no-such-library"),
    )


def run_with_client(body, server=None):
    async def main():
        async with Client(server or server_with()) as client:
            return await body(client)

    return anyio.run(main)


def call(tool, arguments, server=None):
    return run_with_client(lambda client: client.call_tool(tool, arguments), server)


def test_success_is_an_envelope_with_nan_as_none_and_a_link_that_reads():
    async def body(client):
        result = await client.call_tool("work", {"data_path": "a"})
        text, link = result.content
        return result, text, link, (await client.read_resource(link.uri)).contents[0]

    result, text, link, content = run_with_client(body)
    envelope = result.structured_content
    assert not result.is_error
    assert envelope["status"] == "success"
    assert envelope["data"]["score"] is None
    assert '"status":"success"' in text.text
    assert content.text == "x\n1\n"
    assert content.mime_type == link.mime_type == "text/csv"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"data_path": "a", "mode": "refuse"}, "One row. Expected: two. Pass more."),
        ({"data_path": "a", "mode": "crash"}, "failed unexpectedly (ZeroDivisionError"),
        ({"data_path": "a", "steps": 0}, "steps is '0'"),
        ({"data_path": "a", "steps": 10**9}, "less than or equal to 9"),
        ({"data_path": "a", "stepps": 3}, "'stepps' is not an argument of work; it takes: data_path, steps"),
        ({}, "required argument 'data_path' is missing"),
        ({"data_path": "a", "mode": "other"}, "mode is 'other'"),
        ({"data_path": "a", "share": 1.5}, "run: share is '1.5'; input should be less than or equal to 1."),
        ({"data_path": "a", "share": {"x": "y"}}, "run: share.x is 'y'; input should be a valid number"),
        ({"data_path": "a", "share": "y"}, "share is 'y'; input should be a valid number or a valid object."),
    ],
)
def test_every_failure_is_an_envelope_that_says_what_to_do(arguments, says):
    async def body(client):
        failed = await client.call_tool("work", arguments)
        return failed, await client.call_tool("work", {"data_path": "next"})

    failed, after = run_with_client(body)
    assert failed.is_error
    assert failed.structured_content["status"] == "error"
    assert failed.structured_content["data"] is None
    assert says in failed.structured_content["message"]
    assert after.structured_content["status"] == "success"


def test_tools_are_strict_titled_annotated_and_described():
    async def body(client):
        return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in run_with_client(body)}
    assert set(tools) == {"work", "health_check", "run_status", "cancel_run"}
    for tool in tools.values():
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema["properties"]["status"]["enum"] == ["success", "error"]
        assert tool.annotations.title == tool.title
        assert "title" not in str(tool.input_schema)


def test_progress_reaches_the_client():
    seen = []

    async def body(client):
        async def note(done, total, message):
            seen.append((done, total, message))

        await client.call_tool("work", {"data_path": "a"}, progress_callback=note)

    run_with_client(body)
    assert seen[:2] == [(0, 2, "step 0"), (1, 2, "step 1")]


def test_progress_always_rises_as_the_protocol_wants():
    seen = []

    def work(run: Run) -> Outcome[Worked]:
        """Work in phases that each count from 0."""
        for done in (0, 0, 1, 2, 1, 3):
            run.progress(done, 3, "step")
        return Outcome("worked", Worked(csv=""))

    async def body(client):
        async def note(done, total, message):
            seen.append(done)

        await client.call_tool("work", {}, progress_callback=note)

    tools = [ToolSpec(work, "Work")]
    server = build_server(
        name="bms-test", title="Test", version="1", instructions="Test.", tools=tools, libraries=()
    )
    run_with_client(body, server)
    assert seen == [0, 1, 2, 3]


def test_a_cancelled_call_stops_and_leaves_a_failed_run(workspace):
    gate = Gate()

    async def body(client):
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "work", {"data_path": "a", "steps": 9})
            await anyio.to_thread.run_sync(gate.reached.wait, 20)
            group.cancel_scope.cancel()
        gate.open.set()
        # The next run is served only once the cancelled one has let go.
        return await client.call_tool("work", {"data_path": "b"})

    assert run_with_client(body, server_with(gate)).structured_content["status"] == "success"
    assert len(list((workspace / "runs").glob("*.failed"))) == 1
    assert not list((workspace / "runs").glob("*.partial"))


async def ended(client, run_id):
    """Ask until the run has ended."""
    with anyio.fail_after(20):
        while True:
            state = (await client.call_tool("run_status", {"run_id": run_id})).structured_content["data"]
            if state["state"] != "running":
                return state
            await anyio.lowlevel.checkpoint()


def test_a_background_run_reports_and_keeps_its_result():
    gate = Gate()

    async def body(client):
        started = (await client.call_tool("work", {"data_path": "a", "background": True})).structured_content
        run_id = started["data"]["run_id"]
        await anyio.to_thread.run_sync(gate.reached.wait, 20)
        during = (await client.call_tool("run_status", {"run_id": run_id})).structured_content["data"]
        gate.open.set()
        after = await ended(client, run_id)
        return during, after, (await client.call_tool("run_status", {"run_id": run_id})).structured_content

    during, after, last = run_with_client(body, server_with(gate))
    assert (during["state"], during["message"], during["total"]) == ("running", "step 0", 2)
    assert after["state"] == "success"
    assert after["result"]["csv"].endswith("out.csv")
    assert Path(last["log_path"]).parent == Path(after["result"]["csv"]).parent


def test_a_background_run_that_is_over_at_once_leaves_no_partial_folder(workspace):
    class Instant(Jobs):
        def start(self, work, run):
            execute(work, run)
            return run.id

    def work(run):
        return Outcome("done", Worked(csv=run.published("out.csv")))

    run = Run("bms-test", "work")
    run.begin()
    assert not _start(Instant(), work, run).is_error
    assert [folder.name for folder in (workspace / "runs").iterdir()] == [run.id]


def test_a_background_run_can_be_cancelled_once():
    gate = Gate()

    async def body(client):
        arguments = {"data_path": "a", "steps": 9, "background": True}
        run_id = (await client.call_tool("work", arguments)).structured_content["data"]["run_id"]
        await anyio.to_thread.run_sync(gate.reached.wait, 20)
        await client.call_tool("cancel_run", {"run_id": run_id})
        gate.open.set()
        state = await ended(client, run_id)
        return state, await client.call_tool("cancel_run", {"run_id": run_id})

    state, again = run_with_client(body, server_with(gate))
    assert state["state"] == "cancelled"
    assert again.is_error
    assert "its state is cancelled" in again.structured_content["message"]


@pytest.mark.parametrize("run_id", ["no-such-run", "../..", "a/b", ".."])
def test_unknown_runs_are_told_apart_from_paths(run_id):
    assert "There is no run" in call("run_status", {"run_id": run_id}).structured_content["message"]


@pytest.mark.parametrize(
    "uri", ["artefact://x/../../etc/passwd", "artefact://../manifest.json", "artefact://x/y.csv"]
)
def test_resources_never_lead_out_of_the_runs(uri):
    async def body(client):
        with pytest.raises(MCPError):
            await client.read_resource(uri)

    run_with_client(body)


@pytest.mark.parametrize(("run_id", "name"), [("x.partial", "a.csv"), (".", "x.partial/a.csv")])
def test_a_half_written_run_is_no_resource(workspace, run_id, name):
    (workspace / "runs" / "x.partial").mkdir(parents=True)
    (workspace / "runs" / "x.partial" / "a.csv").write_text("half")
    with pytest.raises(ResourceNotFoundError):
        read_artefact(run_id, name)


def test_health_names_what_is_missing_without_failing():
    health = call("health_check", {}).structured_content
    assert health["status"] == "success"
    assert "no-such-library is not installed" in health["message"]
    assert health["data"]["writable"] is True


def test_refused_choices_are_listed_as_they_must_be_written():
    def draw(
        column: Annotated[Literal["CellVoltage", "auto"], Field(description="Axis.")],
    ) -> Outcome[Worked]:
        """Draw a column."""
        return Outcome(column, Worked(csv=""))

    tools = [ToolSpec(draw, "Draw")]
    server = build_server(
        name="bms-test", title="Test", version="1", instructions="Test.", tools=tools, libraries=()
    )
    told = call("draw", {"column": "cellvoltage"}, server).structured_content["message"]
    assert "column is 'cellvoltage'; input should be 'CellVoltage' or 'auto'" in told


def test_a_tool_without_arguments_says_so():
    envelope = call("health_check", {"deep": True}).structured_content
    assert "'deep' is not an argument of health_check; it takes no arguments." in envelope["message"]
