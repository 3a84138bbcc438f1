"""What imputer and scaler are fitted on: the rows with the smallest hash of (Cell ID, Timestamp) over all rows.

Parts hand in their candidates; the choice among them depends on neither parts, chunks nor row order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, SOURCE_ROW

from bms_preprocess import imputation, scaling
from bms_preprocess.imputation import impute_block
from bms_preprocess.stages import Block
from bms_preprocess.stored import Fitted

SAMPLE_ROWS = max(imputation.FIT_ROWS, scaling.FIT_ROWS)


class SmallestHashes:
    """The hash below which a row belongs to the sample, found while the rows pass by."""

    def __init__(self) -> None:
        self._smallest = np.empty(0, dtype=np.uint64)

    def add(self, hashes: np.ndarray) -> None:
        """Look at the hashes (n,) of more rows."""
        both = np.concatenate([self._smallest, hashes])
        self._smallest = (
            both if len(both) <= SAMPLE_ROWS else np.partition(both, SAMPLE_ROWS - 1)[:SAMPLE_ROWS]
        )

    @property
    def cut(self) -> int:
        """The largest hash of the sample; rows that share it may be more than the sample takes."""
        return int(self._smallest.max(initial=0))


@dataclass(frozen=True)
class Sample:
    """Rows to fit on, with their hashes; all parts have the same rows."""

    hashes: np.ndarray
    frame: pd.DataFrame
    features: pd.DataFrame
    predictors: pd.DataFrame

    @classmethod
    def of(cls, block: Block, hashes: np.ndarray, cut: int) -> "Sample":
        """Return the rows of a block whose hash, shape (n,), is not above the cut."""
        rows = np.flatnonzero(hashes <= cut)
        return cls(
            hashes[rows], *(part.iloc[rows] for part in (block.frame, block.features, block.predictors))
        )

    @classmethod
    def together(cls, parts: Sequence["Sample"]) -> "Sample":
        """Return the parts' rows in the order of their hash, no more than a fit takes."""
        hashes = np.concatenate([part.hashes for part in parts])
        frame, features, predictors = (
            pd.concat([getattr(part, name) for part in parts], ignore_index=True)
            for name in ("frame", "features", "predictors")
        )
        cells = pd.factorize(frame[CELL_ID].astype(str), sort=True)[0]
        rows = np.lexsort((cells, frame[SOURCE_ROW].to_numpy(), hashes))[:SAMPLE_ROWS]
        return cls(hashes[rows], frame.iloc[rows], features.iloc[rows], predictors.iloc[rows])


def fit(sample: Sample, limits: dict[str, tuple[float, float]], means: dict[str, float]) -> Fitted:
    """Fit the imputer on the first rows of the sample, fill the sample with it, fit the scaler on that.

    Args:
        sample: From `Sample.together`.
        limits: Plausible range of every measured column.
        means: Mean of every measured column over all rows.
    """
    imputer = imputation.fit_imputer(sample.predictors.head(imputation.FIT_ROWS), limits, means)
    filled, _ = impute_block(sample.frame, sample.predictors, imputer)
    whole = pd.concat([filled, sample.features], axis=1).head(scaling.FIT_ROWS)
    return Fitted(imputer, scaling.fit_scaler(whole))
