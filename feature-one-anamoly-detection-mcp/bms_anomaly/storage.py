"""A fitted detector on disk: skops for the scikit-learn members, torch weights, plain arrays; never pickle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bms_schema.data.columns import COLUMNS
from bms_schema.run.errors import ModelError
from bms_schema.run.model_store import (
    LATEST,
    load_estimator,
    load_model_version,
    new_model_version,
    save_estimator,
)

from bms_anomaly import vae
from bms_anomaly.hybrid import MEMBERS, HybridDetector
from bms_anomaly.scaling import RobustScaling
from bms_anomaly.scoring import FleetDetector
from bms_anomaly.tails import TailCalibration

MODEL_NAME = "anomaly"
LIBRARIES = ("numpy", "pandas", "scikit-learn", "skops", "torch")
# skops warns that a tampered tree can crash the process; ours is loaded only after its hash has been checked.
_TRUSTED_IN_FOREST = ("sklearn.tree._tree.Tree",)
_SVM, _FOREST, _WEIGHTS, _ARRAYS = "svm.skops", "forest.skops", "vae.pt", "calibration.npz"


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
    settings = {
        "contamination": hybrid.contamination,
        "random_state": hybrid.random_state,
        "threshold": float(hybrid.threshold_),
    }
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
    return version


def load_detector(
    version: str = LATEST, *, columns: Sequence[str] | None = None
) -> tuple[FleetDetector, str]:
    """Load a stored detector; return it and its version.

    Args:
        version: Version id or "latest".
        columns: Measured columns the data has; None skips the check.

    Raises:
        ModelError: no such version, changed files, or the data lacks a column it was trained on.
    """
    stored = load_model_version(MODEL_NAME, version, columns=columns)
    settings, features = stored.meta.settings, stored.meta.features
    hybrid = HybridDetector(settings["contamination"], settings["random_state"])
    hybrid.threshold_, hybrid.n_features_in_ = settings["threshold"], len(features)
    read_hybrid(hybrid, stored.folder)
    return FleetDetector(hybrid, features), stored.version


def write_hybrid(hybrid: HybridDetector, folder: Path) -> None:
    """Write the fitted parts of a detector into `folder`."""
    import torch

    save_estimator(hybrid.svm_, folder / _SVM)
    save_estimator(hybrid.forest_, folder / _FOREST)
    torch.save(hybrid.vae_.state_dict(), folder / _WEIGHTS)
    arrays: dict[str, Any] = {"centre": hybrid.scaling_.centre, "scale": hybrid.scaling_.scale}
    for name, tail in {**hybrid.tails_, "combined": hybrid.combined_tail_}.items():
        arrays[f"{name}_scores"] = tail.scores
        arrays[f"{name}_tail"] = np.array([tail.threshold, tail.rate, tail.share])
    np.savez(folder / _ARRAYS, **arrays)


def read_hybrid(hybrid: HybridDetector, folder: Path) -> None:
    """Read the fitted parts back into `hybrid`; its scores are then those of the detector that was written.

    Raises:
        ModelError: a file is damaged or holds more than plain arrays and weights.
    """
    import torch

    hybrid.svm_ = load_estimator(folder / _SVM)
    hybrid.forest_ = load_estimator(folder / _FOREST, trusted=_TRUSTED_IN_FOREST)
    network: Any = vae.build(hybrid.n_features_in_).double()
    try:
        network.load_state_dict(torch.load(folder / _WEIGHTS, weights_only=True))
        with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            hybrid.scaling_ = RobustScaling(arrays["centre"], arrays["scale"])
            tails = {name: _tail(arrays, name) for name in (*MEMBERS, "combined")}
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise ModelError(
            f"A model file in '{folder.name}' cannot be used: {error}.",
            expected="a model this version saved",
            fix="Train again by calling the tool without a model version.",
        ) from error
    hybrid.vae_ = network.eval()
    hybrid.combined_tail_ = tails.pop("combined")
    hybrid.tails_ = tails


def _tail(arrays: Any, name: str) -> TailCalibration:
    threshold, rate, share = arrays[f"{name}_tail"].tolist()
    return TailCalibration(arrays[f"{name}_scores"], threshold, rate, share)
