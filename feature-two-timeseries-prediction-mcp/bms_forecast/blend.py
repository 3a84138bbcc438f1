"""Which mixture of the candidates is used, and how it is set right: learnt on data later than their training.

The point forecast is a weighted mean of the candidates' (combining forecasts, Bates and Granger 1969), with weights
of its own for each band of horizons: the last value knows the next hour best and tomorrow least. The quantiles
around it are those of the trees, mixed level by level with those of the usual day, then moved by split-conformal
prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bms_forecast.candidates import LEVELS, Candidates, Said, scaled_change
from bms_forecast.conformal import apply_shifts, fit_shifts
from bms_forecast.features import SeriesFeatures
from bms_forecast.levels import level_of
from bms_forecast.samples import Samples

# Weights are multiples of an eighth; the error of uneven ones counts for more by this share of their squared
# distance from equal ones: chosen on simulated fleets and ETTh1, where what won on few days lost on the next.
PARTS, UNEVENNESS = 8, 0.05
# The same for the weights of a band of horizons and their distance from those of all horizons.
APARTNESS = 0.1
SPREAD_PARTS = 4
# Errors are weighed on so many samples at most, and are forecast for so many at once.
MOST_PAIRS, MOST_PAIRS_OF_BAND, PIECE = 6_000, 2_500, 32_768
PAIRS_AT_ONCE = 512  # stays in the cache: 3 times as fast
# A candidate with a smaller mean weight is not named.
LEAST_NAMED = 0.05
# Courses kept of the windows learnt from.
MOST_COURSES = 400


@dataclass(frozen=True)
class Evidence:
    """What candidates said about windows that they were not trained on, and what came.

    Args:
        samples: Whole windows one after the other, m triples.
        said: In scales of the series.
        truth: In the same unit, shape (m,), NaN = not read.
        scale: That unit in the series' own, shape (m,).
    """

    samples: Samples
    said: Said
    truth: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, features: SeriesFeatures, candidates: Candidates, samples: Samples) -> Evidence:
        """Ask the candidates about the samples."""
        return cls(
            samples,
            candidates.said(features, samples),
            scaled_change(features, samples),
            features.level_and_scale(samples.rows, samples.origins)[1],
        )

    def before(self, column: int, reach: int) -> Evidence:
        """Return the windows that end before a column."""
        return self.select(self.samples.origins + reach < column)

    def select(self, keep: np.ndarray) -> Evidence:
        """Return the samples of a mask."""
        return Evidence(
            self.samples.select(keep),
            self.said.select(keep),
            self.truth[keep],
            self.scale[keep],
        )

    @classmethod
    def joined(cls, parts: Sequence[Evidence]) -> Evidence:
        """Return the parts one after the other."""
        return cls(
            Samples.joined([part.samples for part in parts]),
            Said.joined([part.said for part in parts]),
            np.concatenate([part.truth for part in parts]),
            np.concatenate([part.scale for part in parts]),
        )


@dataclass(frozen=True)
class Courses:
    """How readings ran through their forecasts in past windows; what one window holds belongs together.

    Args:
        ranks: Which level of its forecast each reading was, shape (n, reach), in [0, 1]; NaN where not read.
        excess: How far it lay beyond the outermost quantiles, in the unit of the series, negative below, 0 within.
    """

    ranks: np.ndarray
    excess: np.ndarray

    @classmethod
    def none(cls, reach: int) -> Courses:
        """Return no course at all."""
        return cls(np.empty((0, reach)), np.empty((0, reach)))

    @classmethod
    def of(cls, quantiles: np.ndarray, evidence: Evidence, reach: int) -> Courses:
        """Return at most 400 courses of the windows, from the scaled forecast (m, Q)."""
        truth = evidence.truth
        beyond = np.minimum(truth - quantiles[:, 0], 0.0) + np.maximum(truth - quantiles[:, -1], 0.0)
        ranks = level_of(quantiles, LEVELS, truth).reshape(-1, reach)
        excess = (beyond * evidence.scale).reshape(-1, reach)
        read = np.flatnonzero(np.isfinite(ranks).any(axis=1))
        kept = read[:: max(-(-len(read) // MOST_COURSES), 1)]
        return cls(ranks[kept], excess[kept])


@dataclass(frozen=True)
class Blend:
    """The mixture and its correction.

    Args:
        weights: Of the candidates in their order for each band of horizons, rows summing to 1, shape (bands, K).
        usual_share: Share of the usual day in the spread, 0 to 1.
        shifts: Conformal correction, shape (reach, Q).
        courses: Of past windows.
    """

    weights: np.ndarray
    usual_share: float
    shifts: np.ndarray
    courses: Courses

    @classmethod
    def fitted(cls, evidence: Evidence, reach: int, *, only: int | None = None) -> Blend | None:
        """Choose the mixture of least loss over windows of `reach` steps; None where nothing was read in them.

        Args:
            evidence: Windows that nothing was trained on.
            reach: Steps of a window.
            only: The one candidate to keep to; its spread is chosen all the same.
        """
        said, truth, horizons = evidence.said, evidence.truth, evidence.samples.horizons
        if not np.isfinite(truth).any():
            return None
        weights = weights_of_bands(said.points, truth, horizons, reach)
        if only is not None:
            weights = np.tile(np.eye(said.points.shape[1])[only], (len(weights), 1))
        shares = np.arange(SPREAD_PARTS + 1) / SPREAD_PARTS if said.usual_spread is not None else np.zeros(1)
        losses = [_pinball(_mixed(said, horizons, weights, share), truth) for share in shares]
        share = float(shares[int(np.argmin(losses))])
        mixed = _mixed(said, horizons, weights, share)
        shifts = fit_shifts(truth, mixed, horizons, reach, LEVELS)
        corrected = apply_shifts(mixed, horizons, shifts, LEVELS)
        return cls(weights, share, shifts, Courses.of(corrected, evidence, reach))

    def quantiles(self, features: SeriesFeatures, candidates: Candidates, samples: Samples) -> np.ndarray:
        """Return the scaled forecast, shape (m, Q), ascending in every row."""
        parts = [
            apply_shifts(
                _mixed(candidates.said(features, piece), piece.horizons, self.weights, self.usual_share),
                piece.horizons,
                self.shifts,
                LEVELS,
            )
            for piece in samples.pieces(PIECE)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(LEVELS)))

    def points(self, evidence: Evidence) -> np.ndarray:
        """Return the scaled point forecasts of the evidence, shape (m,)."""
        return _points(evidence.said, evidence.samples.horizons, self.weights)

    def words(self, names: tuple[str, ...]) -> str:
        """Say what the mixture is on average over the horizons: "model", "0.8 model + 0.2 usual day"."""
        steps = band_of(np.arange(1, len(self.shifts) + 1))
        mean = self.weights[steps].mean(axis=0)
        order = [index for index in np.argsort(-mean, kind="stable") if mean[index] >= LEAST_NAMED]
        if len(order) == 1:
            return names[order[0]]
        return " + ".join(f"{mean[index]:.2g} {names[index]}" for index in order)


def band_of(horizons: np.ndarray) -> np.ndarray:
    """Return the band of each horizon: 1 step, 2-3, 4-7, 8-15 and so on.

    >>> band_of(np.array([1, 2, 3, 4, 24])).tolist()
    [0, 1, 1, 2, 4]
    """
    return np.log2(horizons).astype(int)


def best_weights(
    points: np.ndarray,
    truth: np.ndarray,
    *,
    around: np.ndarray | None = None,
    penalty: float = UNEVENNESS,
    most: int = MOST_PAIRS,
) -> np.ndarray:
    """Return the weights of least mean absolute error, shape (K,), among all multiples of an eighth.

    Args:
        points: Forecasts of the candidates, shape (m, K).
        truth: What came, shape (m,), NaN = not read; at least one reading.
        around: Weights that the error of others is raised for, shape (K,); None for equal ones.
        penalty: By this share of their squared distance.
        most: Readings looked at.
    """
    known = np.flatnonzero(np.isfinite(truth))
    known = known[:: max(-(-len(known) // most), 1)]
    mixtures = _mixtures(points.shape[1])
    error = np.zeros(len(mixtures))
    for start in range(0, len(known), PAIRS_AT_ONCE):
        some = known[start : start + PAIRS_AT_ONCE]
        mixed = points[some].astype(np.float32) @ mixtures.T.astype(np.float32)
        error += np.abs(mixed - truth[some, None].astype(np.float32)).sum(axis=0)
    middle = 1.0 / points.shape[1] if around is None else around
    apart = ((mixtures - middle) ** 2).sum(axis=1)
    return np.asarray(mixtures[int(np.argmin(error * (1.0 + penalty * apart)))])


def weights_of_bands(points: np.ndarray, truth: np.ndarray, horizons: np.ndarray, reach: int) -> np.ndarray:
    """Return the weights of each band of horizons, drawn towards those of all, shape (bands, K)."""
    of_all = best_weights(points, truth)
    band = band_of(horizons)
    weights = np.tile(of_all, (int(band_of(np.array([reach]))[0]) + 1, 1))
    for number in range(len(weights)):
        own = (band == number) & np.isfinite(truth)
        if own.any():
            weights[number] = best_weights(
                points[own], truth[own], around=of_all, penalty=APARTNESS, most=MOST_PAIRS_OF_BAND
            )
    return weights


def _mixed(said: Said, horizons: np.ndarray, weights: np.ndarray, usual_share: float) -> np.ndarray:
    spread = said.spread
    if said.usual_spread is not None:
        spread = (1.0 - usual_share) * spread + usual_share * said.usual_spread
    return np.asarray(_points(said, horizons, weights)[:, None] + spread)


def _points(said: Said, horizons: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.asarray((said.points * weights[band_of(horizons)]).sum(axis=1))


def _pinball(quantiles: np.ndarray, truth: np.ndarray) -> float:
    error = truth[:, None] - quantiles
    return float(np.nanmean(np.maximum(LEVELS * error, (LEVELS - 1.0) * error)))


def _mixtures(count: int) -> np.ndarray:
    """Return every way to divide the parts among `count` candidates, shape (n, count), rows summing to 1."""
    bars = np.array(list(combinations(range(PARTS + count - 1), count - 1)))
    edges = np.column_stack([np.full(len(bars), -1), bars, np.full(len(bars), PARTS + count - 1)])
    return np.asarray((np.diff(edges, axis=1) - 1) / PARTS)
