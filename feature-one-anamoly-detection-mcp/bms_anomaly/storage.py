"""Fleet detectors in the model store: versions, what they were trained on, and loading them back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bms_schema.data.columns import COLUMNS
from bms_schema.run.errors import ModelError
from bms_schema.run.model_store import LATEST, load_model_version, new_model_version

from bms_anomaly.hybrid import HybridDetector
from bms_anomaly.hybrid_files import read_hybrid, write_hybrid
from bms_anomaly.scoring import FleetDetector, HealthyScores

MODEL_NAME = "anomaly"
# Raised when features, members or their files change: what was stored before would score otherwise.
FORM = 4
LIBRARIES = ("numpy", "pandas", "scikit-learn", "skops", "torch")
_HEALTHY = "healthy.npy"


def save_detector(
    detector: FleetDetector,
    *,
    columns: Sequence[str],
    split: str,
    training_run: str | None = None,
    metrics: dict[str, Any] | None = None,
) -> str:
    """Store a detector as a new version of model "anomaly" and return the version.

    Args:
        detector: Fitted.
        columns: Measured columns its features came from.
        split: Which rows were fitted on and which held out, in words.
        training_run: Id of the run that trained it.
        metrics: What was measured.
    """
    hybrid = detector.hybrid
    # Where it was fitted says nothing about the machine that it will be loaded on.
    parameters = {name: value for name, value in hybrid.get_params().items() if name != "device"}
    settings = {"form": FORM, "hybrid": parameters}
    with new_model_version(
        MODEL_NAME,
        columns={name: COLUMNS[name].unit for name in columns},
        features=detector.features,
        split=split,
        training_run=training_run,
        metrics=metrics,
        settings=settings,
        libraries=LIBRARIES,
    ) as (version, folder):
        write_hybrid(hybrid, folder)
        if detector.healthy is not None:
            np.save(folder / _HEALTHY, detector.healthy.counts)
    return version


def load_detector(version: str = LATEST) -> tuple[FleetDetector, str]:
    """Load a stored detector; return it and its version.

    Data that lack a signal it was trained on are scored by the others: `learned.unlike` says which.

    Args:
        version: Version id or "latest".

    Raises:
        ModelError: no such version, one of another release, or changed files.
    """
    stored = load_model_version(MODEL_NAME, version)
    settings, features = stored.meta.settings, stored.meta.features
    if settings.get("form") != FORM:
        raise ModelError(
            f"Version '{stored.version}' of '{MODEL_NAME}' was stored by another release of BMS-Flux.",
            expected=f"a version of form {FORM}",
            fix="Train again by naming no model.",
        )
    hybrid = HybridDetector(**settings["hybrid"])
    read_hybrid(hybrid, stored.folder)
    return FleetDetector(hybrid, features, _healthy(stored.folder)), stored.version


def _healthy(folder: Path) -> HealthyScores | None:
    path = folder / _HEALTHY
    return HealthyScores(np.load(path, allow_pickle=False)) if path.exists() else None
