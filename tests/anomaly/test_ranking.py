"""Which cells come first: a fault of the cell before one of its sensor, then strength times duration."""

import numpy as np
import pandas as pd
from bms_anomaly.kinds import EVENT_COLUMNS
from bms_anomaly.ranking import RANKING_COLUMNS, rank_cells, worst_first


def event(cell, kind, about, readings, peak, hour=0):
    start = pd.Timestamp("2026-01-01") + pd.Timedelta(hours=hour)
    end = start + pd.Timedelta(hours=readings - 1)
    values = [cell, cell[0], start, end, kind, about, "voltage", "low", peak, readings, f"{kind} of {cell}"]
    return dict(zip(EVENT_COLUMNS, values, strict=True))


def fleet(*events, moments=100, unanswered=()):
    """Rows of all cells with as many anomalous ones as their events have readings, and the events."""
    table = pd.DataFrame(events, columns=EVENT_COLUMNS)
    odd = table.groupby("Cell ID")["readings"].sum()
    rows = pd.DataFrame(
        {
            "Cell ID": np.repeat(odd.index.to_numpy(), moments),
            "anomaly_score": 1.0,
            "anomaly": np.concatenate([np.arange(moments) < count for count in odd]).astype(int),
        }
    )
    rows.loc[rows["Cell ID"].isin(unanswered) & (rows.index % 2 == 1), "anomaly_score"] = np.nan
    return rows, table


def order_of(*events, **options):
    return rank_cells(*fleet(*events, **options))["Cell ID"].tolist()


def test_a_fault_of_the_cell_comes_before_a_stronger_one_of_its_sensor():
    sensor, cell = event("A1", "stuck", "sensor", 90, 12.0), event("A2", "deviation", "cell", 5, 4.0)
    assert order_of(sensor, cell) == ["A2", "A1"]


def test_what_lasts_comes_before_what_peaks_for_a_moment():
    brief, lasting = event("A1", "thermal", "cell", 2, 20.0), event("A2", "deviation", "cell", 60, 6.0)
    assert order_of(brief, lasting) == ["A2", "A1"]


def test_of_events_as_long_the_stronger_comes_first():
    assert order_of(event("A1", "failing", "cell", 20, 5.0), event("A2", "failing", "cell", 20, 9.0)) == [
        "A2",
        "A1",
    ]


def test_duration_is_a_share_of_the_readings_that_were_answered():
    silent_half, all_there = event("A1", "failing", "cell", 40, 5.0), event("A2", "failing", "cell", 40, 5.0)
    ranking = rank_cells(*fleet(silent_half, all_there, unanswered=["A1"])).set_index("Cell ID")
    assert ranking.loc["A2", "share"] == 0.4
    assert ranking.loc["A1", "share"] == 0.8
    assert ranking.index[0] == "A1"


def test_a_cell_is_described_by_its_weightiest_event_of_its_own():
    events = [
        event("A1", "spike", "sensor", 1, 30.0),
        event("A1", "failing", "cell", 50, 8.0, hour=10),
        event("A1", "deviation", "cell", 5, 9.0, hour=80),
    ]
    row = rank_cells(*fleet(*events)).iloc[0]
    described = (row["kind"], row["about"], row["evidence"], row["peak_score"])
    assert described == ("failing", "cell", "failing of A1", 8.0)
    assert (row["events"], row["anomalous_rows"], row["share"]) == (3, 56, 0.55)
    assert row["weight"] == (50 * 8.0 + 5 * 9.0) / 100


def test_parts_of_a_fleet_put_together_rank_like_the_whole():
    events = [
        event("A1", "failing", "cell", 50, 8.0),
        event("A2", "drift", "sensor", 30, 7.0),
        event("B1", "thermal", "cell", 60, 9.0),
        event("B2", "spike", "sensor", 1, 7.0),
    ]
    rows, table = fleet(*events)
    parts = [
        rank_cells(rows[rows["Cell ID"].str.startswith(string)], table[table["string"] == string])
        for string in ("B", "A")
    ]
    pd.testing.assert_frame_equal(worst_first(pd.concat(parts)), rank_cells(rows, table))


def test_a_fleet_without_events_has_an_empty_ranking():
    rows = pd.DataFrame({"Cell ID": ["A1"], "anomaly_score": [0.1], "anomaly": [0]})
    ranking = rank_cells(rows, pd.DataFrame(columns=EVENT_COLUMNS))
    assert ranking.empty and list(ranking.columns) == RANKING_COLUMNS
