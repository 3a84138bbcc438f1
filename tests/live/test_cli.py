"""The command line: where the service binds, and what it says about it."""

import bms_live.cli
import pytest
import uvicorn
from bms_live.cli import exposure_warning, is_loopback, main


@pytest.fixture
def bound(monkeypatch):
    """Catch what uvicorn is asked to serve."""
    calls = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: calls.append(options))
    monkeypatch.setattr(bms_live.cli, "cap_thread_pools", lambda: None)
    return calls


def test_the_service_binds_to_loopback_by_default(bound, capsys):
    assert main([]) == 0
    assert bound == [{"host": "127.0.0.1", "port": 8000}]
    assert "Warning" not in capsys.readouterr().err


def test_another_host_warns_that_there_is_no_authentication(bound, capsys):
    assert main(["--host", "0.0.0.0", "--port", "9000"]) == 0
    assert bound == [{"host": "0.0.0.0", "port": 9000}]
    assert "no authentication" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST"])
def test_loopback_addresses_are_recognised(host):
    assert is_loopback(host) and not exposure_warning(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "", "localhost.example"])
def test_other_addresses_are_not_loopback(host):
    assert not is_loopback(host) and exposure_warning(host)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", ""])
def test_a_port_that_is_none_is_refused(bound, port, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([f"--port={port}"])
    assert stopped.value.code == 2 and "65535" in capsys.readouterr().err
    assert bound == []


def test_a_wrong_thread_setting_is_told_before_anything_starts(monkeypatch, capsys):
    monkeypatch.setenv("BMS_THREADS", "many")
    assert main([]) == 2
    assert "BMS_THREADS" in capsys.readouterr().err
