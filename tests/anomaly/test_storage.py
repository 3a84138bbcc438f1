"""A stored detector scores as the fitted one did, and refuses what it must."""

import numpy as np
import pandas as pd
import pytest
from bms_anomaly.features import source_columns
from bms_anomaly.scoring import score_frame
from bms_anomaly.storage import load_detector, save_detector
from bms_schema.data.table import canonical_table
from bms_schema.run.errors import ModelError


@pytest.fixture
def version(frame, detector):
    return save_detector(detector, columns=source_columns(frame), split="all rows of the test fleet")


def test_reloading_gives_equal_scores(frame, features, detector, version):
    again, loaded = load_detector(version)
    assert loaded == version
    matrix = features.to_numpy()
    np.testing.assert_allclose(
        again.hybrid.score_samples(matrix), detector.hybrid.score_samples(matrix), rtol=0, atol=1e-9
    )
    assert np.array_equal(again.hybrid.predict(matrix), detector.hybrid.predict(matrix))


def test_live_scoring_by_the_latest_model_equals_the_batch(frame, scores, version):
    pd.testing.assert_frame_equal(score_frame(frame, "latest"), scores.rows)


def test_a_whole_string_is_enough_history_for_live_scoring(fleet, scores, version):
    recent = fleet[fleet["Timestamp"] >= "2026-01-07"]
    scored = score_frame(canonical_table(recent).frame)
    newest = scored[scored["Timestamp"] == scored["Timestamp"].max()].set_index("Cell ID")
    assert newest["anomaly"].loc["S1/2"] == 1
    assert newest["anomaly"].drop("S1/2").sum() == 0


def test_nothing_in_a_model_folder_is_pickle(workspace, version):
    folder = workspace / "models" / "anomaly" / version
    assert {item.name for item in folder.iterdir()} == {
        "svm.skops",
        "forest.skops",
        "vae.pt",
        "calibration.npz",
        "meta.json",
    }


def test_a_changed_file_is_refused(workspace, version):
    (workspace / "models" / "anomaly" / version / "vae.pt").write_bytes(b"other weights")
    with pytest.raises(ModelError, match=r"vae\.pt"):
        load_detector(version)


def test_data_without_a_trained_column_is_refused(frame, version):
    with pytest.raises(ModelError, match="CellSpecificGravity"):
        score_frame(frame.drop(columns="CellSpecificGravity"))


def test_without_any_model_the_error_says_what_to_do(frame):
    with pytest.raises(ModelError, match="Train one"):
        score_frame(frame)


def test_filled_in_values_are_no_evidence(frame, version):
    imputed = frame.copy()
    silent = imputed["CellVoltage"].isna()
    imputed.loc[silent, "CellVoltage"] = 1.0
    imputed["CellVoltage_flag"] = imputed["CellVoltage_flag"].astype(str).mask(silent, "imputed")
    scored = score_frame(imputed)
    assert scored.loc[silent, "anomaly_score"].isna().all()
