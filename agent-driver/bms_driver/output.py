"""The output folder: a new one or an empty one; what is finished appears in it whole."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bms_driver.environment import CHECKOUT
from bms_driver.request import BadInput


def make_output_folder(asked: Path | None, environ: Mapping[str, str]) -> Path:
    """Create and return the output folder.

    Without `asked` it is `<workspace>/runs/<UTC>-pipeline-<hash5>/`, where the workspace is
    `BMS_HOME` or else the checkout.

    Raises:
        BadInput: The folder is not empty, is a file, or cannot be written to.
    """
    out = asked or _new_run_folder(environ)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise BadInput(f"{out} is not empty; name a new or empty folder with --out")
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise BadInput(f"cannot write to {out}: {error.strerror}; name another folder with --out") from error
    return out


def _new_run_folder(environ: Mapping[str, str]) -> Path:
    home = environ.get("BMS_HOME")
    workspace = Path(home).expanduser().absolute() if home else CHECKOUT
    now = datetime.now(UTC)
    unique = hashlib.sha256(f"{now.isoformat()} {os.getpid()}".encode()).hexdigest()[:5]
    return workspace / "runs" / f"{now:%Y%m%dT%H%M%SZ}-pipeline-{unique}"


def write_whole(path: Path, text: str) -> None:
    """Write the file so that it is there completely or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
