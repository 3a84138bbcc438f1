import numpy as np
import pandas as pd
import pytest
from bms_schema.data.suspects import mask_suspects
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.schema.suspects import SIGNALS, canonical, live_string, rows_of

FLAGS = [f"{name}_flag" for name in SIGNALS]


def spoiled(seed=0, **options):
    """A live string with spikes, stuck stretches and blanks in every signal."""
    frame = live_string(seed=seed, **options)
    rng = np.random.default_rng(seed + 100)
    for column, height in zip(SIGNALS, (0.2, 15.0, 0.05), strict=True):
        values = frame[column].to_numpy(copy=True)
        for cell in rng.choice(frame["Cell ID"].unique(), 2, replace=False):
            rows = rows_of(frame, cell, int(rng.integers(15, 60)), 10_000)
            values[rows[:25]] = values[rows[0]]
            values[rows[rng.integers(30, len(rows))]] += height
        values[rng.random(len(frame)) < 0.1] = np.nan
        frame[column] = values
    return frame


def test_a_live_string_keeps_every_reading():
    table = canonical(live_string())
    pd.testing.assert_frame_equal(mask_suspects(table), table)


def test_masked_readings_are_missing_and_say_why():
    table = canonical(spoiled())
    masked = mask_suspects(table)
    reasons = {flag: set(masked[flag].astype(str)) for flag in FLAGS}
    assert all(found == {"", "blank", "spike", "stuck"} for found in reasons.values())
    for name in SIGNALS:
        suspect = masked[f"{name}_flag"].isin(["spike", "stuck"])
        assert masked.loc[suspect, name].isna().all()
        pd.testing.assert_series_equal(masked.loc[~suspect, name], table.loc[~suspect, name])
        assert masked[f"{name}_flag"].dtype == table[f"{name}_flag"].dtype


def test_columns_that_are_no_sensors_stay_as_they_are():
    table = canonical(spoiled().assign(Note="as given", StateOfCharge=100.0))
    masked = mask_suspects(table)
    assert list(masked) == list(table)
    others = [name for name in table if name not in (*SIGNALS, *FLAGS)]
    pd.testing.assert_frame_equal(masked[others], table[others])


def test_the_frame_given_is_not_changed():
    table = canonical(spoiled())
    before = table.copy()
    mask_suspects(table)
    pd.testing.assert_frame_equal(table, before)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 50), moment=st.integers(1, 119))
def test_what_comes_later_changes_nothing(seed, moment):
    table = canonical(spoiled(seed))
    early = (table["Timestamp"] <= table["Timestamp"].unique()[moment]).to_numpy()
    pd.testing.assert_frame_equal(mask_suspects(table[early]), mask_suspects(table)[early])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 50))
def test_row_order_changes_nothing(seed):
    table = canonical(spoiled(seed))
    shuffled = mask_suspects(table.sample(frac=1, random_state=seed)).sort_index()
    pd.testing.assert_frame_equal(shuffled, mask_suspects(table))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 50))
def test_other_strings_change_nothing(seed):
    parts = [spoiled(seed + number, name=f"S{number}") for number in range(3)]
    table = canonical(pd.concat(parts, ignore_index=True))
    apart = pd.concat([mask_suspects(part) for _, part in table.groupby("string")]).sort_index()
    pd.testing.assert_frame_equal(apart, mask_suspects(table))


@pytest.mark.parametrize("cells", [1, 2])
def test_without_neighbours_nothing_is_judged(cells):
    frame = live_string(cells=cells)
    frame.loc[rows_of(frame, "S0/C0", 40, 70), "CellVoltage"] = 2.22
    frame.loc[rows_of(frame, "S0/C0", 100), "CellVoltage"] = 2.6
    table = canonical(frame)
    pd.testing.assert_frame_equal(mask_suspects(table), table)


def test_several_rows_of_one_cell_at_a_time_are_no_neighbours():
    frame = live_string(cells=1, moments=600)
    frame["Timestamp"] = frame["Timestamp"].dt.floor("1h")
    frame.loc[rows_of(frame, "S0/C0", 300, 340), "CellVoltage"] = 2.22
    frame.loc[rows_of(frame, "S0/C0", 400), "CellVoltage"] = 2.6
    table = canonical(frame)
    pd.testing.assert_frame_equal(mask_suspects(table), table)


def test_one_cell_with_another_current_than_its_string_has_a_spike():
    frame = live_string()
    frame.loc[rows_of(frame, "S0/C3", 50), "InstantaneousCurrent"] = 400.0
    masked = mask_suspects(canonical(frame))
    assert masked["InstantaneousCurrent_flag"].eq("spike").sum() == 1
    assert np.isnan(masked["InstantaneousCurrent"].to_numpy()[rows_of(frame, "S0/C3", 50)[0]])


def test_a_shared_probe_that_freezes_is_left_to_the_report():
    frame = live_string()
    frame["AmbientTemperature"] = 20.0
    masked = mask_suspects(canonical(frame))
    assert masked["AmbientTemperature"].eq(20.0).all()


def test_a_table_without_time_stamps_is_judged_by_reading_number():
    frame = live_string().drop(columns="Timestamp")
    frame.loc[rows_of(frame, "S0/C2", 60), "CellVoltage"] += 0.2
    masked = mask_suspects(canonical(frame))
    assert np.flatnonzero(masked["CellVoltage_flag"].eq("spike")).tolist() == [rows_of(frame, "S0/C2", 60)[0]]


def test_an_empty_table_stays_empty():
    table = canonical(live_string()).iloc[:0]
    assert mask_suspects(table).empty
