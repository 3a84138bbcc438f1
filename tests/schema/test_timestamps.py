import pandas as pd
import pytest
from bms_schema.data.timestamps import parse_timestamps
from bms_schema.run.errors import UnreadableTable

MOMENT = pd.Timestamp("2026-01-31 18:30:00")


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T18:30:00",
        "2026-01-31 18:30",
        "2026-01-31T19:30:00+01:00",
        "31/01/2026 18:30:00",
        "31.01.2026 18:30",
        "01/31/2026 06:30:00 PM",
        "2026/1/31 18:30",
        str(int(MOMENT.timestamp())),
        str(int(MOMENT.timestamp() * 1e3)),
        str(int(MOMENT.timestamp() * 1e6)),
    ],
)
def test_one_moment_in_many_notations(text):
    parsed, _ = parse_timestamps(pd.Series([text, text]))
    assert parsed.tolist() == [MOMENT, MOMENT]


def test_day_first_is_taken_from_the_whole_column():
    parsed, notes = parse_timestamps(pd.Series(["05/07/2025", "13/07/2025"]))
    assert parsed.tolist() == [pd.Timestamp("2025-07-05"), pd.Timestamp("2025-07-13")]
    assert notes == ["dates are day first"]


def test_an_ambiguous_order_is_decided_by_the_shorter_span_and_said():
    parsed, notes = parse_timestamps(pd.Series(["01/07/2025", "02/07/2025", "03/07/2025"]))
    assert parsed.max() - parsed.min() == pd.Timedelta(days=2)
    assert "could be day first or month first" in notes[0]


def test_blanks_stay_missing_and_a_few_bad_ones_are_counted():
    parsed, notes = parse_timestamps(pd.Series(["2026-01-01", None, "2026-01-02", "soon"]))
    assert parsed.isna().tolist() == [False, True, False, True]
    assert notes == ["1 time stamps are unreadable and count as missing"]


def test_an_unset_clock_and_a_full_register_are_no_times():
    parsed, notes = parse_timestamps(pd.Series(["1767225600", "0", "4294967295", "1767229200"]))
    assert parsed.isna().tolist() == [False, True, True, False]
    assert "2 time stamps are unreadable and count as missing" in notes


@pytest.mark.parametrize("values", [["soon", "later"], ["09:12:46", "09:12:51"], ["7", "8"]])
def test_a_column_that_is_no_time_is_refused_with_an_example(values):
    with pytest.raises(UnreadableTable, match=values[0]):
        parse_timestamps(pd.Series(values))
