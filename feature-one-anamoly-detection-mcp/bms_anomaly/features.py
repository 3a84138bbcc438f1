"""Features of a fleet: each reading against its string, then against its cell's own past and future.

Detection is retrospective: centred windows and a cell's own level look at later rows of the same file too.
Features are near zero for a healthy cell and NaN where nothing can be said; `IsDead` is never looked at.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.columns import (
    AMBIENT,
    CURRENT,
    GRAVITY,
    RESOLUTION,
    STRING,
    TEMPERATURE,
    TIMESTAMP,
    VOLTAGE,
)
from bms_schema.data.deviation import moment_matrices
from bms_schema.data.features import lag_within
from bms_schema.data.moments import CellOrder, moment_codes, order_cells

from bms_anomaly.levels import (
    believable_rows,
    deviation_from_usual,
    load_state,
    moment_sigma,
    own_level,
)
from bms_anomaly.sigmas import level_sigmas, repeat_sigmas
from bms_anomaly.windows import centred_mean, centred_median, repeat_runs, window_s

DAY_H = 24.0
SHORT_READINGS, LONG_READINGS = 5, 24  # windows never hold fewer, however slowly a file is sampled [U]
RISE = "temperature_rise"
# How often a healthy sensor repeats a value is read from the file, but never trusted beyond these bounds.
REPEAT_CHANCE = (0.05, 0.99)
# A larger step counts as this many usual ones in the noise of a day; a sensor that hardly ever changes has steps of
# a fraction of a sigma, which must not make the next one infinitely noisy [U].
MOST_STEP, QUANTUM = 6.0, 0.1


@dataclass(frozen=True)
class Signal:
    """A measured signal and its short name."""

    column: str
    name: str

    @property
    def resolution(self) -> float:
        """Smallest sigma believed, in the column's unit."""
        return RESOLUTION[self.column]


SIGNALS = (Signal(VOLTAGE, "voltage"), Signal(TEMPERATURE, "temperature"), Signal(GRAVITY, "gravity"))
# string: deviation from the string's median; own: that, less the cell's own level; slow: its median over a day;
# fast: what sets it apart from its neighbours in time; noise: log of how much livelier than the string's cells;
# stuck: how rare it is that a value repeats so often.
ASPECTS = ("string", "own", "slow", "fast", "noise", "stuck")


@dataclass(frozen=True)
class _Context:
    """What the signals of one frame share, every array in the frame's row order."""

    order: CellOrder
    moments: np.ndarray
    matrices: list[np.ndarray]
    cells: np.ndarray
    load: np.ndarray
    short_s: float
    long_s: float


def feature_names(columns: Collection[str]) -> list[str]:
    """Return the features, in order, that these measured columns support."""
    names = [f"{s.name}_{aspect}" for s in SIGNALS if s.column in columns for aspect in ASPECTS]
    return names + ([RISE] if {TEMPERATURE, AMBIENT} <= set(columns) else [])


def source_columns(frame: pd.DataFrame) -> list[str]:
    """Return the measured columns with readings that features are made of."""
    known = (VOLTAGE, TEMPERATURE, GRAVITY, CURRENT, AMBIENT)
    return [name for name in known if name in frame and frame[name].notna().any()]


def signal_of(feature: str) -> str:
    """Return the signal that a feature speaks of.

    >>> signal_of("voltage_slow")
    'voltage'
    """
    return feature.split("_", 1)[0]


def fleet_features(frame: pd.DataFrame, columns: Collection[str] | None = None) -> pd.DataFrame:
    """Return the features of a canonical frame, one row per row, in the order of `feature_names`.

    Deviations are in sigmas of their signal, `temperature_rise` is in °C above ambient. A string's features
    depend on the rows of that string alone, so parts of whole strings can be computed apart.

    Args:
        frame: A canonical frame (see `BatteryTable`).
        columns: `source_columns` of the whole table, where the frame is a part of it; None takes the frame's.
    """
    columns = source_columns(frame) if columns is None else columns
    names = feature_names(columns)
    found = np.full((len(frame), len(names)), np.nan)
    for rows in frame.groupby(STRING, sort=False).indices.values():
        found[rows] = _string_features(frame.iloc[rows], columns)[names].to_numpy()
    return pd.DataFrame(found, index=frame.index, columns=names)


def _string_features(frame: pd.DataFrame, columns: Collection[str]) -> pd.DataFrame:
    """Return the features of one string."""
    context = _context(frame)
    found: dict[str, np.ndarray] = {}
    signals = [signal for signal in SIGNALS if signal.column in columns]
    values = [frame[signal.column].to_numpy(dtype=float) for signal in signals]
    deviations = [_deviation(column, context) for column in values]
    judged = [
        believable_rows(deviation, context.cells, signal.resolution)
        for deviation, signal in zip(deviations, signals, strict=True)
    ]
    healthy = np.logical_and.reduce([believable for believable, _ in judged])
    for signal, column, deviation, (_, spread) in zip(signals, values, deviations, judged, strict=True):
        level = own_level(deviation, healthy, context.cells)
        aspects = _aspects(column, deviation, level, spread, signal, context)
        found |= {f"{signal.name}_{aspect}": aspects[aspect] for aspect in ASPECTS}
    names = feature_names(columns)
    if RISE in names:
        found[RISE] = frame[TEMPERATURE].to_numpy(dtype=float) - frame[AMBIENT].to_numpy(dtype=float)
    return pd.DataFrame(found, index=frame.index, columns=names)


def _context(frame: pd.DataFrame) -> _Context:
    order = order_cells(frame)
    moments = moment_codes(frame, order)
    timed = TIMESTAMP in frame and bool(frame[TIMESTAMP].notna().any())
    return _Context(
        order,
        moments,
        moment_matrices(moments),
        order.restore(order.cell),
        load_state(frame),
        window_s(order, 0.0, SHORT_READINGS - 1),
        window_s(order, DAY_H if timed else 0.0, LONG_READINGS),
    )


def _aspects(
    values: np.ndarray,
    deviation: np.ndarray,
    level: np.ndarray,
    level_spread: float,
    signal: Signal,
    context: _Context,
) -> dict[str, np.ndarray]:
    """Return every aspect of one signal, each of shape (n,)."""
    order, own = context.order, deviation - level
    brief, long = (own - centred_median(own, order, width) for width in (context.short_s, context.long_s))
    sigma = moment_sigma(own, np.fmax(np.abs(brief), np.abs(long)), context.matrices, signal.resolution)
    runs = repeat_runs(values, order)
    reach = np.maximum(sigma, level_spread)
    return {
        "string": own / reach + level_sigmas(level / reach),
        "own": own / sigma,
        "slow": centred_median(own / sigma, order, context.long_s),
        "fast": brief / sigma,
        "noise": _noise(own, sigma, context),
        "stuck": repeat_sigmas(runs * -np.log(_repeat_chance(runs, context.cells))),
    }


def _noise(own: np.ndarray, sigma: np.ndarray, context: _Context) -> np.ndarray:
    """Return log of how much larger a cell's steps of a day are than those of its string, 0 if not, shape (n,)."""
    order = context.order
    steps = np.abs(own - lag_within(own, order, 1)) / np.maximum(sigma, lag_within(sigma, order, 1))
    usual = np.nanmedian(steps) if np.isfinite(steps).any() else 0.0
    bounded = np.minimum(steps, MOST_STEP * usual + QUANTUM)  # a lone jump is no noise
    liveliness = np.log(centred_mean(bounded, order, context.long_s) + QUANTUM)
    return np.maximum(_deviation(liveliness, context), 0.0)


def _deviation(values: np.ndarray, context: _Context) -> np.ndarray:
    return deviation_from_usual(values, context.matrices, context.cells, context.load)


def _repeat_chance(runs: np.ndarray, cells: np.ndarray) -> float:
    """Return the usual share of readings that repeat a neighbour: coarse resolution makes repeats common."""
    repeats = pd.Series(np.where(np.isfinite(runs), runs > 0, np.nan))
    usual = repeats.groupby(cells).mean().dropna()
    return float(np.clip(usual.median(), *REPEAT_CHANCE)) if len(usual) else REPEAT_CHANCE[1]
