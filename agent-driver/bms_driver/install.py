"""Running `uv sync` for one server: line by line to its log and to the display."""

from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

import anyio
from anyio.streams.text import TextReceiveStream


async def run_install(
    command: tuple[str, ...], env: dict[str, str], log: Path, on_line: Callable[[str], None]
) -> tuple[int, list[str]]:
    """Run the command to its end and return its exit code and its lines.

    Cancelling kills the process. There is no time limit: a large download on a slow line is not
    a hang, uv has its own network limits, and the display shows what it is doing.

    Raises:
        FileNotFoundError: The command does not exist.
    """
    lines: list[str] = []
    with log.open("a", encoding="utf-8") as file:
        process = await anyio.open_process(command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=env)
        async with process:
            assert process.stdout is not None
            rest = ""
            async for chunk in TextReceiveStream(process.stdout, errors="replace"):
                file.write(chunk)
                *complete, rest = (rest + chunk).split("\n")
                for line in filter(str.strip, complete):
                    lines.append(line)
                    on_line(line.strip())
            if rest.strip():
                lines.append(rest)
            return await process.wait(), lines
