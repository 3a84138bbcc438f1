"""Fitted forecasters in the model store: trees as UBJSON, the rest as plain JSON; no pickle."""

from __future__ import annotations

from typing import Any

import numpy as np
from bms_schema.data.columns import CELL_ID, COLUMNS, TIMESTAMP
from bms_schema.run.model_store import ModelVersion, load_model_version, new_model_version
from pydantic import BaseModel

from bms_forecast import boosting
from bms_forecast.fitted import FittedState

NAME = "forecast"
CHECKED, FINAL = "checked", "final"
LIBRARIES = ("bms-forecast", "bms-schema", "numpy", "pandas", "xgboost")


class StoredState(BaseModel):
    """The plain part of a `FittedState`."""

    step_s: float
    season: int
    longest: int
    exogenous: list[str]
    cut_s: float
    window: int
    levels: list[float]
    modelled: bool
    checked_shifts: list[list[float]] | None = None
    final_shifts: list[list[float]] | None = None


def save_states(
    states: dict[str, FittedState], *, split: str, metrics: dict[str, Any], training_run: str | None
) -> str:
    """Store the states of all targets as one version; return its id."""
    settings = {target: _plain(state).model_dump(mode="json") for target, state in states.items()}
    boosters = [state.final for state in states.values() if state.final is not None]
    with new_model_version(
        NAME,
        columns={name: COLUMNS[name].unit for name in (CELL_ID, TIMESTAMP, *states)},
        features=sorted({name for booster in boosters for name in booster.feature_names or []}),
        split=split,
        training_run=training_run,
        metrics=metrics,
        settings=settings,
        libraries=LIBRARIES,
    ) as (version, folder):
        for target, state in states.items():
            for part, booster in ((CHECKED, state.checked), (FINAL, state.final)):
                if booster is not None:
                    boosting.save(booster, folder / f"{target}-{part}.ubj")
    return version


def load_states(version: str) -> tuple[dict[str, FittedState], ModelVersion]:
    """Load the states of a version, or of "latest".

    Raises:
        ModelError: no such version, or changed files.
    """
    stored = load_model_version(NAME, version)
    states = {}
    for target, settings in stored.meta.settings.items():
        plain = StoredState.model_validate(settings)
        state = FittedState(
            plain.step_s,
            plain.season,
            plain.longest,
            plain.exogenous,
            plain.cut_s,
            plain.window,
            np.array(plain.levels),
        )
        if plain.modelled:
            state.checked = boosting.load(stored.folder / f"{target}-{CHECKED}.ubj")
            state.final = boosting.load(stored.folder / f"{target}-{FINAL}.ubj")
            state.checked_shifts = np.array(plain.checked_shifts)
            state.final_shifts = np.array(plain.final_shifts)
        states[target] = state
    return states, stored


def _plain(state: FittedState) -> StoredState:
    return StoredState(
        step_s=state.step_s,
        season=state.season,
        longest=state.longest,
        exogenous=state.exogenous,
        cut_s=state.cut_s,
        window=state.window,
        levels=state.levels.tolist(),
        modelled=state.final is not None,
        checked_shifts=None if state.checked_shifts is None else state.checked_shifts.tolist(),
        final_shifts=None if state.final_shifts is None else state.final_shifts.tolist(),
    )
