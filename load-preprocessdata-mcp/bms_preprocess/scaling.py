"""Robust scaling of readings and features, into columns that say so: `<name>_scaled`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
        pipeline: scikit-learn Pipeline (SimpleImputer by mean, RobustScaler by median and quartiles).
        columns: Columns in the order it takes them.
    """

    pipeline: Any
    columns: list[str]


def numeric_columns(frame: pd.DataFrame) -> list[str]:
    """Return the measured and engineered columns present; never `IsDead`, never a carried column."""
    return [name for name in (*MEASURED_NAMES, *feature_names()) if name in frame]


def with_numeric_features(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the features of a file written before parsed to numbers (files are read as text)."""
    present = [name for name in feature_names() if name in frame]
    return frame.assign(**{name: to_numbers(frame[name])[0] for name in present}) if present else frame


def fit_scaler(frame: pd.DataFrame, *, rows: int = FIT_ROWS) -> FittedScaler:
    """Fit on at most `rows` rows, chosen by hash; columns without any value are left out."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import RobustScaler

    sample = frame[numeric_columns(frame)].iloc[hash_sample(frame, rows)]
    sample = sample.loc[:, sample.notna().any()]
    pipeline = Pipeline([("mean", SimpleImputer(strategy="mean")), ("scale", RobustScaler())])
    return FittedScaler(pipeline.fit(sample.to_numpy(dtype=float)), list(sample.columns))


def scale(frame: pd.DataFrame, fitted: FittedScaler) -> tuple[pd.DataFrame, int]:
    """Return the scaled table and how many leftover gaps were filled with the mean.

    Ids, time and `IsDead` stand beside the scaled columns as they are; carried columns are left behind.

    Args:
        frame: A canonical frame with every column that the scaler was fitted on.
        fitted: From `fit_scaler`.
    """
    table = frame[fitted.columns]
    scaled = pd.DataFrame(
        fitted.pipeline.transform(table.to_numpy(dtype=float)),
        index=frame.index,
        columns=_suffixed(fitted.columns),
    )
    kept = [name for name in (*UNSCALED, IS_DEAD) if name in frame]
    return pd.concat([frame[kept], scaled], axis=1), int(table.isna().to_numpy().sum())


def _suffixed(names: Sequence[str]) -> list[str]:
    return [f"{name}{SCALED_SUFFIX}" for name in names]
