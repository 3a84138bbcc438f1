"""What tells one cell of a string from its neighbours: its level, how it follows the string, how restless it is.

Measured for every real cell against the median of its string; new cells are drawn from a Gaussian copula (SDV)
of the table of traits, so that a cell that floats low may also be the one that sags more.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bms_generate.normal_scores import Marginal, to_normal_scores
from bms_generate.seeded_sdv import fit_single, sample_single
from bms_generate.string_levels import MAD_TO_SD

# Robust z beyond which a reading is no part of a cell's usual self.
OUTLYING = 6.0
# A slope farther from its neighbours', in true standard deviations, was measured in a bad moment.
_FARTHEST = 4.0
_MOST_RESTLESS = 4.0
# Fewer cells have no correlations worth the name: each trait is then drawn by itself.
_LEAST_CELLS = 4
_TABLE = "traits"


@dataclass(frozen=True)
class Traits:
    """Traits of cells, every array of shape (cells, signals).

    Args:
        offset: Distance from the string's median at rest.
        slope: Further distance per unit of the median's own excursion; NaN where the string hardly moved.
        spread: Standard deviation of what is left, by its median absolute value.
    """

    offset: NDArray[np.float64]
    slope: NDArray[np.float64]
    spread: NDArray[np.float64]

    def of(self, cells: slice | NDArray[np.bool_]) -> "Traits":
        """Return the traits of some cells."""
        return Traits(self.offset[cells], self.slope[cells], self.spread[cells])

    def expected(self, excursion: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distance from the median, shape (moments, cells, signals), for excursions (moments, signals)."""
        return self.offset + np.nan_to_num(self.slope) * excursion[:, None, :]


def measure(
    deviation: NDArray[np.float64], excursion: NDArray[np.float64], usable: NDArray[np.bool_]
) -> Traits:
    """Measure the traits of the cells of one string; readings that stand out are left out of the second pass.

    Args:
        deviation: Cell less median, NaN where missing, shape (moments, cells, signals).
        excursion: Median less its usual level, shape (moments, signals).
        usable: Readings to learn from, shape (moments, cells).
    """
    known = np.where(usable[:, :, None], deviation, np.nan)
    traits = Traits(_median(known), np.zeros(known.shape[1:]), _spread(known - _median(known)))
    # How cells follow the string shows only far from rest, where without a slope all readings look like outliers.
    far = np.abs(excursion)[:, None, :] > OUTLYING * np.maximum(_spread(excursion), 1e-12)
    for spared in (far, False):
        usual = np.abs(known - traits.expected(excursion)) <= OUTLYING * np.maximum(traits.spread, 1e-12)
        traits = _regress(np.where(usual | spared, known, np.nan), excursion)
    return traits


def _regress(deviation: NDArray[np.float64], excursion: NDArray[np.float64]) -> Traits:
    known = np.isfinite(deviation)
    count = np.maximum(known.sum(axis=0), 1)
    moved = np.where(known, excursion[:, None, :], 0.0)
    zeroed = np.where(known, deviation, 0.0)
    mean_x, mean_y = moved.sum(axis=0) / count, zeroed.sum(axis=0) / count
    square = (moved**2).sum(axis=0) - count * mean_x**2
    product = (moved * zeroed).sum(axis=0) - count * mean_x * mean_y
    slope = np.divide(product, square, out=np.zeros_like(product), where=square > 0)
    residual = deviation - (mean_y - slope * mean_x) - slope * excursion[:, None, :]
    slope = _shrunk(slope, _errors(residual, moved, square))
    offset = mean_y - slope * mean_x
    spread = _spread(deviation - offset - slope * excursion[:, None, :])
    # What makes a cell so much more restless than its neighbours is a fault and no trait.
    spread = np.minimum(spread, _MOST_RESTLESS * np.median(spread, axis=0))
    # A string that moved less than its cells wander says nothing about how they follow it.
    told = square / count > spread**2
    return Traits(np.where(told, offset, _median(deviation)), np.where(told, slope, np.nan), spread)


def _errors(
    residual: NDArray[np.float64], moved: NDArray[np.float64], square: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Standard errors of slopes; neighbouring readings that are alike tell less than their number."""
    known = np.nan_to_num(residual)
    alike = np.clip(_lag1(known) * _lag1(moved), 0.0, 0.95)
    inflation = (1.0 + alike) / (1.0 - alike)
    return np.sqrt(
        np.divide((known**2).mean(axis=0) * inflation, square, out=np.zeros_like(square), where=square > 0)
    )


def _lag1(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = values - values.mean(axis=0)
    square = (centred**2).sum(axis=0)
    return np.divide(
        (centred[1:] * centred[:-1]).sum(axis=0), square, out=np.zeros_like(square), where=square > 0
    )


def _shrunk(slope: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pull the slopes of a string's cells together, so that they differ as much as the true ones do."""
    middle, spread = np.median(slope, axis=0), _spread(slope - np.median(slope, axis=0))
    true = np.sqrt(np.maximum(spread**2 - np.median(error, axis=0) ** 2, 0.0))
    factor = np.divide(true, spread, out=np.ones_like(true), where=spread > 0)
    return middle + np.clip((slope - middle) * factor, -_FARTHEST * true, _FARTHEST * true)


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median over moments, 0 where there is no value."""
    empty = ~np.isfinite(values).any(axis=0)
    return np.where(empty, 0.0, np.nanmedian(np.where(empty, 0.0, values), axis=0))


def _spread(residual: NDArray[np.float64]) -> NDArray[np.float64]:
    return MAD_TO_SD * _median(np.abs(residual))


class TraitTable:
    """The joint distribution of traits over all cells of a fleet."""

    def fit(self, traits: list[Traits], random: np.random.Generator) -> "TraitTable":
        """Learn it; a slope that could not be measured is taken from another cell."""
        self.signals = traits[0].offset.shape[1]
        slope = np.concatenate([t.slope for t in traits])
        for number in range(self.signals):
            told = slope[np.isfinite(slope[:, number]), number]
            gaps = ~np.isfinite(slope[:, number])
            slope[gaps, number] = random.choice(told, size=int(gaps.sum())) if len(told) else 0.0
        offset = np.concatenate([t.offset for t in traits])
        spread = np.concatenate([t.spread for t in traits])
        parts = {"offset": offset, "slope": slope, "spread": spread}
        table = pd.DataFrame(
            {f"{name} {k}": values[:, k] for name, values in parts.items() for k in range(self.signals)}
        )
        self.constants = {name: table[name].iloc[0] for name in table if np.ptp(table[name]) == 0}
        self.marginals: dict[str, Marginal] = {}
        scores = {}
        for name in table.columns.difference(list(self.constants), sort=False):
            scores[name], self.marginals[name] = to_normal_scores(table[name])
        self.scores = pd.DataFrame(scores)
        self.synthesizer = None
        if len(table) >= _LEAST_CELLS and len(scores) > 1:
            columns = {name: {"sdtype": "numerical"} for name in scores}
            metadata = {
                "METADATA_SPEC_VERSION": "V2",
                "tables": {_TABLE: {"columns": columns}},
                "relationships": [],
            }
            self.synthesizer = fit_single({_TABLE: self.scores}, metadata, {_TABLE: list(scores)})
        return self

    def sample(self, cells: int, random: np.random.Generator) -> Traits:
        """Draw the traits of new cells; over all of them every trait is spread as evenly as the real one."""
        from scipy.special import ndtri

        if self.synthesizer is not None:
            scores = sample_single(self.synthesizer, _TABLE, cells, int(random.integers(2**31)))[_TABLE]
        else:
            scores = pd.DataFrame(
                random.normal(size=(cells, len(self.marginals))), columns=list(self.marginals)
            )
        drawn = {name: np.full(cells, value) for name, value in self.constants.items()}
        for name, marginal in self.marginals.items():
            even = (scores[name].rank(method="first") - random.random(cells)) / cells
            drawn[name] = marginal.restore(pd.Series(ndtri(np.clip(even, 1e-9, 1 - 1e-9)))).to_numpy()
        parts = [
            np.array([drawn[f"{name} {k}"] for k in range(self.signals)]).reshape(self.signals, cells).T
            for name in ("offset", "slope", "spread")
        ]
        return Traits(*parts)
