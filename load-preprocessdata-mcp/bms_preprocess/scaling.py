"""Robust scaling of readings and features, into columns that say so: `<name>_scaled`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import to_numbers
from bms_schema.data.columns import CELL_ID, IS_DEAD, MEASURED_NAMES, SOURCE_ROW, STRING, TIMESTAMP
from bms_schema.data.features import feature_names
from bms_schema.data.sampling import hash_sample

FIT_ROWS = 100_000
SCALED_SUFFIX = "_scaled"
UNSCALED = (SOURCE_ROW, CELL_ID, STRING, TIMESTAMP)


@dataclass(frozen=True)
class FittedScaler:
    """A fitted scaler.

    Args:
        pipeline: scikit-learn Pipeline (RobustScaler by median and quartiles, SimpleImputer by mean).
        columns: Columns in the order it takes them.
    """

    pipeline: Any
    columns: list[str]

    def figures(self) -> Iterator[tuple[str, float, float, float]]:
        """Yield (column, what is subtracted, what is divided by, scaled mean that fills a gap)."""
        scaler, filler = self.pipeline["scale"], self.pipeline["fill"]
        yield from zip(self.columns, scaler.center_, scaler.scale_, filler.statistics_, strict=True)


def numeric_columns(frame: pd.DataFrame) -> list[str]:
    """Return the measured and engineered columns present; never `IsDead`, never a carried column."""
    return [name for name in (*MEASURED_NAMES, *feature_names()) if name in frame]


def with_numeric_features(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the features of a file written before parsed to numbers (files are read as text)."""
    present = [name for name in feature_names() if name in frame]
    return frame.assign(**{name: to_numbers(frame[name])[0] for name in present}) if present else frame


def fit_scaler_on(frame: pd.DataFrame) -> FittedScaler:
    """Fit on a canonical frame in memory: on its sample, see `fit_scaler`."""
    return fit_scaler(frame.iloc[hash_sample(frame, FIT_ROWS)])


def fit_scaler(sample: pd.DataFrame) -> FittedScaler:
    """Fit on the `FIT_ROWS` rows with the smallest hash; columns without any value among them are left out.

    Args:
        sample: Those rows of the table to scale, readings and features, in the order of their hash.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import RobustScaler

    sample = sample[numeric_columns(sample)]
    sample = sample.loc[:, sample.notna().any()]
    # Scaled first: filled in before, the mean of a column with many gaps would be its median, too.
    pipeline = Pipeline([("scale", RobustScaler()), ("fill", SimpleImputer(strategy="mean"))])
    return FittedScaler(pipeline.fit(sample.to_numpy(dtype=float)), list(sample.columns))


def scale(frame: pd.DataFrame, fitted: FittedScaler) -> tuple[pd.DataFrame, int]:
    """Return the scaled table and how many leftover gaps were filled with the mean.

    Ids, time and `IsDead` stand beside the scaled columns as they are; carried columns are left behind. Row by
    row, and column by column as the pipeline would: its own `transform` copies the whole table three times.

    Args:
        frame: A canonical frame with every column that the scaler was fitted on.
        fitted: From `fit_scaler`.
    """
    columns: dict[str, Any] = {name: frame[name] for name in (*UNSCALED, IS_DEAD) if name in frame}
    leftovers = 0
    for name, center, width, filling in fitted.figures():
        values = (frame[name].to_numpy(dtype=float) - center) / width
        gaps = np.isnan(values)
        leftovers += int(gaps.sum())
        values[gaps] = filling
        columns[name + SCALED_SUFFIX] = values
    return pd.DataFrame(columns, index=frame.index, copy=False), leftovers
