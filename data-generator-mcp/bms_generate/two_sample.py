"""Can boosted trees tell synthetic from real? The classifier two-sample test (Lopez-Paz and Oquab 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from bms_schema.data.metrics import auroc
from bms_schema.data.splits import grouped_folds

from bms_generate.judges import SEED, class_scores
from bms_generate.records import Records, sample
from bms_generate.telemetry import Windows

_MOST_FOLDS = 5
_TIME_BLOCKS = 4
# Of either side; more change the third decimal and take minutes.
_MOST_WINDOWS, _MOST_ROWS = 2_000, 20_000
_FEWEST = 20  # records of each side; below it an AUROC is noise

Split = Literal["strings", "time blocks", "rows"]
Unit = Literal["windows", "rows"]


@dataclass(frozen=True)
class TwoSample:
    """How well real and synthetic records are told apart, on records that the trees have not seen.

    Args:
        auroc: Mean over the folds; 0.5 = cannot be told apart, 1 = always. Well below 0.5 is no
            lead: with few strings each one held out shifts the others against it, and copies in other folds do
            so too. NaN where there are too few records.
        folds: AUROC of each fold.
        split: What the folds hold out together.
        records: What was judged.
        truth: 1.0 synthetic, 0.0 real, of every judged record, shape (m,).
        score: Its chance of being synthetic, shape (m,).
        fold: Its fold, shape (m,).
    """

    auroc: float
    folds: list[float]
    split: Split
    records: Unit
    truth: np.ndarray
    score: np.ndarray
    fold: np.ndarray


def compare_windows(real: Windows, synthetic: Windows) -> TwoSample:
    """Judge whole windows of cells: all signals in time order.

    Folds hold out whole strings, a real and a synthetic one each: cells of a string share signals, so that random
    folds would be judged by a current already seen. A single string is held out by blocks of time.

    Args:
        real: Of the real cells.
        synthetic: Of the synthetic ones, cut alike.
    """
    real, synthetic = (_thin(side) for side in (real, synthetic))
    if min(len(real.string), len(synthetic.string)) < _FEWEST or not real.values.shape[1]:
        return _unjudged("strings", "windows")
    count = min(_MOST_FOLDS, len(np.unique(real.string)), len(np.unique(synthetic.string)))
    if count > 1:
        folds = [_string_folds(side.string, count) for side in (real, synthetic)]
        return _judge(real.values, synthetic.values, folds, "strings", "windows")
    folds = [_time_folds(side.start) for side in (real, synthetic)]
    return _judge(real.values, synthetic.values, folds, "time blocks", "windows")


def compare_rows(real: Records, synthetic: Records) -> TwoSample:
    """Judge single rows of tables without series, in random folds."""
    values = [side.values[sample(len(side.values), _MOST_ROWS, SEED)] for side in (real, synthetic)]
    if min(map(len, values)) < _FEWEST or not values[0].shape[1]:
        return _unjudged("rows", "rows")
    random = np.random.default_rng(SEED)
    folds = [random.permutation(len(side)) % _MOST_FOLDS for side in values]
    return _judge(*values, folds, "rows", "rows")


def _unjudged(split: Split, records: Unit) -> TwoSample:
    nothing = np.empty(0)
    return TwoSample(float("nan"), [], split, records, nothing, nothing, nothing)


def _thin(windows: Windows) -> Windows:
    kept = sample(len(windows.string), _MOST_WINDOWS, SEED)
    return Windows(windows.values[kept], windows.string[kept], windows.start[kept])


def _string_folds(strings: np.ndarray, count: int) -> np.ndarray:
    fold = np.empty(len(strings), dtype=int)
    for number, (_, test) in enumerate(grouped_folds(strings, count, SEED)):
        fold[test] = number
    return fold


def _time_folds(start: np.ndarray) -> np.ndarray:
    """Return the quarter of the table's own span in which each window starts."""
    span = max(int(np.ptp(start)), 1)
    return np.minimum((start - start.min()) * _TIME_BLOCKS // (span + 1), _TIME_BLOCKS - 1)


def _judge(
    real: np.ndarray,
    synthetic: np.ndarray,
    folds: list[np.ndarray],
    split: Split,
    records: Unit,
) -> TwoSample:
    values = np.concatenate([real, synthetic]).astype("float32")
    truth = np.repeat([0.0, 1.0], [len(real), len(synthetic)])
    fold, score = np.concatenate(folds), np.full(len(truth), np.nan)
    areas = []
    for number in np.unique(fold):
        test = fold == number
        # A side without a record in the fold, or without any elsewhere, cannot be judged there.
        if min(np.ptp(truth[test]), np.ptp(truth[~test]) if (~test).any() else 0.0) == 0:
            continue
        score[test] = class_scores(values[~test], truth[~test], values[test])
        areas.append(auroc(truth[test], score[test]))
    judged = np.isfinite(score)
    mean = float(np.mean(areas)) if areas else float("nan")
    return TwoSample(mean, areas, split, records, truth[judged], score[judged], fold[judged])
