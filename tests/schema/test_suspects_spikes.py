import numpy as np
import pandas as pd
import pytest
from bms_schema.data.suspects import mask_suspects

from tests.schema.suspects import SIGNALS, canonical, live_string, rows_of

CELL = "S0/C3"


def spikes(frame, column="CellVoltage"):
    """Positions of the readings flagged `spike`."""
    return np.flatnonzero(mask_suspects(canonical(frame))[f"{column}_flag"] == "spike").tolist()


@pytest.mark.parametrize(("column", "height"), list(zip(SIGNALS, (0.05, 4.0, 0.02), strict=True)))
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_lone_reading_far_off_is_a_spike_and_its_neighbours_stay(column, height, sign):
    frame = live_string()
    row = rows_of(frame, CELL, 50)
    frame.loc[row, column] += sign * height
    assert spikes(frame, column) == row.tolist()


def test_a_cell_that_dies_slowly_loses_nothing():
    frame = live_string(moments=400)
    rows = rows_of(frame, CELL, 100, 399)
    frame.loc[rows, "CellVoltage"] -= np.linspace(0, 1.0, len(rows))
    assert spikes(frame) == []


def test_a_step_loses_its_first_reading_only():
    frame = live_string()
    rows = rows_of(frame, CELL, 50, 119)
    frame.loc[rows, "CellVoltage"] -= 0.3
    assert spikes(frame) == rows[:1].tolist()


def test_a_collapse_loses_its_first_reading_only():
    frame = live_string()
    rows = rows_of(frame, CELL, 40, 79)
    frame.loc[rows, "CellVoltage"] -= 0.6 * (1 - np.exp(-np.arange(1, len(rows) + 1) / 6))
    assert spikes(frame) == rows[:1].tolist()


@pytest.mark.parametrize("known_current", [True, False])
def test_a_weak_cell_that_falls_five_times_as_far_on_load_loses_nothing(known_current):
    frame = live_string()
    frame.loc[rows_of(frame, CELL, 80, 91), "CellVoltage"] -= 4 * 0.15
    assert spikes(frame if known_current else frame.assign(InstantaneousCurrent=np.nan)) == []


def test_the_raw_value_is_not_judged():
    frame = live_string()
    jump = np.random.default_rng(0).choice([-0.4, 0.0, 0.4], 120).repeat(8)
    assert spikes(frame.assign(CellVoltage=frame["CellVoltage"] + jump)) == []


def test_nothing_is_judged_without_a_past():
    frame = live_string()
    frame.loc[rows_of(frame, CELL, 4), "CellVoltage"] += 0.4
    assert spikes(frame) == []


def test_a_past_of_days_ago_is_none():
    frame = live_string()
    late = rows_of(frame, CELL, 50, 119)
    frame.loc[late[0], "CellVoltage"] += 0.4
    assert spikes(frame) == late[:1].tolist()
    frame.loc[frame.index >= frame.index[8 * 50], "Timestamp"] += pd.Timedelta("4D")
    assert spikes(frame) == []


def test_a_pause_of_hours_keeps_the_past():
    frame = live_string()
    row = rows_of(frame, CELL, 50)
    frame.loc[row, "CellVoltage"] += 0.4
    frame.loc[frame.index >= frame.index[8 * 50], "Timestamp"] += pd.Timedelta("6h")
    assert spikes(frame) == row.tolist()


def test_blank_readings_in_between_hide_no_spike():
    frame = live_string()
    frame.loc[rows_of(frame, CELL, 44, 49), "CellVoltage"] = np.nan
    row = rows_of(frame, CELL, 50)
    frame.loc[row, "CellVoltage"] += 0.2
    assert spikes(frame) == row.tolist()


def test_flickering_at_coarse_resolution_is_no_spike():
    frame = live_string(moments=600, decimals=(2, 0, 2))
    assert [spikes(frame, column) for column in SIGNALS] == [[], [], []]


def test_values_held_until_the_next_poll_are_no_spikes():
    """Every cell is asked every ten seconds, each at its own second, while the current swings."""
    rng = np.random.default_rng(1)
    seconds, cells = 1200, 12
    current = np.where(np.arange(seconds) % 60 < 30, 0.0, -80.0)
    polled = (np.arange(seconds)[:, None] - np.arange(cells)) // 10 * 10 + np.arange(cells)
    voltage = 3.6 + 0.001 * current[np.maximum(polled, 0)] + rng.normal(0, 0.01, cells)
    frame = live_string(cells=cells, moments=seconds, step="1s").assign(
        CellVoltage=voltage.ravel().round(3), InstantaneousCurrent=current.repeat(cells)
    )
    assert spikes(frame) == []


def test_what_a_held_value_says_anew_is_no_spike_where_each_poll_scatters():
    """Between polls nothing moves, and no current tells why the next poll finds another value."""
    rng = np.random.default_rng(2)
    cells, polls = 12, 60
    scattered = 3.6 + rng.normal(0, 0.01, (polls, cells))
    # Each cell is polled every twentieth second, at a second of its own.
    number = np.maximum(np.arange(polls * 20)[:, None] - np.arange(cells), 0) // 20
    voltage = np.take_along_axis(scattered, number, axis=0).round(3)
    frame = live_string(cells=cells, moments=polls * 20, step="1s")
    frame = frame.assign(CellVoltage=voltage.ravel(), InstantaneousCurrent=np.nan)
    # The first polls have too few changes behind them to show how far a poll scatters.
    late = [row for row in spikes(frame) if row >= 12 * 20 * 8]
    assert len(late) <= 2  # of 624 polls


def test_rows_logged_twice_change_nothing():
    frame = live_string()
    row = rows_of(frame, CELL, 50)
    frame.loc[row, "CellVoltage"] += 0.2
    twice = frame.loc[frame.index.repeat(2)].reset_index(drop=True)
    assert 2 * row[0] in spikes(twice)
    assert set(spikes(twice)) <= {2 * row[0], 2 * row[0] + 1}


def test_the_past_is_that_of_a_plain_loop():
    frame = live_string(cells=3, moments=80)
    rng = np.random.default_rng(5)
    lone = 0.05 * rng.normal(size=len(frame)) * (rng.random(len(frame)) < 0.05)
    # Never the same value twice, so that every reading is a change and one window tells all.
    values = frame["CellVoltage"].to_numpy() + lone + rng.normal(0, 1e-5, len(frame))
    frame["CellVoltage"] = values
    frame["InstantaneousCurrent"] = np.nan
    matrix = values.reshape(80, 3)
    string = np.median(matrix, axis=1)
    expected = []
    excursion, limit = np.full((80, 3), np.nan), np.full((80, 3), np.nan)
    for moment in range(80):
        for cell in range(3):
            past = (matrix[:, cell] - string)[max(0, moment - 12) : moment]
            if len(past) >= 5:
                excursion[moment, cell] = matrix[moment, cell] - string[moment] - np.median(past)
                limit[moment, cell] = 1.4826 * np.median(np.abs(past - np.median(past)))
        common = 1.4826 * np.median(np.abs(excursion[moment])) if moment >= 5 else np.nan
        for cell in range(3):
            limit[moment, cell] = 6 * max(limit[moment, cell], common, 0.002)
            moved = 10 * max(abs(string[moment] - string[moment - 1]) - 0.006, 0.0)
            before = excursion[moment - 1, cell] / limit[moment - 1, cell]
            confirmed = abs(before) >= 0.5 and np.sign(before) == np.sign(excursion[moment, cell])
            if abs(excursion[moment, cell]) > limit[moment, cell] + moved and not confirmed:
                expected.append(moment * 3 + cell)
    assert len(expected) > 3
    assert spikes(frame) == expected
