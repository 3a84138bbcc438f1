"""The memory budget: what may be set, and what it is where nothing is set."""

import pytest
from bms_schema.run import memory
from bms_schema.run.errors import InvalidArgument
from bms_schema.run.memory import VARIABLE, machine_memory, memory_budget


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1000", 1000),
        ("8GiB", 8 * 2**30),
        ("8 gib", 8 * 2**30),
        ("1.5GB", 1_500_000_000),
        ("512MiB", 2**29),
        ("3kB", 3000),
        ("7b", 7),
    ],
)
def test_an_amount_is_read_with_its_unit(monkeypatch: pytest.MonkeyPatch, text: str, size: int) -> None:
    monkeypatch.setenv(VARIABLE, text)
    assert memory_budget() == size


def test_a_share_is_of_the_memory_this_process_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "machine_memory", lambda: 1000)
    monkeypatch.setenv(VARIABLE, "25%")
    assert memory_budget() == 250
    monkeypatch.delenv(VARIABLE)
    assert memory_budget() == 500


def test_a_container_grants_less_than_the_machine_has(monkeypatch, tmp_path) -> None:
    (tmp_path / "granted").write_text("2000000\n")
    (tmp_path / "unlimited").write_text("max\n")
    monkeypatch.setattr(
        memory, "_CONTAINER_LIMITS", (tmp_path / "unlimited", tmp_path / "granted", tmp_path / "absent")
    )
    assert machine_memory() == 2_000_000


@pytest.mark.parametrize("text", ["0", "-1", "8 apples", "101%", "0%", "GiB", "1e9"])
def test_what_is_no_amount_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(InvalidArgument, match=VARIABLE):
        memory_budget()
