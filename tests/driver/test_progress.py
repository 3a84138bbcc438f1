"""The live table and the plain lines tell the same story."""

import io

import pytest
from bms_driver.progress import Display, LineDisplay, LiveDisplay, final_table
from bms_driver.result import StageResult
from rich.console import Console


def play(display: Display) -> None:
    display.installing("data-generator-mcp", "")
    display.installing("data-generator-mcp", "Downloading [bold]sdv")
    display.started("generate")
    display.progress("generate", 3, 4, "fitting [red]")


def test_the_live_table_shows_states_progress_and_installations():
    console = Console(file=io.StringIO(), width=100)
    display = LiveDisplay(("generate", "evaluate"), console)
    play(display)
    console.print(display.render())
    shown = console.file.getvalue()
    assert "running" in shown and "waiting" in shown
    assert "fitting [red]" in shown and "Downloading [bold]sdv" in shown
    display.installed("data-generator-mcp", ok=True)
    display.finished("generate", StageResult("error", "no [i]luck", 2.0))
    later = Console(file=io.StringIO(), width=100)
    later.print(display.render())
    assert "no [i]luck" in later.file.getvalue() and "installing" not in later.file.getvalue()


def test_plain_lines_tell_each_event_once(monkeypatch: pytest.MonkeyPatch):
    stream = io.StringIO()
    display = LineDisplay(stream)
    play(display)
    display.progress("generate", 3, 4, "too soon to be told")
    display.finished("generate", StageResult("success", "100 rows", 1.25))
    assert stream.getvalue().splitlines() == [
        "installing data-generator-mcp",
        "installing data-generator-mcp: Downloading [bold]sdv",
        "generate: started",
        "generate: 75% fitting [red]",
        "generate: success in 1.2 s: 100 rows",
    ]


def test_the_closing_table_takes_messages_literally():
    console = Console(file=io.StringIO(), width=100)
    console.print(final_table({"anomaly": StageResult("error", "[bold]x[/bold]", 1)}))
    assert "[bold]x[/bold]" in console.file.getvalue()
