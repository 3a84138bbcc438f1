"""How good the filled readings are: hide known ones, fill them, compare with the truth."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import IMPUTED
from bms_schema.data.columns import COLUMNS, MEASURED_NAMES, flag_of
from bms_schema.data.metrics import rmse
from bms_schema.data.sampling import hash_sample

from bms_preprocess.imputation import FittedImputer, fit_imputer, impute

HIDDEN_SHARE = 0.05
FEWEST_HIDDEN = 5  # [U] below it a root mean square says nothing
CHECK_SPLIT = (
    f"{HIDDEN_SHARE:.0%} of the rows, chosen by hash of (Cell ID, Timestamp), with all readings hidden as when a "
    "cell does not answer; the imputer is fitted without them; baseline is the column's mean"
)
STORED_SPLIT = CHECK_SPLIT.replace(
    "the imputer is fitted without them", "the imputer is the stored version's, whatever that was fitted on"
)


@dataclass(frozen=True)
class ColumnCheck:
    """Error of the filled readings of one column, in its unit.

    Args:
        hidden: Readings hidden and filled again.
        rmse: Root mean squared error of MICE.
        mean_rmse: The same for the column's mean.
    """

    unit: str
    hidden: int
    rmse: float
    mean_rmse: float


def check_imputation(
    frame: pd.DataFrame, limits: dict[str, tuple[float, float]], fitted: FittedImputer | None = None
) -> dict[str, ColumnCheck]:
    """Return {column: error} for readings hidden on purpose; empty where there are too few rows.

    A column that the imputer does not know, because it saw no reading of it, has no error.

    Args:
        frame: A canonical frame, before imputation.
        limits: Plausible range of every measured column.
        fitted: A stored imputer to check; None fits one on what is not hidden.
    """
    n_hidden = round(len(frame) * HIDDEN_SHARE)
    if n_hidden < FEWEST_HIDDEN:
        return {}
    # The largest hashes: the fit takes the smallest.
    rows = np.sort(hash_sample(frame, len(frame))[-n_hidden:])
    names = [name for name in MEASURED_NAMES if name in frame]
    masked = frame.copy()
    truth = {}
    for name in names:
        values = frame[name].to_numpy(dtype=float, copy=True)
        # A reading filled in earlier is no truth to compare with.
        truth[name] = np.where(frame[flag_of(name)] == IMPUTED, np.nan, values)[rows]
        values[rows] = np.nan
        masked[name] = values
    imputer = fitted or fit_imputer(masked, limits)
    filled, _ = impute(masked, imputer)
    checks = {}
    for name in (name for name in names if name in imputer.targets):
        actual, mean = truth[name], masked[name].mean()
        known = int(np.isfinite(actual).sum())
        if known >= FEWEST_HIDDEN and np.isfinite(mean):
            error = rmse(actual, filled[name].to_numpy()[rows])
            checks[name] = ColumnCheck(
                COLUMNS[name].unit, known, error, rmse(actual, np.full(len(actual), mean))
            )
    return checks
