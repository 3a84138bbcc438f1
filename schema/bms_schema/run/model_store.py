"""Fitted models on disk: a version is a folder with a readable sidecar, and no pickle is ever loaded.

BMS_HOME/models/<name>/<UTC>-<hash5>/   model files + meta.json
BMS_HOME/models/<name>/latest                  symlink (or a file naming the version), replaced atomically
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError

from bms_schema.run.errors import MachineProblem, ModelError
from bms_schema.run.hashing import sha256_of
from bms_schema.run.run_folder import PARTIAL, new_stamp
from bms_schema.run.versions import installed_versions
from bms_schema.run.workspace import models_folder

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

META_NAME = "meta.json"
LATEST = "latest"


class ModelMeta(BaseModel):
    """What `meta.json` says about a model version."""

    name: str
    version: str
    created: str
    columns: dict[str, str] = Field(description="input columns the model was trained on, with their units")
    features: list[str] = Field(description="feature names in the order the model takes them")
    versions: dict[str, str | None] = Field(description="library versions at training time")
    training_run: str | None = None
    split: str = Field(description="which rows were trained on and which the metrics come from")
    metrics: dict[str, Any] = {}
    settings: dict[str, Any] = Field(default={}, description="whatever else the loader needs, as plain JSON")
    files: dict[str, str] = Field(default={}, description="SHA-256 of every model file")


class ModelVersion(BaseModel):
    """A stored version whose hashes have been checked."""

    folder: Path
    meta: ModelMeta

    @property
    def version(self) -> str:
        """The version's id."""
        return self.meta.version


@contextmanager
def new_model_version(
    name: str,
    *,
    columns: dict[str, str],
    features: Sequence[str],
    split: str,
    training_run: str | None = None,
    metrics: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    libraries: Sequence[str] = (),
) -> Iterator[tuple[str, Path]]:
    """Yield (version id, folder to write model files into); publish it and move `latest` on success.

    An exception inside the block leaves no version behind.
    """
    parent = models_folder() / name
    version = new_stamp()
    draft = parent / f"{version}{PARTIAL}"
    try:
        draft.mkdir(parents=True)
    except OSError as error:
        raise MachineProblem(
            f"The model folder '{parent}' cannot be written: {error}.",
            expected="a writable BMS_HOME",
            fix="Set BMS_HOME.",
        ) from error
    try:
        yield version, draft
        meta = ModelMeta(
            name=name,
            version=version,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            columns=columns,
            features=list(features),
            versions=installed_versions(libraries),
            training_run=training_run,
            split=split,
            metrics=metrics or {},
            settings=settings or {},
            files={
                item.relative_to(draft).as_posix(): sha256_of(item)
                for item in sorted(draft.rglob("*"))
                if item.is_file()
            },
        )
        (draft / META_NAME).write_text(meta.model_dump_json(indent=2), encoding="utf-8")
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    draft.rename(parent / version)
    _point_latest(parent, version)


def _point_latest(parent: Path, version: str) -> None:
    """Replace `latest` atomically; where symlinks are not allowed it is a file that names the version."""
    fresh = parent / f".{LATEST}-{os.getpid()}-{version[-5:]}"
    try:
        fresh.symlink_to(version, target_is_directory=True)
    except OSError:
        fresh.write_text(version, encoding="utf-8")
    fresh.replace(parent / LATEST)


def model_versions(name: str) -> list[str]:
    """Return the published versions of a model, oldest first."""
    parent = models_folder() / name
    if not parent.is_dir():
        return []
    published = [
        item
        for item in parent.iterdir()
        if item.is_dir()
        and not item.is_symlink()
        and (item / META_NAME).is_file()
        and not item.name.endswith(PARTIAL)
    ]
    # The name tells the second; within one, the sidecar's own time decides.
    stamp = len("20260131T120000Z")
    published.sort(key=lambda item: (item.name[:stamp], (item / META_NAME).stat().st_mtime_ns))
    return [item.name for item in published]


def latest_version(name: str) -> str | None:
    """Return the version `latest` points to, None where there is no model yet."""
    pointer = models_folder() / name / LATEST
    if pointer.is_symlink():
        return pointer.readlink().name
    return pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else None


def load_model_version(
    name: str, version: str = LATEST, *, columns: Sequence[str] | None = None
) -> ModelVersion:
    """Find a version, check its hashes and that `columns` covers what it was trained on.

    Args:
        name: Model name.
        version: Version id, or "latest".
        columns: Columns the caller has; None skips the check.

    Raises:
        ModelError: no such version, a changed or missing file, or a column the caller lacks; says which.
    """
    known = model_versions(name)
    wanted = latest_version(name) if version == LATEST else version
    if wanted is None or wanted not in known:
        raise ModelError(
            f"There is no version '{version}' of model '{name}' in '{models_folder()}'.",
            expected=f"one of: {', '.join(known[-5:]) or 'none is stored yet'}",
            fix="Train one by calling the tool without a model version.",
        )
    folder = models_folder() / name / wanted
    try:
        meta = ModelMeta.model_validate_json((folder / META_NAME).read_bytes())
    except (OSError, ValidationError) as error:
        raise ModelError(
            f"Version '{wanted}' of '{name}' has an unreadable {META_NAME}.",
            expected="an untouched version",
            fix="Train again.",
        ) from error
    for file, digest in meta.files.items():
        if not (folder / file).is_file() or sha256_of(folder / file) != digest:
            raise ModelError(
                f"Version '{wanted}' of '{name}' is refused: '{file}' is missing or was changed.",
                expected="the files as trained",
                fix="Train again, or name another version.",
            )
    if columns is not None and (missing := [column for column in meta.columns if column not in set(columns)]):
        raise ModelError(
            f"Version '{wanted}' of '{name}' is refused: the data lacks {', '.join(missing)}.",
            expected=f"columns {', '.join(meta.columns)}",
            fix="Score data with the same columns, or train on these.",
        )
    return ModelVersion(folder=folder, meta=meta)


def save_estimator(estimator: BaseEstimator, path: Path) -> None:
    """Save a scikit-learn estimator with skops (no pickle)."""
    import skops.io

    skops.io.dump(estimator, path)


def load_estimator(path: Path, trusted: Sequence[str] = ()) -> Any:
    """Load a scikit-learn estimator saved by `save_estimator`.

    Args:
        path: The `.skops` file.
        trusted: Types beyond skops' own list that this model is known to hold.

    Raises:
        ModelError: the file holds a type that is not on the list, or is damaged.
    """
    from zipfile import BadZipFile

    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.load(path, trusted=list(trusted))
    except (UntrustedTypesFoundException, BadZipFile, ValueError, KeyError, OSError) as error:
        raise ModelError(
            f"'{path.name}' is refused: {error}.", expected="a model this version saved", fix="Train again."
        ) from error
