"""Scaling and the way back to physical units."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_preprocess import Preprocessed, load_fitted, preprocess
from bms_preprocess.scaling import FIT_ROWS, SCALED_SUFFIX, fit_scaler, fit_scaler_on, scale
from bms_preprocess.stored import load_scaler, save_fitted, save_scaler, scaled_with
from bms_preprocess.unscaling import MEAN_FILLED, unscale
from bms_schema.data.columns import MEASURED_NAMES
from bms_schema.data.features import add_features
from bms_schema.data.sampling import hash_sample
from bms_schema.data.table import canonical_table
from bms_schema.run.errors import MissingColumn, ModelError


@pytest.fixture(scope="module")
def featured(fleet: pd.DataFrame) -> pd.DataFrame:
    return add_features(canonical_table(fleet).frame)


@pytest.fixture(scope="module")
def result(fleet: pd.DataFrame) -> Preprocessed:
    return preprocess(fleet)


def test_scaled_columns_are_what_the_pipeline_makes_of_them(featured: pd.DataFrame) -> None:
    fitted = fit_scaler_on(featured)
    scaled, leftovers = scale(featured, fitted)
    table = featured[fitted.columns]
    expected = fitted.pipeline.transform(table.to_numpy(dtype=float))
    names = [name + SCALED_SUFFIX for name in fitted.columns]
    np.testing.assert_array_equal(scaled[names].to_numpy(), expected)
    assert leftovers == table.isna().to_numpy().sum() > 100


def test_labels_and_carried_columns_are_never_scaled(featured: pd.DataFrame) -> None:
    scaled, _ = scale(featured, fit_scaler_on(featured))
    assert "IsDead" in scaled
    assert not any(name.startswith(("IsDead_", "Remark")) for name in scaled)


def test_a_fit_on_the_sample_is_that_on_the_frame(featured: pd.DataFrame) -> None:
    shuffled = featured.sample(frac=1.0, random_state=3)
    sample = shuffled.iloc[hash_sample(shuffled, FIT_ROWS)]
    pd.testing.assert_frame_equal(
        scale(featured, fit_scaler(sample))[0], scale(featured, fit_scaler_on(featured))[0], check_exact=True
    )


def test_unscaling_gives_back_readings_and_features(result: Preprocessed) -> None:
    back, _ = unscale(result.scaled, result.fitted.scaler)
    for name in MEASURED_NAMES:
        np.testing.assert_allclose(back[name], result.imputed[name], rtol=1e-9, atol=1e-12)
    features = [name for name in result.fitted.scaler.columns if name not in MEASURED_NAMES]
    for name in features:
        known = result.features[name].notna()
        np.testing.assert_allclose(
            back.loc[known, name], result.features.loc[known, name], rtol=1e-9, atol=1e-9
        )
    assert not any(name.endswith(SCALED_SUFFIX) for name in back)
    ids = ["source_row", "Cell ID", "string", "Timestamp"]
    pd.testing.assert_frame_equal(back[ids], result.scaled[ids])


def test_unscaling_says_which_values_are_means_and_leaves_them(result: Preprocessed) -> None:
    back, filled = unscale(result.scaled, result.fitted.scaler)
    features = result.features[[name for name in result.fitted.scaler.columns if name not in MEASURED_NAMES]]
    gaps = features.isna()
    expected = [";".join(gaps.columns[row]) for row in gaps.to_numpy()]
    assert back[MEAN_FILLED].tolist() == expected
    assert filled == gaps.to_numpy().sum() > 100
    assert back[gaps.columns].notna().all().all()


def test_a_scaled_table_read_from_text_in_chunks_unscales_to_the_same(result: Preprocessed) -> None:
    text = pd.read_csv(io.StringIO(result.scaled.to_csv(index=False)), dtype=str, keep_default_na=False)
    parts = [
        unscale(text.iloc[rows], result.fitted.scaler) for rows in np.array_split(np.arange(len(text)), 7)
    ]
    back, filled = unscale(result.scaled, result.fitted.scaler)
    together = pd.concat([part for part, _ in parts])
    assert sum(count for _, count in parts) == filled
    assert together[MEAN_FILLED].tolist() == back[MEAN_FILLED].tolist()
    numbers = list(result.fitted.scaler.columns)
    pd.testing.assert_frame_equal(together[numbers], back[numbers], rtol=1e-9)


def test_a_constant_column_comes_back_constant_and_is_not_called_filled(featured: pd.DataFrame) -> None:
    constant = featured.assign(AmbientTemperature=25.0)
    fitted = fit_scaler_on(constant)
    back, _ = unscale(scale(constant, fitted)[0], fitted)
    np.testing.assert_allclose(back["AmbientTemperature"], 25.0, rtol=1e-9)
    assert not back[MEAN_FILLED].str.contains("AmbientTemperature").any()


def test_some_columns_of_a_scaled_table_are_enough(result: Preprocessed) -> None:
    back, _ = unscale(result.scaled[["source_row", "CellVoltage_scaled"]], result.fitted.scaler)
    assert back.columns.tolist() == ["source_row", "CellVoltage", MEAN_FILLED]


def test_a_table_that_is_not_scaled_is_refused(result: Preprocessed) -> None:
    with pytest.raises(MissingColumn, match="scaled_csv"):
        unscale(result.cleaned, result.fitted.scaler)


def test_a_scaled_column_of_another_scaler_is_refused(result: Preprocessed) -> None:
    strange = result.scaled.rename(columns={"CellVoltage_scaled": "PlateThickness_scaled"})
    with pytest.raises(ModelError, match="PlateThickness_scaled"):
        unscale(strange, result.fitted.scaler)


def test_a_scaler_stored_alone_unscales_and_is_no_imputer(featured: pd.DataFrame, home: Path) -> None:
    fitted = fit_scaler_on(featured)
    version = save_scaler(fitted, rows=len(featured), training_run=None)
    loaded, found = load_scaler(version)
    assert (found, loaded.columns) == (version, fitted.columns)
    scaled, _ = scale(featured, fitted)
    pd.testing.assert_frame_equal(unscale(scaled, loaded)[0], unscale(scaled, fitted)[0], check_exact=True)
    with pytest.raises(ModelError, match="no imputer"):
        load_fitted(list(featured.columns), version)


def test_a_scaler_alone_does_not_become_the_latest_full_version(result: Preprocessed, home: Path) -> None:
    full = save_fitted(result.fitted, {}, rows=1, training_run=None)
    save_scaler(result.fitted.scaler, rows=1, training_run=None)
    assert load_fitted(list(result.features.columns)).version == full
    assert load_scaler(full)[1] == full


def test_an_unknown_scaler_version_is_refused(home: Path) -> None:
    with pytest.raises(ModelError, match="no version"):
        load_scaler("20200101T000000Z-abcde")


def test_the_manifest_beside_a_scaled_table_names_its_scaler(tmp_path: Path) -> None:
    table = tmp_path / "scaled.csv"
    assert scaled_with(table) == "latest"
    (tmp_path / "manifest.json").write_text(json.dumps({"data": {"model_version": "v1"}}), encoding="utf-8")
    assert scaled_with(table) == "v1"
    (tmp_path / "manifest.json").write_text(json.dumps({"data": None}), encoding="utf-8")
    assert scaled_with(table) == "latest"
