"""Readings less the median of their string at the same moment, for a result as read back."""

import pandas as pd
from bms_schema.data.deviation import string_deviation
from bms_schema.data.moments import moment_codes

from bms_anomaly.features import SIGNALS

DEVIATIONS = {f"{signal.column}_deviation": signal.column for signal in SIGNALS}


def with_deviations(result: pd.DataFrame) -> pd.DataFrame:
    """Return the result with a column `<signal>_deviation` per signal it has, NaN in strings of fewer than three.

    Args:
        result: With `Cell ID`, `string`, `source_row`, `Timestamp` where given, and readings.
    """
    moments = moment_codes(result)
    return result.assign(
        **{
            name: string_deviation(result[column].to_numpy(dtype=float), moments, 1.0)[0]
            for name, column in DEVIATIONS.items()
            if column in result
        }
    )
