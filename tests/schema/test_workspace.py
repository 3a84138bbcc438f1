import os

import pytest
from bms_schema.run.errors import InputError, InvalidArgument, PathNotAllowed, PathNotFound
from bms_schema.run.threads import thread_count
from bms_schema.run.workspace import readable_path, workspace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_the_checkout_is_the_workspace_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("BMS_HOME")
    assert (workspace() / "schema" / "bms_schema").is_dir()


def test_a_file_below_a_root_is_readable(tmp_path):
    (tmp_path / "a.csv").touch()
    assert readable_path(tmp_path / "a.csv") == (tmp_path / "a.csv").resolve()


def test_a_missing_file_is_told_with_what_lies_beside_it(tmp_path):
    (tmp_path / "battery.csv").touch()
    with pytest.raises(PathNotFound, match=r"holds: battery\.csv"):
        readable_path(tmp_path / "batery.csv")


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../../../etc/passwd", "~root/../../etc/passwd"])
def test_outside_the_roots_nothing_is_read_and_the_variable_is_named(path):
    with pytest.raises(InputError, match=r"BMS_DATA_ROOTS|cannot be resolved"):
        readable_path(path)


def test_a_link_does_not_lead_out(tmp_path):
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(PathNotAllowed):
        readable_path(tmp_path / "link" / "passwd")


def test_a_link_in_a_folder_does_not_lead_out(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "a.csv").symlink_to("/etc/passwd")
    with pytest.raises(PathNotAllowed, match="/etc/passwd"):
        readable_path(tmp_path / "log")


def test_a_folder_whose_name_merely_begins_like_a_root_is_outside(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data-secret").mkdir()
    monkeypatch.setenv("BMS_DATA_ROOTS", str(tmp_path / "data"))
    with pytest.raises(PathNotAllowed):
        readable_path(tmp_path / "data-secret")


def test_several_roots_are_separated_like_paths(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("BMS_DATA_ROOTS", os.pathsep.join(str(tmp_path / name) for name in ("one", "two")))
    assert readable_path(tmp_path / "two")
    with pytest.raises(PathNotAllowed):
        readable_path(tmp_path)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
def test_any_text_is_below_a_root_or_refused(tmp_path, text):
    try:
        found = readable_path(text)
    except InputError:
        return
    assert found.is_relative_to(tmp_path.resolve())


def test_bms_threads_caps_and_nonsense_is_refused(monkeypatch):
    monkeypatch.setenv("BMS_THREADS", "1")
    assert thread_count() == 1
    monkeypatch.setenv("BMS_THREADS", "many")
    with pytest.raises(InvalidArgument, match="many"):
        thread_count()
