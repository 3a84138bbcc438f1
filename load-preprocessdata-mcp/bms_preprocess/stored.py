"""The fitted imputer and scaler as a version of the model `preprocess`."""

from dataclasses import dataclass
from pathlib import Path

from bms_schema.data.columns import COLUMNS
from bms_schema.run.errors import ModelError
from bms_schema.run.model_store import (
    LATEST,
    load_estimator,
    load_model_version,
    new_model_version,
    save_estimator,
)

from bms_preprocess.imputation import FittedImputer
from bms_preprocess.imputation_check import CHECK_SPLIT, ColumnCheck
from bms_preprocess.scaling import FittedScaler

MODEL_NAME = "preprocess"
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
        },
        libraries=LIBRARIES,
    ) as (version, folder):
        save_estimator(fitted.imputer.pipeline, folder / IMPUTER_FILE)
        save_estimator(fitted.scaler.pipeline, folder / SCALER_FILE)
    return version


def load_fitted(columns: list[str], version: str = LATEST) -> Fitted:
    """Load a version after checking its hashes and that the data has its columns.

    Raises:
        ModelError: no such version, changed files, or a column that the data lacks.
    """
    # skops finds the imputer's class only once scikit-learn has been told to offer it.
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401

    found = load_model_version(MODEL_NAME, version, columns=columns)
    folder, settings = Path(found.folder), found.meta.settings
    limits = {name: (float(low), float(high)) for name, (low, high) in settings["limits"].items()}
    imputer = load_estimator(folder / IMPUTER_FILE, IMPUTER_TYPES)
    scaler = load_estimator(folder / SCALER_FILE, SCALER_TYPES)
    return Fitted(
        FittedImputer(imputer, list(settings["imputer_columns"]), limits),
        FittedScaler(scaler, list(found.meta.features)),
        found.version,
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
