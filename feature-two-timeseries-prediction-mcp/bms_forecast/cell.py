"""All targets of one cell: fit or reuse, test, forecast. Batch tool and live service both come through here."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import without_imputed
from bms_schema.data.columns import CELL_ID, TIMESTAMP
from bms_schema.data.moments import GAP_STEPS
from bms_schema.data.table import BatteryTable
from bms_schema.run.errors import ModelError
from bms_schema.run.threads import thread_count

from bms_forecast.backtest import Backtest
from bms_forecast.candidates import LEVELS
from bms_forecast.fitted import FittedState
from bms_forecast.forecaster import CellForecaster
from bms_forecast.grid import ID, VALUE, WHEN, usual_step_s
from bms_forecast.targets import TargetFrames, find_cell, known_to_model, targets_of, up_to_last_reading

# A stored model serves a cell whose step is within this share of its own.
STEP_TOLERANCE = 0.1
Progress = Callable[[float, float | None, str | None], None]
Found = TypeVar("Found")


@dataclass(frozen=True)
class TargetForecast:
    """One target of one cell.

    Args:
        forecast: `ds`, `mean`, `q0.05`, `q0.25`, `q0.5`, `q0.75`, `q0.95`, one row per step.
        backtest: What the backtest says.
        state: The fitted state, to be stored.
        history: `ds`, `y` of the cell in time order, readings only.
    """

    forecast: pd.DataFrame
    backtest: Backtest
    state: FittedState
    history: pd.DataFrame


@dataclass(frozen=True)
class CellForecast:
    """All targets of one cell.

    Args:
        cell_id: Canonical id.
        step_s: Usual step of the first target [s].
        targets: {column: forecast}, in the order of the column table.
        warnings: What the caller should know.
    """

    cell_id: str
    step_s: float
    targets: dict[str, TargetForecast]
    warnings: list[str] = field(default_factory=list)


def no_progress(done: float, total: float | None, message: str | None) -> None:
    """Stand in for a caller that wants no progress."""


def forecast_cell(
    table: BatteryTable,
    cell_id: str,
    steps: int,
    *,
    seed: int = 0,
    states: dict[str, FittedState] | None = None,
    progress: Progress = no_progress,
) -> CellForecast:
    """Forecast every target of a cell from its own last reading.

    Args:
        table: The file as read: all its cells train the model, one is forecast, within the table's plausible
            limits. Filled-in values are not looked at.
        cell_id: The cell, in full or by number.
        steps: Steps ahead.
        seed: Seed of sampling and training.
        states: Fitted states per target: nothing is trained; None trains.
        progress: Called with (done, total, message) from this thread.

    Raises:
        UnknownName: no such cell.
        NotEnoughData: too few readings.
        ModelError: the states fit neither targets nor step of this cell.
    """
    frame = without_imputed(table.frame)
    cell = find_cell(frame, cell_id)
    known = up_to_last_reading(frame, cell)
    wanted, scarce = targets_of(known, cell)
    warnings = [f"{name}: too few readings of this cell, not forecast" for name in scarce]
    warnings += _stopped_early(frame, known, cell)
    wanted, unknown = known_to_model(wanted, states, "this cell's")
    warnings += unknown
    frames = TargetFrames(known, prefer=cell)

    def work(target: str) -> TargetForecast:
        state = states[target] if states is not None else None
        found = _forecast_target(frames.tidy(target), cell, target, steps, seed, state)
        bands = [str(name) for name in found.forecast if name != WHEN]
        found.forecast[bands] = found.forecast[bands].clip(*table.limits[target])
        return found

    done: dict[str, TargetForecast] = {}
    progress(0, len(wanted), f"{len(wanted)} targets of cell {cell}")
    for number, (target, found) in enumerate(side_by_side(wanted, work), start=1):
        done[target] = found
        progress(number, len(wanted), f"{target}: {found.backtest.method}")
    warnings += _about_targets(done, steps)
    first = done[wanted[0]]
    return CellForecast(cell, first.state.step_s, done, warnings)


def side_by_side(targets: Sequence[str], work: Callable[[str], Found]) -> Iterator[tuple[str, Found]]:
    """Yield (target, what `work` makes of it) in order, several at work at one time.

    One single-threaded training per core: two OpenMP pools that share cores slow each other down.
    """
    with ThreadPoolExecutor(max_workers=max(min(thread_count(), len(targets)), 1)) as pool:
        futures = {target: pool.submit(work, target) for target in targets}
        try:
            for target, future in futures.items():
                yield target, future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _forecast_target(
    tidy: pd.DataFrame, cell: str, target: str, steps: int, seed: int, state: FittedState | None
) -> TargetForecast:
    own = tidy[(tidy[ID] == cell) & tidy[VALUE].notna()].sort_values(WHEN, kind="stable")
    step_s = usual_step_s(own[WHEN].to_numpy(dtype="datetime64[ns]").astype("int64") / 1e9)
    if state is None:
        forecaster = CellForecaster(steps, tuple(LEVELS), seed, step_s=step_s).fit(tidy)
    else:
        check_step(f"{target} of this cell", step_s, state)
        forecaster = CellForecaster.from_state(state, steps, tuple(LEVELS))
    again = None if state is None else tidy  # what it was fitted on is on its grid already
    test = forecaster.backtest(again, ids=[cell])[cell]
    forecast = forecaster.predict(again, ids=[cell]).drop(columns=ID)
    return TargetForecast(forecast, test, forecaster.fitted, own[[WHEN, VALUE]].reset_index(drop=True))


def check_step(what: str, step_s: float, state: FittedState) -> None:
    """Refuse a stored model of another step.

    Raises:
        ModelError: the steps differ by more than the tolerance.
    """
    if abs(step_s / state.step_s - 1.0) > STEP_TOLERANCE:
        raise ModelError(
            f"{what} comes every {step_s:g} s; the model was trained on {state.step_s:g} s.",
            expected="the model's step",
            fix="Train on this data by leaving the model argument out.",
        )


def _stopped_early(frame: pd.DataFrame, known: pd.DataFrame, cell: str) -> list[str]:
    last, end = known[TIMESTAMP].max(), frame[TIMESTAMP].max()
    times = known.loc[known[CELL_ID].astype(str) == cell, TIMESTAMP].to_numpy(dtype="datetime64[ns]")
    step_s = usual_step_s(times.astype("int64") / 1e9)
    if not np.isfinite(step_s):
        return []
    notes = []
    if (end - last).total_seconds() > GAP_STEPS * step_s:
        notes.append(
            f"the cell's last row is of {last}, the file goes on to {end}: the forecast continues the cell"
        )
    before = np.sort(times)[-2]
    if (last - before).total_seconds() > GAP_STEPS * step_s:
        notes.append(
            f"the cell's last row, of {last}, comes long after the one before it, of {pd.Timestamp(before)}: the "
            "forecast continues from there; if its clock was wrong, leave that row out"
        )
    return notes


def _about_targets(done: dict[str, TargetForecast], steps: int) -> list[str]:
    notes = []
    newest = max(item.history[WHEN].iloc[-1] for item in done.values())
    for name, item in done.items():
        late = (newest - item.history[WHEN].iloc[-1]).total_seconds()
        if late > GAP_STEPS * item.state.step_s:
            notes.append(f"{name}: its last reading is {late:g} s older than the cell's newest")
        if item.state.candidates is not None and steps > item.state.window:
            notes.append(
                f"{name}: history supports {item.state.window} steps; the best baseline with widening "
                "intervals goes on from there"
            )
        elif item.backtest.table.empty:
            notes.append(f"{name}: {item.backtest.method}, untested: {item.backtest.reason}")
    return notes
