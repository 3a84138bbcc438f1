"""Promises every server makes, whatever it does."""

import json
import os
import re
import subprocess
import sys

import anyio
import pytest
from mcp import Client, StdioServerParameters, stdio_client

from tests.servers import SERVERS

HEAVY = ("torch", "sdv", "sklearn", "xgboost", "pandas", "numpy", "matplotlib", "plotly", "scipy")
MOST_TOOLS, MOST_CHARACTERS, MOST_INSTRUCTIONS = 8, 13_500, 2_000  # about 3,400 tokens at 4 characters each
BACKGROUND = {"run_status", "cancel_run"}

each_server = pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.package)


def with_client(server, body):
    async def main():
        async with Client(server.module().server) as client:
            return await body(client)

    return anyio.run(main)


def listed(server):
    async def body(client):
        return (await client.list_tools()).tools

    return with_client(server, body)


@each_server
def test_the_promised_tools_are_there_and_no_others(server):
    names = {tool.name for tool in listed(server)}
    assert names - BACKGROUND == {*server.tools, "health_check"}
    assert len(names) <= MOST_TOOLS


@each_server
def test_every_tool_is_titled_annotated_typed_strict_and_described(server):
    for tool in listed(server):
        assert tool.title, tool.name
        assert len(tool.description) > 30, tool.name
        hints = tool.annotations
        given = (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)
        assert None not in given, tool.name
        assert tool.output_schema["properties"]["status"]["enum"] == ["success", "error"]
        assert tool.input_schema["additionalProperties"] is False
        for name, schema in tool.input_schema["properties"].items():
            assert schema.get("description"), f"{tool.name}.{name} is not described"
            variants = [schema, *schema.get("anyOf", [])]
            for variant in variants:
                if variant.get("type") in {"integer", "number"}:
                    bounds = (
                        {"minimum", "exclusiveMinimum"} & set(variant),
                        {"maximum", "exclusiveMaximum"} & set(variant),
                    )
                    assert all(bounds) or name == "seed", f"{tool.name}.{name} is not bounded"


@each_server
def test_what_the_model_reads_stays_short(server):
    tools = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed(server)]
    assert len(json.dumps(tools, separators=(",", ":"))) <= MOST_CHARACTERS
    instructions = server.module().server.instructions
    assert 100 < len(instructions) <= MOST_INSTRUCTIONS


@each_server
def test_the_readme_lists_the_live_tools(server):
    text = (server.path / "README.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(\w+)", text, flags=re.MULTILINE))
    assert {tool.name for tool in listed(server)} <= rows
    assert "uv sync" in text
    assert "uv run --with mcp server.py" in text


@each_server
def test_tools_import_nothing_heavy(server):
    code = f"import sys, {server.package}.tools; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@each_server
def test_health_check_answers_with_the_workspace(server, workspace):
    async def body(client):
        return (await client.call_tool("health_check", {})).structured_content

    health = with_client(server, body)
    assert health["status"] == "success"
    assert health["data"]["workspace"] == str(workspace)
    assert None not in health["data"]["libraries"].values()


@pytest.mark.stdio
@pytest.mark.parametrize("mode", ["auto", "legacy"], ids=["2026-07-28", "2025-11-25"])
@each_server
def test_a_real_process_speaks_both_eras_and_survives_a_bad_call(server, mode, tmp_path):
    async def main():
        # As a host starts it: another working directory, only the variables it chooses to pass on.
        environment = {
            name: value for name, value in os.environ.items() if name.startswith(("BMS_", "PATH", "HOME"))
        }
        parameters = StdioServerParameters(
            command=sys.executable, args=[str(server.path / "server.py")], env=environment, cwd=tmp_path
        )
        with (tmp_path / "stderr.log").open("w") as errlog:
            async with Client(stdio_client(parameters, errlog=errlog), mode=mode) as client:
                tools = (await client.list_tools()).tools
                bad = await client.call_tool(server.tools[0], {"no_such_argument": 1})
                good = await client.call_tool("health_check", {})
                return client.protocol_version, tools, bad, good

    version, tools, bad, good = anyio.run(main)
    assert version == {"auto": "2026-07-28", "legacy": "2025-11-25"}[mode]
    assert {tool.name for tool in tools} >= set(server.tools)
    assert bad.is_error
    assert bad.structured_content["status"] == "error"
    assert good.structured_content["status"] == "success"


@pytest.mark.stdio
def test_a_senseless_setting_ends_a_server_with_one_line():
    environment = os.environ | {"BMS_THREADS": "many"}
    command = [sys.executable, str(SERVERS[0].path / "server.py")]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("bms-preprocess: BMS_THREADS is 'many'.")
    assert "Traceback" not in done.stderr
