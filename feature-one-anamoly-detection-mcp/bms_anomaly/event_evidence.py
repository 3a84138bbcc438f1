"""What an event shows in the units of the signals: how far off, which way it moves, how lively, how often repeated.

Everything is told from the readings of the event's own string, so it can be checked on a plot of them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.deviation import MAD_TO_SIGMA, moment_matrices, row_medians
from bms_schema.data.features import lag_within
from bms_schema.data.moments import CellOrder, moment_codes, order_cells

from bms_anomaly.events import NO_EVENT
from bms_anomaly.features import Signal
from bms_anomaly.levels import SMALLEST_SHARE, deviation_from_usual, load_state, own_level
from bms_anomaly.repeats import repeat_surprise

EDGE_SHARE = 0.25  # of an event's readings, at each end: they say where it came from and went to
AROUND_READINGS = 13  # half a day of hourly readings [U]
FINAL_READINGS = 5  # a median that one odd reading does not move [U]


@dataclass(frozen=True)
class SignalEvidence:
    """What one signal shows in one event, in its own unit unless said otherwise.

    Args:
        excess: Median deviation from the string, less the cell's usual one, over the event's strong rows.
        sigmas: The same in sigmas of cell and moment, without sign.
        early: Median excess of the event's first quarter.
        late: The same of the last quarter, up to the last strong row.
        final: The same of its last readings, strong or not.
        peak: The largest excess, with its sign.
        peak_sigmas: That in sigmas, without sign.
        returns: The share of the peak by which the readings before and after both differ from it; 0 where one side
            has none.
        noise: The cell's usual sigma.
        liveliness: Median step between the readings in and around it, beside the cell's usual one and the
            string's at the time (ratio; NaN = no step).
        surprise: -ln of the chance that a live sensor repeats one value as long as it did here.
        held: Readings that repeat it.
        jump: The largest step from one reading to the next, as a share of the peak; from the cell's usual level
            where there is no reading before.
        value: Median reading over the strong rows.
        share: What the excess leaves of the string's usual reading (1 = nothing is missing).
        readings: Readings of the signal.
    """

    excess: float
    sigmas: float
    early: float
    late: float
    final: float
    peak: float
    peak_sigmas: float
    returns: float
    noise: float
    liveliness: float
    surprise: float
    held: float
    jump: float
    value: float
    share: float
    readings: float


@dataclass(frozen=True)
class StringRows:
    """What the signals of one string share, every array in the frame's row order, shape (n,).

    Args:
        order: From `order_cells`.
        moments: From `moment_codes`.
        matrices: From `moment_matrices`.
        cells: Cell codes.
        load: -1 where the string discharges, +1 where it charges, else 0.
        codes: Event codes, `NO_EVENT` for none.
        strong: Rows whose score is in the upper half of their event's.
    """

    order: CellOrder
    moments: np.ndarray
    matrices: list[np.ndarray]
    cells: np.ndarray
    load: np.ndarray
    codes: np.ndarray
    strong: np.ndarray


def string_rows(frame: pd.DataFrame, score: np.ndarray, codes: np.ndarray) -> StringRows:
    """Prepare the rows of one string of a canonical frame, with their scores and event codes, each (n,)."""
    order = order_cells(frame)
    moments = moment_codes(frame, order)
    of_event = pd.Series(score).groupby(codes)
    middle = (of_event.transform("max") + of_event.transform("min")).to_numpy() / 2
    strong = (codes != NO_EVENT) & (score >= middle)
    cells = order.restore(order.cell)
    return StringRows(order, moments, moment_matrices(moments), cells, load_state(frame), codes, strong)


def signal_evidence(values: np.ndarray, signal: Signal, rows: StringRows) -> dict[int, SignalEvidence]:
    """Return what the signal shows, by event code; events without a reading of it are left out.

    Args:
        values: Readings, shape (n,), NaN = none.
        signal: The signal.
        rows: From `string_rows`.
    """
    outside = rows.codes == NO_EVENT
    deviation = deviation_from_usual(values, rows.matrices, rows.cells, rows.load)
    excess = deviation - own_level(deviation, outside, rows.cells)
    noise = np.maximum(MAD_TO_SIGMA * _usual_size(excess, outside, rows.cells), signal.resolution)
    steps = np.abs(excess - lag_within(excess, rows.order, 1))
    usual_step = np.fmax(_usual_size(steps, outside, rows.cells), _moment_median(steps, rows))
    usual_step = np.maximum(usual_step, signal.resolution / 4)
    spread = _moment_median(excess, rows, of_distance=True)  # a discharge spreads all cells
    surprise, held = repeat_surprise(values, rows.order, rows.moments, outside)
    ordered = rows.order.order
    place = ordered[(rows.codes[ordered] != NO_EVENT) & np.isfinite(excess[ordered])]
    table = pd.DataFrame(
        {
            "code": rows.codes[place],
            "strong": rows.strong[place],
            "excess": excess[place],
            "apart": _apart(excess, rows.order)[place],
            "z": excess[place] / np.fmax(noise, MAD_TO_SIGMA * spread)[place],
            "noise": noise[place],
            "step": np.where(np.isfinite(steps), steps, np.abs(excess))[place],
            "liveliness": _around(steps / usual_step, rows.order)[place],
            "surprise": surprise[place],
            "held": held[place],
            "value": values[place],
            "share": 1.0 + excess[place] / np.nanmedian(values),
        }
    )
    return {int(code): _of_event(part) for code, part in table.groupby("code", sort=False)}


def _of_event(rows: pd.DataFrame) -> SignalEvidence:
    """Sum up the rows of one event, in time order."""
    strong = rows[rows["strong"]] if rows["strong"].any() else rows
    until = rows.loc[: strong.index[-1]]
    edge = -(-len(rows) // int(1 / EDGE_SHARE))
    farthest = rows["excess"].abs().idxmax()
    height = max(abs(float(rows.loc[farthest, "excess"])), 1e-9)
    return SignalEvidence(
        excess=float(strong["excess"].median()),
        sigmas=float(abs(strong["z"].median())),
        early=float(rows["excess"].iloc[:edge].median()),
        late=float(until["excess"].iloc[-edge:].median()),
        final=float(rows["excess"].iloc[-FINAL_READINGS:].median()),
        peak=float(rows.loc[farthest, "excess"]),
        peak_sigmas=float(abs(rows.loc[farthest, "z"])),
        returns=float(rows.loc[farthest, "apart"] / height),
        noise=float(rows["noise"].iloc[0]),
        liveliness=_median(rows["liveliness"]),
        surprise=float(rows["surprise"].max()),
        held=float(rows["held"].max()),
        jump=float(rows["step"].max() / height),
        value=float(strong["value"].median()),
        share=float(strong["share"].median()),
        readings=float(len(rows)),
    )


def _median(values: pd.Series) -> float:
    known = values.dropna()
    return float(known.median()) if len(known) else np.nan


def _usual_size(values: np.ndarray, outside: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return the median size of each cell's values outside of events, shape (n,); or the string's."""
    size = pd.Series(np.where(outside, np.abs(values), np.nan)).groupby(cells)
    usual = size.median().where(size.count() >= SMALLEST_SHARE * np.bincount(cells))
    known = usual.dropna()
    return usual.fillna(known.median() if len(known) else 0.0).to_numpy()[cells]


def _moment_median(values: np.ndarray, rows: StringRows, *, of_distance: bool = False) -> np.ndarray:
    """Return the median over the cells at each row's moment, or that of the distance from it, shape (n,)."""
    found = np.full(len(values), np.nan)
    for places in rows.matrices:
        together = values[places]
        middle = row_medians(together)[:, None]
        found[places] = row_medians(np.abs(together - middle))[:, None] if of_distance else middle
    return found


def _around(values: np.ndarray, order: CellOrder) -> np.ndarray:
    """Return the median of the cell's `AROUND_READINGS` values around each row, shape (n,).

    A spike makes three of the steps around it large, and leaves their median as it is.
    """
    near = pd.Series(values[order.order]).groupby(order.cell)
    median = near.rolling(AROUND_READINGS, center=True, min_periods=1).median()
    return order.restore(median.to_numpy())


def _apart(excess: np.ndarray, order: CellOrder) -> np.ndarray:
    """Return how far each reading is from the two before and the two after it, the smaller of both, shape (n,).

    0 where one side has no reading. Missing readings are passed over, gaps are not.
    """
    apart = np.zeros(len(excess))
    known = np.isfinite(excess)[order.order]
    row, segment = order.order[known], order.segment[known]
    values = pd.Series(excess[row]).groupby(segment)
    near = [np.abs(excess[row] - values.shift(step).to_numpy()) for step in (1, 2, -1, -2)]
    apart[row] = np.minimum(np.fmax(near[0], near[1]), np.fmax(near[2], near[3]))
    return np.nan_to_num(apart)
