from functools import cache

import numpy as np
import pandas as pd
import pytest
from bms_failure.feature_set import FEATURE_NAMES
from bms_failure.moments import cell_moments, is_daily, is_latest
from bms_generate.simulate import simulate_fleet
from bms_schema.data.table import canonical_table
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

KEYS = ["Cell ID", "at"]
CUT = pd.Timestamp("2026-01-15 12:00")


def features_of(readings: pd.DataFrame) -> pd.DataFrame:
    table = canonical_table(readings)
    return cell_moments(table.frame, table.chemistry, np.zeros(len(table.frame), dtype=int))


@pytest.fixture(scope="module")
def features(readings: pd.DataFrame) -> pd.DataFrame:
    return features_of(readings)


def test_what_happens_later_leaves_earlier_features_equal(
    readings: pd.DataFrame, features: pd.DataFrame
) -> None:
    changed = readings.copy()
    later = changed["Timestamp"] >= CUT
    changed.loc[later, "CellVoltage"] -= 0.3 * np.random.default_rng(0).random(int(later.sum()))
    changed.loc[later, "CellTemperature"] += 7.0
    changed.loc[later, "CellSpecificGravity"] = np.nan
    again = features_of(changed)
    before = features["at"] < CUT
    pd.testing.assert_frame_equal(features[before], again[before])
    assert not features[~before].equals(again[~before])


def test_a_truncated_history_gives_the_same_features(readings: pd.DataFrame, features: pd.DataFrame) -> None:
    shorter = features_of(readings[readings["Timestamp"] < CUT])
    merged = shorter.merge(features, on=KEYS, suffixes=("", "_full"))
    assert len(merged) == len(shorter)
    for name in FEATURE_NAMES:
        np.testing.assert_allclose(merged[name], merged[f"{name}_full"], rtol=1e-6, atol=1e-9, err_msg=name)


def test_row_order_changes_nothing(readings: pd.DataFrame, features: pd.DataFrame) -> None:
    shuffled = readings.assign(source_row=np.arange(len(readings))).sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(features, features_of(shuffled))


def test_a_filled_in_reading_counts_as_missing(readings: pd.DataFrame) -> None:
    hidden, filled = readings.copy(), readings.copy()
    rows = np.arange(len(readings)) % 7 == 0
    hidden.loc[rows, "CellVoltage"] = np.nan
    filled.loc[rows, "CellVoltage"] = 1.0
    filled["CellVoltage_flag"] = np.where(rows, "imputed", "")
    pd.testing.assert_frame_equal(features_of(filled), features_of(hidden))


def test_labels_are_no_input(readings: pd.DataFrame, features: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(features, features_of(readings.drop(columns="IsDead")))


def test_a_column_that_knows_the_future_is_no_input(readings: pd.DataFrame, features: pd.DataFrame) -> None:
    death = readings["Timestamp"].where(readings["IsDead"] == 1).groupby(readings["Cell ID"]).transform("min")
    left = (death - readings["Timestamp"]) / pd.Timedelta(days=1)
    assert left.notna().any()
    planted = readings.assign(DaysToDeath=left, death=death, risk=(left < 5).astype(float))
    pd.testing.assert_frame_equal(features, features_of(planted))


@settings(max_examples=6, deadline=None, phases=[Phase.generate])
@given(hours=st.integers(24, 24 * 29), seed=st.integers(0, 99))
def test_features_of_a_moment_never_change_when_later_rows_do(hours: int, seed: int) -> None:
    whole = one_string()
    cut = whole["Timestamp"].min() + pd.Timedelta(hours=hours)
    later = (whole["Timestamp"] >= cut).to_numpy()
    rng = np.random.default_rng(seed)
    changed = whole[~later | (rng.random(len(whole)) < 0.7)].copy()
    late = (changed["Timestamp"] >= cut).to_numpy()
    for column, spread in {"CellVoltage": 0.1, "CellTemperature": 5.0, "CellSpecificGravity": 0.02}.items():
        changed.loc[late, column] += spread * rng.standard_normal(int(late.sum()))
    before, after = features_of(whole), features_of(changed)
    early, still = (table[table["at"] < cut].reset_index(drop=True) for table in (before, after))
    pd.testing.assert_frame_equal(early, still)


@cache
def one_string() -> pd.DataFrame:
    fleet = simulate_fleet(
        n_strings=1, cells_per_string=6, days=30, interval_minutes=360, seed=3, death_fraction=0.2
    )
    return fleet.readings


def test_another_string_changes_nothing(readings: pd.DataFrame, features: pd.DataFrame) -> None:
    alone = features_of(readings[readings["string"] == "S002"])
    together = features[features["string"] == "S002"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, together)


def test_levels_and_slopes_agree_with_a_slow_computation(features: pd.DataFrame) -> None:
    cell = features[features["Cell ID"] == "S001/C01"].reset_index(drop=True)
    start = cell["at"].dt.floor("6h")
    day = (start - start[0]) / pd.Timedelta(days=1)
    for row in (40, len(cell) - 1):
        inside = (day > day[row] - 7) & (day <= day[row])
        known = inside & cell["voltage_mv"].notna()
        slope, _ = np.polyfit(day[known], cell.loc[known, "voltage_mv"], 1)
        assert cell.loc[row, "voltage_level_7d"] == pytest.approx(cell.loc[known, "voltage_mv"].mean())
        assert cell.loc[row, "voltage_slope_7d"] == pytest.approx(slope, rel=1e-5, abs=1e-7)


def test_a_slope_waits_for_half_its_window(features: pd.DataFrame) -> None:
    cell = features[features["Cell ID"] == "S001/C01"]
    assert cell["voltage_slope_7d"].iloc[:8].isna().all()
    assert cell["voltage_slope_7d"].iloc[40:].notna().all()


def test_a_replacement_forgets_the_old_cell(readings: pd.DataFrame) -> None:
    table = canonical_table(readings)
    life = np.where(table.frame["Timestamp"] < CUT, 0, 1)
    split = cell_moments(table.frame, table.chemistry, life)
    second = split[split["life"] == 1].groupby("Cell ID").head(1)
    assert second["voltage_slope_7d"].isna().all()
    assert (second["voltage_change_30d"].dropna() == 0).all()


def test_missing_readings_are_counted_and_not_invented(readings: pd.DataFrame) -> None:
    silent = readings.copy()
    mask = (silent["Cell ID"] == "S001/C01") & (silent["Timestamp"] >= CUT)
    silent.loc[mask, "CellVoltage"] = np.nan
    last = features_of(silent).query("`Cell ID` == 'S001/C01'").iloc[-1]
    assert last["missing_share_7d"] == 1.0
    assert np.isnan(last["voltage_level_7d"])


def test_one_moment_a_day_and_one_latest_per_cell(features: pd.DataFrame) -> None:
    daily = features[is_daily(features)]
    assert not daily.assign(day=daily["at"].dt.floor("D")).duplicated(["Cell ID", "day"]).any()
    assert features[is_latest(features)]["Cell ID"].is_unique
