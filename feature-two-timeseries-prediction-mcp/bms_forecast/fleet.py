"""All cells of a table at once: one model per target, every cell forecast from its own last reading."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
from bms_schema.data.cleaning import without_imputed
from bms_schema.data.columns import CELL_ID, TIMESTAMP
from bms_schema.data.moments import GAP_STEPS
from bms_schema.data.table import BatteryTable
from bms_schema.run.errors import NotEnoughData
from bms_schema.run.wording import counted

from bms_forecast.backtest import Backtest
from bms_forecast.candidates import LEVELS
from bms_forecast.cell import STEP_TOLERANCE, Progress, check_step, no_progress, side_by_side
from bms_forecast.fitted import FittedState
from bms_forecast.forecaster import CellForecaster
from bms_forecast.grid import ID, VALUE, WHEN
from bms_forecast.targets import FEWEST_READINGS, TargetFrames, known_to_model


@dataclass(frozen=True)
class TargetFleet:
    """One target of all cells.

    Args:
        forecast: `unique_id`, `ds`, `mean`, `q0.05`, … `q0.95`; the same number of rows, in time order, for every
            representative, one after the other.
        tests: {representative: what its backtest says}.
        members: {representative: the cells that share its reading}; a cell's own reading is shared by nobody else.
        state: The fitted state, to be stored.
        step_s: Time between forecast steps [s].
    """

    forecast: pd.DataFrame
    tests: dict[str, Backtest]
    members: dict[str, list[str]]
    state: FittedState
    step_s: float

    @property
    def per_cell(self) -> list[tuple[str, str]]:
        """(cell, its representative) of every cell that is forecast."""
        return [(cell, name) for name in self.tests for cell in self.members.get(name, [name])]


@dataclass(frozen=True)
class FleetForecast:
    """All targets of all cells.

    Args:
        steps: Steps ahead.
        targets: {column: forecasts}, in the order of the column table.
        cells: All cells of the table, sorted.
        newest: Time of each cell's last row, index cell.
        stopped: Cells whose last row is long before the table's.
        history: The dated rows that were looked at, in time order.
        warnings: What the caller should know.
    """

    steps: int
    targets: dict[str, TargetFleet]
    cells: list[str]
    newest: pd.Series
    stopped: list[str]
    history: pd.DataFrame = field(repr=False)
    warnings: list[str] = field(default_factory=list)


def forecast_fleet_table(
    table: BatteryTable,
    steps: int,
    *,
    seed: int = 0,
    states: dict[str, FittedState] | None = None,
    progress: Progress = no_progress,
) -> FleetForecast:
    """Forecast every target of every cell from the cell's own last reading.

    Args:
        table: The file as read. Filled-in values are not looked at; forecasts stay within its plausible limits.
        steps: Steps ahead, of each target's usual step.
        seed: Seed of sampling and training.
        states: Fitted states per target: nothing is trained; None trains.
        progress: Called with (done, total, message) from this thread.

    Raises:
        NotEnoughData: no cell has enough readings of any target.
        ModelError: the states fit neither targets nor step.
    """
    frame = without_imputed(table.frame)
    timed = frame[frame[TIMESTAMP].notna()].sort_values(TIMESTAMP, kind="stable", ignore_index=True)
    wanted, warnings = known_to_model(table.measured, states, "this table's")
    frames = TargetFrames(timed)

    def work(target: str) -> tuple[TargetFleet | None, list[str]]:
        state = states[target] if states is not None else None
        return _forecast_target(frames, target, steps, seed, state, table.limits[target])

    targets: dict[str, TargetFleet] = {}
    progress(
        0, len(wanted), f"{counted(len(wanted), 'target')} of {counted(timed[CELL_ID].nunique(), 'cell')}"
    )
    for number, (target, (found, said)) in enumerate(side_by_side(wanted, work), start=1):
        warnings += [f"{target}: {text}" for text in said]
        if found is not None:
            targets[target] = found
        progress(number, len(wanted), f"{target} done")
    if not targets:
        raise NotEnoughData(
            f"No cell has {FEWEST_READINGS} dated readings of any target.",
            expected=f"at least {FEWEST_READINGS}",
            fix="Pass a longer history.",
        )
    cells = sorted(frame[CELL_ID].astype(str).unique())
    newest = timed.groupby(timed[CELL_ID].astype(str))[TIMESTAMP].max()
    stopped = _stopped(newest, next(iter(targets.values())).step_s)
    if stopped:
        warnings.append(
            f"{counted(len(stopped), 'cell')} stopped long before the data's end ({newest.max()}), forecast from "
            f"the own end: {some(stopped)}"
        )
    return FleetForecast(steps, targets, cells, newest, stopped, timed, warnings)


def _forecast_target(
    frames: TargetFrames,
    target: str,
    steps: int,
    seed: int,
    state: FittedState | None,
    limits: tuple[float, float],
) -> tuple[TargetFleet | None, list[str]]:
    tidy, members = frames.tidy(target), frames.members(target)
    rhythm = _rhythm(tidy)
    scarce = rhythm.index[rhythm["readings"] < FEWEST_READINGS]
    said = []
    if len(scarce):
        left_out = sorted(cell for name in scarce for cell in members.get(name, [name]))
        said.append(f"fewer than {FEWEST_READINGS} readings, not forecast: {some(left_out)}")
        tidy, rhythm = tidy[~tidy[ID].isin(scarce)], rhythm.drop(scarce)
    if rhythm.empty:
        return None, said
    usual_s = float(rhythm["step_s"].median())
    if state is not None:
        check_step(target, usual_s, state)
        forecaster = CellForecaster.from_state(state, steps, tuple(LEVELS))
    else:
        forecaster = CellForecaster(steps, tuple(LEVELS), seed, step_s=usual_s).fit(tidy)
    other = rhythm.index[(rhythm["step_s"] / forecaster.fitted.step_s - 1.0).abs() > STEP_TOLERANCE]
    if len(other):
        usual = f"not read every {forecaster.fitted.step_s:g} s as most are, but put on that step"
        said.append(f"{usual}: {some(sorted(other))}")
    again = None if state is None else tidy  # what it was fitted on is on its grid already
    forecast = forecaster.predict(again)
    gone = sorted(set(rhythm.index) - set(forecast[ID]))
    if gone:
        said.append(f"ended too long before the newest reading, not forecast: {some(gone)}")
    bands = [str(name) for name in forecast if name not in (ID, WHEN)]
    forecast[bands] = forecast[bands].clip(*limits)
    step_s = forecaster.fitted.step_s
    return TargetFleet(forecast, forecaster.backtest(again), members, forecaster.fitted, step_s), said


def _rhythm(tidy: pd.DataFrame) -> pd.DataFrame:
    """Return each series' number of readings at different times, `readings`, and their usual step, `step_s`."""
    known = tidy.loc[tidy[VALUE].notna(), [ID, WHEN]].drop_duplicates().sort_values([ID, WHEN], kind="stable")
    step = known[WHEN].diff().dt.total_seconds().where(known[ID] == known[ID].shift())
    found = pd.DataFrame(
        {"readings": known.groupby(ID).size(), "step_s": step.groupby(known[ID]).median().round(3)}
    )
    return found.reindex(tidy[ID].unique()).fillna({"readings": 0})


def _stopped(newest: pd.Series, step_s: float) -> list[str]:
    late_s = (newest.max() - newest).dt.total_seconds()
    return sorted(str(cell) for cell in newest.index[late_s > GAP_STEPS * step_s])


def some(names: list[str], most: int = 8) -> str:
    """Return the first names, and how many there are where that is not all."""
    shown = ", ".join(names[:most])
    return f"{shown}, … ({len(names)} in all)" if len(names) > most else shown
