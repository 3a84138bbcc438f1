"""What the features of a fleet see, and what they must not depend on."""

import numpy as np
import pandas as pd
import pytest
from bms_anomaly.features import fleet_features, source_columns
from bms_anomaly.windows import centred_median, repeat_runs
from bms_schema.data.moments import order_cells
from bms_schema.data.table import canonical_table

from tests.anomaly.conftest import DROPPED, HOT, MOMENTS, SAGGING, SPIKED, STUCK, quiet_fleet


def of(frame, features, cell, name):
    return features.loc[(frame["Cell ID"] == cell).to_numpy(), name].to_numpy()


def held(count):
    """A fleet in steps of 2 mV whose first cell holds one value for `count` readings; its largest `stuck` there."""
    fleet = quiet_fleet()
    fleet["CellVoltage"] = (fleet["CellVoltage"] / 0.002).round() * 0.002
    rows = fleet.index[fleet["Cell ID"] == "S0/1"][100 : 100 + count]
    fleet.loc[rows, "CellVoltage"] = fleet.loc[rows[0], "CellVoltage"]
    frame = canonical_table(fleet).frame
    return of(frame, fleet_features(frame), "S0/1", "voltage_stuck")[100 : 100 + count].max()


def test_a_run_that_chance_allows_is_no_further_out_than_normal_readings_get():
    assert 4.0 < held(12) < 5.0  # its chance is 3e-5; as -ln of it, 10 sigmas
    assert held(40) > 15.0


@pytest.mark.parametrize("step", [0.0005, 0.01])
def test_the_repeats_of_healthy_sensors_stand_out_no_further_than_their_other_readings(step):
    fleet = quiet_fleet()
    fleet["CellVoltage"] = (fleet["CellVoltage"] / step).round() * step
    features = fleet_features(canonical_table(fleet).frame)
    assert 3.0 < features["voltage_stuck"].max() < 1.2 * features["voltage_fast"].abs().max()


def test_a_level_of_its_own_counts_less_than_its_distance_and_a_change_in_full():
    def string_feature(last):
        fleet = quiet_fleet()
        moved = (fleet["Cell ID"] == "S0/1") & (fleet.groupby("Cell ID").cumcount() >= MOMENTS - last)
        fleet.loc[moved, "CellVoltage"] += 0.013
        frame = canonical_table(fleet).frame
        return np.median(of(frame, fleet_features(frame), "S0/1", "voltage_string")[-24:])

    always, lately = string_feature(MOMENTS), string_feature(24)
    assert 1.5 < always < 0.9 * lately


def test_each_fault_shows_in_its_own_feature(frame, features):
    assert of(frame, features, STUCK, "voltage_stuck")[60:111].min() > 50
    assert np.nanmedian(of(frame, features, HOT, "temperature_own")[120:161]) > 10
    assert np.nanmedian(of(frame, features, DROPPED, "voltage_string")[30:37]) < -100
    assert of(frame, features, SPIKED, "voltage_fast")[150] > 50
    assert np.nanmedian(of(frame, features, SAGGING, "voltage_slow")[150:]) < -10


def test_a_cell_that_sags_for_most_of_the_file_is_not_its_own_reference():
    fleet = quiet_fleet()
    late = (fleet["Cell ID"] == "S0/1") & (
        fleet["Timestamp"] > fleet["Timestamp"].min() + pd.Timedelta("60h")
    )
    fleet.loc[late, "CellVoltage"] -= 0.2
    frame = canonical_table(fleet).frame
    own = of(frame, fleet_features(frame), "S0/1", "voltage_own")
    assert abs(np.nanmedian(own[:50])) < 3
    assert np.nanmedian(own[70:]) < -20


def test_the_warmth_of_a_dead_cell_is_no_level_of_its_own():
    fleet = quiet_fleet()
    late = (fleet["Cell ID"] == "S0/1") & (
        fleet["Timestamp"] > fleet["Timestamp"].min() + pd.Timedelta("60h")
    )
    fleet.loc[late, "CellVoltage"] -= 0.6
    fleet.loc[late, "CellTemperature"] += 1.0
    frame = canonical_table(fleet).frame
    own = of(frame, fleet_features(frame), "S0/1", "temperature_own")
    assert abs(np.nanmedian(own[:50])) < 1
    assert np.nanmedian(own[70:]) > 2


def test_row_order_changes_nothing(fleet, features):
    shuffled = fleet.assign(source_row=range(len(fleet))).sample(frac=1.0, random_state=0)
    frame = canonical_table(shuffled).frame
    again = fleet_features(frame).set_axis(frame["source_row"]).sort_index()
    np.testing.assert_allclose(again.to_numpy(), features.to_numpy(), atol=1e-9)


def test_the_features_of_a_fleet_are_those_of_its_strings_one_by_one(frame, features):
    columns = source_columns(frame)
    strings = [fleet_features(part, columns) for _, part in frame.groupby("string")]
    pd.testing.assert_frame_equal(pd.concat(strings).sort_index(), features, rtol=0, atol=1e-9)


def test_a_string_that_lacks_a_signal_of_the_others_has_no_features_of_it(fleet):
    bare = fleet["string"] == "S1"
    gravity = fleet["CellSpecificGravity"].mask(bare)
    frame = canonical_table(fleet.assign(CellSpecificGravity=gravity)).frame
    features = fleet_features(frame)
    names = [name for name in features if name.startswith("gravity")]
    assert features.loc[bare.to_numpy(), names].isna().all(axis=None)
    answered = bare.to_numpy() & frame["CellVoltage"].notna().to_numpy()
    assert features.loc[answered, "voltage_own"].notna().all()
    alone = fleet_features(frame[bare.to_numpy()], source_columns(frame))
    pd.testing.assert_frame_equal(alone, features[bare.to_numpy()])


def test_what_three_cells_do_at_once_is_no_fault_of_any():
    fleet = quiet_fleet(cells=12)
    first, rest = fleet["Cell ID"] == "S0/0", fleet["Cell ID"].isin(["S0/1", "S0/2", "S0/3"])
    alone, together = pd.Timestamp("2026-01-04 05:00"), pd.Timestamp("2026-01-06 05:00")
    fleet.loc[first & (fleet["Timestamp"] == alone), "CellVoltage"] -= 0.1
    fleet.loc[(first | rest) & (fleet["Timestamp"] == together), "CellVoltage"] -= 0.1
    frame = canonical_table(fleet).frame
    fast = fleet_features(frame)["voltage_fast"].abs()[first.to_numpy()]
    times = frame.loc[first.to_numpy(), "Timestamp"]
    assert fast[times == alone].item() > 10
    assert fast[times == together].item() < 2


def test_noise_is_measured_against_the_cells_of_the_string_at_the_same_time():
    fleet, rng = quiet_fleet(), np.random.default_rng(1)
    first, third = fleet["Timestamp"].between("2026-01-03", "2026-01-05"), fleet["Timestamp"] > "2026-01-08"
    restless = (fleet["Cell ID"] == "S0/1") & third
    fleet.loc[first, "CellVoltage"] += rng.normal(0, 0.01, first.sum())
    fleet.loc[restless, "CellVoltage"] += rng.normal(0, 0.01, restless.sum())
    frame = canonical_table(fleet).frame
    noise = fleet_features(frame)["voltage_noise"]
    calm = ~((frame["Cell ID"] == "S0/1") & (frame["Timestamp"] > "2026-01-07"))
    assert noise[restless.to_numpy()].median() > 0.8
    assert noise[calm].quantile(0.99) < 0.8


def test_is_dead_is_never_looked_at(fleet, features):
    labelled = canonical_table(fleet.assign(IsDead=np.arange(len(fleet)) % 2)).frame
    pd.testing.assert_frame_equal(fleet_features(labelled), features)


def test_missing_readings_give_missing_features_and_no_others(frame, features):
    silent = frame["CellVoltage"].isna()
    assert silent.sum() == 24
    assert (
        features.loc[silent, ["voltage_string", "voltage_own", "voltage_fast", "voltage_stuck"]]
        .isna()
        .all(axis=None)
    )
    assert features.loc[~silent, "voltage_own"].notna().all()


@pytest.mark.parametrize("cells", [1, 2])
def test_small_strings_are_judged_by_their_own_past(cells):
    fleet = quiet_fleet(cells=cells)
    odd = (fleet["Cell ID"] == "S0/0") & fleet["Timestamp"].between("2026-01-05", "2026-01-06")
    fleet.loc[odd, "CellVoltage"] -= 0.1
    frame = canonical_table(fleet).frame
    own = fleet_features(frame)["voltage_own"]
    assert own[odd.to_numpy()].median() < -10
    assert own[~odd.to_numpy()].abs().median() < 2


def test_without_time_stamps_the_reading_number_stands_in():
    fleet = quiet_fleet()
    frame = canonical_table(fleet.drop(columns="Timestamp")).frame
    timed = fleet_features(canonical_table(fleet).frame)
    np.testing.assert_allclose(fleet_features(frame)["voltage_string"], timed["voltage_string"])


def test_centred_medians_equal_a_slow_oracle_and_never_cross_cells(frame):
    values, order = frame["CellVoltage"].to_numpy(), order_cells(frame)
    fast = centred_median(values, order, 6 * 3600.0)
    times = frame["Timestamp"]
    for row in np.random.default_rng(0).integers(0, len(frame), 60):
        near = (frame["Cell ID"] == frame["Cell ID"][row]) & (
            (times - times[row]).abs() <= pd.Timedelta("3h")
        )
        expected = np.nanmedian(values[near]) if np.isfinite(values[near]).any() else np.nan
        assert fast[row] == pytest.approx(expected, nan_ok=True)


def test_runs_count_repeats_over_missing_readings_but_not_over_cells():
    frame = canonical_table(
        pd.DataFrame(
            {
                "Cell ID": ["a"] * 6 + ["b"] * 2,
                "Timestamp": pd.date_range("2026-01-01", periods=6, freq="h").append(
                    pd.date_range("2026-01-01", periods=2, freq="h")
                ),
                "CellVoltage": [2.1, 2.2, 2.2, np.nan, 2.2, 2.3, 2.3, 2.1],
            }
        ),
        require=("CellVoltage",),
    ).frame
    runs = repeat_runs(frame["CellVoltage"].to_numpy(), order_cells(frame))
    np.testing.assert_array_equal(runs, [0, 2, 2, np.nan, 2, 0, 0, 0])
