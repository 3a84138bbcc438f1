"""The fitted parts of a hybrid detector as files: skops, torch weights and plain arrays; never pickle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from bms_schema.run.errors import ModelError
from bms_schema.run.model_store import load_estimator, save_estimator

from bms_anomaly import vae
from bms_anomaly.covariance import RobustCovariance
from bms_anomaly.ensemble import Ensemble
from bms_anomaly.neighbours import Neighbours, Space
from bms_anomaly.scaling import RobustScaling
from bms_anomaly.tails import TailCalibration

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from bms_anomaly.hybrid import HybridDetector

# skops warns that a tampered tree can crash the process; ours is loaded only after its hash has been checked.
_TRUSTED_IN_FOREST = ("sklearn.tree._tree.Tree",)
_SVM, _FOREST, _WEIGHTS, _ARRAYS = "svm.skops", "forest.skops", "vae.pt", "arrays.npz"


def write_hybrid(hybrid: HybridDetector, folder: Path) -> None:
    """Write the fitted parts of a detector into `folder`."""
    import torch

    members = hybrid.members_
    save_estimator(members.svm, folder / _SVM)
    save_estimator(members.forest, folder / _FOREST)
    torch.save(members.vae.state_dict(), folder / _WEIGHTS)
    arrays: dict[str, Any] = {
        "centre": hybrid.scaling_.centre,
        "scale": hybrid.scaling_.scale,
        "covariance_centre": members.covariance.centre,
        "covariance_precision": members.covariance.precision,
        "neighbour_keys": members.neighbours.keys,
        "neighbour_blocks": members.neighbours.blocks,
        "units": members.units,
        "latent_centre": hybrid.latent_centre_,
        "latent_axes": hybrid.latent_axes_,
        "weights": hybrid.weights_,
        "threshold": hybrid.threshold_,
    }
    for number, space in enumerate(members.neighbours.spaces):
        arrays[f"space{number}_axes"], arrays[f"space{number}_core"] = space.axes, space.core
    for number, tail in enumerate([*hybrid.tails_, hybrid.combined_tail_]):
        arrays[f"tail{number}_scores"] = tail.scores
        arrays[f"tail{number}"] = np.array([tail.threshold, tail.rate, tail.share])
    np.savez(folder / _ARRAYS, **arrays)


def read_hybrid(hybrid: HybridDetector, folder: Path) -> None:
    """Read the fitted parts back into `hybrid`; its scores are then those of the detector that was written.

    Raises:
        ModelError: a file is damaged or holds more than plain arrays and weights.
    """
    svm = load_estimator(folder / _SVM)
    forest = load_estimator(folder / _FOREST, trusted=_TRUSTED_IN_FOREST)
    try:
        with np.load(folder / _ARRAYS, allow_pickle=False) as stored:
            arrays = dict(stored)
        _restore(hybrid, arrays, svm, forest, folder / _WEIGHTS)
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise ModelError(
            f"A model file in '{folder.name}' cannot be used: {error}.",
            expected="a model this version saved",
            fix="Train again by calling the tool without a model version.",
        ) from error


def _restore(
    hybrid: HybridDetector,
    arrays: dict[str, np.ndarray],
    svm: BaseEstimator,
    forest: BaseEstimator,
    weights: Path,
) -> None:
    import torch

    hybrid.n_features_in_ = len(arrays["centre"])
    network: Any = vae.build(hybrid.n_features_in_).double()
    network.load_state_dict(torch.load(weights, weights_only=True))
    spaces = _numbered(arrays, "space{}_axes", lambda n, axes: Space(axes, arrays[f"space{n}_core"]))
    neighbours = Neighbours(spaces, arrays["neighbour_keys"], arrays["neighbour_blocks"].tolist())
    covariance = RobustCovariance(arrays["covariance_centre"], arrays["covariance_precision"])
    tails = _numbered(
        arrays, "tail{}", lambda n, ends: TailCalibration(arrays[f"tail{n}_scores"], *ends.tolist())
    )
    hybrid.members_ = Ensemble(svm, forest, network.eval(), neighbours, covariance, arrays["units"])
    hybrid.scaling_ = RobustScaling(arrays["centre"], arrays["scale"])
    hybrid.latent_centre_, hybrid.latent_axes_ = arrays["latent_centre"], arrays["latent_axes"]
    hybrid.weights_, hybrid.threshold_ = arrays["weights"], float(arrays["threshold"])
    *hybrid.tails_, hybrid.combined_tail_ = tails


def _numbered(arrays: dict[str, np.ndarray], name: str, made_of: Any) -> list[Any]:
    """Return what `made_of` makes of the arrays called so, from number 0 on."""
    found: list[Any] = []
    while (array := arrays.get(name.format(len(found)))) is not None:
        found.append(made_of(len(found), array))
    return found
