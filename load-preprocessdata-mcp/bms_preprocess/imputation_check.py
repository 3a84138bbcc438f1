"""How good the filled readings are: hide known ones, fill them, compare with the truth.

On a bounded part of the table that does not depend on how it was read, so that a table of any size has its check.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import IMPUTED
from bms_schema.data.columns import COLUMNS, MEASURED_NAMES, SOURCE_ROW, STRING, TIMESTAMP, flag_of
from bms_schema.data.metrics import rmse
from bms_schema.data.sampling import hash_sample

from bms_preprocess.imputation import FittedImputer, fit_imputer_on, impute

CHECK_ROWS = 200_000
HIDDEN_SHARE = 0.05
FEWEST_HIDDEN = 5  # [U] below it a root mean square says nothing
CHECK_SPLIT = (
    f"{HIDDEN_SHARE:.0%} of the rows (of whole strings of at most {CHECK_ROWS:,} rows in all, or of the first so "
    "many of a longer string), chosen by hash of (Cell ID, Timestamp), with all readings hidden as when a "
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
        rmse: Root mean squared error of the filled readings.
        mean_rmse: The same for the column's mean.
    """

    unit: str
    hidden: int
    rmse: float
    mean_rmse: float


def strings_to_check(rows: Mapping[str, int]) -> list[str]:
    """Return the strings to check on: in the order of their names' hash, as many as `CHECK_ROWS` allow.

    At least one; of one that is longer `part_to_check` takes the first period.

    Args:
        rows: Rows of every string of the table.

    >>> strings_to_check({"a": 150_000, "b": 40_000, "c": 90_000})
    ['c', 'b']
    """
    names = sorted(rows)
    hashes = pd.util.hash_array(np.array(names, dtype=object))
    ordered = [names[place] for place in np.argsort(hashes, kind="stable")]
    within = np.cumsum([rows[name] for name in ordered]) <= CHECK_ROWS
    return ordered[: max(1, int(within.argmin() if not within.all() else len(ordered)))]


def part_to_check(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows to check on, a bounded part of a canonical frame that holds `strings_to_check` or more."""
    rows = frame[STRING].value_counts()
    chosen = strings_to_check({str(name): int(count) for name, count in rows.items() if count})
    part = frame[frame[STRING].isin(chosen)]
    if len(part) <= CHECK_ROWS:
        return part
    timed = TIMESTAMP in part and part[TIMESTAMP].notna().any()
    when = part[TIMESTAMP] if timed else part[SOURCE_ROW]
    # Whole moments; rows without a time stamp come last.
    end = np.sort(when.to_numpy())[CHECK_ROWS]
    return part[when < end] if pd.notna(end) else part[when.notna()]


def check_imputation(
    frame: pd.DataFrame, limits: dict[str, tuple[float, float]], fitted: FittedImputer | None = None
) -> dict[str, ColumnCheck]:
    """Return {column: error} for readings hidden on purpose; empty where there are too few rows.

    A column that the imputer does not know, because it saw no reading of it, has no error.

    Args:
        frame: A canonical frame, before imputation; a long one is judged by its `part_to_check`.
        limits: Plausible range of every measured column.
        fitted: A stored imputer to check; None fits one on what is not hidden.
    """
    part = part_to_check(frame).reset_index(drop=True)
    n_hidden = round(len(part) * HIDDEN_SHARE)
    if n_hidden < FEWEST_HIDDEN:
        return {}
    # The largest hashes: the fit takes the smallest.
    rows = np.sort(hash_sample(part, len(part))[-n_hidden:])
    names = [name for name in MEASURED_NAMES if name in part]
    masked = part.copy(deep=False)
    truth = {}
    for name in names:
        values = part[name].to_numpy(dtype=float, copy=True)
        # A reading filled in earlier is no truth to compare with.
        truth[name] = np.where(part[flag_of(name)] == IMPUTED, np.nan, values)[rows]
        values[rows] = np.nan
        masked[name] = values
    imputer = fitted or fit_imputer_on(masked, limits)
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
