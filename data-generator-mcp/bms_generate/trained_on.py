"""Is the twin as good to learn from? Train on synthetic, test on real; beside it, train on real (Esteban 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from bms_schema.data.columns import IS_DEAD, match_columns
from bms_schema.data.metrics import auroc
from bms_schema.data.splits import grouped_folds

from bms_generate.judges import SEED, class_scores, number_guesses
from bms_generate.records import Records, sample

_MOST_FOLDS = 5
_MOST_TRAINED = 30_000  # rows to train on; more takes minutes and changes the third decimal
_MOST_TARGETS = 8  # signals guessed from the others
# Fewer true labels than this leave an AUROC to chance.
_FEWEST_TRUE = 20
_FEWEST_ROWS = 50
# Real data that teach less than this above guessing are no yardstick.
LEAST_TAUGHT = 0.1
COLUMNS = ["target", "metric", "real", "synthetic"]


@dataclass(frozen=True)
class TrainedOn:
    """How well models that learnt from either table judge real rows that neither has seen.

    Args:
        task: `label`: boosted trees tell the label; `signals`: they guess each signal from the others; `none`.
        table: `target`, `metric` (AUROC, average precision; R2), and by what was learnt from: `real`, `synthetic`.
        split: What is held out together.
        note: Why it is not the label, or nothing; empty where all is as wished.
    """

    task: Literal["label", "signals", "none"]
    table: pd.DataFrame
    split: Literal["strings or cells", "rows"]
    note: str = ""

    @property
    def headline(self) -> tuple[float, float]:
        """Return (real, synthetic): AUROC of the label, or mean R2 of the signals, none below 0; NaN for none."""
        if self.task == "label":
            first = self.table.iloc[0]
            return float(first["real"]), float(first["synthetic"])
        means = self.table[["real", "synthetic"]].astype(float).clip(lower=0.0).mean()
        return float(means["real"]), float(means["synthetic"])


def compare_training(real: Records, synthetic: Records, label: str | None) -> TrainedOn:
    """Train on synthetic rows and on real rows of other strings; test both on the same real rows.

    Features of a row are its signals and categories, and how far each cell signal stands from the median of its
    string at that moment. Real rows are held out by string (by cell in a single string, by row without series).
    The model of the synthetic rows sees all synthetic strings, that of the real rows all but the tested ones.

    Args:
        real: Real rows.
        synthetic: Synthetic rows, encoded alike.
        label: Name of the label; None, or one other than `IsDead` of which real rows teach next to nothing, guesses
            the signals from one another.
    """
    split: Literal["strings or cells", "rows"] = "rows" if real.group is None else "strings or cells"
    note = "" if label else "no 0/1 column true in less than half of the rows"
    if label:
        known = [np.isfinite(side.label) for side in (real, synthetic)]
        note = f"too few real rows, or too few strings or cells, in which {label} is true"
        if (folds := _label_folds(real, known[0])) is not None:
            rows = _predict_label(real, synthetic, known, folds)
            if rows[0][1] - 0.5 >= LEAST_TAUGHT or match_columns([label]).get(IS_DEAD):
                table = pd.DataFrame([(label, *row) for row in rows], columns=COLUMNS)
                return TrainedOn("label", table, split)
            note = f"real rows teach too little of {label}"
    rows = _guess_signals(real, synthetic)
    table = pd.DataFrame(rows, columns=COLUMNS)
    return TrainedOn("signals" if rows else "none", table, split, note)


def _label_folds(real: Records, known: np.ndarray) -> np.ndarray | None:
    """Return the fold of each known row, groups whole and true labels spread; None where there are too few."""
    from sklearn.model_selection import StratifiedGroupKFold

    truth = real.label[known]
    groups = np.arange(len(truth)) if real.group is None else real.group[known]
    count = min(_MOST_FOLDS, len(np.unique(groups[truth > 0])), len(np.unique(groups[truth < 1])))
    if count < 2 or (truth > 0).sum() < _FEWEST_TRUE:
        return None
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=SEED).split(truth, truth, groups)
    return _numbered([test for _, test in folds], len(truth))


def _predict_label(
    real: Records, synthetic: Records, known: list[np.ndarray], folds: np.ndarray
) -> list[tuple[str, float, float]]:
    from sklearn.metrics import average_precision_score

    (values, truth), (made, made_truth) = (
        (_features(side)[rows], side.label[rows]) for side, rows in zip((real, synthetic), known, strict=True)
    )
    learnt = sample(len(made), _MOST_TRAINED, SEED)
    by_synthetic = (
        class_scores(made[learnt], made_truth[learnt], values) if len(learnt) else np.zeros(len(values))
    )
    scores = []
    for fold in np.unique(folds):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if np.ptp(truth[test]) == 0:
            continue
        train = train[sample(len(train), _MOST_TRAINED, SEED)]
        by_real = class_scores(values[train], truth[train], values[test])
        scores.append(
            [
                metric(truth[test], guess)
                for metric in (auroc, average_precision_score)
                for guess in (by_real, by_synthetic[test])
            ]
        )
    area_real, area_synthetic, precision_real, precision_synthetic = np.mean(scores, axis=0)
    return [
        ("AUROC", float(area_real), float(area_synthetic)),
        ("average precision", float(precision_real), float(precision_synthetic)),
    ]


def _guess_signals(real: Records, synthetic: Records) -> list[tuple[str, str, float, float]]:
    """Return R2 of each signal guessed from the others, over all held-out rows together."""
    folds = _row_folds(real)
    if folds is None or real.values.shape[1] < 2 or not len(synthetic.values):
        return []
    targets = range(real.shared, real.signals)[:_MOST_TARGETS]
    return [row for place in targets if (row := _guess_signal(real, synthetic, folds, place)) is not None]


def _guess_signal(
    real: Records, synthetic: Records, folds: np.ndarray, place: int
) -> tuple[str, str, float, float] | None:
    present, made = (np.isfinite(side.values[:, place]) for side in (real, synthetic))
    if present.sum() < _FEWEST_ROWS or not made.any():
        return None
    values, asked = (np.delete(side.values, place, axis=1) for side in (real, synthetic))
    learnt = np.flatnonzero(made)[sample(int(made.sum()), _MOST_TRAINED, SEED)]
    truth = real.values[:, place]
    by_synthetic = number_guesses(asked[learnt], synthetic.values[learnt, place], values)
    by_real = np.full(len(truth), np.nan)
    for fold in np.unique(folds):
        train = np.flatnonzero((folds != fold) & present)
        test = (folds == fold) & present
        if not len(train) or not test.any():
            continue
        train = train[sample(len(train), _MOST_TRAINED, SEED)]
        by_real[test] = number_guesses(values[train], truth[train], values[test])
    rows = np.isfinite(by_real)
    if not rows.any() or np.ptp(truth[rows]) == 0:
        return None
    scores = (_r2(truth[rows], guess[rows]) for guess in (by_real, by_synthetic))
    return (real.names[place], "R2", *scores)


def _r2(truth: np.ndarray, guess: np.ndarray) -> float:
    return float(1 - ((truth - guess) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def _row_folds(real: Records) -> np.ndarray | None:
    size = len(real.values)
    groups = np.arange(size) if real.group is None else real.group
    count = min(_MOST_FOLDS, len(np.unique(groups)))
    if count < 2 or size < _FEWEST_ROWS:
        return None
    return _numbered([test for _, test in grouped_folds(groups, count, SEED)], size)


def _numbered(tests: list[np.ndarray], size: int) -> np.ndarray:
    folds = np.empty(size, dtype=int)
    for number, test in enumerate(tests):
        folds[test] = number
    return folds


def _features(records: Records) -> np.ndarray:
    """Return values and, for series, the deviation of the cell's signals from the string's median at the moment."""
    if records.moment is None:
        return records.values
    own = pd.DataFrame(records.values[:, records.shared : records.signals])
    medians = own.groupby(records.moment).transform("median")
    return np.column_stack([records.values, (own - medians).to_numpy()])
