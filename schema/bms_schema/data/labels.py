"""The label `IsDead`, in every spelling."""

import numpy as np
import pandas as pd

from bms_schema.data.text import distinct_text

_TRUE, _FALSE = ("1", "1.0", "true", "yes", "y", "t"), ("0", "0.0", "false", "no", "n", "f")


def label_counts(column: pd.Series) -> dict[str, int]:
    """Return how many labels are "1", "0", "blank" or something "other"."""
    labels, blank = _labels(column)
    counts = {"1": (labels == 1.0).sum(), "0": (labels == 0.0).sum(), "blank": blank.sum()}
    counts["other"] = len(column) - sum(counts.values())
    return {name: int(count) for name, count in counts.items() if count}


def only_the_dead_are_marked(counts: dict[str, int]) -> bool:
    """Whether a file says 1 or nothing: then nothing means alive."""
    return bool(counts.get("1") and counts.get("blank") and not counts.get("0"))


def parse_labels(column: pd.Series, *, blank_is_alive: bool) -> np.ndarray:
    """Return 1.0 (dead), 0.0 (alive) or NaN (unknown) for every row."""
    labels, blank = _labels(column)
    return np.where(blank, 0.0, labels) if blank_is_alive else labels


def _labels(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    codes, texts = distinct_text(column)
    meaning = {**dict.fromkeys(_TRUE, 1.0), **dict.fromkeys(_FALSE, 0.0)}
    distinct = np.array([*(meaning.get(text.lower(), np.nan) for text in texts), np.nan])
    return distinct[codes], codes < 0
