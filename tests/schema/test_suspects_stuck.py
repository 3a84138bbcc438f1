import numpy as np
import pandas as pd
import pytest
from bms_schema.data.suspects import mask_suspects

from tests.schema.suspects import SIGNALS, canonical, live_string, rows_of

CELL = "S0/C3"


def stuck(frame, column="CellVoltage"):
    """Positions of the readings flagged `stuck`."""
    return np.flatnonzero(mask_suspects(canonical(frame))[f"{column}_flag"] == "stuck").tolist()


def freeze(frame, column="CellVoltage", cell=CELL, first=20, last=79):
    """Repeat reading number `first` up to `last`; return the rows that repeat it."""
    rows = rows_of(frame, cell, first, last)
    frame.loc[rows, column] = frame[column].to_numpy()[rows[0]]
    return rows[1:].tolist()


@pytest.mark.parametrize("column", SIGNALS)
def test_a_frozen_sensor_is_found_once_chance_cannot_explain_it_and_until_it_lives_again(column):
    frame = live_string(moments=240)
    repeated = freeze(frame, column, first=120, last=200)
    found = stuck(frame, column)
    assert found == repeated[-len(found) :]
    assert len(repeated) - 20 < len(found) < len(repeated) - 5


def test_blank_readings_do_not_hide_it():
    frame = live_string()
    repeated = freeze(frame)
    frame.loc[repeated[::3], "CellVoltage"] = np.nan
    found = stuck(frame)
    assert len(found) > 20
    assert set(found) <= set(repeated)


def test_a_pause_in_the_log_starts_the_count_anew():
    frame = live_string(moments=400)
    repeated = freeze(frame, first=200, last=300)
    frame.loc[frame.index >= repeated[30], "Timestamp"] += pd.Timedelta("2D")
    found = stuck(frame)
    before, after = (
        [row for row in found if row < repeated[30]],
        [row for row in found if row >= repeated[30]],
    )
    assert before[-1] == repeated[29]
    assert after[0] >= repeated[35]


def test_two_frozen_at_the_same_time_are_both_found():
    frame = live_string()
    first, second = freeze(frame), freeze(frame, cell="S0/C5", first=25)
    found = stuck(frame)
    assert len(set(found) & set(first)) > 30
    assert len(set(found) & set(second)) > 30


def test_having_been_frozen_excuses_nothing():
    frame = live_string(moments=400)
    freeze(frame, first=20, last=100)
    again = freeze(frame, first=250, last=350)
    assert len(set(stuck(frame)) & set(again)) > 60


@pytest.mark.parametrize("decimals", [(2, 0, 2), (1, 0, 2)])
def test_coarse_resolution_is_not_stuck(decimals):
    frame = live_string(moments=600, decimals=decimals)
    assert [stuck(frame, column) for column in SIGNALS] == [[], [], []]


def test_a_cell_far_from_a_step_of_the_resolution_is_not_stuck():
    """The string swings by less than one step: the cells near a step flicker, one in the middle does not."""
    frame = live_string(cells=12, moments=1000)
    swing = 0.35 * np.sin(np.arange(1000) / 3)[:, None]
    frame["CellTemperature"] = (20.0 + np.linspace(0, 1, 12, endpoint=False) + swing).round().ravel()
    assert stuck(frame, "CellTemperature") == []


def test_a_cell_that_rests_between_two_steps_of_the_resolution_after_a_lively_time_is_not_stuck():
    """All cells swing by degrees; then seven rest on the edge of a degree and flicker, one rests in the middle."""
    frame = live_string(moments=600)
    swing = np.where(np.arange(600) < 300, 2.0 * np.abs(np.arange(600) % 10 - 5), 0.0).repeat(8)
    rest = np.where(frame["Cell ID"] == CELL, 21.0, 20.5)
    noise = np.random.default_rng(3).normal(0, 0.1, len(frame))
    frame["CellTemperature"] = (rest + swing + noise).round()
    assert stuck(frame, "CellTemperature") == []


def test_a_string_frozen_as_a_whole_is_left_to_the_report():
    frame = live_string()
    for cell in frame["Cell ID"].unique():
        freeze(frame, cell=cell)
    assert stuck(frame) == []


def test_a_constant_column_is_left_to_the_report():
    assert stuck(live_string().assign(CellVoltage=2.22)) == []


def test_a_cell_that_never_moved_while_its_string_did_is_stuck():
    frame = live_string(moments=300)
    freeze(frame, first=0, last=299)
    assert len(stuck(frame)) > 200


def test_a_cell_without_a_past_is_given_longer_to_move():
    frame = live_string()
    freeze(frame, first=0, last=39)
    assert stuck(frame) == []


def test_a_cell_on_a_quieter_input_than_its_neighbours_is_not_stuck():
    """Its own value climbs on charge and then creeps; the others' flicker together by several steps."""
    frame = live_string(cells=8, moments=3000)
    common = np.random.default_rng(4).normal(0, 0.002, 3000).repeat(8)
    climb = 0.0003 * np.minimum(np.arange(3000), 1500)
    frame["CellVoltage"] = (2.0 + climb.repeat(8) + common).round(3)
    quiet = 2.0 + climb + 0.002 * np.sin(np.arange(3000) / 150)
    frame.loc[rows_of(frame, CELL, 0, 2999), "CellVoltage"] = quiet.round(3)
    assert stuck(frame) == []


def test_a_cell_that_repeats_more_often_than_its_neighbours_is_not_stuck():
    frame = live_string(moments=2000)
    rows = rows_of(frame, CELL, 0, 1999)
    frame.loc[rows, "CellVoltage"] = (frame.loc[rows, "CellVoltage"] * 250).round() / 250  # steps of 4 mV
    assert stuck(frame) == []


def test_a_string_that_comes_to_rest_is_not_stuck():
    """After a lively time all cells repeat every third reading, which before would have been odd."""
    frame = live_string(cells=16, moments=4000, decimals=(9, 1, 3))
    string = frame.groupby("Cell ID")["CellVoltage"].transform("median")
    calm = np.where(frame.index < 16 * 2500, 1.0, 0.4)
    frame["CellVoltage"] = (string + calm * (frame["CellVoltage"] - string)).round(3)
    assert stuck(frame) == []


def test_rows_logged_several_times_are_no_repeats():
    frame = live_string(moments=300)
    repeated = freeze(frame, first=100, last=200)
    thrice = frame.loc[frame.index.repeat(3)].reset_index(drop=True)
    found = {row // 3 for row in stuck(thrice)}
    assert found <= set(repeated)
    assert len(found) > 80
