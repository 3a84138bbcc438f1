"""Every anomalous row gets the kind of the event it lies in, and no other row gets any."""

import pandas as pd
import pytest
from bms_anomaly.row_kinds import row_kinds

HOURS = pd.date_range("2026-01-01", periods=6, freq="h")


def rows(timed: bool) -> pd.DataFrame:
    table = pd.DataFrame({"source_row": range(12), "Cell ID": ["A/1", "A/2"] * 6, "anomaly": 0})
    table.loc[[0, 2, 8, 10, 5], "anomaly"] = 1
    return table.assign(Timestamp=HOURS.repeat(2)) if timed else table


def events(timed: bool) -> pd.DataFrame:
    """Two events of cell 1 (the later one listed first, as the worse one) and one of cell 2."""
    start = [HOURS[4], HOURS[0], HOURS[2]] if timed else [8, 0, 5]
    return pd.DataFrame(
        {
            "Cell ID": ["A/1", "A/1", "A/2"],
            "start": start,
            "kind": ["thermal", "stuck", "drift"],
            "about": ["cell", "sensor", "cell"],
        }
    )


@pytest.mark.parametrize("timed", [True, False])
def test_rows_are_named_by_the_event_of_their_cell(timed):
    named = row_kinds(rows(timed), events(timed))
    assert named["kind"].to_dict() | {0: "stuck", 2: "stuck", 8: "thermal", 10: "thermal", 5: "drift"} == (
        named["kind"].to_dict()
    )
    assert (named["kind"] != "").sum() == (named["about"] != "").sum() == 5
    assert named.loc[[0, 8], "about"].tolist() == ["sensor", "cell"]


def test_the_order_of_rows_does_not_matter():
    shuffled = rows(timed=True).sample(frac=1.0, random_state=3)
    pd.testing.assert_frame_equal(
        row_kinds(shuffled, events(timed=True)).sort_index(), row_kinds(rows(timed=True), events(timed=True))
    )


def test_rows_without_events_or_times_stay_unnamed():
    table = rows(timed=True)
    assert (row_kinds(table, events(timed=True).head(0))["kind"] == "").all()
    table.loc[0, "Timestamp"] = pd.NaT
    assert row_kinds(table, events(timed=True)).loc[[0, 2], "kind"].tolist() == ["", "stuck"]
