"""Row scores to events: opened by strong evidence, continued by weaker, joined over short pauses."""

import numpy as np
from bms_schema.data.moments import CellOrder

from bms_anomaly.windows import centred_median, window_s

# Chosen on simulated fleets (seeds 0-9) for less than one false event per 1,000 cell-days; measured by
# tests/benchmarks/anomaly_fleet.py. Unit: decades of rarity.
OPEN_SCORE, CONTINUE_SCORE = 3.0, 2.0
# The 72 h median blurs the edges of an event. They are cut back to rows whose neighbourhood of five readings is odd
# by itself (its median row score reaches 1), or that alone could continue one.
EDGE_READINGS, EDGE_SCORE, LONE_ROW_SCORE = 5, 1.0, 3.0
MERGE_STEPS = 3  # a pause of fewer readings does not end an event [U]
NO_EVENT = -1


def share_threshold(scores: np.ndarray, share: float) -> float:
    """Return the score that at most this share of the known scores reaches.

    Where more rows have that score, only those above it are meant: rows that are all alike are not odd.

    Args:
        scores: Shape (n,), NaN = no reading.
        share: In (0, 1).

    >>> share_threshold(np.array([1.0, 2.0, 3.0, 4.0]), 0.25)
    4.0
    """
    known = np.sort(scores[np.isfinite(scores)])
    if not known.size:
        return OPEN_SCORE
    least = float(known[-max(1, round(share * known.size))])
    if (known >= least).sum() > np.ceil(share * known.size):
        return float(np.nextafter(least, np.inf))
    return least


def find_events(
    score: np.ndarray,
    row_score: np.ndarray,
    order: CellOrder,
    certain: np.ndarray | None = None,
) -> np.ndarray:
    """Return the event each row of a string belongs to, shape (n,), `NO_EVENT` for none.

    An event opens where the score reaches 3 and goes on down to 2. Its ends are cut back to rows whose
    neighbourhood is odd without the help of what lasts.

    Args:
        score: From `persistent_score`, shape (n,), NaN = no reading.
        row_score: Of the rows by themselves, shape (n,).
        order: From `order_cells`.
        certain: Rows that belong to an event whatever their score, shape (n,), bool.
    """
    known = np.isfinite(score)
    certain = np.zeros(len(score), dtype=bool) if certain is None else certain
    with np.errstate(invalid="ignore"):
        opens = (score >= OPEN_SCORE) | certain
        goes_on = (score >= CONTINUE_SCORE) | certain
        near = centred_median(row_score, order, window_s(order, 0.0, EDGE_READINGS - 1))
        odd = (near >= EDGE_SCORE) | (row_score >= LONE_ROW_SCORE) | certain
    return _cut_edges(event_codes(opens, goes_on, known, order), odd, order)


def event_codes(opens: np.ndarray, goes_on: np.ndarray, known: np.ndarray, order: CellOrder) -> np.ndarray:
    """Join rows to events; return each row's code, shape (n,), 0, 1, … in (cell, time) order.

    An event is a run of a cell's rows that go on, with pauses of fewer than `MERGE_STEPS` readings and no gap
    in time, of which one opens. The rows of a pause, and rows without a reading, belong to no event.

    Args:
        opens: Rows strong enough to open an event, shape (n,), bool.
        goes_on: Rows strong enough to continue one, shape (n,), bool.
        known: Rows with a reading, shape (n,), bool.
        order: From `order_cells`.
    """
    answered = np.flatnonzero(known[order.order])
    hot = answered[goes_on[order.order][answered]]
    codes = np.full(len(known), NO_EVENT)
    if hot.size:
        reading = np.searchsorted(answered, hot)
        broken = (np.diff(reading) > MERGE_STEPS) | (np.diff(order.segment[hot]) != 0)
        run = np.concatenate([[0], np.cumsum(broken)])
        opened = np.bincount(run, weights=opens[order.order][hot]) > 0
        codes[hot] = np.where(opened, np.cumsum(opened) - 1, NO_EVENT)[run]
    return order.restore(codes)


def _cut_edges(codes: np.ndarray, odd: np.ndarray, order: CellOrder) -> np.ndarray:
    """Take the rows out of each event that lie before its first and after its last odd row."""
    ordered = codes[order.order]
    place = np.arange(len(ordered))
    edge = (ordered != NO_EVENT) & odd[order.order]
    first, last = np.full(ordered.max(initial=0) + 1, len(ordered)), np.full(ordered.max(initial=0) + 1, -1)
    np.minimum.at(first, ordered[edge], place[edge])
    np.maximum.at(last, ordered[edge], place[edge])
    inside = (ordered != NO_EVENT) & (place >= first[ordered]) & (place <= last[ordered])
    return order.restore(np.where(inside, ordered, NO_EVENT))
