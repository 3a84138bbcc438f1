"""One XGBoost model per target: all quantiles, all horizons, all series; the horizon is a feature.

Direct multi-step (no forecast is ever fed back), trained on what a linear forecast leaves over, in scales of the
series, with the pinball loss. Source of the loss: Koenker and Bassett 1978; XGBoost `reg:quantileerror`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xgboost

ROUNDS = 20
BINS = 64
# Trainings run side by side instead: on samples this small a pool of threads that must share its cores with
# another one took 20 times as long as a single thread (measured).
ONE_THREAD = 1
# Modest trees: chosen on simulated fleets and ETTh1, see the README. One tree per round tells all quantiles
# (XGBoost 3.2 or newer): 20 rounds forecast as well as 40 of a tree per quantile did, in 40 % of the time.
PARAMETERS = {
    "objective": "reg:quantileerror",
    "tree_method": "hist",
    "multi_strategy": "multi_output_tree",
    "max_depth": 4,
    "learning_rate": 0.2,
    "min_child_weight": 80.0,
    "subsample": 0.7,
    "colsample_bytree": 0.3,
    "max_bin": BINS,
}


def train(
    features: np.ndarray,
    rest: np.ndarray,
    quantiles: list[float],
    *,
    names: list[str],
    seed: int,
) -> xgboost.Booster:
    """Return a model of the quantiles of `rest`.

    Args:
        features: float32 (m, F), NaN allowed.
        rest: (value - linear forecast) / scale at the horizon, shape (m,), finite.
        quantiles: Ascending, each in (0, 1).
        names: Feature names, length F.
        seed: Row and column sampling.
    """
    import xgboost

    data = xgboost.QuantileDMatrix(
        features, label=rest, feature_names=names, max_bin=BINS, nthread=ONE_THREAD
    )
    settings = PARAMETERS | {
        "quantile_alpha": np.asarray(quantiles),
        "seed": seed,
        "nthread": ONE_THREAD,
        "verbosity": 0,
    }
    return xgboost.train(settings, data, num_boost_round=ROUNDS)


def predict(model: xgboost.Booster, features: np.ndarray) -> np.ndarray:
    """Return the quantiles of the rest, shape (m, Q), ascending in every row."""
    import xgboost

    data = xgboost.DMatrix(features, feature_names=model.feature_names, nthread=ONE_THREAD)
    answer = np.asarray(model.predict(data), dtype=float).reshape(len(features), -1)
    return np.sort(answer, axis=1)


def save(model: xgboost.Booster, path: Path) -> None:
    """Write the model as UBJSON."""
    model.save_model(path)


def load(path: Path) -> xgboost.Booster:
    """Read a model written by `save`."""
    import xgboost

    model = xgboost.Booster()
    model.load_model(path)
    model.set_param({"nthread": ONE_THREAD})
    return model
