"""Where BMS-Flux reads and writes: `BMS_HOME` and the allowed data roots."""

import os
from pathlib import Path

from bms_schema.run.errors import InputError, PathNotAllowed, PathNotFound

HOME_VARIABLE = "BMS_HOME"
ROOTS_VARIABLE = "BMS_DATA_ROOTS"
# Files of a folder that tools read; a link among them must not lead out of the roots.
_READ_SUFFIXES = (".csv", ".tsv", ".txt", ".log", ".gz", ".zip", ".parquet", ".json")


def _checkout_root() -> Path | None:
    """Return the repository's root when this package runs from a checkout, else None."""
    root = Path(__file__).resolve().parents[3]
    is_checkout = (root / "schema" / "bms_schema").is_dir() and (root / "load-preprocessdata-mcp").is_dir()
    return root if is_checkout else None


def workspace() -> Path:
    """Return the folder that holds `runs/` and `models/` (not created here).

    `BMS_HOME` if set, else the checkout's root, else the user's data folder. The working directory
    never matters: MCP hosts start servers anywhere.
    """
    if configured := os.environ.get(HOME_VARIABLE, "").strip():
        return Path(configured).expanduser().resolve()
    if (root := _checkout_root()) is not None:
        return root
    import platformdirs

    return Path(platformdirs.user_data_dir("bms-flux")).resolve()


def runs_folder() -> Path:
    """Return `BMS_HOME/runs`."""
    return workspace() / "runs"


def models_folder() -> Path:
    """Return `BMS_HOME/models`."""
    return workspace() / "models"


def allowed_roots() -> list[Path]:
    """Return the folders below which tools may read: `BMS_DATA_ROOTS` or cwd and home; the workspace always."""
    configured = os.environ.get(ROOTS_VARIABLE, "")
    roots = [Path(part).expanduser() for part in configured.split(os.pathsep) if part.strip()]
    roots = roots or [Path.cwd(), Path.home()]
    resolved = [root.resolve() for root in (*roots, workspace())]
    return list(dict.fromkeys(resolved))


def readable_path(path: str | os.PathLike[str], *, kind: str = "data") -> Path:
    """Resolve `path` and check that it exists below an allowed root.

    Symlinks are resolved first, those to tables in a folder too, so a link cannot lead out of the roots.

    Raises:
        PathNotAllowed: outside every allowed root; the message names the roots and the variable.
        PathNotFound: nothing is there; the message lists what lies beside it.
        InputError: an empty or malformed path.
    """
    text = os.fspath(path).strip()
    if not text or "\0" in text:
        raise InputError(
            f"The {kind} path is {'empty' if not text else 'malformed'}.",
            expected="an absolute path",
            fix="Pass one.",
        )
    try:
        resolved = Path(text).expanduser().resolve()
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"The {kind} path '{text}' cannot be resolved: {error}.",
            expected="an existing path",
            fix="Check it.",
        ) from error
    _require_allowed(resolved)
    try:
        exists = resolved.exists()
    except OSError:
        exists = False
    if not exists:
        raise PathNotFound(
            f"'{resolved}' does not exist.",
            expected=f"an existing {kind} file or folder",
            fix=_what_lies_there(resolved),
        )
    if resolved.is_dir():
        for item in _entries(resolved):
            if item.is_symlink() and item.name.lower().endswith(_READ_SUFFIXES):
                _require_allowed(item.resolve())
    return resolved


def _require_allowed(resolved: Path) -> None:
    roots = allowed_roots()
    if not any(resolved == root or root in resolved.parents for root in roots):
        raise PathNotAllowed(
            f"'{resolved}' lies outside the folders this server may read.",
            expected=f"a path below one of: {', '.join(map(str, roots))}",
            fix=f"Move the file there, or add its folder to {ROOTS_VARIABLE} (separated by '{os.pathsep}').",
        )


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot be listed: {error.strerror}.", expected="a readable folder", fix="Check it."
        ) from error


def _what_lies_there(path: Path, limit: int = 10) -> str:
    """Say what the nearest existing folder holds, so that a typo can be put right in one go."""
    folder = next((parent for parent in path.parents if parent.is_dir()), None)
    if folder is None:
        return "Check the path."
    try:
        names = sorted(item.name for item in folder.iterdir() if not item.name.startswith("."))
    except OSError:
        return f"Check the path; '{folder}' cannot be listed."
    shown = ", ".join(names[:limit]) + (", …" if len(names) > limit else "")
    return f"Check the path; '{folder}' holds: {shown or 'nothing'}."
