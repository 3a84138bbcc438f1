"""Fitted forecasters in the model store: trees as UBJSON, arrays as npz, the rest as plain JSON; no pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from bms_schema.data.columns import CELL_ID, COLUMNS, TIMESTAMP
from bms_schema.run.errors import ModelError
from bms_schema.run.model_store import ModelVersion, load_model_version, new_model_version
from pydantic import BaseModel, ValidationError

from bms_forecast import boosting
from bms_forecast.blend import Blend, Courses
from bms_forecast.candidates import Candidates
from bms_forecast.fitted import FittedState
from bms_forecast.linear import LinearForecast

NAME = "forecast"
LIBRARIES = ("bms-forecast", "bms-schema", "numpy", "pandas", "xgboost")
CHECKED, FINAL = "checked", "final"


class StoredState(BaseModel):
    """The plain part of a `FittedState`; `format` rises with the arrays beside it: an old one is refused."""

    format: Literal[2]
    step_s: float
    season: int
    longest: int
    exogenous: list[str]
    future: list[str]
    cut_s: float
    window: int
    lost_by: float | None
    modelled: bool


def save_states(
    states: dict[str, FittedState], *, split: str, metrics: dict[str, Any], training_run: str | None
) -> str:
    """Store the states of all targets as one version; return its id."""
    settings = {target: _plain(state).model_dump(mode="json") for target, state in states.items()}
    trees = [state.candidates.trees for state in states.values() if state.candidates is not None]
    with new_model_version(
        NAME,
        columns={name: COLUMNS[name].unit for name in (CELL_ID, TIMESTAMP, *states)},
        features=sorted({name for booster in trees for name in booster.feature_names or []}),
        split=split,
        training_run=training_run,
        metrics=metrics,
        settings=settings,
        libraries=LIBRARIES,
    ) as (version, folder):
        for target, state in states.items():
            if state.candidates is not None and state.checked is not None and state.final is not None:
                boosting.save(state.candidates.trees, folder / f"{target}.ubj")
                linear = state.candidates.linear
                arrays = {"linear": linear.weights, "lags": np.array(linear.lags)}
                arrays |= _arrays_of(CHECKED, state.checked) | _arrays_of(FINAL, state.final)
                np.savez(folder / f"{target}.npz", **arrays)
    return version


def load_states(version: str) -> tuple[dict[str, FittedState], ModelVersion]:
    """Load the states of a version, or of "latest".

    Raises:
        ModelError: no such version, changed files, or one that an older release wrote.
    """
    stored = load_model_version(NAME, version)
    try:
        plain = {
            target: StoredState.model_validate(settings) for target, settings in stored.meta.settings.items()
        }
    except ValidationError as error:
        raise ModelError(
            f"Model version '{stored.version}' was written by another release.",
            expected="a model of this one",
            fix="Train again by leaving the model argument out.",
        ) from error
    return {target: _state(settings, stored.folder / target) for target, settings in plain.items()}, stored


def _plain(state: FittedState) -> StoredState:
    return StoredState(
        format=2,
        step_s=state.step_s,
        season=state.season,
        longest=state.longest,
        exogenous=state.exogenous,
        future=state.future,
        cut_s=state.cut_s,
        window=state.window,
        lost_by=state.lost_by,
        modelled=state.candidates is not None,
    )


def _state(plain: StoredState, stem: Path) -> FittedState:
    state = FittedState(**plain.model_dump(exclude={"format", "modelled"}))
    if plain.modelled:
        with np.load(stem.with_name(f"{stem.name}.npz"), allow_pickle=False) as arrays:
            trees = boosting.load(stem.with_name(f"{stem.name}.ubj"))
            state.candidates = Candidates(
                LinearForecast(arrays["linear"], int(arrays["lags"])), trees, plain.season
            )
            state.checked, state.final = (_blend_of(part, arrays) for part in (CHECKED, FINAL))
    return state


def _arrays_of(part: str, blend: Blend) -> dict[str, np.ndarray]:
    return {
        f"{part}-weights": blend.weights,
        f"{part}-share": np.array(blend.usual_share),
        f"{part}-shifts": blend.shifts,
        f"{part}-ranks": blend.courses.ranks,
        f"{part}-excess": blend.courses.excess,
    }


def _blend_of(part: str, arrays: Any) -> Blend:
    return Blend(
        arrays[f"{part}-weights"],
        float(arrays[f"{part}-share"]),
        arrays[f"{part}-shifts"],
        Courses(arrays[f"{part}-ranks"], arrays[f"{part}-excess"]),
    )
