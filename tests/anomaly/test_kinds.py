"""What a planted fault is called, by rules on the readings alone: the events are given here, not found."""

import numpy as np
import pandas as pd
import pytest
from bms_anomaly.events import NO_EVENT
from bms_anomaly.kinds import EVENT_COLUMNS, events_table, sorted_events
from bms_schema.data.table import canonical_table

from tests.anomaly.conftest import quiet_fleet

CELL = "S0/1"
V, T, SG = "CellVoltage", "CellTemperature", "CellSpecificGravity"


def rows_of(fleet, first, last, cell=CELL):
    hour = (fleet["Timestamp"] - fleet["Timestamp"].min()) / pd.Timedelta("1h")
    return (fleet["Cell ID"] == cell) & hour.between(first, last)


def table_of(fleet, inside, score=None, **options):
    """The events of a fleet of which the rows `inside` are one event per cell."""
    frame = canonical_table(fleet, **options).frame
    cells = pd.factorize(frame["Cell ID"])[0]
    codes = np.where(inside, cells, NO_EVENT)
    return events_table(frame, np.where(inside, 5.0, 0.0) if score is None else score, codes)


def event_of(change, first=100, last=160, **options):
    """The one event of a quiet fleet in which `change(fleet, rows)` was done to the rows of a cell."""
    fleet = quiet_fleet()
    rows = rows_of(fleet, first, last)
    change(fleet, rows)
    return table_of(fleet, rows.to_numpy(), **options).iloc[0]


def shifted(**by):
    """Add numbers, or a number per row, to columns."""

    def change(fleet, rows):
        for column, amount in by.items():
            fleet.loc[rows, column] += amount

    return change


def ramp(to, readings=61):
    return np.linspace(0.0, to, readings)


def held(fleet, rows):
    fleet.loc[rows, V] = fleet.loc[rows, V].iloc[0]


def noisy(fleet, rows):
    fleet.loc[rows, V] += np.random.default_rng(1).normal(0, 0.016, rows.sum())


def lost_contact(fleet, rows):
    fleet.loc[rows, V] = 0.2


NAMED = [
    ("dropout", "sensor", "voltage", "low", lost_contact, (100, 106)),
    ("stuck", "sensor", "voltage", "", held, (100, 160)),
    ("spike", "sensor", "voltage", "high", shifted(CellVoltage=0.2), (100, 100)),
    ("spike", "sensor", "temperature", "low", shifted(CellTemperature=-9.0), (100, 101)),
    ("noise", "sensor", "voltage", "", noisy, (100, 160)),
    ("thermal", "cell", "temperature", "high", shifted(CellTemperature=8.0), (100, 160)),
    ("drift", "sensor", "voltage", "high", shifted(CellVoltage=ramp(0.08)), (100, 160)),
    ("drift", "sensor", "voltage", "low", shifted(CellVoltage=ramp(-0.08)), (100, 160)),
    ("failing", "cell", "voltage", "low", shifted(CellVoltage=ramp(-0.08)), (179, 239)),
    ("failing", "cell", "voltage", "low", shifted(CellVoltage=-0.5), (100, 160)),
    ("deviation", "cell", "voltage", "low", shifted(CellVoltage=-0.03), (100, 160)),
    ("deviation", "cell", "voltage", "high", shifted(CellVoltage=0.03), (100, 160)),
    ("deviation", "cell", "gravity", "low", shifted(CellSpecificGravity=-0.01), (100, 160)),
]


@pytest.mark.parametrize(("kind", "about", "signal", "direction", "change", "hours"), NAMED)
def test_each_kind_is_told_by_what_the_readings_do(kind, about, signal, direction, change, hours):
    event = event_of(change, *hours)
    assert tuple(event[["kind", "about", "signal", "direction"]]) == (kind, about, signal, direction)


def test_a_voltage_that_sinks_in_company_fails_even_if_it_recovers():
    both = shifted(CellVoltage=ramp(-0.08), CellSpecificGravity=ramp(-0.02))
    assert event_of(both)["kind"] == "failing"
    warm = shifted(CellVoltage=ramp(-0.08), CellTemperature=ramp(3.0))
    assert event_of(warm)["kind"] == "failing"


def test_what_heat_does_to_voltage_and_gravity_is_no_second_fault():
    hot = shifted(CellTemperature=13.0, CellVoltage=-0.045, CellSpecificGravity=-0.009)
    assert event_of(hot)["kind"] == "thermal"


def test_a_voltage_that_sinks_unwitnessed_is_put_down_to_the_cell():
    """A pack without gravity whose cells share one probe: nothing says that it is the sensor."""

    def sinks(fleet, rows):
        fleet[T] = 25.0
        del fleet[SG]
        fleet.loc[rows, V] += ramp(-0.08)

    event = event_of(sinks, require=(V,))
    assert tuple(event[["kind", "about", "direction"]]) == ("deviation", "cell", "low")


def test_only_the_last_event_of_a_cell_goes_on_until_its_record_ends():
    fleet = quiet_fleet()
    first, second = rows_of(fleet, 0, 119).to_numpy(), rows_of(fleet, 120, 239).to_numpy()
    fleet.loc[first | second, V] -= np.tile(np.linspace(0.0, 0.08, 120), 2)
    codes = np.select([first, second], [0, 1], NO_EVENT)
    table = events_table(canonical_table(fleet).frame, np.where(codes >= 0, 5.0, 0.0), codes)
    assert table.sort_values("start")["kind"].tolist() == ["drift", "failing"]


def test_a_probe_that_reads_cold_is_a_sensor_since_no_cell_cools_on_its_own():
    event = event_of(shifted(CellTemperature=-8.0))
    assert tuple(event[["kind", "about", "direction"]]) == ("deviation", "sensor", "low")


def test_a_cell_that_sinks_below_the_others_is_no_dropout():
    """Over-discharged at one reading a second, it loses its voltage in small steps."""

    def sinks(fleet, rows):
        fleet.loc[rows, V] -= ramp(2.1)

    assert event_of(sinks)["kind"] == "failing"


def test_a_cell_that_falls_to_half_its_voltage_for_good_has_died():
    assert event_of(shifted(CellVoltage=-1.2), 200, 239)["kind"] == "failing"
    assert event_of(shifted(CellVoltage=-1.2), 190, 210)["kind"] == "dropout"
    assert event_of(lost_contact, 200, 239)["kind"] == "dropout"


def test_an_edge_of_quiet_rows_does_not_hide_the_spike_that_made_the_event():
    fleet = quiet_fleet()
    fleet.loc[rows_of(fleet, 130, 130), V] += 0.3
    inside = rows_of(fleet, 100, 160).to_numpy()
    score = np.where(rows_of(fleet, 130, 130), 9.0, np.where(inside, 2.5, 0.0))
    assert table_of(fleet, inside, score).loc[0, "kind"] == "spike"


def test_a_peak_on_a_cell_that_is_off_for_days_does_not_make_it_a_spike():
    fleet = quiet_fleet()
    inside, peak = rows_of(fleet, 100, 160).to_numpy(), rows_of(fleet, 130, 130).to_numpy()
    fleet.loc[inside, V] -= 0.1
    fleet.loc[peak, V] -= 0.3
    score = np.where(peak, 20.0, np.where(inside, 5.0, 0.0))
    assert table_of(fleet, inside, score).loc[0, "kind"] != "spike"


def test_a_moment_at_which_all_cells_are_lively_is_not_noise_of_one():
    fleet = quiet_fleet()
    rng = np.random.default_rng(2)
    for cell in fleet["Cell ID"].unique():
        rows = rows_of(fleet, 100, 160, cell)
        fleet.loc[rows, V] += rng.normal(0, 0.016, rows.sum())
    assert table_of(fleet, rows_of(fleet, 100, 160).to_numpy()).loc[0, "kind"] == "deviation"


def test_a_value_that_the_whole_string_repeats_is_not_stuck():
    fleet = quiet_fleet()
    hour = (fleet["Timestamp"] - fleet["Timestamp"].min()) / pd.Timedelta("1h")
    frozen = hour.between(100, 160) & fleet["string"].eq("S0")
    fleet.loc[frozen, V] = fleet.loc[frozen].groupby("Cell ID")[V].transform("first")
    assert table_of(fleet, rows_of(fleet, 100, 160).to_numpy()).loc[0, "kind"] != "stuck"


def test_a_string_that_flickers_between_two_steps_does_not_make_a_still_cell_stuck():
    fleet = quiet_fleet()
    rng = np.random.default_rng(3)
    flicker = 2.23 + 0.001 * rng.integers(0, 2, len(fleet))
    fleet[V] = np.where(rows_of(fleet, 100, 160), 2.23, flicker)
    assert table_of(fleet, rows_of(fleet, 100, 160).to_numpy()).loc[0, "kind"] != "stuck"


def test_a_cell_beside_others_that_are_switched_off_is_no_dropout():
    fleet = quiet_fleet()
    hour = (fleet["Timestamp"] - fleet["Timestamp"].min()) / pd.Timedelta("1h")
    off = hour.between(100, 160) & fleet["string"].eq("S0")
    fleet.loc[off, V] = 0.04
    fleet.loc[off & fleet["Cell ID"].eq(CELL), V] = 0.01
    assert table_of(fleet, rows_of(fleet, 100, 160).to_numpy()).loc[0, "kind"] != "dropout"


def test_impossible_readings_are_a_sensor_fault_and_unanswered_ones_name_nothing():
    def change(fleet, rows):
        fleet.loc[rows, V] = 66.5

    event = event_of(change, 100, 104)
    assert tuple(event[["kind", "about", "signal"]]) == ("impossible", "sensor", "voltage")
    assert event["evidence"] == "voltage outside of what a cell can have, for 4.0 h"

    def silent(fleet, rows):
        fleet.loc[rows, V] = 65.535

    assert event_of(silent, 100, 104)["kind"] != "impossible"


SENTENCES = [
    (lost_contact, (100, 106), "reads 0.200 V, 20"),
    (lost_contact, (100, 106), " mV below the string, for 6.0 h"),
    (held, (100, 160), "while others moved"),
    (shifted(CellVoltage=0.2), (100, 100), " mV above the string, in 1 reading; own noise 2 mV"),
    (shifted(CellTemperature=8.0), (100, 160), "°C above the string, for 2.5 days; own noise 0.2 °C"),
    (shifted(CellVoltage=-0.03), (100, 160), "voltage 30 mV below the string, for 2.5 days; own noise 2 mV"),
]


@pytest.mark.parametrize(("change", "hours", "words"), SENTENCES)
def test_the_evidence_is_one_sentence_with_numbers(change, hours, words):
    assert words in event_of(change, *hours)["evidence"]


def test_the_evidence_of_a_failing_cell_says_how_it_grew_and_what_went_along():
    sentence = event_of(shifted(CellVoltage=ramp(-0.2), CellSpecificGravity=ramp(-0.02)), 179, 239)[
        "evidence"
    ]
    assert ", growing from 2" in sentence
    assert "gravity 0.01" in sentence


def test_a_string_is_told_by_its_own_rows_alone():
    fleet = quiet_fleet()
    inside = rows_of(fleet, 100, 160) | rows_of(fleet, 40, 70, "S1/3")
    fleet.loc[inside, T] += 6.0
    codes = np.where(inside, (fleet["string"] == "S1").astype(int), NO_EVENT)
    frame = canonical_table(fleet).frame
    score = np.where(inside, 4.0 + frame["source_row"] % 3, 0.0)
    whole = events_table(frame, score, codes)
    places = [np.flatnonzero(frame["string"] == string) for string in ("S1", "S0")]
    parts = [events_table(frame.iloc[at].reset_index(drop=True), score[at], codes[at]) for at in places]
    pd.testing.assert_frame_equal(sorted_events(pd.concat(parts)), whole)
    assert list(whole.columns) == EVENT_COLUMNS


def test_rows_may_come_in_any_order():
    fleet = quiet_fleet()
    fleet.loc[rows_of(fleet, 100, 160), V] += ramp(0.08)
    ordered = table_of(fleet, rows_of(fleet, 100, 160).to_numpy())
    mixed = fleet.sample(frac=1.0, random_state=0)
    found = table_of(mixed, rows_of(mixed, 100, 160).to_numpy())
    pd.testing.assert_frame_equal(found, ordered)


def test_a_lone_cell_is_compared_with_its_own_usual_value():
    fleet = quiet_fleet(cells=1)
    fleet = fleet[fleet["string"] == "S0"].assign(**{"Cell ID": CELL}).reset_index(drop=True)
    fleet.loc[rows_of(fleet, 100, 160), V] -= 0.05
    event = table_of(fleet, rows_of(fleet, 100, 160).to_numpy()).iloc[0]
    assert tuple(event[["kind", "direction"]]) == ("deviation", "low")
    assert "mV below its usual" in event["evidence"]


def test_without_time_stamps_events_are_told_in_source_rows_and_readings():
    fleet = quiet_fleet()
    rows = rows_of(fleet, 100, 160)
    fleet.loc[rows, V] -= 0.03
    numbered = fleet.drop(columns="Timestamp")
    event = table_of(numbered, rows.to_numpy()).iloc[0]
    assert (event["start"], event["end"]) == (np.flatnonzero(rows)[0], np.flatnonzero(rows)[-1])
    assert event["evidence"].endswith("mV below the string, in 61 readings; own noise 2 mV")


def test_voltage_alone_is_enough():
    fleet = quiet_fleet()[["string", "Cell ID", "Timestamp", V]]
    rows = rows_of(fleet, 100, 160)
    fleet.loc[rows, V] -= 0.03
    event = table_of(fleet, rows.to_numpy(), require=(V,)).iloc[0]
    assert tuple(event[["kind", "signal"]]) == ("deviation", "voltage")


def test_no_event_gives_an_empty_table_with_all_columns():
    fleet = quiet_fleet(moments=30)
    table = table_of(fleet, np.zeros(len(fleet), dtype=bool))
    assert table.empty and list(table.columns) == EVENT_COLUMNS
