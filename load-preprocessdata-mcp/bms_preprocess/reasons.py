"""What can have happened to a reading, in the order and the words of the report."""

import numpy as np
import pandas as pd
from bms_schema.data.cleaning import (
    BLANK,
    CHANGED,
    IMPUTED,
    LOST,
    NOT_A_NUMBER,
    OUT_OF_RANGE,
    SENTINEL,
    SIGN_RESTORED,
    SPIKE,
    STUCK,
    UNIT_CONVERTED,
    count_flags,
)
from bms_schema.data.columns import MEASURED_NAMES

MASKED = tuple(reason for reason in LOST if reason != BLANK)  # a value was there but is no reading
REASONS = (*LOST, *CHANGED, IMPUTED)

WORDS = {
    BLANK: "blank",
    NOT_A_NUMBER: "not a number",
    SENTINEL: "sentinel",
    OUT_OF_RANGE: "out of range",
    SPIKE: "spike",
    STUCK: "stuck",
    UNIT_CONVERTED: "unit converted",
    SIGN_RESTORED: "sign restored",
    IMPUTED: "filled before",
}


def reason_codes(flags: pd.Series) -> np.ndarray:
    """Return 0 for a plain reading and 1 + its place in `REASONS` for every other, int8, shape (n,).

    >>> reason_codes(pd.Series(["", "sentinel", None])).tolist()
    [0, 3, 0]
    """
    if not isinstance(flags.dtype, pd.CategoricalDtype):
        flags = flags.astype("category")
    places = {reason: place for place, reason in enumerate(REASONS, start=1)}
    known = np.array([places.get(str(name), 0) for name in flags.cat.categories] + [0], dtype=np.int8)
    return known[flags.cat.codes.to_numpy()]


def count_flagged(frame: pd.DataFrame, *flags: str) -> int:
    """Return how many readings of a canonical frame carry one of the flags."""
    names = [name for name in MEASURED_NAMES if name in frame]
    return sum(found.get(flag, 0) for found in count_flags(frame, names).values() for flag in flags)


def count_masked(frame: pd.DataFrame) -> int:
    """Return how many values were there but are no readings."""
    return count_flagged(frame, *MASKED)
