"""Every finding is there when its cause was planted, names the right cell, and is absent otherwise."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.simulate import simulate_fleet
from bms_preprocess.finding import SEVERITIES
from bms_preprocess.findings import filling_finding

from tests.preprocess.examined import examined, said, small


@pytest.fixture(scope="module")
def healthy() -> pd.DataFrame:
    """Two flooded strings of eight cells, 30 days hourly, with outages and without any fault."""
    return simulate_fleet(
        n_strings=2,
        cells_per_string=8,
        days=30,
        seed=11,
        death_fraction=0.0,
        dying_fraction=0.0,
        fault_fraction=0.0,
        sentinel_fraction=0.0,
    ).readings


def planted(healthy: pd.DataFrame, cell: str, column: str, hours: slice, change) -> pd.DataFrame:
    """Return the fleet with `change(values)` of one cell's column over some of its hours."""
    raw = healthy.copy()
    at = raw.index[raw["Cell ID"] == cell][hours]
    raw.loc[at, column] = change(raw.loc[at, column])
    return raw


def test_a_plain_table_gives_no_finding() -> None:
    assert said(small(n_hours=80)) == {}


def test_a_healthy_fleet_has_nothing_to_act_on_or_to_check(healthy: pd.DataFrame) -> None:
    _, report = examined(healthy)
    told = [found for found in report["findings"] if found["severity"] != "note"]
    assert told == []


def test_the_most_severe_findings_come_first(fleet: pd.DataFrame) -> None:
    raw = fleet.assign(Timestamp=fleet["Timestamp"].where(fleet.index % 7 > 0))
    _, report = examined(raw)
    places = [SEVERITIES.index(found["severity"]) for found in report["findings"]]
    assert len(places) > 3 and places == sorted(places)


def test_a_cell_that_does_not_answer_is_named() -> None:
    silent = list(range(1, 36, 3))[:6]
    raw = small(
        CellVoltage=dict.fromkeys(silent, 65.535),
        CellTemperature=dict.fromkeys(silent, 65535.0),
        CellSpecificGravity=dict.fromkeys(silent, 59.749),
    )
    sentence = said(raw)["Cells that often do not answer"]
    assert "A/2 (50 %)" in sentence and "A/1" not in sentence


def test_a_weak_cell_is_low_on_float_and_far_from_its_string(healthy: pd.DataFrame) -> None:
    told = said(planted(healthy, "S001/C03", "CellVoltage", slice(400, None), lambda v: v - 0.12))
    assert "S001/C03" in told["Low cells on float"]
    assert "S001/C03" in told["Cell voltage far from the string"]
    assert "-12" in told["Cell voltage far from the string"]
    assert "S001/C03" in told["Cells outside the float window while their string is inside"]
    assert "S002" not in told["Low cells on float"]


def test_a_single_low_reading_is_no_low_cell(healthy: pd.DataFrame) -> None:
    raw = planted(healthy, "S001/C03", "CellVoltage", slice(400, 402), lambda v: v - 0.12)
    assert "Low cells on float" not in said(raw)


def test_hot_cells_are_told_by_their_rise_and_their_temperature(healthy: pd.DataFrame) -> None:
    told = said(planted(healthy, "S002/C05", "CellTemperature", slice(300, 320), lambda c: c + 32.0))
    # The first of the twenty counts as a spike: only the next ones confirm it.
    assert "S002/C05 (19 readings" in told["Cells much warmer than their room"]
    assert "S002/C05" in told["Hot cells"] and "S001" not in told["Hot cells"]


def test_a_stuck_sensor_is_named_with_its_longest_run(healthy: pd.DataFrame) -> None:
    raw = planted(healthy, "S001/C07", "CellTemperature", slice(200, 320), lambda c: c.iloc[0])
    sentence = said(raw)["Sensors that got stuck"]
    start = raw.loc[raw["Cell ID"] == "S001/C07", "Timestamp"].iloc[319]
    assert "S001/C07 cell temperature" in sentence and f"to {start}" in sentence


def test_spikes_are_counted_by_signal(healthy: pd.DataFrame) -> None:
    raw = healthy.copy()
    at = raw.index[raw["Cell ID"] == "S002/C01"][[100, 200, 300]]
    raw.loc[at, "CellVoltage"] += 0.4
    assert "S002/C01 cell voltage (3)" in said(raw)["Spikes"]


def cycling(sign: float, seed: int = 0) -> pd.DataFrame:
    """Return four lithium cells that are charged and discharged by turns; `sign` 1: charge is positive."""
    rng = np.random.default_rng(seed)
    steps = np.repeat(np.where(np.arange(60) % 2, 20.0, -20.0), 10)
    rows = [
        pd.DataFrame(
            {
                "CellNumber": cell,
                "Timestamp": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(600), unit="min"),
                "CellVoltage": 3.7 + 0.002 * steps + 0.001 * cell + rng.normal(0, 0.001, 600),
                "CellTemperature": 25.0 + rng.normal(0, 0.2, 600),
                "InstantaneousCurrent": sign * steps,
            }
        )
        for cell in range(1, 5)
    ]
    return pd.concat(rows, ignore_index=True)


def test_a_current_that_counts_discharge_as_positive_is_pointed_out_and_left() -> None:
    seen, report = examined(cycling(-1.0))
    told = {found["title"]: found["sentence"] for found in report["findings"]}
    assert "100 %" in told["The sign of the current seems reversed"]
    assert report["columns"]["InstantaneousCurrent"]["reasons"] == {}
    assert seen.cells["current_steps"].tolist() == [59, 59, 59, 59]
    assert "The sign of the current seems reversed" not in said(cycling(1.0))


def test_a_current_that_has_nothing_to_do_with_the_voltage_is_no_reversed_one() -> None:
    rng = np.random.default_rng(3)
    raw = cycling(1.0)
    raw["CellVoltage"] = 3.7 + rng.normal(0, 0.02, len(raw))
    assert "The sign of the current seems reversed" not in said(raw)


def test_lithium_cells_beyond_their_limits_are_to_be_acted_on() -> None:
    raw = cycling(1.0)
    raw.loc[(raw["CellNumber"] == 2) & (raw.index % 600 > 590), "CellVoltage"] = 2.1
    raw.loc[(raw["CellNumber"] == 3) & (raw.index % 600 > 590), "CellVoltage"] = 4.31
    _, report = examined(raw)
    told = {found["title"]: found for found in report["findings"]}
    assert "2 (9 readings, down to 2.1 V)" in told["Cells discharged too far"]["sentence"]
    assert "3 (9 readings, up to 4.31 V)" in told["Cells charged too far"]["sentence"]
    assert told["Cells charged too far"]["severity"] == "act"


def test_a_lithium_table_says_nothing_of_a_float_window() -> None:
    _, report = examined(cycling(1.0))
    assert report["float_window"] is None


def test_a_string_on_too_high_a_charge_is_compared_with_the_window() -> None:
    raw = small(n_hours=60)
    raw["CellVoltage"] = raw["CellVoltage"].astype(float) + 0.15
    sentence = said(raw)["String voltage outside the float window"]
    assert "above it in 100 %" in sentence and "2.14 to 2.25 V" in sentence


def test_the_float_window_is_compensated_for_temperature() -> None:
    raw = small(n_hours=60).assign(CellTemperature=40.0, AmbientTemperature=38.0)
    raw["CellVoltage"] = (
        raw["CellVoltage"].astype(float).sub(2.2).add(2.23)
    )  # fine at 25 °C, 25 mV high at 40
    assert "above it" in said(raw)["String voltage outside the float window"]


def test_zeros_a_constant_column_and_an_absent_room_are_told() -> None:
    raw = small(n_hours=80, CellVoltage={31: 0.0, 32: 0.0}).drop(columns="AmbientTemperature")
    raw["InstantaneousCurrent"] = 0.3
    told = said(raw)
    assert "2 readings of exactly 0 V" in told["Voltages of exactly zero"]
    assert "String current (0.3 A in all 240 readings)" in told["Columns that never change"]
    assert "No ambient temperature" in told


def test_a_signal_on_rows_of_its_own_is_told_as_mostly_blank() -> None:
    raw = small(n_hours=80)
    raw.loc[raw.index % 10 > 0, "CellSpecificGravity"] = np.nan
    assert "Specific gravity (90 %)" in said(raw)["Columns that are mostly blank"]


def test_what_was_converted_and_what_was_left_in_doubt_are_told() -> None:
    raw = small(n_hours=80).drop(columns="CellSpecificGravity")
    raw["CellVoltage"] = (raw["CellVoltage"].astype(float) * 1000).round().astype(int)
    raw["CellTemperature"] = (raw["CellTemperature"] * 10 + 100).round().astype(int)
    raw["InstantaneousCurrent"] = (raw["InstantaneousCurrent"] * 100).round().astype(int)
    told = said(raw)
    assert "Cell voltage from mV, 240 readings" in told["Units or signs put right"]
    assert "InstantaneousCurrent" in told["Units or signs in doubt"]


def test_a_string_total_that_drifts_is_a_sensor_and_one_that_agrees_is_silent() -> None:
    raw = small(n_hours=100)
    total = raw.groupby("Timestamp")["CellVoltage"].transform("sum").astype(float)
    assert not any("String voltage" in title for title in said(raw.assign(StringVoltage=total)))
    drift = np.linspace(0.0, 0.2, len(raw))
    sentence = said(raw.assign(StringVoltage=total + drift))[
        "String voltage drifts from the sum of its cells"
    ]
    assert "A (+0.0" in sentence
    apart = said(raw.assign(StringVoltage=total * 4 / 3))
    assert "String voltage is not the sum of its cells" in apart


def test_gaps_repeats_and_rows_without_a_time_are_told() -> None:
    raw = small(n_hours=60)
    raw.loc[raw.index >= 90, "Timestamp"] += pd.Timedelta(hours=48)
    raw.loc[9, "Timestamp"] = raw.loc[6, "Timestamp"]
    raw.loc[100:110, "Timestamp"] = pd.NaT
    told = said(raw)
    assert "3 pauses" in told["Gaps in time"] and "at most 1 in one cell" in told["Gaps in time"]
    assert "2.04 d, in cell A/1" in told["Gaps in time"]
    assert "1 row with the time" in told["Repeated or backward time stamps"]
    assert "11 of 180 rows (6.1 %)" in told["Rows without a time"]


def test_cells_that_log_at_different_moments_are_told() -> None:
    raw = small(n_hours=60)
    raw["Timestamp"] += pd.to_timedelta(raw["Cell ID"].str[-1].astype(int) * 7, unit="min")
    assert "A (1 of 3 cells)" in said(raw)["Cells of a string log at different moments"]


def test_a_string_of_two_cells_says_what_was_not_looked_for() -> None:
    assert "spikes" in said(small(n_cells=2))["Cells without neighbours"]
    assert "Cells without neighbours" not in said(small(n_cells=3))


def test_filled_values_no_better_than_the_mean_are_told() -> None:
    checks = {
        "CellVoltage": {"rmse": 0.001, "mean_rmse": 0.02, "unit": "V"},
        "StateOfCharge": {"rmse": 0.99, "mean_rmse": 1.0, "unit": "%"},
    }
    (found,) = filling_finding({"CellVoltage": 5, "StateOfCharge": 5}, checks)
    assert "State of charge" in found.sentence and "Cell voltage" not in found.sentence
    assert filling_finding({"CellVoltage": 5, "StateOfCharge": 0}, checks) == []


def test_sentences_stay_short_with_many_cells_of_long_names() -> None:
    raw = small(n_hours=30, n_cells=400)
    raw["Cell ID"] = "A/" + raw["Cell ID"].str[2:].str.zfill(300)
    raw["CellVoltage"] = np.where(raw.index % 400 > 300, 65.535, raw["CellVoltage"].astype(float))
    raw["CellTemperature"] = np.where(raw.index % 400 > 300, 65535.0, raw["CellTemperature"])
    raw["CellSpecificGravity"] = np.where(raw.index % 400 > 300, 59.749, raw["CellSpecificGravity"])
    told = said(raw)
    assert "and 94 more" in told["Cells that often do not answer"]
    assert all(len(sentence) < 900 for sentence in told.values())
