"""Survival in steps: which cell-days stand for which interval ahead, and risks between the steps.

A moment and an interval ahead make one row of a discrete-time hazard: it counts where the cell reached the
interval and the record watched all of it, and it is an event where the cell died inside. So a record that ends
after ten days still teaches what the first seven held, and dead and living cells are censored alike.
Source: Singer and Willett 1993.
"""

from dataclasses import dataclass

import numpy as np

LONG_EDGES_DAYS = (7, 14, 30, 56, 90, 180, 365)
SHORT_EDGES_DAYS = (1, 2, 3, 5, 7)
_SURE = 1.0 - 1e-9


@dataclass(frozen=True)
class PersonPeriods:
    """Rows of the hazard.

    Args:
        row: Position of the moment, shape (m,).
        interval: Number of the interval ahead, shape (m,).
        event: 1.0 where the cell died inside the interval, else 0.0, shape (m,).
    """

    row: np.ndarray
    interval: np.ndarray
    event: np.ndarray


def choose_edges(longest_days: int) -> tuple[int, ...]:
    """Return the ends of the intervals [days]: weeks where the record allows them, days where it is short.

    >>> choose_edges(56), choose_edges(7), choose_edges(40)
    ((7, 14, 30, 56), (1, 2, 3, 5, 7), (7, 14, 30, 40))
    """
    edges = LONG_EDGES_DAYS if longest_days > SHORT_EDGES_DAYS[-1] else SHORT_EDGES_DAYS
    return (*(days for days in edges if days < longest_days), longest_days)


def person_periods(ahead: np.ndarray, watched: np.ndarray, edges: tuple[int, ...]) -> PersonPeriods:
    """Return the hazard's rows, in the order of moments and intervals.

    Args:
        ahead: Days to death, NaN where there is none, shape (n,).
        watched: From `days_watched`, shape (n,).
        edges: Ends of the intervals [days], ascending.
    """
    death = np.where(np.isnan(ahead), np.inf, ahead)[:, None]
    ends, starts = np.array(edges, dtype=float), np.array((0, *edges[:-1]), dtype=float)
    counts = (death > starts) & (watched[:, None] > ends)
    row, interval = np.nonzero(counts)
    return PersonPeriods(row, interval, (death[:, 0][row] <= ends[interval]).astype(float))


def risk_of_hazards(hazards: np.ndarray) -> np.ndarray:
    """Return the probability of a death by the end of each interval, (n, k), from its hazards, (n, k).

    >>> risk_of_hazards(np.array([[0.5, 0.5]]))
    array([[0.5 , 0.75]])
    """
    return 1.0 - np.cumprod(1.0 - hazards, axis=1)


def risk_between(risks: np.ndarray, edges: tuple[int, ...], days: np.ndarray) -> np.ndarray:
    """Return the risk at any number of days, by a constant hazard within each interval, shape (n,).

    Args:
        risks: Risk at each edge, rising along a row, (n, k).
        edges: Days of the columns, ascending.
        days: One number per row, shape (n,); NaN beyond the last edge and below 0.

    >>> risk_between(np.array([[0.0, 0.75]]), (7, 14), np.array([10.5])).round(3).tolist()
    [0.5]
    """
    hazard = cumulative_hazard(risks)
    grid = np.array((0, *edges), dtype=float)
    place = np.clip(np.searchsorted(grid, days, side="right") - 1, 0, len(edges) - 1)
    share = (days - grid[place]) / (grid[place + 1] - grid[place])
    rows = np.arange(len(hazard))
    low, high = hazard[rows, place], hazard[rows, place + 1]
    reached = (days >= 0) & (days <= edges[-1])
    return np.where(reached, -np.expm1(-(low + share * (high - low))), np.nan)


def time_of_risk(risks: np.ndarray, edges: tuple[int, ...], risk: float) -> np.ndarray:
    """Return after how many days the risk is reached, NaN where the last edge comes first, shape (n,).

    >>> time_of_risk(np.array([[0.0, 0.75], [0.0, 0.2]]), (7, 14), 0.5).tolist()
    [10.5, nan]
    """
    hazard, wanted = cumulative_hazard(risks), -np.log1p(-risk)
    grid = np.array((0, *edges), dtype=float)
    after = np.argmax(hazard >= wanted, axis=1)
    before = np.maximum(after - 1, 0)
    rows = np.arange(len(hazard))
    low, high = hazard[rows, before], hazard[rows, after]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (wanted - low) / (high - low)
        days = grid[before] + share * (grid[after] - grid[before])
    return np.where(hazard[:, -1] >= wanted, days, np.nan)


def cumulative_hazard(risks: np.ndarray) -> np.ndarray:
    """Return -log survival at 0 and at each edge, (n, k + 1)."""
    hazard = -np.log1p(-np.minimum(risks, _SURE))
    return np.column_stack([np.zeros(len(risks)), hazard])
