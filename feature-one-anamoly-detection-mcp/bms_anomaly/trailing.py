"""The trailing score, for live use: what the detector says of a reading at its own moment, without hindsight.

`detect_anomalies` is retrospective: a reading is judged by what came after it too. The trailing score of a reading
is the score that the same detector gives it in the rows of its string up to its own moment, so it never changes
when later rows arrive. Measured by tests/benchmarks/anomaly_trailing.py.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, STRING
from bms_schema.data.moments import moment_codes, order_cells

from bms_anomaly.events import OPEN_SCORE
from bms_anomaly.scoring import FleetDetector, score_frame


def trailing_scores(
    frame: pd.DataFrame, model: FleetDetector | str = "latest", *, moments: int = 1
) -> pd.DataFrame:
    """Score the last readings of every cell, each in the rows of its string up to its own moment.

    A moment is a time stamp; where the cells of a string are polled one after another it is one usual step long,
    and settled once the round is complete; without time stamps it is the reading's number. All rows given are
    looked at: pass 72 h or more of whole strings; the longer its past, the surer a cell's own level. Every moment
    costs one scoring of its string up to there, so this is for the newest readings; a whole file is
    `score_frame`'s.

    Args:
        frame: A canonical frame (`canonical_table(...).frame`).
        model: A version, "latest", or a detector from `storage.load_detector`, which saves loading it again.
        moments: How many of its last readings to score of every cell, at least 1.

    Returns:
        One row per reading, in the frame's order and with its index, with the columns of `score_frame`, but
        `trailing_score` for `anomaly_score` (higher = worse, NaN where no sensor answered). `anomaly` is 1 where
        the reading lies in an event of the default call as seen from that moment; outside of one, its score is at
        most 3, which is what opens an event. A row without a time stamp, of a cell that has others with one, has
        no moment: it is not scored and belongs to no past.

    Raises:
        ModelError: no such version, or it is damaged.
    """
    if isinstance(model, str):
        from bms_anomaly.storage import load_detector

        model, _ = load_detector(model)
    rows = _placed_rows(frame)
    newest = rows.sort_values("moment").groupby("cell").tail(moments)
    ends = newest[["string", "timed", "moment"]].drop_duplicates().sort_values(["timed", "moment"])
    scored = []
    # One moment of every string at a time: strings do not touch each other, and share the cost of a pass.
    for _, end in ends.groupby(ends.groupby("string").cumcount(ascending=False)):
        past = rows.merge(end, on=["string", "timed"], suffixes=("", "_asked"))
        past = past[past["moment"] <= past["moment_asked"]]
        asked = (past["moment"] == past["moment_asked"]) & past["place"].isin(newest["place"])
        then = score_frame(frame.iloc[past["place"]], model)
        scored.append(then[asked.to_numpy()].assign(place=past.loc[asked, "place"].to_numpy()))
    together = pd.concat(scored).sort_values("place").drop(columns="place")
    # Just after an event the days before still weigh on a reading that is itself as usual again.
    score = together["anomaly_score"]
    together["anomaly_score"] = score.where(together["anomaly"] == 1, score.clip(upper=OPEN_SCORE))
    return together.rename(columns={"anomaly_score": "trailing_score"})


def _placed_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `place` in the frame, `cell`, `string`, `timed` and `moment` of the rows that have a moment.

    The moments of one string can be compared among its cells with time stamps, and among those without.
    """
    order = order_cells(frame)
    rows = pd.DataFrame(
        {
            "place": np.arange(len(frame)),
            "cell": frame[CELL_ID].to_numpy(),
            "string": frame[STRING].to_numpy(),
            "timed": order.restore(order.timed),
            "moment": moment_codes(frame, order),
        }
    )
    return rows[np.isfinite(order.restore(order.seconds))]
