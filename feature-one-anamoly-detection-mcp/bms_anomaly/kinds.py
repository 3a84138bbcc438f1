"""What an event looks like in words: simple rules on its evidence, each of which can be checked by eye."""

from typing import Literal, get_args

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, STRING, TIMESTAMP, VOLTAGE

from bms_anomaly.events import NO_EVENT
from bms_anomaly.features import SIGNALS, signal_of
from bms_anomaly.masked import masked_readings

Kind = Literal[
    "dropout",
    "stuck",
    "spike",
    "noise",
    "voltage_low",
    "voltage_high",
    "temperature_low",
    "temperature_high",
    "gravity_low",
    "gravity_high",
    "resistance_low",
    "resistance_high",
]
KINDS: tuple[str, ...] = get_args(Kind)
DROPOUT_SHARE = 0.6  # of the string's usual voltage; a cell that still holds charge stays above [U]
STUCK_SURPRISE = 14.0  # -ln of the chance that a live sensor repeats a value so often: one in a million
SPIKE_READINGS = 2
MASKED_SHARE = 0.5  # of an event's rows: so many masked by preprocessing as spike or stuck name the event
EVENT_COLUMNS = [CELL_ID, STRING, "start", "end", "kind", "signal", "peak_score", "readings"]


def events_table(
    frame: pd.DataFrame, features: pd.DataFrame, scaled: np.ndarray, score: np.ndarray, codes: np.ndarray
) -> pd.DataFrame:
    """Return one row per event, the highest peak first, with the columns `EVENT_COLUMNS`.

    `start` and `end` are time stamps, both inclusive; without time stamps they are `source_row` numbers.

    Args:
        frame: Canonical frame, n rows.
        features: From `fleet_features`, n rows.
        scaled: The same as the detector sees them, shape (n, d).
        score: Persistent scores, shape (n,).
        codes: From `find_events`, shape (n,).
    """
    inside = codes != NO_EVENT
    if not inside.any():
        return pd.DataFrame(columns=EVENT_COLUMNS)
    code = codes[inside]
    timed = TIMESTAMP in frame and frame[TIMESTAMP].notna().any()
    when = frame[TIMESTAMP if timed else "source_row"]
    rows = frame.loc[inside, [CELL_ID, STRING]].assign(when=when[inside], score=score[inside])
    found = rows.groupby(code).agg(
        **{
            CELL_ID: (CELL_ID, "first"),
            STRING: (STRING, "first"),
            "start": ("when", "min"),
            "end": ("when", "max"),
            "peak_score": ("score", "max"),
            "readings": ("score", "size"),
        }
    )
    of_event = rows["score"].groupby(code)  # codes may have holes: an event can lose all its rows
    upper = (rows["score"] >= (of_event.transform("max") + of_event.transform("min")) / 2).to_numpy()
    code, place = code[upper], np.flatnonzero(inside)[upper]
    evidence = pd.DataFrame(scaled[place], columns=features.columns).groupby(code).mean()
    raw = features.iloc[place].groupby(code).median()
    voltage_share = _share_of_usual_voltage(frame).iloc[place].groupby(code).median()
    found["kind"], found["signal"] = _name(evidence, raw, pd.Series(code).groupby(code).size(), voltage_share)
    named = _named_by_preprocessing(frame, codes)
    found.loc[named.index, ["kind", "signal"]] = named
    return found.sort_values(["peak_score", CELL_ID], ascending=[False, True])[EVENT_COLUMNS].reset_index(
        drop=True
    )


def _named_by_preprocessing(frame: pd.DataFrame, codes: np.ndarray) -> pd.DataFrame:
    """Return `kind` and `signal` of the events that are mostly readings masked as spike or stuck, by event code."""
    kind, signal = masked_readings(frame)
    inside = codes != NO_EVENT
    rows = pd.DataFrame({"code": codes, "kind": kind, "signal": signal})[inside & (kind != "")]
    size = np.bincount(codes[inside], minlength=1)
    counted = rows.groupby(["code", "kind", "signal"]).size().sort_values(ascending=False, kind="stable")
    first = counted.reset_index(name="rows").drop_duplicates("code").set_index("code")
    return first.loc[first["rows"] >= MASKED_SHARE * size[first.index], ["kind", "signal"]]


def top_signals(features: pd.Index, scaled: np.ndarray) -> np.ndarray:
    """Return the signal of each row's largest scaled feature, shape (n,)."""
    signals = np.array([signal_of(name) for name in features], dtype=object)
    return np.asarray(signals[np.abs(scaled).argmax(axis=1)])


def _share_of_usual_voltage(frame: pd.DataFrame) -> pd.Series:
    """Return each row's voltage as a share of its string's median; NaN where there is none."""
    if VOLTAGE not in frame:
        return pd.Series(np.nan, index=frame.index)
    return frame[VOLTAGE] / frame.groupby(STRING)[VOLTAGE].transform("median")


def _name(
    evidence: pd.DataFrame, raw: pd.DataFrame, readings: pd.Series, voltage_share: pd.Series
) -> tuple[np.ndarray, np.ndarray]:
    """Return (kind, signal) per event; the first rule that fits wins, in the order of the lines below."""
    stuck = raw[[name for name in raw.columns if str(name).endswith("_stuck")]].fillna(0.0)
    judged = evidence.drop(columns=stuck.columns)
    leading = judged.abs().idxmax(axis=1)
    signal = leading.map(signal_of).to_numpy(dtype=object)
    rises = np.array(
        [
            _direction(row, name) >= 0
            for (_, row), name in zip(judged.iterrows(), leading.astype(str), strict=True)
        ]
    )
    kind = np.where(rises, signal + "_high", signal + "_low").astype(object)
    kind[leading.str.endswith("_noise").to_numpy()] = "noise"
    kind[(readings <= SPIKE_READINGS).to_numpy()] = "spike"
    held = (stuck.max(axis=1) >= STUCK_SURPRISE).to_numpy()
    kind[held] = "stuck"
    signal[held] = stuck.idxmax(axis=1).map(signal_of).to_numpy(dtype=object)[held]
    dropped = (voltage_share < DROPOUT_SHARE).to_numpy()
    kind[dropped], signal[dropped] = "dropout", SIGNALS[0].name
    return kind, signal


def _direction(evidence: pd.Series, leading: str) -> float:
    """Return the sign of the deviation that leads; noise has none, so its signal's own deviation speaks."""
    own = f"{signal_of(leading)}_own"
    return float(evidence[own] if leading.endswith("_noise") else evidence[leading])
