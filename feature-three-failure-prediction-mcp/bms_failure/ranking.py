"""The ranking without labels: how far each cell stands out of the fleet, by several physical signs.

It is no probability and never calls itself one.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from bms_schema.data.features import MAD_TO_SIGMA

from bms_failure.feature_set import BY_NAME

INDICATORS: tuple[str, ...] = (
    "voltage_level_1d",
    "voltage_slope_7d",
    "voltage_change_30d",
    "load_level_30d",
    "temperature_level_1d",
    "temperature_change_30d",
    "rise_level_1d",
    "resistance_level_30d",
    "resistance_change_30d",
    "gravity_level_7d",
    "gravity_change_30d",
)
# Modified z-score limit of Iglewicz and Hoaglin 1993 [U], asked of two signs that come from different sensors: on
# simulated fleets two signs were right in about 4 of 5 moments, one sign alone in 1 of 4.
SUSPICIOUS_SIGMA = 3.5
SIGNS_NEEDED = 2
# Where one sensor is all there is, its sign alone beyond this was right in 4 of 5 moments, beyond 3.5 in 1 of 2.
ALONE_SIGMA = 5.0
# A drifting voltage sensor shifts float and load readings alike: they are one sign.
_SIGN_OF_THEME = {"load": "voltage"}


@dataclass(frozen=True)
class IndicatorRanking:
    """How far each cell stands out.

    Args:
        z: Robust sigmas in the suspect direction, one column per indicator, NaN = unknown, rows as given.
        score: Mean of the robust percentiles (normal probability of z), 0.5 = like the fleet, shape (n,).
        suspicious: Two physical signs beyond 3.5 robust sigma, or, where one sensor is all there is, its sign
            beyond 5, shape (n,).
    """

    z: pd.DataFrame
    score: np.ndarray
    suspicious: np.ndarray


def rank_by_indicators(latest: pd.DataFrame) -> IndicatorRanking:
    """Compare cells with the median and MAD of all cells given.

    Args:
        latest: One moment per cell, with features.
    """
    from scipy.special import ndtr

    columns = {}
    for name in INDICATORS:
        if latest[name].isna().all():
            columns[name] = latest[name]
            continue
        feature = BY_NAME[name]
        away = feature.suspect * (latest[name] - latest[name].median())
        columns[name] = away / max(float(MAD_TO_SIGMA * away.abs().median()), feature.floor)
    z = pd.DataFrame(columns, index=latest.index)
    percentiles = pd.DataFrame(ndtr(z.to_numpy(dtype=float)), index=z.index)
    themes = [BY_NAME[name].theme for name in INDICATORS]
    signs = z.T.groupby([_SIGN_OF_THEME.get(theme, theme) for theme in themes]).max().T
    alone = int(signs.notna().any().sum()) < SIGNS_NEEDED
    limit, needed = (ALONE_SIGMA, 1) if alone else (SUSPICIOUS_SIGMA, SIGNS_NEEDED)
    suspicious = (signs > limit).sum(axis=1) >= needed
    return IndicatorRanking(z, percentiles.mean(axis=1).fillna(0.5).to_numpy(), suspicious.to_numpy())
