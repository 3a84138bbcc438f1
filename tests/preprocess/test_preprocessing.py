"""The whole chain in memory: what may and what may not change its tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_preprocess import Preprocessed, preprocess
from bms_schema.data.columns import MEASURED_NAMES, flag_of
from bms_schema.data.features import feature_names
from bms_schema.run.errors import MissingColumn

TABLES = ("cleaned", "features", "imputed", "scaled")


@pytest.fixture(scope="module")
def result(fleet: pd.DataFrame) -> Preprocessed:
    return preprocess(fleet)


def by_row(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("source_row").reset_index(drop=True)


@pytest.fixture(scope="module")
def shuffled(fleet: pd.DataFrame) -> Preprocessed:
    return preprocess(fleet.sample(frac=1.0, random_state=5))


@pytest.mark.parametrize("table", TABLES)
def test_row_order_changes_nothing(result: Preprocessed, shuffled: Preprocessed, table: str) -> None:
    # Not to the last bit: a matrix product may sum in another order where a row stands elsewhere.
    pd.testing.assert_frame_equal(
        by_row(getattr(shuffled, table)), by_row(getattr(result, table)), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("chunksize", [311, 100_000])
def test_chunk_size_changes_nothing(
    fleet: pd.DataFrame, result: Preprocessed, tmp_path: Path, chunksize: int
) -> None:
    path = tmp_path / "fleet.csv"
    fleet.to_csv(path, index=False)
    from_file = preprocess(path, chunksize=chunksize)
    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(from_file, table), getattr(result, table), check_dtype=False)


@pytest.mark.parametrize("table", TABLES)
def test_every_input_row_comes_out_once_with_its_ids(
    fleet: pd.DataFrame, result: Preprocessed, table: str
) -> None:
    frame = getattr(result, table)
    assert frame["source_row"].tolist() == list(range(len(fleet)))
    assert frame["Cell ID"].tolist() == fleet["Cell ID"].tolist()
    assert frame["Timestamp"].tolist() == fleet["Timestamp"].tolist()
    assert frame["IsDead"].tolist() == fleet["IsDead"].tolist()


def test_sentinel_rows_stay_and_are_marked(fleet: pd.DataFrame, result: Preprocessed) -> None:
    silent = (fleet["CellVoltage"] == 65.535).to_numpy()
    assert silent.sum() > 20
    assert result.cleaned.loc[silent, "CellVoltage"].isna().all()
    assert (result.cleaned.loc[silent, "CellVoltage_flag"] == "sentinel").all()
    assert (result.cleaned.loc[~silent, "CellVoltage_flag"] == "").all()


def test_carried_columns_are_untouched(fleet: pd.DataFrame, result: Preprocessed) -> None:
    for table in ("cleaned", "features", "imputed"):
        assert getattr(result, table)["Remark"].tolist() == fleet["Remark"].tolist()


def test_only_missing_readings_are_filled_and_each_is_flagged(result: Preprocessed) -> None:
    for name in MEASURED_NAMES:
        before, after = result.cleaned[name], result.imputed[name]
        missing = before.isna()
        assert after.notna().all()
        assert (after[~missing] == before[~missing]).all()
        assert ((result.imputed[flag_of(name)] == "imputed") == missing).all()
    filled = sum(int(result.cleaned[name].isna().sum()) for name in MEASURED_NAMES)
    assert result.report["readings_imputed"] == filled > 0


def test_cell_numbers_that_repeat_in_every_string_stay_apart(fleet: pd.DataFrame) -> None:
    numbered = fleet.drop(columns="Cell ID").assign(CellNumber=fleet["Cell ID"].str[-1])
    cleaned = preprocess(numbered).cleaned
    assert cleaned["Cell ID"].nunique() == 10
    assert len(cleaned[["Cell ID", "string"]].drop_duplicates()) == 10


def test_a_change_in_one_cell_alters_no_feature_of_the_past_of_another(
    fleet: pd.DataFrame, result: Preprocessed
) -> None:
    victim = fleet["Cell ID"].iloc[0]
    changed = fleet.copy()
    changed.loc[changed["Cell ID"] == victim, "CellVoltage"] += 0.1
    features = preprocess(changed).features
    own_past = [
        name
        for name in feature_names()
        if any(part in name for part in ("lag", "diff", "_mean_", "_std_", "power", "resistance"))
    ]
    others = (fleet["Cell ID"] != victim).to_numpy()
    pd.testing.assert_frame_equal(features.loc[others, own_past], result.features.loc[others, own_past])
    same = (
        features.loc[~others, "voltage_lag1_v"].dropna()
        == result.features.loc[~others, "voltage_lag1_v"].dropna()
    )
    assert not same.any()


def test_no_future_enters_a_feature(fleet: pd.DataFrame, result: Preprocessed) -> None:
    cut = fleet["Timestamp"].quantile(0.6)
    past = fleet[fleet["Timestamp"] <= cut]
    known = result.features[result.features["Timestamp"] <= cut]
    pd.testing.assert_frame_equal(
        preprocess(past).features[feature_names()], known[feature_names()], check_exact=True
    )


def test_labels_change_no_number(fleet: pd.DataFrame, result: Preprocessed) -> None:
    relabelled = preprocess(fleet.assign(IsDead=np.arange(len(fleet)) % 2))
    without = [name for name in result.scaled if name != "IsDead"]
    pd.testing.assert_frame_equal(relabelled.scaled[without], result.scaled[without], check_exact=True)


def test_scaled_columns_say_that_they_are(result: Preprocessed) -> None:
    plain = [name for name in result.scaled if not name.endswith("_scaled")]
    assert plain == ["source_row", "Cell ID", "string", "Timestamp", "IsDead"]


def test_a_scaled_table_is_never_taken_for_readings(result: Preprocessed) -> None:
    with pytest.raises(MissingColumn, match="CellVoltage"):
        preprocess(result.scaled)


@pytest.mark.parametrize("rows", [1, 2, 6])
def test_a_few_rows_get_an_honest_answer(fleet: pd.DataFrame, rows: int) -> None:
    good = fleet[fleet["CellVoltage"] < 5].head(rows)
    result = preprocess(good)
    assert len(result.scaled) == rows
    assert result.scaled.notna().all(axis=None)
    assert result.checks == {}


def test_a_single_cell_is_filled_from_its_own_readings(fleet: pd.DataFrame) -> None:
    one = fleet[fleet["Cell ID"] == fleet["Cell ID"].iloc[0]]
    result = preprocess(one)
    assert result.cleaned["CellVoltage"].isna().any()
    assert result.imputed["CellVoltage"].between(1.0, 3.0).all()


def test_sealed_cells_have_no_gravity_and_none_is_invented(fleet: pd.DataFrame) -> None:
    sealed = fleet.assign(CellSpecificGravity=np.nan)
    result = preprocess(sealed)
    assert result.table.chemistry.profile.name == "vrla"
    assert result.imputed["CellSpecificGravity"].isna().all()
    assert not any("Gravity" in name or "gravity" in name for name in result.scaled)
    assert any("CellSpecificGravity: no reading at all" in note for note in result.notes)


def test_a_frame_without_times_is_read_in_row_order(fleet: pd.DataFrame) -> None:
    result = preprocess(fleet.drop(columns="Timestamp"))
    assert "Timestamp" not in result.scaled
    assert result.imputed["CellVoltage"].notna().all()


def spiky(fleet: pd.DataFrame) -> pd.DataFrame:
    """The fleet with a reading that stands out for one moment."""
    alive = fleet.index[(fleet["Cell ID"] == fleet["Cell ID"].iloc[0]) & (fleet["CellVoltage"] < 5)]
    spike = fleet.copy()
    spike.loc[alive[40], "CellVoltage"] += 0.5
    return spike


def test_a_spike_is_masked_and_enters_no_feature(fleet: pd.DataFrame) -> None:
    result = preprocess(spiky(fleet))
    flagged = result.cleaned["CellVoltage_flag"] == "spike"
    assert flagged.sum() >= 1 and result.cleaned.loc[flagged, "CellVoltage"].isna().all()
    assert result.features.loc[flagged, ["power_w", "voltage_deviation_v"]].isna().all(axis=None)


def test_a_table_cleaned_before_is_not_judged_anew(fleet: pd.DataFrame) -> None:
    once = preprocess(spiky(fleet))
    again = preprocess(once.cleaned)
    pd.testing.assert_frame_equal(again.cleaned, once.cleaned, check_exact=True)


def test_a_table_without_the_rooms_temperature_goes_through(fleet: pd.DataFrame) -> None:
    result = preprocess(fleet.drop(columns="AmbientTemperature"))
    assert "AmbientTemperature" not in result.cleaned
    assert "temperature_rise_c" not in result.features
    assert result.imputed["CellTemperature"].notna().all()
