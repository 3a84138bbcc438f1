"""What the model store holds, read from the sidecars alone."""

from bms_schema.run.envelope import Outcome
from bms_schema.run.model_store import META_NAME, ModelMeta, latest_version, model_versions
from bms_schema.run.workspace import models_folder
from pydantic import ValidationError

from bms_live.errors import NoModelYet, UnknownModel
from bms_live.results import ModelsData, StoredModel, StoredVersion

LATEST = "latest"
MOST_VERSIONS = 20
_CURVES = ("budget",)  # metrics that a loader reads, too long for a list of versions


def stored_models() -> Outcome[ModelsData]:
    """List every stored model, newest version first."""
    parent = models_folder()
    names = sorted(item.name for item in parent.iterdir() if item.is_dir()) if parent.is_dir() else []
    models = [_stored(name) for name in names if model_versions(name)]
    text = f"{len(models)} models in '{parent}'." if models else f"No model is stored in '{parent}' yet."
    return Outcome(text, ModelsData(models=models))


def wanted_version(name: str, version: str, *, trained_by: str) -> str:
    """Return the version that a request means; looked up on every request, so a moved `latest` needs no restart.

    Args:
        name: Model name in the store.
        version: "latest" or a version.
        trained_by: The MCP tool that trains this model, for the error.

    Raises:
        NoModelYet: nothing of that name is stored.
        UnknownModel: other versions are, this one is not.
    """
    known = model_versions(name)
    latest = latest_version(name)
    if not known or (version == LATEST and latest not in known):
        raise NoModelYet(
            f"No '{name}' model has been trained in '{models_folder()}'.",
            expected="a trained model",
            fix=f"Train one with {trained_by}, then ask again; no restart is needed.",
        )
    if version == LATEST and latest is not None:
        return latest
    if version not in known:
        raise UnknownModel(
            f"There is no version '{version}' of model '{name}'.",
            expected=f"'{LATEST}' or one of: {', '.join(known[-5:])}",
            fix="GET /models lists them.",
        )
    return version


def _stored(name: str) -> StoredModel:
    known = model_versions(name)
    newest = [_version(name, version) for version in reversed(known[-MOST_VERSIONS:])]
    return StoredModel(
        name=name, latest=latest_version(name), versions=newest, truncated=len(known) > MOST_VERSIONS
    )


def sidecar(name: str, version: str) -> ModelMeta | None:
    """Return what `meta.json` of a version says, None where it cannot be read."""
    try:
        return ModelMeta.model_validate_json((models_folder() / name / version / META_NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def _version(name: str, version: str) -> StoredVersion:
    meta = sidecar(name, version)
    if meta is None:
        return StoredVersion(version=version, problem=f"unreadable {META_NAME}: train again")
    return StoredVersion(
        version=version,
        created=meta.created,
        columns=meta.columns,
        features=len(meta.features),
        split=meta.split,
        metrics={name: value for name, value in meta.metrics.items() if name not in _CURVES},
        training_run=meta.training_run,
    )
