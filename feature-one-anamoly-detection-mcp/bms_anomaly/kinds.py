"""The table of events: where and when, what each is called, and the evidence in words."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, CURRENT, SOURCE_ROW, STRING, TIMESTAMP, flag_of
from bms_schema.data.deviation import SMALLEST_CELLS

from bms_anomaly.event_evidence import StringRows, signal_evidence, string_rows
from bms_anomaly.event_text import evidence_of, span_in_words
from bms_anomaly.events import NO_EVENT
from bms_anomaly.features import SIGNALS, signal_of
from bms_anomaly.kind_rules import Event, name_event
from bms_anomaly.masked import IMPOSSIBLE, masked_readings

MASKED_SHARE = 0.5  # of an event's rows: so many taken out by cleaning for one reason name the event [U]
LAST_READINGS = 3  # an event with fewer readings after it lasted until the record ended [U]
EVENT_COLUMNS = [
    CELL_ID,
    STRING,
    "start",
    "end",
    "kind",
    "about",
    "signal",
    "direction",
    "peak_score",
    "readings",
    "evidence",
]


def events_table(frame: pd.DataFrame, score: np.ndarray, codes: np.ndarray) -> pd.DataFrame:
    """Return one row per event, the highest peak first, with the columns `EVENT_COLUMNS`.

    `start` and `end` are time stamps, both inclusive (NaT for rows without one); where the table has no time they
    are `source_row` numbers. An event is told from the rows of its own string alone.

    Args:
        frame: Canonical frame, n rows.
        score: Persistent scores, shape (n,).
        codes: From `find_events`, shape (n,).
    """
    inside = codes != NO_EVENT
    if not inside.any():
        return pd.DataFrame(columns=EVENT_COLUMNS)
    when = TIMESTAMP if TIMESTAMP in frame else SOURCE_ROW
    signals = [name for signal in SIGNALS for name in (signal.column, flag_of(signal.column))]
    needed = [name for name in (CELL_ID, STRING, SOURCE_ROW, TIMESTAMP, CURRENT, *signals) if name in frame]
    found: list[dict[str, Any]] = []
    eventful = set(frame.loc[inside, STRING])
    for string, places in frame.groupby(STRING, sort=True).indices.items():
        if string in eventful:
            part = frame[needed].iloc[places].reset_index(drop=True)
            found += _events_of_string(part, score[places], codes[places], when)
    return sorted_events(pd.DataFrame(found, columns=EVENT_COLUMNS))


def sorted_events(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events with the highest peak first, then by cell and start; parts of a table sort alike."""
    by = ["peak_score", CELL_ID, "start"]
    return events.sort_values(by, ascending=[False, True, True], ignore_index=True)


def top_signals(features: pd.Index | Sequence[str], scaled: np.ndarray) -> np.ndarray:
    """Return the signal of each row's largest scaled feature, shape (n,)."""
    signals = np.array([signal_of(str(name)) for name in features], dtype=object)
    return np.asarray(signals[np.abs(scaled).argmax(axis=1)])


def _events_of_string(
    frame: pd.DataFrame, score: np.ndarray, codes: np.ndarray, when: str
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table for one string."""
    taken_out = masked_readings(frame)
    rows = string_rows(
        frame, np.where(taken_out[0] != "", np.nan, score), codes
    )  # their score is a given one
    shown = {
        signal.name: signal_evidence(frame[signal.column].to_numpy(dtype=float), signal, rows)
        for signal in SIGNALS
        if signal.column in frame and frame[signal.column].notna().any()
    }
    flagged = _named_by_cleaning(*taken_out, codes)
    left = _readings_after(rows)
    cells_at_once = np.bincount(rows.moments)[rows.moments]
    impossible = taken_out[0] == IMPOSSIBLE
    corrupt = (np.bincount(rows.moments, weights=impossible)[rows.moments] == cells_at_once) & (
        cells_at_once > 1
    )
    for code, places in pd.Series(codes).groupby(codes).indices.items():
        if code == NO_EVENT:
            continue
        signals = {name: by_code[code] for name, by_code in shown.items() if code in by_code}
        event = Event(
            signals=signals,
            readings=len(places),
            strong_readings=int(rows.strong[places].sum()),
            lasts=bool(left[places].min() < LAST_READINGS),
            flagged=flagged.get(code),
            alone=bool(cells_at_once[places].max() < SMALLEST_CELLS),
            everywhere=bool(corrupt[places][impossible[places]].all()),
        )
        name = name_event(event)
        start, end = frame[when].iloc[places].min(), frame[when].iloc[places].max()
        yield {
            CELL_ID: frame[CELL_ID].iloc[places[0]],
            STRING: frame[STRING].iloc[places[0]],
            "start": start,
            "end": end,
            **name._asdict(),
            "peak_score": score[places].max(),
            "readings": len(places),
            "evidence": evidence_of(event, name, span_in_words(start, end, len(places))),
        }


def _readings_after(rows: StringRows) -> np.ndarray:
    """Return how many rows of the cell follow each row, shape (n,)."""
    return rows.order.restore(
        pd.Series(rows.order.cell).groupby(rows.order.cell).cumcount(ascending=False).to_numpy()
    )


def _named_by_cleaning(kind: np.ndarray, signal: np.ndarray, codes: np.ndarray) -> dict[int, tuple[str, str]]:
    """Return (kind, signal) of the events of which cleaning took out most rows for one reason, by event code."""
    inside = codes != NO_EVENT
    rows = pd.DataFrame({"code": codes, "kind": kind, "signal": signal})[inside & (kind != "")]
    counted = rows.groupby(["code", "kind", "signal"]).size().sort_values(ascending=False, kind="stable")
    size = pd.Series(codes[inside]).value_counts()
    first = counted.reset_index(name="rows").drop_duplicates("code")
    most = first[first["rows"] >= MASKED_SHARE * size[first["code"]].to_numpy()]
    return {int(row.code): (str(row.kind), str(row.signal)) for row in most.itertuples(index=False)}
