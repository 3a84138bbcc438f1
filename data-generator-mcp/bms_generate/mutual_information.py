"""How much columns of any kind tell about each other: mutual information on at most 16 bins each."""

import numpy as np
import pandas as pd

_BINS = 16
# Estimates of more rows differ in the third decimal; only their order is used.
_MOST_ROWS = 10_000


def binned(values: np.ndarray, *, labels: bool) -> np.ndarray:
    """Return bins 0 to 15: of equal frequency for numbers; of label codes the first ones, the rest in the last.

    Args:
        values: Finite numbers, or `label_codes`.
        labels: Which of the two.

    >>> binned(np.array([0.5, 7.0, 0.7, 9.0]), labels=False).tolist()
    [0, 8, 4, 12]
    """
    if labels:
        return np.minimum(values, _BINS - 1)
    ranks = np.empty(len(values), dtype=int)
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ranks * _BINS // len(values)


def label_codes(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return codes by falling frequency, and the label of each code; missing is a label.

    >>> codes, labels = label_codes(pd.Series(["x", "y", "y"]))
    >>> codes.tolist(), labels.tolist()
    ([1, 0, 0], ['y', 'x'])
    """
    codes, labels = pd.factorize(column.astype(object), use_na_sentinel=False)
    order = np.lexsort(([str(label) for label in labels], -np.bincount(codes, minlength=len(labels))))
    place = np.empty(len(labels), dtype=int)
    place[order] = np.arange(len(labels))
    return place[codes], np.asarray(labels, dtype=object)[order]


def mutual_information(first: np.ndarray, second: np.ndarray) -> float:
    """Return what two columns of bins tell about each other, in nats; 0 where nothing.

    >>> round(mutual_information(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])), 3)
    0.693
    """
    joint = np.bincount(first * _BINS + second, minlength=_BINS * _BINS).reshape(_BINS, _BINS) / len(first)
    alone = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    return float((joint[seen] * np.log(joint[seen] / alone[seen])).sum())


def strongest(bins: dict[str, np.ndarray], target: str, among: list[str], most: int) -> list[str]:
    """Return the `most` columns that tell most about `target`, in the order of `among`.

    Args:
        bins: Column -> `binned` values, all of one length.
        target: A column of `bins`.
        among: Candidates.
        most: How many to take.
    """
    if len(among) <= most:
        return list(among)
    step = -(-len(bins[target]) // _MOST_ROWS)
    told = {name: mutual_information(bins[name][::step], bins[target][::step]) for name in among}
    chosen = set(sorted(among, key=lambda name: -told[name])[:most])
    return [name for name in among if name in chosen]
