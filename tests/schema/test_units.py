"""Units and signs: found where planted, never where not."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.simulate import simulate_fleet
from bms_schema.data.columns import PREPROCESS_REQUIRED
from bms_schema.data.table import BatteryTable, canonical_table
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.schema.fleet import small_fleet

CHEMISTRIES = ("lead_acid_flooded", "vrla", "li_ion")
READINGS = ["CellVoltage", "CellTemperature", "AmbientTemperature", "StateOfCharge"]
DECIMALS = {"CellVoltage": 4, "CellTemperature": 2, "AmbientTemperature": 2, "StateOfCharge": 1}
FLEETS = {
    name: simulate_fleet(n_strings=2, cells_per_string=4, days=6, chemistry=name, fault_fraction=0, seed=5)
    for name in CHEMISTRIES
}
# How a unit is written, and how many decimals the register leaves of the readings.
SLIPS = {
    "mV": ("CellVoltage", lambda v: v * 1e3, 3),
    "0.1 mV": ("CellVoltage", lambda v: v * 1e4, 4),
    "0.01 V": ("CellVoltage", lambda v: v * 1e2, 2),
    "tenths of °C": ("CellTemperature", lambda v: v * 10, 1),
    "hundredths of °C": ("CellTemperature", lambda v: v * 100, 2),
    "K": ("CellTemperature", lambda v: v + 273.15, 2),
    "°F": ("CellTemperature", lambda v: v * 1.8 + 32, 2),
    "fractions of 1": ("StateOfCharge", lambda v: v / 100, 1),
}


def fleet(chemistry: str, *, warmer_by: float = 0.0, sentinels: bool = True) -> pd.DataFrame:
    """Return a simulated fleet with the decimals of a BMS, in a room warmer or colder than usual."""
    frame = FLEETS[chemistry].readings.copy()
    frame["CellTemperature"] += warmer_by
    frame["AmbientTemperature"] += warmer_by
    if not sentinels:
        frame = frame[frame["CellVoltage"] < 60].reset_index(drop=True)
    return frame.round(DECIMALS)


def clean(frame: pd.DataFrame) -> BatteryTable:
    return canonical_table(frame, require=PREPROCESS_REQUIRED)


@pytest.mark.parametrize("chemistry", CHEMISTRIES)
@pytest.mark.parametrize("warmer_by", [-45.0, -20.0, 0.0, 12.0, 30.0])
def test_nothing_is_corrected_in_a_clean_fleet_in_any_room(chemistry, warmer_by):
    frame = fleet(chemistry, warmer_by=warmer_by, sentinels=False)
    table = clean(frame)
    assert table.corrections == []
    np.testing.assert_array_equal(table.frame["CellTemperature"], frame["CellTemperature"])
    np.testing.assert_array_equal(table.frame["CellVoltage"], frame["CellVoltage"])


@settings(max_examples=40, deadline=None)
@given(
    chemistry=st.sampled_from(CHEMISTRIES),
    slip=st.sampled_from(sorted(SLIPS)),
    warmer_by=st.floats(-4, 12),  # colder, and °F would be plausible as °C
)
def test_a_planted_unit_is_found_and_undone(chemistry, slip, warmer_by):
    name, written, decimals = SLIPS[slip]
    truth = fleet(chemistry, warmer_by=warmer_by)
    real = truth[name] < 60 if name != "StateOfCharge" else truth[name].notna()
    truth[name] = truth[name].mask(real, truth[name].round(decimals))
    planted = truth.assign(**{name: truth[name].mask(real, written(truth[name]).round(4))})
    table, expected = clean(planted), clean(truth)
    assert [(item.column, item.how.name) for item in table.corrections] == [(name, slip)]
    for column in READINGS:
        np.testing.assert_allclose(table.frame[column], expected.frame[column], rtol=0, atol=1e-9)
    kept = table.frame.loc[table.frame[name].notna(), f"{name}_flag"]
    assert kept.eq("unit_converted").all()
    assert table.chemistry == expected.chemistry


def test_an_offset_of_40_is_told_from_fahrenheit_by_the_room():
    truth = fleet("vrla").assign(AmbientTemperature=lambda f: f["CellTemperature"].where(lambda t: t < 60))
    whole = truth["CellTemperature"].round().where(truth["CellTemperature"] < 60)
    table = clean(truth.assign(CellTemperature=whole + 40))
    assert [item.how.name for item in table.corrections] == ["°C + 40"]
    assert "equals 'AmbientTemperature'" in table.corrections[0].evidence
    np.testing.assert_array_equal(table.frame["CellTemperature"], whole)


def test_without_another_temperature_an_ambiguous_one_is_left_and_its_candidates_are_named():
    frame = small_fleet().assign(CellTemperature=66.0).drop(columns="AmbientTemperature")
    table = clean(frame)
    assert table.corrections == []
    assert (table.frame["CellTemperature"] == 66.0).all()
    (note,) = [note for note in table.notes if note.startswith("CellTemperature")]
    assert "tenths of °C (median 6.6 °C) or °F (median 18.9 °C) or °C + 40 (median 26.0 °C)" in note


def test_a_plausible_temperature_that_another_contradicts_by_40_is_left_with_a_warning():
    frame = small_fleet().assign(CellTemperature=51.0, AmbientTemperature=11.0)
    table = clean(frame)
    assert table.corrections == []
    assert any(
        "equals 'AmbientTemperature' in 100% of the rows if it is written in °C + 40" in n
        for n in table.notes
    )


def test_a_string_voltage_in_the_cell_column_is_not_taken_for_hundredths_of_a_volt():
    frame = small_fleet(1, 1).assign(CellVoltage=240.0).drop(columns=["Cell ID", "CellSpecificGravity"])
    plan_notes = "may be a string's voltage or written in 0.01 V"
    with pytest.raises(Exception, match="no usable value"):
        clean(frame)
    mixed = frame.assign(CellVoltage=[240.0] * 29 + [2.2])
    table = clean(mixed)
    assert table.corrections == []
    assert any(plan_notes in note for note in table.notes)


def test_kilovolts_and_fractional_millivolts_are_left_with_a_warning():
    for value in (0.0022, 2200.5):
        frame = small_fleet().assign(CellVoltage=[value] * 239 + [2.2])
        table = clean(frame)
        assert table.corrections == []
        assert any("impossible for a cell or block" in note for note in table.notes)


@pytest.mark.parametrize("value", [65535, 65534.0 + 1])
def test_no_answer_is_still_no_answer_in_a_converted_column(value):
    frame = small_fleet()
    frame["CellVoltage"] = (frame["CellVoltage"] * 1000).round()
    frame.loc[7, "CellVoltage"] = value
    table = clean(frame)
    assert table.frame.loc[7, "CellVoltage_flag"] == "sentinel"
    assert table.frame["CellVoltage"].drop(7).between(2, 3).all()


def test_255_tenths_are_a_reading_and_255_degrees_are_no_probe():
    tenths = small_fleet().assign(CellTemperature=[255.0, 251.0] * 120)
    table = clean(tenths)
    assert set(table.frame["CellTemperature"]) == {25.5, 25.1}
    degrees = small_fleet()
    degrees.loc[3, "CellTemperature"] = 255.0
    assert clean(degrees).frame.loc[3, "CellTemperature_flag"] == "sentinel"


def test_a_probe_that_only_says_0_was_never_fitted():
    table = clean(small_fleet().assign(AmbientTemperature=0.0))
    assert table.frame["AmbientTemperature"].isna().all()
    assert table.frame["AmbientTemperature_flag"].eq("sentinel").all()
    assert any("never fitted" in note for note in table.notes)


def wrapped(values: np.ndarray, code: str, step: float) -> np.ndarray:
    """Write negative numbers as an unsigned 16-bit register shows them, in counts of `step`."""
    counts = np.round(values / step)
    shown = np.where(counts < 0, 32768 - counts if code == "sign-magnitude" else 65536 + counts, counts)
    return np.round(shown * step, 4)


@settings(max_examples=40, deadline=None)
@given(
    code=st.sampled_from(["sign-magnitude", "two's complement"]),
    step=st.sampled_from([1.0, 0.1]),
    seed=st.integers(0, 100),
)
def test_lost_signs_of_a_current_come_back(code, step, seed):
    frame = small_fleet(seed=seed)
    truth = np.round(frame["InstantaneousCurrent"].to_numpy() / step) * step
    truth = np.round(np.where(np.isclose(truth, -step) | (truth == 0), step, truth), 4)  # -1 count: see below
    table = clean(frame.assign(InstantaneousCurrent=wrapped(truth, code, step)))
    (correction,) = table.corrections
    assert (correction.how.code, correction.how.step) == (code, step)
    np.testing.assert_allclose(table.frame["InstantaneousCurrent"], truth, rtol=0, atol=1e-9)
    flags = table.frame["InstantaneousCurrent_flag"]
    np.testing.assert_array_equal(flags.eq("sign_restored"), truth < 0)
    assert correction.readings == (truth < 0).sum()


def test_full_scale_is_minus_one_only_among_its_neighbours():
    frame = small_fleet(1, 1, 40).drop(columns="AmbientTemperature")
    at_home = frame.assign(InstantaneousCurrent=[65535.0, 65534.0, 65533.0, 3.0] * 10)
    assert set(clean(at_home).frame["InstantaneousCurrent"]) == {-1.0, -2.0, -3.0, 3.0}
    alone = frame.assign(InstantaneousCurrent=[65535.0, 65000.0, 65100.0, 3.0] * 10)
    kept = clean(alone).frame
    assert set(kept["InstantaneousCurrent"].dropna()) == {-536.0, -436.0, 3.0}
    assert kept["InstantaneousCurrent_flag"].eq("sentinel").sum() == 10


def test_a_dead_cells_small_negative_voltage_comes_back_and_garbage_does_not():
    falling = np.r_[np.linspace(2.1, 0.0, 236), [65.505, 65.51, 65.52, 65.53]]
    table = clean(small_fleet().assign(CellVoltage=falling))
    np.testing.assert_allclose(table.frame["CellVoltage"].iloc[-4:], [-0.031, -0.026, -0.016, -0.006])
    healthy = np.r_[np.full(236, 2.1), [65.505, 65.51, 65.52, 65.53]]
    table = clean(small_fleet().assign(CellVoltage=healthy))
    assert table.corrections == []
    assert table.frame["CellVoltage_flag"].iloc[-4:].eq("out_of_range").all()


def test_large_currents_that_are_just_large_stay():
    frame = small_fleet().assign(InstantaneousCurrent=np.r_[np.full(200, 0.5), np.full(40, 60.0)])
    table = clean(frame)
    assert table.corrections == []
    assert (table.frame["InstantaneousCurrent"] == frame["InstantaneousCurrent"]).all()


def test_a_current_beside_scaled_columns_is_left_with_a_warning():
    frame = small_fleet().assign(InstantaneousCurrent=76.0)
    frame["CellVoltage"] = (frame["CellVoltage"] * 1000).round()
    frame["CellTemperature"] = (frame["CellTemperature"] * 10).round()
    table = clean(frame)
    assert {item.column for item in table.corrections} == {"CellVoltage", "CellTemperature"}
    assert (table.frame["InstantaneousCurrent"] == 76.0).all()
    assert any("may be scaled as well" in note for note in table.notes)


def test_exact_zeros_among_healthy_voltages_are_kept_and_counted():
    frame = small_fleet()
    frame.loc[[3, 9], "CellVoltage"] = 0.0
    table = clean(frame)
    assert (table.frame.loc[[3, 9], "CellVoltage"] == 0.0).all()
    assert any(note.startswith("2 readings of CellVoltage are exactly 0") for note in table.notes)
