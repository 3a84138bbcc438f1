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
        "20260131T183000",
        "31-Jan-2026 18:30",
        "Sat Jan 31, 2026 6:30 PM",
        "31/01/26 18:30:00",
        "31/01/2026 20:00 +01:30",
        "31.01.2026 18:30:00,000",
        str(int(MOMENT.timestamp())),
        str(int(MOMENT.timestamp() * 1e3)),
        str(int(MOMENT.timestamp() * 1e6)),
        str(MOMENT.value),
        f"{MOMENT.timestamp():.3f}",
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
    with pytest.raises(UnreadableTable, match=min(values)):
        parse_timestamps(pd.Series(values))


@pytest.mark.parametrize(
    ("text", "fraction"),
    [("2026-01-31T18:30:00.250", 0.25), ("1769884200.25", 0.25), ("1769884200250.5", 0.2505)],
)
def test_fractions_of_a_second_survive(text, fraction):
    parsed, _ = parse_timestamps(pd.Series([text]))
    assert parsed[0] - MOMENT == pd.Timedelta(seconds=fraction)


def test_nanoseconds_since_1970_lose_nothing():
    parsed, _ = parse_timestamps(pd.Series(["1769884200000000001"]))
    assert parsed[0].value == 1769884200000000001


def test_a_time_after_a_zoned_one_is_not_read_in_its_zone():
    parsed, notes = parse_timestamps(
        pd.Series(["2026-01-31T19:30:00+01:00", "2026-01-31 18:30", "20260131T183000"])
    )
    assert parsed.tolist() == [MOMENT] * 3
    assert any("1 time stamps name a zone" in note for note in notes)


def test_a_change_to_summer_time_is_told_by_the_offsets():
    parsed, _ = parse_timestamps(pd.Series(["2026-03-29T01:59:00+01:00", "2026-03-29T03:00:00+02:00"]))
    assert parsed[1] - parsed[0] == pd.Timedelta(minutes=1)


def test_noon_and_midnight_on_a_twelve_hour_clock():
    parsed, _ = parse_timestamps(
        pd.Series(["01/31/2026 12:00 AM", "01/31/2026 12:00 PM", "01/31/2026 13:00 PM"])
    )
    assert parsed.tolist()[:2] == [pd.Timestamp("2026-01-31"), pd.Timestamp("2026-01-31 12:00")]
    assert parsed.isna().tolist() == [False, False, True]


def test_two_forms_in_one_file_are_each_read_by_their_own_and_counted():
    parsed, notes = parse_timestamps(pd.Series(["2026-01-31 18:30", "31/01/2026 18:30", "1769884200"]))
    assert parsed.tolist() == [MOMENT] * 3
    assert any("ISO 1, day and month 1, epoch s 1" in note for note in notes)


def test_an_ambiguous_order_follows_the_dates_that_are_sure():
    parsed, notes = parse_timestamps(pd.Series(["2026-03-04", "03/04/2026"]))
    assert parsed[1] == pd.Timestamp("2026-03-04")
    assert any("month first" in note for note in notes)


def test_dates_that_contradict_the_order_of_most_are_read_their_way_and_said():
    parsed, notes = parse_timestamps(pd.Series(["13/02/2026", "14/02/2026", "02/15/2026"]))
    assert parsed.tolist() == [pd.Timestamp(2026, 2, day) for day in (13, 14, 15)]
    assert "1 dates make sense month first only and are read so" in notes


@pytest.mark.parametrize("text", ["31/04/2026", "2026-02-30", "99/99/2026", "2026-01-01T25:00"])
def test_days_that_do_not_exist_are_no_times(text):
    parsed, _ = parse_timestamps(pd.Series(["2026-01-01", "2026-01-02", text]))
    assert parsed.isna().tolist() == [False, False, True]
