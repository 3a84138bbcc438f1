"""Failure models in the model store: trees as XGBoost's own UBJ, the rest as plain numbers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from bms_schema.data.columns import COLUMNS
from bms_schema.run.errors import ModelError
from bms_schema.run.model_store import ModelMeta, load_model_version, model_versions, new_model_version

from bms_failure.calibration import Calibrator, Logistic
from bms_failure.feature_set import FEATURE_NAMES
from bms_failure.model import FailureModel

MODEL_NAME = "failure"
_TREES = "trees.ubj"
CHANCE_AUROC = 0.5
LIBRARIES = ("xgboost", "numpy", "pandas", "scipy")


@contextmanager
def new_model(
    model: FailureModel,
    *,
    measured: Sequence[str],
    split: str,
    metrics: dict[str, object],
    training_run: str,
    trained_on: str,
) -> Iterator[str]:
    """Store a model with the end of the block, whose value is its version; an exception in it leaves no version.

    Args:
        model: The fitted model.
        measured: Measured columns that held readings at training time.
        split: Which moments the metrics come from.
        metrics: As returned by the tool.
        training_run: Run id.
        trained_on: The fleet in words, for whoever is scored with this model later.
    """
    settings = {
        "method": model.method,
        "calibrators": [asdict(calibrator) for calibrator in model.calibrators],
        "horizons": list(model.horizons),
        "judged_days": model.judged_days,
        "alert_threshold": model.alert_threshold,
        "chemistry": model.chemistry,
        "trained_on": trained_on,
    }
    with new_model_version(
        MODEL_NAME,
        columns={name: COLUMNS[name].unit for name in measured},
        features=FEATURE_NAMES,
        split=split,
        training_run=training_run,
        metrics=metrics,
        settings=settings,
        libraries=LIBRARIES,
    ) as (version, folder):
        model.booster.save_model(folder / _TREES)
        yield version


def load_model(version: str, *, measured: Sequence[str], chemistry: str) -> tuple[FailureModel, ModelMeta]:
    """Load a version that fits the data.

    Args:
        version: Version id or "latest".
        measured: Measured columns of the data that hold readings.
        chemistry: Profile of the data.

    Raises:
        ModelError: no such version, damaged, or trained on other columns, features or chemistry.
    """
    import xgboost

    stored = load_model_version(MODEL_NAME, version, columns=measured)
    meta, settings = stored.meta, stored.meta.settings
    if settings["chemistry"] != chemistry or tuple(meta.features) != FEATURE_NAMES:
        raise ModelError(
            f"Version '{stored.version}' of '{MODEL_NAME}' is refused: it was trained on {settings['chemistry']} "
            f"cells with {len(meta.features)} features, the data are {chemistry} with {len(FEATURE_NAMES)}.",
            expected="the same chemistry and the same features",
            fix="Train on data with IsDead labels of this chemistry, or name another version.",
        )
    if "calibrators" not in settings:
        raise ModelError(
            f"Version '{stored.version}' of '{MODEL_NAME}' is refused: an earlier release calibrated it.",
            expected="a model of this release",
            fix="Train again on data with IsDead labels.",
        )
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(stored.folder / _TREES)
    model = FailureModel(
        settings["method"],
        booster,
        tuple(_calibrator(kept) for kept in settings["calibrators"]),
        tuple(int(days) for days in settings["horizons"]),
        int(settings["judged_days"]),
        float(settings["alert_threshold"]),
        chemistry,
    )
    return model, meta


def _calibrator(kept: dict[str, dict[str, object]]) -> Calibrator:
    """Return a calibrator from the numbers of `meta.json`, in which tuples are lists."""
    return Calibrator(
        **{
            part: Logistic(
                tuple(numbers["slopes"]),  # type: ignore[arg-type]
                float(numbers["intercept"]),  # type: ignore[arg-type]
                tuple(numbers["centres"]),  # type: ignore[arg-type]
                tuple(numbers["spreads"]),  # type: ignore[arg-type]
            )
            for part, numbers in kept.items()
        }
    )


def newest_fitting_model(*, measured: Sequence[str], chemistry: str) -> tuple[FailureModel, ModelMeta] | None:
    """Return the newest stored model that fits the data and was better than chance, None where there is none."""
    for version in reversed(model_versions(MODEL_NAME)):
        try:
            model, meta = load_model(version, measured=measured, chemistry=chemistry)
        except ModelError:
            continue
        evidence = meta.metrics["methods"][meta.metrics["chosen"]]
        if (evidence["auroc_lo95"] or 0.0) > CHANCE_AUROC:
            return model, meta
    return None
