"""What was fitted, on disk: imputer and scaler as model `preprocess`, a scaler alone as `preprocess-scaler`."""

import json
from dataclasses import dataclass
from pathlib import Path

from bms_schema.data.columns import COLUMNS
from bms_schema.data.features import feature_table
from bms_schema.run.errors import ModelError
from bms_schema.run.model_store import (
    LATEST,
    ModelVersion,
    load_estimator,
    load_model_version,
    model_versions,
    new_model_version,
    save_estimator,
)
from bms_schema.run.run_folder import MANIFEST_NAME

from bms_preprocess.imputation import FittedImputer
from bms_preprocess.imputation_check import CHECK_SPLIT, ColumnCheck
from bms_preprocess.scaling import FittedScaler

MODEL_NAME, SCALER_MODEL = "preprocess", "preprocess-scaler"
# Raised when predictors, chain or scaler change: what was stored before would fill in something else.
FORM = 2
LIBRARIES = ("bms-preprocess", "scikit-learn", "pandas", "numpy", "skops")
IMPUTER_FILE, SCALER_FILE = "imputer.skops", "scaler.skops"
# What the two pipelines hold beyond the types that skops trusts by itself; none of them runs code when loaded.
SCALER_TYPES = ("numpy.dtype",)
IMPUTER_TYPES = (
    *SCALER_TYPES,
    "sklearn.impute._iterative.IterativeImputer",
    "sklearn.impute._iterative._ImputerTriplet",
)


@dataclass(frozen=True)
class Fitted:
    """Everything that was learned from the data.

    Args:
        imputer: The fitted MICE.
        scaler: The fitted mean imputer and robust scaler.
        version: The stored version it came from; empty when fitted just now.
    """

    imputer: FittedImputer
    scaler: FittedScaler
    version: str = ""


def save_fitted(
    fitted: Fitted, checks: dict[str, ColumnCheck], *, rows: int, training_run: str | None
) -> str:
    """Store a new version and return its id.

    Args:
        fitted: Imputer and scaler.
        checks: Errors on hidden readings, kept as the version's metrics.
        rows: Rows of the table it was fitted on.
        training_run: Run that fitted it.
    """
    columns = {name: COLUMNS[name].unit for name in fitted.imputer.targets}
    with new_model_version(
        MODEL_NAME,
        columns=columns,
        features=fitted.scaler.columns,
        split=f"fitted on {rows} rows (bounded hash samples of them); metrics: {CHECK_SPLIT}",
        training_run=training_run,
        metrics={name: {"rmse": check.rmse, "mean_rmse": check.mean_rmse} for name, check in checks.items()},
        settings={
            "imputer_columns": fitted.imputer.columns,
            "limits": {name: list(limits) for name, limits in fitted.imputer.limits.items()},
            "means": fitted.imputer.means,
            "form": FORM,
        },
        libraries=LIBRARIES,
    ) as (version, folder):
        save_estimator(fitted.imputer.pipeline, folder / IMPUTER_FILE)
        save_estimator(fitted.scaler.pipeline, folder / SCALER_FILE)
    return version


def save_scaler(scaler: FittedScaler, *, rows: int, training_run: str | None) -> str:
    """Store a scaler alone as a new version and return its id.

    Args:
        scaler: Mean imputer and robust scaler.
        rows: Rows of the table it was fitted on.
        training_run: Run that fitted it.
    """
    units = {feature.name: feature.unit for feature in feature_table()}
    units |= {name: column.unit for name, column in COLUMNS.items()}
    with new_model_version(
        SCALER_MODEL,
        columns={name: units[name] for name in scaler.columns},
        features=scaler.columns,
        split=f"fitted on {rows} rows (a bounded hash sample of them); no metrics",
        training_run=training_run,
        settings={"form": FORM},
        libraries=LIBRARIES,
    ) as (version, folder):
        save_estimator(scaler.pipeline, folder / SCALER_FILE)
    return version


def load_scaler(version: str = LATEST) -> tuple[FittedScaler, str]:
    """Load the scaler of a version of either model, and return it with the version's id.

    Args:
        version: Id, or "latest" for the newest of both.

    Raises:
        ModelError: no such version, one of another release, or changed files.
    """
    stored = {found: name for name in (MODEL_NAME, SCALER_MODEL) for found in model_versions(name)}
    if version == LATEST and stored:
        version = max(stored)  # ids begin with the time
    found = load_model_version(stored.get(version, MODEL_NAME), version)
    _check_form(found)
    scaler = load_estimator(Path(found.folder) / SCALER_FILE, SCALER_TYPES)
    return FittedScaler(scaler, list(found.meta.features)), found.version


def scaled_with(table: Path) -> str:
    """Return the version that a run's scaled table was scaled with; "latest" where no manifest beside it tells."""
    try:
        manifest = json.loads((table.parent / MANIFEST_NAME).read_text(encoding="utf-8"))
        return str(manifest["data"]["model_version"]) or LATEST
    except (OSError, ValueError, KeyError, TypeError):
        return LATEST


def load_fitted(columns: list[str], version: str = LATEST) -> Fitted:
    """Load a version after checking its hashes and that the data has its columns.

    Raises:
        ModelError: no such version, one of another release or with a scaler only, changed files, or a
            column that the data lacks.
    """
    if version in model_versions(SCALER_MODEL):
        raise ModelError(
            f"Version '{version}' holds a scaler and no imputer.",
            expected="a version stored by preprocess_battery_data_tool",
            fix="Name such a version, or none to fit on this data.",
        )
    # skops finds the imputer's class only once scikit-learn has been told to offer it.
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401

    found = load_model_version(MODEL_NAME, version, columns=columns)
    _check_form(found)
    folder, settings = Path(found.folder), found.meta.settings
    limits = {name: (float(low), float(high)) for name, (low, high) in settings["limits"].items()}
    imputer = load_estimator(folder / IMPUTER_FILE, IMPUTER_TYPES)
    scaler = load_estimator(folder / SCALER_FILE, SCALER_TYPES)
    return Fitted(
        FittedImputer(imputer, list(settings["imputer_columns"]), limits, dict(settings["means"])),
        FittedScaler(scaler, list(found.meta.features)),
        found.version,
    )


def _check_form(found: ModelVersion) -> None:
    if found.meta.settings.get("form") != FORM:
        raise ModelError(
            f"Version '{found.version}' was stored by another release of BMS-Flux, whose rules differ.",
            expected=f"a version of form {FORM}",
            fix="Fit again by naming no version.",
        )


def check_columns(fitted: Fitted, columns: list[str]) -> None:
    """Check that a table with these columns can be filled and scaled.

    Raises:
        ModelError: naming the columns it lacks.
    """
    wanted = [*fitted.imputer.targets, *fitted.scaler.columns]
    if missing := [name for name in dict.fromkeys(wanted) if name not in columns]:
        raise ModelError(
            f"The table lacks {', '.join(missing[:8])}{', …' if len(missing) > 8 else ''}.",
            expected="the readings and features that imputer and scaler were fitted on",
            fix="Engineer features first, or fit on this table by naming no version.",
        )
