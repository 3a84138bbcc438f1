import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_schema.run.workspace import workspace

from tests.forecast.battery_files import Trained, battery_frame, call

Spoil = Callable[[pd.DataFrame], pd.DataFrame]
SMALL = 30
CELL, FLEET = "predict_cell_timeseries", "forecast_fleet"
TOOLS = (CELL, FLEET)


MEASURED = [
    "CellVoltage",
    "CellTemperature",
    "InstantaneousCurrent",
    "AmbientTemperature",
    "CellSpecificGravity",
]


def _scaled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename(columns={name: f"{name}_scaled" for name in MEASURED})


SPOILT: dict[str, tuple[Spoil, str]] = {
    "header only": (lambda frame: frame.head(0), "row"),
    "no measured column": (lambda frame: frame.drop(columns=MEASURED), "CellVoltage"),
    "scaled values": (_scaled, "pass the cleaned table instead"),
    "missing time": (lambda frame: frame.drop(columns="Timestamp"), "Timestamp"),
    "all-NaN columns": (lambda frame: frame.assign(**dict.fromkeys(MEASURED, np.nan)), "usable value"),
    "text in numbers": (lambda frame: frame.assign(**dict.fromkeys(MEASURED, "broken")), "usable value"),
    "one row": (lambda frame: frame.head(1), "at least 8"),
    "seven rows": (lambda frame: frame[frame["Cell ID"] == "A/1"].head(7), "at least 8"),
    "one moment": (lambda frame: frame.assign(Timestamp="2026-01-01T00:00:00"), "at least 8"),
}


def refusal(path: Path, tool: str = CELL, **arguments: object) -> str:
    """Return the message of a refused forecast; the server still answers and nothing is half-written."""
    request = {"data_path": str(path), **({"cell_id": "A/1"} if tool == CELL else {}), **arguments}
    refused, health = call((tool, request), ("health_check", {}))
    assert refused.is_error and refused.structured_content["status"] == "error"
    assert refused.structured_content["data"] is None
    assert health.structured_content["status"] == "success"
    assert not list(workspace().rglob("*.partial"))
    assert "unexpectedly" not in refused.structured_content["message"]
    return refused.structured_content["message"]


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_table_is_refused_with_advice(name: str, tool: str, tmp_path: Path) -> None:
    spoil, expected = SPOILT[name]
    path = tmp_path / "spoilt.csv"
    spoil(battery_frame(SMALL)).to_csv(path, index=False)
    assert expected in refusal(path, tool)


@pytest.mark.parametrize("tool", TOOLS)
def test_an_empty_file_an_empty_folder_and_no_file_are_refused(tool: str, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "folder").mkdir()
    for name in ("empty.csv", "folder", "missing.csv"):
        assert name in refusal(tmp_path / name, tool)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_path_outside_the_roots_is_refused(tool: str, tmp_path: Path) -> None:
    assert "BMS_DATA_ROOTS" in refusal(tmp_path / ".." / ".." / "elsewhere.csv", tool)


def test_an_unknown_cell_is_refused_with_the_known_ones(battery_csv: Path) -> None:
    message = refusal(battery_csv, cell_id="Z/9")
    assert "Z/9" in message and "A/1, A/2, A/3, B/1" in message


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("steps", [0, -1, 10**9, "many", 2.5])
def test_impossible_steps_are_refused(steps: object, tool: str, battery_csv: Path) -> None:
    assert "steps" in refusal(battery_csv, tool, steps=steps)


@pytest.mark.parametrize("tool", TOOLS)
def test_an_unknown_model_version_is_refused(tool: str, battery_csv: Path) -> None:
    assert "There is no version 'latest'" in refusal(battery_csv, tool, model="latest")


def test_a_changed_model_file_is_refused(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "copied"
    shutil.copytree(trained.folder / "home" / "models", home / "models", symlinks=True)
    tree = next(home.glob("models/forecast/*Z-*/*.ubj"))
    tree.write_bytes(tree.read_bytes() + b"x")
    monkeypatch.setenv("BMS_HOME", str(home))
    monkeypatch.setenv("BMS_DATA_ROOTS", str(trained.folder))
    assert "was changed" in refusal(trained.csv, model="latest")
