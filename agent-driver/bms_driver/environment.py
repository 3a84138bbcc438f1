"""The commands that start the servers and the environment they are given."""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

# They name the driver's own environment, which is not the servers'.
_NOT_FOR_SERVERS = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")


class MissingUv(Exception):
    """`uv` is not on this machine; the text says how to get it."""


@dataclass(frozen=True)
class ServerCommand:
    """How to start one server, and how to install what it needs first (None: nothing)."""

    run: tuple[str, ...]
    sync: tuple[str, ...] | None = None


def find_uv(environ: Mapping[str, str]) -> str:
    """Return the path of uv: on PATH, else the uv that started us; MissingUv when there is none."""
    found = shutil.which("uv", path=environ.get("PATH")) or shutil.which(environ.get("UV", ""))
    if not found:
        raise MissingUv("uv was not found on PATH; install it with: pip install uv")
    return found


def server_commands(servers: Iterable[str], uv: str) -> dict[str, ServerCommand]:
    """Return for each server folder the commands of its README."""
    return {
        name: ServerCommand(
            run=(uv, "run", "--directory", str(CHECKOUT / name), "--with", "mcp", "server.py"),
            sync=(uv, "sync", "--directory", str(CHECKOUT / name)),
        )
        for name in servers
    }


def server_environment(environ: Mapping[str, str], data: Path | None, out: Path) -> dict[str, str]:
    """Return the servers' environment variables.

    Servers run in their own folders, so relative entries are made absolute here. A file that the
    user named may be read, and so may the output folder, which holds the copy for SDV.

    Args:
        environ: The driver's own variables.
        data: The file or folder that the user named, or None.
        out: The output folder.
    """
    env = {name: value for name, value in environ.items() if name not in _NOT_FOR_SERVERS}
    given = [entry for entry in environ.get("BMS_DATA_ROOTS", "").split(os.pathsep) if entry]
    roots = [Path(entry).expanduser().absolute() for entry in given] or [Path.cwd(), Path.home()]
    if data is not None:
        roots.append(data if data.is_dir() else data.parent)
    roots.append(out)
    env["BMS_DATA_ROOTS"] = os.pathsep.join(dict.fromkeys(str(root) for root in roots))
    if environ.get("BMS_HOME"):
        env["BMS_HOME"] = str(Path(environ["BMS_HOME"]).expanduser().absolute())
    return env
