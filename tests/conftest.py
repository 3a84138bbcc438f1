"""Every test has its own workspace and may read only below it."""

import pytest


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    """Point BMS_HOME and BMS_DATA_ROOTS at the test's own folder and return the workspace."""
    home = tmp_path / "home"
    monkeypatch.setenv("BMS_HOME", str(home))
    monkeypatch.setenv("BMS_DATA_ROOTS", str(tmp_path))
    return home
