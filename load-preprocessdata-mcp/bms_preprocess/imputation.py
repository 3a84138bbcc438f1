"""Filling only what is missing, and flagging it: physics first, then MICE, then the column's mean.

Physics stands in `predictors`: series cells share the current, a room its temperature, cells add up to the string.
Method: van Buuren & Groothuis-Oudshoorn 2011, as scikit-learn's IterativeImputer with Bayesian ridge
regressions; one deterministic imputation, so it says nothing about its own uncertainty.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import FLAG_TYPE, IMPUTED
from bms_schema.data.columns import MEASURED_NAMES, flag_of
from bms_schema.data.sampling import hash_sample

from bms_preprocess.mice import complete
from bms_preprocess.predictors import first_guess, predictor_table, reading_bounds

FIT_ROWS = 10_000  # measured: 20,000 rows or 10 rounds change the error on hidden readings by less than 2 %
MAX_ROUNDS = 5
LEAST_KNOWN = 0.5  # [U]
SMALL_MATRIX_THREADS = 1  # measured: BLAS threads on 20 columns wait for each other, 30 s instead of 5 to 12


@dataclass(frozen=True)
class FittedImputer:
    """A fitted imputer.

    Args:
        pipeline: scikit-learn Pipeline (StandardScaler, IterativeImputer).
        columns: Predictor columns in the order the pipeline takes them.
        limits: Plausible range of every measured column, within which filled readings stay.
        means: Mean of the measured columns that have readings, but none in the sample: all that can be filled
            in there.
    """

    pipeline: Any
    columns: list[str]
    limits: dict[str, tuple[float, float]]
    means: dict[str, float] = field(default_factory=dict)

    @property
    def targets(self) -> list[str]:
        """Measured columns that it can fill."""
        return [name for name in MEASURED_NAMES if name in self.columns or name in self.means]


def fit_imputer_on(frame: pd.DataFrame, limits: dict[str, tuple[float, float]]) -> FittedImputer:
    """Fit on a canonical frame in memory: its sample and its means, see `fit_imputer`."""
    sample = predictor_table(frame).iloc[hash_sample(frame, FIT_ROWS)]
    return fit_imputer(sample, limits, reading_means([reading_sums(frame)]))


def fit_imputer(
    sample: pd.DataFrame, limits: dict[str, tuple[float, float]], means: Mapping[str, float]
) -> FittedImputer:
    """Fit MICE on predictors of the `FIT_ROWS` rows with the smallest hash, sorted by it.

    Columns without a reading among them are left out: nothing can be learned about them.

    Args:
        sample: Rows of `predictor_table`, in the order of their hash.
        limits: Plausible range of every measured column.
        means: Mean of every measured column over all rows, from `reading_means`.
    """
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    columns = [name for name in sample if _tells(sample[name])]
    sample = sample[columns]
    scaler = StandardScaler().fit(sample.to_numpy())
    bounds = np.array([reading_bounds(name, limits) for name in columns]).reshape(-1, 2)
    low, high = ((bounds - scaler.mean_[:, None]) / scaler.scale_[:, None]).T
    imputer = IterativeImputer(
        max_iter=MAX_ROUNDS, initial_strategy="median", min_value=low, max_value=high, random_state=0
    )
    pipeline = Pipeline([("scale", scaler), ("mice", imputer)])
    with warnings.catch_warnings(), threadpool_limits(SMALL_MATRIX_THREADS):
        warnings.simplefilter("ignore")  # rounds are bounded on purpose; ConvergenceWarning tells no more
        imputer.fit(scaler.transform(sample.to_numpy()))
    rest = {name: float(mean) for name, mean in means.items() if name not in columns}
    return FittedImputer(pipeline, columns, dict(limits), rest)


def _tells(column: pd.Series) -> bool:
    """Whether a measured column has a reading at all, or a predictor is there for half of the rows.

    What the chain makes up for a predictor that hardly ever is there would drown what it says.
    """
    known = column.notna().mean()
    return bool(known > 0.0 if column.name in MEASURED_NAMES else known >= LEAST_KNOWN)


def reading_sums(frame: pd.DataFrame) -> dict[str, tuple[float, int]]:
    """Return {measured column: (sum, number of readings)}, for the columns with a reading."""
    names = [name for name in MEASURED_NAMES if name in frame and frame[name].notna().any()]
    return {name: (float(frame[name].sum()), int(frame[name].count())) for name in names}


def reading_means(parts: list[dict[str, tuple[float, int]]]) -> dict[str, float]:
    """Return {measured column: mean} of the parts' `reading_sums` together."""
    names = [name for name in MEASURED_NAMES if any(name in part for part in parts)]
    found = {name: [part[name] for part in parts if name in part] for name in names}
    return {name: sum(s for s, _ in sums) / sum(n for _, n in sums) for name, sums in found.items()}


def impute(frame: pd.DataFrame, fitted: FittedImputer) -> tuple[pd.DataFrame, dict[str, int]]:
    """Fill a canonical frame of whole strings in memory, see `impute_block`."""
    return impute_block(frame, predictor_table(frame), fitted)


def impute_block(
    frame: pd.DataFrame, predictors: pd.DataFrame, fitted: FittedImputer
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return a copy whose missing readings are filled and flagged `imputed`, and {column: readings filled}.

    What `predictors` already know of a measured column (a current shared by the string, a voltage from the
    string's total) is taken as it is; the rest comes from MICE. Row by row: any selection of rows gives the same.

    Args:
        frame: Any rows of a canonical frame.
        predictors: Their rows of `cell_predictors`.
        fitted: From `fit_imputer`, on this or another frame.
    """
    from threadpoolctl import threadpool_limits

    gaps = {name: frame[name].isna().to_numpy() for name in fitted.targets if name in frame}
    incomplete = np.logical_or.reduce([np.zeros(len(frame), dtype=bool), *gaps.values()])
    known = predictors[incomplete].reindex(columns=fitted.columns)
    with threadpool_limits(SMALL_MATRIX_THREADS):
        values = complete(fitted.pipeline, known.to_numpy(), first_guess(known).to_numpy())
    completed = pd.DataFrame(values, columns=fitted.columns)
    result = frame.copy(deep=False)  # only whole columns are replaced
    for name, gap in gaps.items():
        if gap.any():
            values = frame[name].to_numpy(dtype=float, copy=True)
            values[gap] = _readings(name, known, completed, fitted)[gap[incomplete]]
            codes = frame[flag_of(name)].astype(FLAG_TYPE).cat.codes.to_numpy(copy=True)
            codes[gap] = FLAG_TYPE.categories.get_loc(IMPUTED)
            result[name], result[flag_of(name)] = values, pd.Categorical.from_codes(codes, dtype=FLAG_TYPE)
    return result, {name: int(gap.sum()) for name, gap in gaps.items()}


def _readings(name: str, known: pd.DataFrame, completed: pd.DataFrame, fitted: FittedImputer) -> np.ndarray:
    """Return what to fill into a column: what physics gave, else what MICE gave, else the column's mean."""
    if name not in fitted.columns:
        return np.full(len(known), fitted.means[name])
    low, high = fitted.limits.get(name, (-np.inf, np.inf))
    # Scaling back may overshoot a limit by rounding.
    return np.clip(completed[name].to_numpy(), low, high)
