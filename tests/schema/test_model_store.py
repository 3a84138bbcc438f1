import json
import pickle
import re

import numpy as np
import pytest
from bms_schema.run.errors import ModelError
from bms_schema.run.model_store import (
    latest_version,
    load_estimator,
    load_model_version,
    model_versions,
    new_model_version,
    save_estimator,
)
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import RobustScaler


def stored(name="m", text="weights"):
    described = {
        "columns": {"CellVoltage": "V"},
        "features": ["voltage_diff_v"],
        "split": "last fifth in time held out",
    }
    with new_model_version(name, **described) as (version, folder):
        (folder / "weights.txt").write_text(text)
    return version


def test_latest_follows_the_newest_version():
    first, second = stored(), stored()
    assert model_versions("m") == [first, second]
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{5}", second)
    assert latest_version("m") == second
    assert load_model_version("m").version == second
    assert load_model_version("m", first).meta.features == ["voltage_diff_v"]


def fail_half_way():
    with new_model_version("m", columns={}, features=[], split="none") as (_, folder):
        (folder / "half").write_text("half")
        raise RuntimeError


def test_a_failed_training_leaves_no_version():
    with pytest.raises(RuntimeError):
        fail_half_way()
    assert model_versions("m") == []
    assert latest_version("m") is None


@pytest.mark.parametrize("harm", ["change", "remove", "meta"])
def test_a_touched_version_is_refused_by_name(harm):
    version = stored()
    folder = load_model_version("m").folder
    if harm == "change":
        (folder / "weights.txt").write_text("other")
    elif harm == "remove":
        (folder / "weights.txt").unlink()
    else:
        (folder / "meta.json").write_text("{}")
    with pytest.raises(ModelError, match=version):
        load_model_version("m")


def test_missing_models_and_columns_are_told():
    with pytest.raises(ModelError, match="none is stored yet"):
        load_model_version("m")
    stored()
    with pytest.raises(ModelError, match="lacks CellVoltage"):
        load_model_version("m", columns=["CellTemperature"])
    with pytest.raises(ModelError, match=r"no version '\.\./x'"):
        load_model_version("m", "../x")


def test_where_links_are_not_allowed_a_file_points_to_the_latest(monkeypatch):
    def refuse(*_, **__):
        raise OSError

    monkeypatch.setattr("pathlib.Path.symlink_to", refuse)
    assert stored() == latest_version("m")


def test_the_sidecar_says_what_the_model_is():
    stored()
    meta = json.loads((load_model_version("m").folder / "meta.json").read_text())
    assert meta["columns"] == {"CellVoltage": "V"}
    assert meta["split"] == "last fifth in time held out"
    assert list(meta["files"]) == ["weights.txt"]


def test_estimators_come_back_equal_and_pickles_do_not_come_in(tmp_path):
    scaler = RobustScaler().fit(np.arange(12.0).reshape(6, 2))
    save_estimator(scaler, tmp_path / "scaler.skops")
    np.testing.assert_array_equal(load_estimator(tmp_path / "scaler.skops").center_, scaler.center_)
    (tmp_path / "bad.skops").write_bytes(pickle.dumps(LinearRegression()))
    with pytest.raises(ModelError, match=r"bad\.skops"):
        load_estimator(tmp_path / "bad.skops")
