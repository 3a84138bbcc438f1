"""The two rankings a classifier has to beat: no learning, one number per cell."""

from typing import Literal

import numpy as np
import pandas as pd

Baseline = Literal["deviation_rank", "ohmic_rise"]
BASELINES: tuple[Baseline, ...] = ("deviation_rank", "ohmic_rise")
BASELINE_FEATURE: dict[Baseline, str] = {
    "deviation_rank": "voltage_level_1d",
    "ohmic_rise": "resistance_change_30d",
}


def baseline_score(moments: pd.DataFrame, baseline: Baseline) -> np.ndarray:
    """Return the score of each moment, higher = worse, shape (n,); 0 where nothing is known.

    `deviation_rank`: log(1 + distance of the voltage from the string median over the last day [mV]), either
    sign; the logarithm keeps a calibrated risk from running to 1 far outside.
    `ohmic_rise`: rise of the load-step resistance over the string's, last 7 days against the last 30 [log].
    """
    value = moments[BASELINE_FEATURE[baseline]].fillna(0.0).to_numpy(dtype=float)
    return np.log1p(np.abs(value)) if baseline == "deviation_rank" else value
