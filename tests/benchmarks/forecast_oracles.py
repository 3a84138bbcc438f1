"""What two oracles would forecast of a simulated string: one knows the future, the other only the process.

`true_course` is the simulated signal with every sensor's noise and every planted fault of the measuring chain
left out. Read as a forecast it knows all that is to come: the weather, the wander of room, charger and cells,
outages not yet begun, deaths. No forecaster can; what it misses is sensor noise and measuring faults alone.

`expected_course` knows every equation, parameter and hidden state up to an origin, and nothing random after it:
the weather and each wander fade towards their mean; outages, hot spells and deaths that begin later do not happen;
those that have begun run their true course to the end. That is close to the best a forecaster could do.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from bms_generate.simulate import simulate_string
from bms_generate.simulator import series_string, thermal
from bms_generate.simulator.deaths import Decay
from bms_generate.simulator.duty import Discharge
from bms_generate.simulator.sensors import SOC_DECIMALS
from bms_schema.data.columns import AMBIENT, CELL_ID, CURRENT, GRAVITY, SOC, TEMPERATURE, TIMESTAMP, VOLTAGE

CHANNELS = (VOLTAGE, TEMPERATURE, CURRENT, AMBIENT, GRAVITY, SOC)
# A start of a discharge that no span reaches: the simulator asks for at least one.
NEVER_H = 1e9


def true_course(index: int, **arguments: Any) -> tuple[dict[str, pd.DataFrame], np.ndarray]:
    """Return ({channel: times x cells}, start of each discharge [h since the first sample]) of a string."""
    starts: list[float] = []
    draw = series_string.draw_discharges

    def noted(rng: np.random.Generator, span_h: float) -> list[Discharge]:
        drawn = draw(rng, span_h)
        starts.extend(item.start_h for item in drawn)
        return drawn

    with _quiet_sensors(), patch.object(series_string, "draw_discharges", noted):
        return _by_channel(simulate_string(index, **arguments).readings), np.array(starts)


def expected_course(index: int, origin: int, **arguments: Any) -> dict[str, pd.DataFrame]:
    """Return {channel: times x cells} as expected after sample `origin`; up to it, as it truly was."""
    origin_h = origin * arguments["interval_minutes"] / 60.0
    with _quiet_sensors(), _nothing_new_after(origin, origin_h):
        return _by_channel(simulate_string(index, **arguments).readings)


def _by_channel(readings: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return one table per channel: a row per time, a column per cell."""
    return {name: readings.pivot_table(index=TIMESTAMP, columns=CELL_ID, values=name) for name in CHANNELS}


@contextmanager
def _quiet_sensors() -> Iterator[None]:
    """Let the log hold what is true; the sensors' random stream is drawn last, so nothing else moves.

    State of charge has no sensor; its log is rounded, and so is the truth: else 99.97 would count as an error.
    """
    with ExitStack() as stack:
        for name, silent in (
            (
                "read_cells",
                lambda true, *_: replace(true, soc_percent=np.round(true.soc_percent, SOC_DECIMALS)),
            ),
            ("read_current", lambda current_a, rng: current_a),
            ("read_ambient", lambda ambient_c, rng: ambient_c),
        ):
            stack.enter_context(patch.object(series_string, name, silent))
        yield


@contextmanager
def _nothing_new_after(origin: int, origin_h: float) -> Iterator[None]:
    """Let the simulator draw the same numbers, and keep of what they do only what the origin knows."""
    ar1, draw = series_string.ar1, series_string.draw_discharges
    let_die, excess_heat_c = series_string.let_die, series_string.excess_heat_c

    def fading(rng: Any, shape: Any, sd: float, step_h: float, time_constant_h: float) -> np.ndarray:
        drawn = ar1(rng, shape, sd, step_h, time_constant_h)
        last = round(origin_h / step_h)
        ahead_h = step_h * np.arange(1, len(drawn) - last)
        fade = np.exp(-ahead_h / time_constant_h).reshape((-1,) + (1,) * (drawn.ndim - 1))
        drawn[last + 1 :] = fade * drawn[last]
        return drawn

    def begun_discharges(rng: Any, span_h: float) -> list[Discharge]:
        begun = [item for item in draw(rng, span_h) if item.start_h <= origin_h]
        return begun or [Discharge(NEVER_H, 1.0, 0.1)]

    def begun_deaths(*arguments: Any) -> tuple[list[Any], Decay]:
        deaths, decay = let_die(*arguments)
        courses = {name: values.copy() for name, values in vars(decay).items()}
        for death in deaths:
            if death.onset > origin:
                for values in courses.values():
                    values[:, death.cell] = 0
        return deaths, replace(decay, **courses)

    def begun_heat(settings: Any, faults: list[Any]) -> np.ndarray:
        return excess_heat_c(settings, [fault for fault in faults if fault.first <= origin])

    with ExitStack() as stack:
        for module, name, known in (
            (series_string, "ar1", fading),
            (thermal, "ar1", fading),
            (series_string, "draw_discharges", begun_discharges),
            (series_string, "let_die", begun_deaths),
            (series_string, "excess_heat_c", begun_heat),
        ):
            stack.enter_context(patch.object(module, name, known))
        yield
