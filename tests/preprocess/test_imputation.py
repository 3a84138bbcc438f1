"""MICE and the shared signals: what is filled, from what, and how well."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_preprocess import Preprocessed, load_fitted, preprocess
from bms_preprocess.imputation import fit_imputer, impute
from bms_preprocess.imputation_check import check_imputation
from bms_preprocess.predictors import predictor_table
from bms_preprocess.scaling import scale
from bms_preprocess.shared_signals import fill_shared, median_of_others
from bms_preprocess.stored import save_fitted
from bms_schema.data.moments import moment_codes
from bms_schema.data.table import BatteryTable, canonical_table
from bms_schema.run.errors import ModelError
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def table(fleet: pd.DataFrame) -> BatteryTable:
    return canonical_table(fleet)


@pytest.fixture(scope="module")
def result(fleet: pd.DataFrame) -> Preprocessed:
    return preprocess(fleet)


values = st.one_of(st.just(float("nan")), st.integers(-5, 5).map(float))


@given(st.lists(st.tuples(st.integers(0, 3), values), min_size=1, max_size=30))
def test_median_of_others_is_the_median_without_the_cell_itself(rows: list[tuple[int, float]]) -> None:
    moments = np.array([moment for moment, _ in rows])
    readings = np.array([reading for _, reading in rows])
    expected = []
    for position, moment in enumerate(moments):
        others = [
            reading
            for other, reading in enumerate(readings)
            if other != position and moments[other] == moment and not np.isnan(reading)
        ]
        expected.append(np.median(others) if others else np.nan)
    np.testing.assert_array_equal(median_of_others(readings, moments), expected)


def test_a_missing_current_is_that_of_the_strings_other_cells(table: BatteryTable) -> None:
    frame = table.frame.copy()
    hidden = np.arange(0, len(frame), 17)
    truth = frame["InstantaneousCurrent"].to_numpy()[hidden]
    frame.loc[hidden, "InstantaneousCurrent"] = np.nan
    filled = fill_shared(frame, moment_codes(frame))["InstantaneousCurrent"]
    np.testing.assert_array_equal(filled[hidden], truth)


def test_cells_with_currents_of_their_own_lend_none(table: BatteryTable) -> None:
    frame = table.frame.copy()
    rng = np.random.default_rng(0)
    frame["InstantaneousCurrent"] = rng.normal(size=len(frame))
    frame.loc[::17, "InstantaneousCurrent"] = np.nan
    filled = fill_shared(frame, moment_codes(frame))["InstantaneousCurrent"]
    assert np.isnan(filled[::17]).all()


def test_filled_readings_are_closer_to_the_truth_than_the_mean(table: BatteryTable) -> None:
    checks = check_imputation(table.frame, table.limits)
    assert set(checks) >= {"CellVoltage", "CellTemperature", "CellSpecificGravity", "InstantaneousCurrent"}
    for name, check in checks.items():
        assert check.hidden > 40
        assert check.rmse < 0.7 * check.mean_rmse, name


def test_a_column_that_the_stored_imputer_never_saw_is_not_judged(fleet: pd.DataFrame) -> None:
    known = preprocess(fleet.drop(columns="StateOfCharge")).fitted
    applied = preprocess(fleet, fitted=known)
    assert "CellVoltage" in applied.checks
    assert "StateOfCharge" not in applied.checks


def test_filled_readings_stay_within_the_plausible_range(table: BatteryTable) -> None:
    limits = {**table.limits, "CellVoltage": (2.20, 2.21)}
    filled, counts = impute(table.frame, fit_imputer(table.frame, limits))
    new = filled.loc[table.frame["CellVoltage"].isna(), "CellVoltage"]
    assert len(new) == counts["CellVoltage"] > 20
    assert new.between(2.20, 2.21).all()


def test_a_row_without_any_cell_reading_is_filled_from_its_string(table: BatteryTable) -> None:
    filled, _ = impute(table.frame, fit_imputer(table.frame, table.limits))
    silent = table.frame[["CellVoltage", "CellTemperature", "CellSpecificGravity"]].isna().all(axis=1)
    others = predictor_table(table.frame)["CellTemperature of others"]
    error = (filled.loc[silent, "CellTemperature"] - others[silent]).abs()
    assert error.median() < 1.0


def test_predictors_never_look_at_the_reading_itself(table: BatteryTable) -> None:
    frame = table.frame.copy()
    row = 700
    frame.loc[row, "CellVoltage"] = 1.5
    before, after = predictor_table(table.frame).loc[row], predictor_table(frame).loc[row]
    changed = [name for name in before.index if not (before[name] == after[name] or pd.isna(before[name]))]
    assert changed == ["CellVoltage"]


def test_a_complete_table_is_left_alone(table: BatteryTable) -> None:
    complete = table.frame.dropna(subset=["CellVoltage", "CellTemperature", "CellSpecificGravity"])
    complete = complete.reset_index(drop=True)
    filled, counts = impute(complete, fit_imputer(complete, table.limits))
    assert sum(counts.values()) == 0
    pd.testing.assert_frame_equal(filled, complete)


def test_a_stored_version_gives_the_same_values(
    fleet: pd.DataFrame, result: Preprocessed, home: Path
) -> None:
    version = save_fitted(result.fitted, result.checks, rows=len(fleet), training_run=None)
    loaded = load_fitted(list(result.features.columns), version)
    again, _ = impute(result.features, loaded.imputer)
    pd.testing.assert_frame_equal(again, result.imputed, check_exact=True)
    pd.testing.assert_frame_equal(scale(again, loaded.scaler)[0], result.scaled, check_exact=True)
    applied = preprocess(fleet, fitted="latest")
    pd.testing.assert_frame_equal(applied.scaled, result.scaled, check_exact=True)
    assert applied.fitted.version == version


def test_a_changed_model_file_is_refused(fleet: pd.DataFrame, result: Preprocessed, home: Path) -> None:
    version = save_fitted(result.fitted, {}, rows=len(fleet), training_run=None)
    (home / "home" / "models" / "preprocess" / version / "scaler.skops").write_bytes(b"something else")
    with pytest.raises(ModelError, match=r"scaler\.skops"):
        preprocess(fleet, fitted=version)


def test_data_without_a_column_of_the_model_is_refused(fleet: pd.DataFrame, result: Preprocessed) -> None:
    with pytest.raises(ModelError, match="StateOfCharge"):
        preprocess(fleet.drop(columns="StateOfCharge"), fitted=result.fitted)
