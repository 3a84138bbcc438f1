"""Folders that several tests read are written once."""

import shutil

import pytest

from tests.generate.sdv_folders import succeed, write_battery, write_related


@pytest.fixture
def battery(tmp_path):
    """A one-table SDV folder of the test's own."""
    return write_battery(tmp_path / "battery")


@pytest.fixture
def related(tmp_path):
    """A two-table SDV folder of the test's own."""
    return write_related(tmp_path / "related")


@pytest.fixture(scope="session")
def twin_source(tmp_path_factory):
    """A one-table folder with its twin, made once."""
    root = tmp_path_factory.mktemp("twin")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BMS_HOME", str(root / "home"))
        patch.setenv("BMS_DATA_ROOTS", str(root))
        folder = write_battery(root / "battery")
        succeed("sdv_generate", folder_name=str(folder))
    return folder


@pytest.fixture
def twin(twin_source, tmp_path):
    """A copy of the folder with its twin."""
    return shutil.copytree(twin_source, tmp_path / "twin")
