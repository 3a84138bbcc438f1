"""What makes a table of series a fleet: cells that differ, a regular clock, shared signals, rare labels."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bms_generate.records import Records
from bms_generate.telemetry import STEP_TOLERANCE, Telemetry


def cell_variances(real: Telemetry, synthetic: Telemetry, signals: list[str]) -> pd.DataFrame:
    """Return how far cells lie apart (variance of their means) and how much each moves (mean of their variances).

    Args:
        real: Real series.
        synthetic: Synthetic series.
        signals: Names of the signals.

    Returns:
        `signal`, `between_real`, `between_synthetic`, `between_ratio`, and `within_…` likewise, in the signal's
        unit squared. Ratios are synthetic over real; 1 where both vanish, NaN where only the real one does.
    """
    table = pd.DataFrame({"signal": signals})
    sides = {"real": _variances(real), "synthetic": _variances(synthetic)}
    for kind, place in (("between", 0), ("within", 1)):
        for side, found in sides.items():
            table[f"{kind}_{side}"] = found[place]
        table[f"{kind}_ratio"] = ratio(table[f"{kind}_synthetic"], table[f"{kind}_real"])
    return table


def cell_moments(telemetry: Telemetry) -> tuple[np.ndarray, np.ndarray]:
    """Return each cell's mean and variance of each signal, both (cells, signals); NaN where all is missing."""
    cells = pd.DataFrame(telemetry.values).groupby(telemetry.entity)
    return cells.mean().to_numpy(), cells.var(ddof=0).to_numpy()


def _variances(telemetry: Telemetry) -> tuple[np.ndarray, np.ndarray]:
    means, variances = (pd.DataFrame(part) for part in cell_moments(telemetry))
    return means.var(ddof=0).to_numpy(), variances.mean().to_numpy()


def ratio(synthetic: pd.Series, real: pd.Series) -> np.ndarray:
    """Return synthetic over real; 1 where both are nought but for rounding, NaN where only the real one is."""
    nought = 1e-12
    after, before = synthetic.to_numpy(float), real.to_numpy(float)
    divided = np.divide(after, before, out=np.full(len(before), np.nan), where=before > nought)
    return np.where((before <= nought) & (after <= nought), 1.0, divided)


@dataclass(frozen=True)
class Clock:
    """How regular the time stamps are.

    Args:
        step_s: Usual step of the real table in seconds.
        regular_real: Share of its steps that are that long, within a quarter.
        regular_synthetic: The same share of the synthetic table, by the real step.
        repeated_real: Share of readings whose cell has another one at the same moment.
        repeated_synthetic: Likewise.
    """

    step_s: float
    regular_real: float
    regular_synthetic: float
    repeated_real: float
    repeated_synthetic: float


def compare_clocks(real: Telemetry, synthetic: Telemetry) -> Clock:
    """Return how regular both tables' time stamps are."""
    step = real.usual_step()
    return Clock(
        step / 1e9, _regular(real, step), _regular(synthetic, step), _repeated(real), _repeated(synthetic)
    )


def _regular(telemetry: Telemetry, step: int) -> float:
    steps = telemetry.steps()
    return float((np.abs(steps - step) <= STEP_TOLERANCE * step).mean()) if len(steps) else float("nan")


def _repeated(telemetry: Telemetry) -> float:
    twin = (np.diff(telemetry.time) == 0) & (np.diff(telemetry.entity) == 0)
    return float((np.r_[False, twin] | np.r_[twin, False]).mean()) if len(telemetry.time) else float("nan")


def shared_spread(real: Telemetry, synthetic: Telemetry, shared: list[str]) -> pd.DataFrame:
    """Return how far the cells of one string lie apart at one moment in a signal that they share.

    Args:
        real: Real series, the shared signals first.
        synthetic: Synthetic series.
        shared: Names of the shared signals.

    Returns:
        `signal`, `real`, `synthetic`: standard deviation over the cells, mean over strings and moments, in the
        signal's unit; 0 = shared indeed, NaN where no two cells of a string meet.
    """
    return pd.DataFrame(
        {
            "signal": shared,
            "real": _spread(real, len(shared)),
            "synthetic": _spread(synthetic, len(shared)),
        }
    )


def _spread(telemetry: Telemetry, size: int) -> np.ndarray:
    moments = pd.DataFrame(telemetry.values[:, :size]).groupby([telemetry.string, telemetry.time])
    # max == min is exact where a variance of equal decimals leaves 1e-17
    spread = moments.std(ddof=0).where(moments.max() != moments.min(), 0.0).where(moments.count() >= 2)
    return spread.mean().to_numpy()


@dataclass(frozen=True)
class LabelRates:
    """How often the label is true.

    Args:
        label: Name of the column.
        rows_real: Share of labelled readings.
        rows_synthetic: Likewise.
        cells_real: Share of cells with a true label at any time; NaN without cells.
        cells_synthetic: Likewise.
    """

    label: str
    rows_real: float
    rows_synthetic: float
    cells_real: float
    cells_synthetic: float


def label_rates(real: Telemetry | Records, synthetic: Telemetry | Records, label: str) -> LabelRates:
    """Return how often the label is true in both tables; in `Records` there are no cells."""
    rows, cells = zip(_rates(real), _rates(synthetic), strict=True)
    return LabelRates(label, *rows, *cells)


def _rates(rows: Telemetry | Records) -> tuple[float, float]:
    labels = pd.Series(rows.label)
    by_cell = labels.groupby(rows.entity).max().mean() if isinstance(rows, Telemetry) else np.nan
    return float(labels.mean()), float(by_cell)
