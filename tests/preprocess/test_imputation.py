"""What is filled, from what, how it is flagged, and how well it hits."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_generate.simulate import simulate_fleet
from bms_preprocess import Preprocessed, load_fitted, preprocess
from bms_preprocess.imputation import (
    FIT_ROWS,
    FittedImputer,
    fit_imputer,
    fit_imputer_on,
    impute,
    impute_block,
    reading_means,
    reading_sums,
)
from bms_preprocess.imputation_check import (
    CHECK_ROWS,
    check_imputation,
    part_to_check,
    strings_to_check,
)
from bms_preprocess.mice import complete
from bms_preprocess.predictors import predictor_table
from bms_preprocess.scaling import scale
from bms_preprocess.stored import save_fitted
from bms_schema.data.cleaning import BLANK, FLAG_TYPE, IMPUTED
from bms_schema.data.columns import MEASURED_NAMES, flag_of
from bms_schema.data.sampling import hash_sample
from bms_schema.data.table import BatteryTable, canonical_table
from bms_schema.run.errors import ModelError


@pytest.fixture(scope="module")
def table(fleet: pd.DataFrame) -> BatteryTable:
    return canonical_table(fleet)


@pytest.fixture(scope="module")
def fitted(table: BatteryTable) -> FittedImputer:
    return fit_imputer_on(table.frame, table.limits)


@pytest.fixture(scope="module")
def result(fleet: pd.DataFrame) -> Preprocessed:
    return preprocess(fleet)


def without(frame: pd.DataFrame, name: str, rows: np.ndarray) -> pd.DataFrame:
    """Return the frame with readings of a column blanked."""
    flags = frame[flag_of(name)].astype(object).mask(rows, BLANK).astype(FLAG_TYPE)
    return frame.assign(**{name: frame[name].mask(rows), flag_of(name): flags})


def test_filled_readings_are_four_times_closer_to_the_truth_than_the_mean() -> None:
    readings = simulate_fleet(
        n_strings=2, cells_per_string=12, days=30, seed=1, sentinel_fraction=0.0, fault_fraction=0.0
    ).readings
    table = canonical_table(readings)
    rng = np.random.default_rng(1)
    holed = table.frame
    for name in MEASURED_NAMES:
        holed = without(holed, name, rng.random(len(holed)) < 0.2)
    filled, counts = impute(holed, fit_imputer_on(holed, table.limits))
    for name in MEASURED_NAMES:
        gaps = holed[name].isna() & table.frame[name].notna()
        assert counts[name] == gaps.sum() > 3000
        truth = table.frame.loc[gaps, name]
        error = np.sqrt(((filled.loc[gaps, name] - truth) ** 2).mean())
        assert error < 0.25 * np.sqrt(((holed[name].mean() - truth) ** 2).mean()), name


def test_no_column_with_readings_keeps_a_gap(table: BatteryTable, fitted: FittedImputer) -> None:
    filled, _ = impute(table.frame, fitted)
    assert filled[list(MEASURED_NAMES)].notna().all().all()


def test_every_filled_reading_is_flagged_and_no_other_is_touched(
    table: BatteryTable, fitted: FittedImputer
) -> None:
    filled, counts = impute(table.frame, fitted)
    for name in MEASURED_NAMES:
        gaps = table.frame[name].isna()
        assert filled[flag_of(name)].eq(IMPUTED).sum() == gaps.sum() == counts[name]
        assert filled.loc[gaps, flag_of(name)].eq(IMPUTED).all()
        pd.testing.assert_series_equal(filled.loc[~gaps, name], table.frame.loc[~gaps, name])
    assert filled.columns.tolist() == table.frame.columns.tolist()
    assert table.frame["CellVoltage"].isna().sum() > 20  # the frame given is as it was


def test_a_reading_imputed_before_stays_flagged(table: BatteryTable, fitted: FittedImputer) -> None:
    once, _ = impute(table.frame, fitted)
    twice, counts = impute(once, fitted)
    assert sum(counts.values()) == 0
    pd.testing.assert_frame_equal(twice, once)


def test_filled_readings_stay_within_the_plausible_range(table: BatteryTable) -> None:
    limits = {**table.limits, "CellVoltage": (2.20, 2.21)}
    filled, counts = impute(table.frame, fit_imputer_on(table.frame, limits))
    new = filled.loc[table.frame["CellVoltage"].isna(), "CellVoltage"]
    assert len(new) == counts["CellVoltage"] > 20
    assert new.between(2.20, 2.21).all()


def test_a_row_without_any_cell_reading_is_filled_from_its_string(
    table: BatteryTable, fitted: FittedImputer
) -> None:
    filled, _ = impute(table.frame, fitted)
    silent = table.frame[["CellVoltage", "CellTemperature", "CellSpecificGravity"]].isna().all(axis=1)
    others = predictor_table(table.frame)["CellTemperature of others"]
    error = (filled.loc[silent, "CellTemperature"] - others[silent]).abs()
    assert error.median() < 1.0


def test_later_rows_change_nothing_that_is_filled_before_them(
    table: BatteryTable, fitted: FittedImputer
) -> None:
    so_far = table.frame["Timestamp"] < table.frame["Timestamp"].min() + pd.Timedelta("60h")
    early, _ = impute(table.frame[so_far].reset_index(drop=True), fitted)
    whole, _ = impute(table.frame, fitted)
    pd.testing.assert_frame_equal(early, whole[so_far].reset_index(drop=True), rtol=1e-12, atol=0)


def test_blocks_fill_in_what_the_whole_table_does(table: BatteryTable, fitted: FittedImputer) -> None:
    whole, _ = impute(table.frame, fitted)
    predictors = predictor_table(table.frame)
    blocks = [
        impute_block(block, predictors.loc[block.index], fitted)[0]
        for _, block in table.frame.groupby(table.frame.index % 3)
    ]
    pd.testing.assert_frame_equal(pd.concat(blocks).sort_index(), whole, rtol=1e-12, atol=0)


def test_row_order_changes_no_filled_reading(table: BatteryTable, fitted: FittedImputer) -> None:
    shuffled = table.frame.sample(frac=1.0, random_state=2).reset_index(drop=True)
    again, _ = impute(shuffled, fit_imputer_on(shuffled, table.limits))
    expected, _ = impute(table.frame, fitted)
    again = again.sort_values("source_row").reset_index(drop=True)
    pd.testing.assert_frame_equal(again, expected, rtol=1e-9, atol=0)


def test_the_chain_fills_in_what_scikit_learn_would(table: BatteryTable, fitted: FittedImputer) -> None:
    predictors = predictor_table(table.frame)[fitted.columns].to_numpy()
    expected = fitted.pipeline["scale"].inverse_transform(fitted.pipeline.transform(predictors))
    found = complete(fitted.pipeline, predictors, np.full(predictors.shape, np.nan))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_a_silent_row_of_a_cell_alone_is_filled_near_the_reading_before() -> None:
    # One discharge, all signals falling together: from the columns' medians the chain would not get here.
    share = np.linspace(0.0, 1.0, 600)
    rng = np.random.default_rng(0)
    signals = {
        "CellVoltage": 2.10 - 0.20 * share + 0.0005 * rng.normal(size=600),
        "CellTemperature": 20.0 + 5.0 * share + 0.01 * rng.normal(size=600),
        "InstantaneousCurrent": -10.0 - 2.0 * share + 0.005 * rng.normal(size=600),
        "AmbientTemperature": 20.0 + 0.1 * rng.normal(size=600),
        "StateOfCharge": 100.0 - 60.0 * share,
    }
    when = pd.date_range("2026-01-01", periods=600, freq="min")
    table = canonical_table(pd.DataFrame({"Cell ID": "c", "Timestamp": when, **signals}), chemistry="vrla")
    silent = np.arange(600) % 19 == 5
    holed = table.frame
    for name in signals:
        holed = without(holed, name, silent)
    filled, _ = impute(holed, fit_imputer_on(holed, table.limits))
    for name in ("CellVoltage", "CellTemperature", "InstantaneousCurrent", "StateOfCharge"):
        error = (filled[name] - table.frame[name])[silent]
        assert np.sqrt((error**2).mean()) < 0.03 * table.frame[name].std(), name


def test_a_column_without_readings_in_the_sample_takes_its_mean(table: BatteryTable) -> None:
    frame = without(table.frame, "StateOfCharge", np.arange(len(table.frame)) % 100 != 0)
    sample = predictor_table(frame).iloc[hash_sample(frame, FIT_ROWS)]
    sample = sample[sample["StateOfCharge"].isna()].drop(columns=["StateOfCharge of others"])
    parts = [reading_sums(part) for _, part in frame.groupby("string")]
    filled, _ = impute(frame, fit_imputer(sample, table.limits, reading_means(parts)))
    new = filled.loc[frame["StateOfCharge"].isna(), "StateOfCharge"]
    np.testing.assert_allclose(new, frame["StateOfCharge"].mean(), rtol=1e-12)


def test_cells_alone_are_filled_from_their_own_past(table: BatteryTable) -> None:
    alone = table.frame[table.frame["Cell ID"] == table.frame["Cell ID"].iloc[0]].reset_index(drop=True)
    hidden = np.arange(len(alone)) % 7 == 3
    frame = without(alone, "CellTemperature", hidden)
    filled, _ = impute(frame, fit_imputer_on(frame, table.limits))
    error = (filled["CellTemperature"] - alone["CellTemperature"])[hidden].std()
    assert error < 0.5 * alone["CellTemperature"].std()


def test_hidden_readings_are_filled_better_than_by_the_mean(table: BatteryTable) -> None:
    checks = check_imputation(table.frame, table.limits)
    assert set(checks) >= {"CellVoltage", "CellTemperature", "CellSpecificGravity", "InstantaneousCurrent"}
    for name, check in checks.items():
        assert check.hidden > 40
        assert check.rmse < 0.5 * check.mean_rmse, name


def test_the_check_takes_whole_strings_while_they_fit() -> None:
    rows = {f"S{number}": 90_000 for number in range(5)}
    chosen = strings_to_check(rows)
    assert len(chosen) == 2
    assert strings_to_check(dict(reversed(rows.items()))) == chosen
    assert strings_to_check({"S1": 10, "S2": 20}) in (["S1", "S2"], ["S2", "S1"])


def test_of_one_long_string_the_check_takes_the_first_period() -> None:
    n = CHECK_ROWS + 50_000
    when = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n) // 2, unit="min")
    frame = pd.DataFrame({"string": "S", "Cell ID": "c", "Timestamp": when, "source_row": np.arange(n)})
    assert strings_to_check({"S": n}) == ["S"]
    part = part_to_check(frame.sample(frac=1.0, random_state=0))
    assert len(part) == CHECK_ROWS
    assert part["Timestamp"].max() < when[CHECK_ROWS]


def test_a_column_that_the_stored_imputer_never_saw_is_not_judged(fleet: pd.DataFrame) -> None:
    known = preprocess(fleet.drop(columns="StateOfCharge")).fitted
    applied = preprocess(fleet, fitted=known)
    assert "CellVoltage" in applied.checks
    assert "StateOfCharge" not in applied.checks


def test_a_complete_table_is_left_alone(table: BatteryTable) -> None:
    complete_rows = table.frame.dropna(subset=["CellVoltage", "CellTemperature", "CellSpecificGravity"])
    frame = complete_rows.reset_index(drop=True)
    filled, counts = impute(frame, fit_imputer_on(frame, table.limits))
    assert sum(counts.values()) == 0
    pd.testing.assert_frame_equal(filled, frame)


def test_a_stored_version_gives_the_same_values(
    fleet: pd.DataFrame, result: Preprocessed, home: Path
) -> None:
    version = save_fitted(result.fitted, result.checks, rows=len(fleet), training_run=None)
    loaded = load_fitted([*result.features.columns], version)
    again, _ = impute(result.cleaned, loaded.imputer)
    pd.testing.assert_frame_equal(again, result.imputed, check_exact=True)
    features = result.features.drop(columns=[name for name in result.features if name in again])
    scaled, _ = scale(pd.concat([again, features], axis=1), loaded.scaler)
    pd.testing.assert_frame_equal(scaled, result.scaled, check_exact=True)
    applied = preprocess(fleet, fitted="latest")
    pd.testing.assert_frame_equal(applied.scaled, result.scaled, check_exact=True)
    assert applied.fitted.version == version


def test_a_version_of_another_release_is_refused(
    fleet: pd.DataFrame, result: Preprocessed, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr("bms_preprocess.stored.FORM", 1)
        version = save_fitted(result.fitted, {}, rows=len(fleet), training_run=None)
    with pytest.raises(ModelError, match="another release"):
        preprocess(fleet, fitted=version)


def test_a_changed_model_file_is_refused(fleet: pd.DataFrame, result: Preprocessed, home: Path) -> None:
    version = save_fitted(result.fitted, {}, rows=len(fleet), training_run=None)
    (home / "home" / "models" / "preprocess" / version / "scaler.skops").write_bytes(b"something else")
    with pytest.raises(ModelError, match=r"scaler\.skops"):
        preprocess(fleet, fitted=version)


def test_data_without_a_column_of_the_model_is_refused(fleet: pd.DataFrame, result: Preprocessed) -> None:
    with pytest.raises(ModelError, match="StateOfCharge"):
        preprocess(fleet.drop(columns="StateOfCharge"), fitted=result.fitted)
