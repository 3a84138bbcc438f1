"""A workspace of its own for every test, and a small battery file."""

from pathlib import Path

import pytest

from tests.forecast.battery_files import Trained, battery_frame, forecast


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BMS_DATA_ROOTS", str(tmp_path))


@pytest.fixture
def battery_csv(tmp_path: Path) -> Path:
    path = tmp_path / "battery.csv"
    battery_frame().to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def _trained_once(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    path = folder / "battery.csv"
    battery_frame().to_csv(path, index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BMS_HOME", str(folder / "home"))
        patch.setenv("BMS_DATA_ROOTS", str(folder))
        return Trained(path, folder, forecast(path))


@pytest.fixture
def trained(_trained_once: Trained, monkeypatch: pytest.MonkeyPatch) -> Trained:
    monkeypatch.setenv("BMS_HOME", str(_trained_once.folder / "home"))
    return _trained_once
