"""What can be said of every cell: counts, deviation from its string, float window, steps of the current."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.chemistry import Chemistry
from bms_schema.data.columns import (
    AMBIENT,
    CELL_ID,
    CLEANED_NAMES,
    CURRENT,
    GRAVITY,
    STRING,
    TEMPERATURE,
    VOLTAGE,
    flag_of,
)
from bms_schema.data.features import LOAD_STEP_A
from bms_schema.data.moments import CellOrder

from bms_preprocess.grouped import grouped_quantiles, runs
from bms_preprocess.reasons import MASKED, REASONS, reason_codes
from bms_preprocess.timeline import Timeline

OUTLIER_Z = 6.0  # [U] robust z beyond which a reading is called an outlier
DEVIATIONS = {
    VOLTAGE: ("voltage_deviation_v", "voltage_robust_z"),
    TEMPERATURE: ("temperature_deviation_c", "temperature_robust_z"),
    GRAVITY: ("gravity_deviation", "gravity_robust_z"),
}
LOW_ON_FLOAT_V = 2.13  # per 2 V cell; below it a cell on float is to be acted on [U] IEEE 450 practice
COMPENSATION_V = -0.003  # of the float window, per °C above 25 °C and 2 V cell, from 5 to 40 °C [B] Narada
_COMPENSATED_C, _REFERENCE_C = (5.0, 40.0), 25.0
# Above the noise of shunt and sensor [U]; before and after a step the current may move by a quarter of it.
_STEP_SHARE, _SMALLEST_STEP_A, _SMALLEST_ANSWER_V, _SETTLED_SHARE = 0.2, 0.5, 0.002, 0.25


@dataclass(frozen=True)
class CellCodes:
    """Cells of a frame as numbers: `code` per row, `names` and `strings` per code."""

    code: np.ndarray
    names: np.ndarray
    strings: np.ndarray

    def count(self, rows: np.ndarray) -> np.ndarray:
        """Return how many of each cell's rows are marked, shape (cells,)."""
        return np.bincount(self.code[rows], minlength=len(self.names))


def cell_codes(frame: pd.DataFrame, order: CellOrder) -> CellCodes:
    """Return the cells of a frame in the order of `order`."""
    first = order.order[np.flatnonzero(np.diff(order.cell, prepend=-1))]
    return CellCodes(
        order.restore(order.cell),
        frame[CELL_ID].to_numpy(dtype=object)[first].astype(str).astype(object),
        frame[STRING].to_numpy(dtype=object)[first].astype(str).astype(object),
    )


def count_reasons(frame: pd.DataFrame, cells: CellCodes) -> pd.DataFrame:
    """Return `Cell ID`, `column`, `reason`, `readings`: what happened to readings, per cell and column."""
    tables = []
    width = len(REASONS) + 1
    for name in (name for name in CLEANED_NAMES if name in frame):
        codes = cells.code.astype("int64") * width + reason_codes(frame[flag_of(name)])
        counts = np.bincount(codes, minlength=width * len(cells.names)).reshape(-1, width)[:, 1:]
        cell, reason = np.nonzero(counts)
        tables.append(
            pd.DataFrame(
                {
                    CELL_ID: cells.names[cell],
                    "column": name,
                    "reason": np.array(REASONS, dtype=object)[reason],
                    "readings": counts[cell, reason],
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def cell_facts(
    frame: pd.DataFrame,
    deviations: pd.DataFrame,
    float_rows: dict[str, np.ndarray] | None,
    order: CellOrder,
    cells: CellCodes,
    timeline: Timeline,
) -> pd.DataFrame:
    """Return one row per cell: `Cell ID`, `string` and figures that need no other part of the table.

    Args:
        frame: Canonical, whole strings, before imputation.
        deviations: Deviation and robust z of the signals (see `DEVIATIONS`), rows as in `frame`.
        float_rows: `float_marks` of the frame.
        order: `order_cells` of the frame.
        cells: `cell_codes` of the frame.
        timeline: `examine_timeline` of the frame.
    """
    n = len(cells.names)
    names = [name for name in CLEANED_NAMES if name in frame]
    silent = frame[[name for name in DEVIATIONS if name in frame]].isna().all(axis=1).to_numpy()
    step = np.full(n, np.nan)
    step[order.cell] = order.step_s if timeline.timed.any() else np.nan
    facts: dict[str, np.ndarray] = {
        CELL_ID: cells.names,
        "string": cells.strings,
        "rows": np.bincount(cells.code, minlength=n),
        "silent": cells.count(silent),
        "masked": sum(
            (cells.count(frame[flag_of(name)].isin(MASKED).to_numpy()) for name in names), np.zeros(n, int)
        ),
        "untimed": cells.count(~timeline.timed),
        "duplicates": cells.count(timeline.duplicates),
        "backward": cells.count(timeline.backward),
        "gaps": cells.count(timeline.after_gap),
        "step_s": step,
    }
    for name in names:
        facts[f"missing {name}"] = cells.count(frame[name].isna().to_numpy())
    facts["zeros"] = cells.count(frame[VOLTAGE].to_numpy(dtype=float) == 0.0)
    facts |= _deviation_facts(deviations, order, cells)
    facts |= {key: cells.count(rows) for key, rows in (float_rows or {}).items()}
    facts |= _current_steps(frame, order, cells)
    return pd.DataFrame(facts)


def _deviation_facts(deviations: pd.DataFrame, order: CellOrder, cells: CellCodes) -> dict[str, np.ndarray]:
    """Return how each cell stands to its string: quantiles of the deviation, outliers, the longest run of them."""
    facts = {}
    n = len(cells.names)
    for name, (deviation, z) in DEVIATIONS.items():
        if z not in deviations:
            continue
        scores, values = (deviations[key].to_numpy(dtype=float) for key in (z, deviation))
        far = np.abs(scores) > OUTLIER_Z
        quantiles = grouped_quantiles(values, cells.code, n, (0.05, 0.5, 0.95))
        for place, word in enumerate(("low", "median", "high")):
            facts[f"deviation {word} {name}"] = quantiles[:, place]
        facts[f"judged {name}"] = cells.count(np.isfinite(scores))
        facts[f"far {name}"] = cells.count(far)
        facts[f"far deviation {name}"] = grouped_quantiles(values[far], cells.code[far], n, (0.5,))[:, 0]
        judged = np.flatnonzero(np.isfinite(scores)[order.order])
        first, last = runs(far[order.order][judged], order.cell[judged])
        longest = np.zeros(n, dtype="int64")
        np.maximum.at(longest, order.cell[judged[first]], last - first + 1)
        facts[f"far run {name}"] = longest
    return facts


def string_medians(frame: pd.DataFrame, deviations: pd.DataFrame) -> np.ndarray:
    """Return the string's median voltage as each row's cell was judged by [V], its own with fewer than 3 cells."""
    voltage = frame[VOLTAGE].to_numpy(dtype=float)
    known = DEVIATIONS[VOLTAGE][0]
    return voltage - (np.nan_to_num(deviations[known].to_numpy(dtype=float)) if known in deviations else 0.0)


def float_marks(
    frame: pd.DataFrame, deviations: pd.DataFrame, chemistry: Chemistry
) -> dict[str, np.ndarray] | None:
    """Return row marks around the float window, each shape (n,); None where the chemistry has no float charge.

    `on_charge`: |current| below 5 A and the string's median at 2.13 V per cell or more: it is being charged or
    has just been. `string_below`, `string_above`: of those, the string's median is outside the window.
    `cell_below`, `cell_above`: the median is inside and the cell is not. The window is compensated by the
    cell's temperature, else the room's.
    """
    low, high = chemistry.profile.float_low, chemistry.profile.float_high
    if low is None or high is None or CURRENT not in frame:
        return None
    blocks = chemistry.cells_per_block
    warmth = np.full(len(frame), np.nan)
    for name in (TEMPERATURE, AMBIENT):
        if name in frame:
            warmth = np.where(np.isfinite(warmth), warmth, frame[name].to_numpy(dtype=float))
    warmth = np.clip(np.where(np.isfinite(warmth), warmth, _REFERENCE_C), *_COMPENSATED_C)
    voltage = frame[VOLTAGE].to_numpy(dtype=float) / blocks - COMPENSATION_V * (warmth - _REFERENCE_C)
    median = string_medians(frame, deviations) / blocks
    on_charge = (np.abs(frame[CURRENT].to_numpy(dtype=float)) < LOAD_STEP_A) & (median >= LOW_ON_FLOAT_V)
    median = median - COMPENSATION_V * (warmth - _REFERENCE_C)
    inside = on_charge & (median >= low) & (median <= high)
    return {
        "on_charge": on_charge,
        "string_below": on_charge & (median < low),
        "string_above": on_charge & (median > high),
        "cell_below": inside & (voltage < low),
        "cell_above": inside & (voltage > high),
    }


def _current_steps(frame: pd.DataFrame, order: CellOrder, cells: CellCodes) -> dict[str, np.ndarray]:
    """Count by cell how often the voltage answered a step of the current, and how often it went against it.

    A step is a fifth of the string's largest current (99th percentile) or more from one reading to the next, with
    a settled current before and after it: current and voltage are rarely sampled at the same instant.
    """
    if CURRENT not in frame:
        return {}
    current = frame[CURRENT].to_numpy(dtype=float)
    strings, codes = np.unique(cells.strings, return_inverse=True)
    of_row = codes[cells.code]
    largest = grouped_quantiles(np.abs(current), of_row, len(strings), (0.99,))[:, 0]
    threshold = np.maximum(_STEP_SHARE * largest, _SMALLEST_STEP_A)[of_row[order.order]][1:-2]
    flow, voltage = current[order.order], frame[VOLTAGE].to_numpy(dtype=float)[order.order]
    change = np.diff(flow)
    with np.errstate(invalid="ignore"):
        calm = np.abs(np.stack([change[:-2], change[2:]])) < _SETTLED_SHARE * threshold
        step = (np.abs(change[1:-1]) >= threshold) & calm.all(axis=0)
        step &= order.segment[:-3] == order.segment[3:]
        answer = voltage[3:] - voltage[:-3]
        step &= np.abs(answer) >= _SMALLEST_ANSWER_V
    against = step & (np.sign(change[1:-1]) != np.sign(answer))
    cell, n = order.cell[1:-2], len(cells.names)
    return {
        "current_steps": np.bincount(cell[step], minlength=n),
        "against_current": np.bincount(cell[against], minlength=n),
    }
