"""A stored detector scores as the fitted one did, and refuses what it must."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bms_anomaly.features import source_columns
from bms_anomaly.learned import unlike
from bms_anomaly.scoring import score_frame
from bms_anomaly.storage import FORM, load_detector, save_detector
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
    """skops refuses unknown types, torch is loaded with `weights_only`, numpy without pickle."""
    folder = workspace / "models" / "anomaly" / version
    assert {item.suffix for item in folder.iterdir()} <= {".skops", ".pt", ".npz", ".npy", ".json"}


def test_how_high_healthy_rows_score_is_stored_with_the_detector(frame, detector, scores):
    knowing = replace(detector, healthy=scores.healthy)
    version = save_detector(knowing, columns=source_columns(frame), split="all rows of the test fleet")
    again, _ = load_detector(version)
    assert again.healthy is not None and scores.healthy is not None
    assert np.array_equal(again.healthy.counts, scores.healthy.counts)


def test_a_version_of_another_release_is_refused(workspace, version):
    meta = workspace / "models" / "anomaly" / version / "meta.json"
    meta.write_text(meta.read_text().replace(f'"form": {FORM}', '"form": 1'))
    with pytest.raises(ModelError, match="another release"):
        load_detector(version)


def test_a_changed_file_is_refused(workspace, version):
    (workspace / "models" / "anomaly" / version / "vae.pt").write_bytes(b"other weights")
    with pytest.raises(ModelError, match=r"vae\.pt"):
        load_detector(version)


def test_data_without_a_signal_of_the_model_are_scored_by_the_others(frame, detector, scores, version):
    blind = frame.drop(columns="CellSpecificGravity")
    scored = score_frame(blind)
    seen = scores.rows["top_signal"].isin(["voltage", "temperature"]) & (scores.rows["anomaly"] == 1)
    assert scored.loc[seen, "anomaly"].mean() > 0.9
    assert scored.loc[scores.rows["anomaly"] == 0, "anomaly"].mean() < 0.01
    notes = unlike(detector, source_columns(blind))
    assert len(notes) == 1 and "gravity" in notes[0]
    assert unlike(detector, source_columns(frame)) == []


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
