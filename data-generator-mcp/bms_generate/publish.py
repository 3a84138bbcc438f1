"""Writing synthetic tables in the real ones' form, and putting them into the data folder whole or not at all."""

import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from bms_schema.run.errors import MachineProblem, PathNotAllowed
from bms_schema.run.tables import write_table

from bms_generate.dataset import SYNTHETIC_FOLDER, Dataset, Tables
from bms_generate.precleaning import spelt

_DIGITS = {"0", "1", "0.0", "1.0"}


def write_tables(tables: Tables, dataset: Dataset, folder: Path) -> None:
    """Write each table as `<name>.csv`, times and truth values spelt as in the real file.

    Raises:
        MachineProblem: the disk refuses.
    """
    for name, frame in tables.items():
        write_table(as_in_file(frame, name, dataset), folder / f"{name}.csv")


def as_in_file(frame: pd.DataFrame, table: str, dataset: Dataset) -> pd.DataFrame:
    """Return the table with datetimes in the metadata's format and booleans in the file's own words."""
    dressed = frame.copy()
    for name, spec in dataset.metadata["tables"][table]["columns"].items():
        style = spec.get("datetime_format")
        if spec["sdtype"] == "datetime" and style:
            dressed[name] = frame[name].dt.strftime(style).where(frame[name].notna(), None)
        elif spec["sdtype"] == "boolean":
            words = dataset.truth_words[table][name]
            written = spelt(frame[name], words)
            # As text, digits would be quoted.
            dressed[name] = pd.to_numeric(written).astype("Int64") if set(words) <= _DIGITS else written
    return dressed


def require_writable(folder: Path) -> None:
    """Refuse a data folder that cannot take the result, before the work begins.

    Raises:
        MachineProblem: it is read-only, or something that is no folder has the name.
    """
    target = folder / SYNTHETIC_FOLDER
    if not os.access(folder, os.W_OK) or (target.exists() and not target.is_dir()):
        raise MachineProblem(
            f"'{target}' cannot be written.",
            expected="a folder this user may write",
            fix="Copy the data folder and pass the copy.",
        )


def replace_synthetic(folder: Path, source: Path) -> Path:
    """Put a copy of `source` in the place of `<folder>/synthetic_data`; readers see the old or the new one.

    Raises:
        MachineProblem: the disk refuses; the old folder is still there.
    """
    target = folder / SYNTHETIC_FOLDER
    mark = uuid.uuid4().hex[:8]
    fresh, old = folder / f".{SYNTHETIC_FOLDER}.{mark}.new", folder / f".{SYNTHETIC_FOLDER}.{mark}.old"
    try:
        shutil.copytree(source, fresh)
        had_one = target.exists()
        if had_one:
            target.rename(old)
        try:
            fresh.rename(target)
        except OSError:
            if had_one:
                old.rename(target)
            raise
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise MachineProblem(
            f"'{target}' cannot be replaced: {error}.",
            expected="a writable folder with free space",
            fix="Free some and run again.",
        ) from error
    # A link goes as a link: what it points to is not ours.
    old.unlink() if old.is_symlink() else shutil.rmtree(old, ignore_errors=True)
    return target


def copy_into(folder: Path, sources: Iterable[Path]) -> list[Path]:
    """Copy files into `folder`, each appearing whole; return their new paths.

    Raises:
        PathNotAllowed: the folder is a link, which may lead anywhere.
        MachineProblem: the disk refuses.
    """
    if folder.is_symlink():
        raise PathNotAllowed(
            f"'{folder}' is a link.", expected="a folder inside the data folder", fix="Remove the link."
        )
    copies = []
    try:
        folder.mkdir(exist_ok=True)
        for source in sources:
            partial = folder / f".{source.name}.{uuid.uuid4().hex[:8]}"
            shutil.copyfile(source, partial)
            copies.append(partial.replace(folder / source.name))
    except OSError as error:
        raise MachineProblem(
            f"'{folder}' cannot be written: {error}.",
            expected="a writable folder",
            fix="Copy the data folder and pass the copy.",
        ) from error
    return copies


def file_name(table: str, column: str) -> str:
    """Return a legal file name (no suffix) that differs where table or column differ.

    >>> file_name("battery", "CellVoltage")
    'battery-CellVoltage'
    """
    name = f"{table}-{column}"
    safe = re.sub(r"[^\w\-]+", "_", name)[:80]
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:5]}"
