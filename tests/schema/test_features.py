import numpy as np
import pandas as pd
from bms_schema.data.features import (
    add_features,
    available_columns,
    feature_names,
    feature_table,
    trailing_statistics,
)
from bms_schema.data.moments import moment_codes, order_cells
from bms_schema.data.table import canonical_table

from tests.schema.fleet import small_fleet

OWN = [name for name in feature_names() if not any(kind in name for kind in ("deviation", "robust_z", "_z_"))]


def featured(frame):
    return add_features(canonical_table(frame).frame)


def test_the_table_documents_every_feature_once():
    names = feature_names()
    assert len(names) == len(set(names))
    made = featured(small_fleet())
    assert [name for name in made if name in set(names)] == names
    assert all(feature.formula and feature.source and feature.window for feature in feature_table())


def test_row_order_changes_nothing():
    table = canonical_table(small_fleet()).frame
    shuffled = add_features(table.sample(frac=1, random_state=3)).sort_index()
    pd.testing.assert_frame_equal(add_features(table)[feature_names()], shuffled[feature_names()])


def test_no_cell_enters_another_cells_own_features():
    frame = small_fleet()
    changed = frame.copy()
    changed.loc[changed["Cell ID"] == "S0/1", ["CellVoltage", "CellTemperature", "CellSpecificGravity"]] *= (
        1.02
    )
    others = frame["Cell ID"] != "S0/1"
    pd.testing.assert_frame_equal(featured(frame)[OWN][others], featured(changed)[OWN][others])


def test_no_string_enters_another_strings_features():
    frame = small_fleet()
    changed = frame.copy()
    changed.loc[changed["string"] == "S0", "CellVoltage"] -= 0.1
    other = frame["string"] == "S1"
    pd.testing.assert_frame_equal(
        featured(frame)[feature_names()][other], featured(changed)[feature_names()][other]
    )


def test_no_future_enters_a_feature():
    frame = small_fleet(moments=40)
    early = frame["Timestamp"] < pd.Timestamp("2026-01-01 20:00")
    cut = featured(frame[early])[feature_names()]
    pd.testing.assert_frame_equal(featured(frame)[feature_names()][early.to_numpy()], cut)


def test_nothing_is_carried_across_a_gap():
    frame = small_fleet(1, 3, 30)
    late = frame["Timestamp"] >= pd.Timestamp("2026-01-01 15:00")
    frame.loc[late, "Timestamp"] += pd.Timedelta(days=5)
    made = featured(frame)
    first_after = made[late.to_numpy()].iloc[:3]
    assert first_after[["voltage_lag1_v", "voltage_diff_v", "load_step_resistance_ohm"]].isna().all(axis=None)
    np.testing.assert_allclose(first_after["voltage_mean_24h_v"], first_after["CellVoltage"])


def test_rolling_statistics_equal_a_slow_loop():
    frame = small_fleet(2, 3, 30, step="37min", seed=5)
    frame.loc[[7, 20, 41], "CellVoltage"] = np.nan
    made = featured(frame)
    for hours in (1, 24):
        for row in range(0, len(made), 7):
            at = made.iloc[row]
            window = made[
                (made["Cell ID"] == at["Cell ID"])
                & (made["Timestamp"] <= at["Timestamp"])
                & (made["Timestamp"] > at["Timestamp"] - pd.Timedelta(hours=hours))
            ]["CellVoltage"]
            np.testing.assert_allclose(at[f"voltage_mean_{hours}h_v"], window.mean(), atol=1e-9)
            np.testing.assert_allclose(at[f"voltage_std_{hours}h_v"], window.std(), atol=1e-7)


def test_windows_do_not_depend_on_how_many_cells_or_years_stand_beside_a_cell():
    times = pd.date_range("2025-01-01", periods=37, freq="10D")
    rows = pd.MultiIndex.from_product([range(300), times], names=["Cell ID", "Timestamp"]).to_frame(
        index=False
    )
    rows = rows.assign(
        **{"source_row": range(len(rows)), "value": np.random.default_rng(0).normal(size=len(rows))}
    )
    month_s = 30 * 86_400.0
    fleet, _ = trailing_statistics(rows["value"].to_numpy(), order_cells(rows), month_s)
    last = rows[rows["Cell ID"] == 299].reset_index(drop=True)
    alone, _ = trailing_statistics(last["value"].to_numpy(), order_cells(last), month_s)
    np.testing.assert_allclose(fleet[-37:], alone, rtol=1e-12)
    np.testing.assert_allclose(alone[3], last["value"][1:4].mean())


def test_one_clock_that_fell_back_to_1970_is_no_reason_to_fail():
    fleet = small_fleet(n_strings=2, cells=8)
    fleet.loc[0, "Timestamp"] = pd.Timestamp("1970-01-01")
    assert add_features(canonical_table(fleet).frame)["voltage_mean_24h_v"].notna().all()


def test_deviation_is_judged_against_the_string_at_the_same_moment():
    frame = small_fleet(1, 5, 1).assign(CellVoltage=[2.20, 2.21, 2.22, 2.23, 2.10])
    made = featured(frame)
    np.testing.assert_allclose(made["voltage_deviation_v"], [-0.01, 0.0, 0.01, 0.02, -0.11])
    np.testing.assert_allclose(made["voltage_robust_z"].iloc[4], -0.11 / (1.4826 * 0.01))


def test_two_cells_cannot_tell_which_of_them_deviates():
    assert featured(small_fleet(1, 2))["voltage_deviation_v"].isna().all()


def test_a_load_step_gives_the_resistance_and_holds_it():
    frame = small_fleet(1, 1, 6).assign(
        InstantaneousCurrent=[0.0, 0.0, -50.0, -50.0, 0.0, 0.0],
        CellVoltage=[2.23, 2.23, 2.18, 2.18, 2.205, 2.205],
    )
    resistance = featured(frame)["load_step_resistance_ohm"]
    assert resistance.iloc[:2].isna().all()
    np.testing.assert_allclose(resistance.iloc[2:], [0.001, 0.001, 0.0005, 0.0005])


def test_cells_logged_seconds_apart_share_a_moment():
    frame = small_fleet(1, 4, 10)
    number = frame["Cell ID"].str[-1].astype(int)
    frame["Timestamp"] += pd.to_timedelta(number * 3, unit="s")
    codes = moment_codes(canonical_table(frame).frame)
    assert len(np.unique(codes)) == 10
    assert featured(frame)["voltage_deviation_v"].notna().all()


def test_without_time_stamps_the_readings_number_is_the_moment():
    frame = small_fleet(1, 4, 10).drop(columns="Timestamp")
    made = featured(frame)
    assert made["voltage_deviation_v"].notna().all()
    assert made["voltage_lag1_v"].isna().sum() == 4
    assert not [name for name in made if "24h" in name or "30d" in name or name == "charge_ah"]


def test_a_column_that_is_absent_or_never_read_leaves_its_features_out():
    fleet = small_fleet()
    for frame in (fleet.drop(columns="CellSpecificGravity"), fleet.assign(CellSpecificGravity=np.nan)):
        made = featured(frame)
        assert not [name for name in made if name.startswith("gravity")]
        assert "voltage_deviation_v" in made
    assert "temperature_rise_c" not in add_features(
        canonical_table(fleet).frame.drop(columns="AmbientTemperature")
    )


def test_the_tables_columns_and_not_its_parts_decide_which_features_there_are():
    table = canonical_table(small_fleet()).frame
    columns = available_columns(table)
    part = table[table["string"] == "S0"].assign(CellSpecificGravity=np.nan)
    assert [name for name in add_features(part, columns) if name not in part] == feature_names(columns)


def test_stale_features_of_an_earlier_run_are_replaced():
    table = canonical_table(small_fleet()).frame
    again = add_features(add_features(table).assign(voltage_lag1_v=7.0, gravity_diff=7.0))
    pd.testing.assert_frame_equal(again, add_features(table))


def test_no_row_is_a_table_too():
    assert list(add_features(canonical_table(small_fleet()).frame[:0], ["CellVoltage", "Timestamp"])) == [
        *canonical_table(small_fleet()).frame,
        *feature_names(["CellVoltage", "Timestamp"]),
    ]


def test_a_window_does_not_reach_over_a_gap_shorter_than_itself():
    frame = small_fleet(1, 3, 30)
    late = frame["Timestamp"] >= pd.Timestamp("2026-01-01 15:00")
    frame.loc[late, "Timestamp"] += pd.Timedelta(hours=10)
    first_after = featured(frame)[late.to_numpy()].iloc[:3]
    np.testing.assert_allclose(first_after["voltage_mean_24h_v"], first_after["CellVoltage"])
    assert first_after["voltage_lag1_v"].isna().all()


def test_a_burst_of_seconds_does_not_make_gaps_of_the_hours_around_it():
    hourly = small_fleet(1, 3, 60)
    burst = small_fleet(1, 3, 300, step="10s").assign(
        Timestamp=lambda frame: frame["Timestamp"] + pd.Timedelta(hours=30, minutes=1)
    )
    frame = pd.concat([hourly, burst], ignore_index=True)
    made = featured(frame)
    before = frame["Timestamp"] < pd.Timestamp("2026-01-02 06:00")
    assert made.loc[before, "voltage_lag1_v"].isna().sum() == 3
    # Only the first hours after the burst look long beside it.
    assert made["voltage_lag1_v"].isna().sum() <= 3 * 8
