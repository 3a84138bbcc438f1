"""What `health_check` of every server answers."""

import os
import shutil
from collections.abc import Sequence

from bms_schema.run.envelope import Outcome, ToolData
from bms_schema.run.model_store import latest_version
from bms_schema.run.threads import thread_count
from bms_schema.run.versions import installed_versions
from bms_schema.run.workspace import allowed_roots, workspace


class Health(ToolData):
    """State of a server and of the machine around it."""

    server: str
    version: str
    tools: list[str]
    workspace: str
    writable: bool
    free_disk_gb: float
    data_roots: list[str]
    threads: int
    libraries: dict[str, str | None]
    models: dict[str, str | None]


def check_health(
    server: str, version: str, tools: Sequence[str], libraries: Sequence[str], models: Sequence[str]
) -> Outcome[Health]:
    """Look at workspace, disk, installed libraries and stored models; imports none of them."""
    home = workspace()
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    writable = existing.is_dir() and os.access(existing, os.W_OK)
    found = installed_versions(libraries)
    health = Health(
        server=server,
        version=version,
        tools=list(tools),
        workspace=str(home),
        writable=writable,
        free_disk_gb=round(shutil.disk_usage(existing).free / 1e9, 1),
        data_roots=[str(root) for root in allowed_roots()],
        threads=thread_count(),
        libraries=found,
        models={name: latest_version(name) for name in models},
    )
    missing = [name for name, installed in found.items() if installed is None]
    problems = ([f"'{home}' is not writable"] if not writable else []) + [
        f"{name} is not installed" for name in missing
    ]
    message = (
        f"{server} {version} is ready." if not problems else f"{server} {version}: {'; '.join(problems)}."
    )
    return Outcome(message, health)
