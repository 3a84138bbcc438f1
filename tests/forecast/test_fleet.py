"""All cells at once, through the server's own door."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bms_forecast.fleet import forecast_fleet_table
from bms_forecast.fleet_plots import prepare_fleet
from bms_forecast.fleet_report import first_of
from bms_forecast.limits import limits_of
from bms_forecast.needs import REQUIRED
from bms_forecast.risk import fleet_crossings, risk_table
from bms_schema.data.table import canonical_table

from tests.forecast.battery_files import HOURS, battery_frame, call, forecast

CELLS = ("A/1", "A/2", "A/3", "B/1", "B/2", "B/3")
SINKING, LOW, STOPPED = "A/2", "B/3", "B/1"
STEPS = 6
SHARED = ["InstantaneousCurrent", "AmbientTemperature"]
LAST = pd.Timestamp("2026-01-01") + pd.Timedelta(hours=HOURS - 1)
STOP = LAST - pd.Timedelta(hours=30)


def fleet_frame() -> pd.DataFrame:
    """Return two strings: one current and one room each, a cell that sinks, one that is low, one that stops."""
    frame = battery_frame(cells=CELLS)
    hours = (frame["Timestamp"] - frame["Timestamp"].min()) / pd.Timedelta("1h")
    first = frame.groupby(["string", "Timestamp"])[SHARED].transform("first")
    frame[SHARED] = first
    frame["CellVoltage"] += 2.25 - frame.groupby("Cell ID")["CellVoltage"].transform("mean")
    frame.loc[frame["Cell ID"] == SINKING, "CellVoltage"] -= 0.115 * (hours / HOURS) ** 4
    frame.loc[frame["Cell ID"] == LOW, "CellVoltage"] -= 0.3
    return frame[(frame["Cell ID"] != STOPPED) | (frame["Timestamp"] <= STOP)].reset_index(drop=True)


def fleet(path: Path, **arguments: Any) -> dict[str, Any]:
    """Return the envelope of one fleet forecast."""
    return call(("forecast_fleet", {"data_path": str(path), "steps": STEPS, **arguments}))[
        0
    ].structured_content


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("fleet")
    path = folder / "fleet.csv"
    fleet_frame().to_csv(path, index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BMS_HOME", str(folder / "home"))
        patch.setenv("BMS_DATA_ROOTS", str(folder))
        return path, fleet(path)


@pytest.fixture
def answered(once: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the envelope of a fleet forecast, with its workspace in force."""
    monkeypatch.setenv("BMS_HOME", str(once[0].parent / "home"))
    monkeypatch.setenv("BMS_DATA_ROOTS", str(once[0].parent))
    assert once[1]["status"] == "success", once[1]["message"]
    return once[1]


def test_every_cell_and_target_is_forecast_in_one_parquet(answered: dict[str, Any]) -> None:
    data = answered["data"]
    table = pd.read_parquet(data["forecast_parquet"])
    bands = ["lo50", "hi50", "lo90", "hi90"]
    assert list(table.columns) == ["Cell ID", "Timestamp", "target", "mean", *bands, "method"]
    counts = table.groupby(["target", "Cell ID"]).size()
    assert (counts == STEPS).all() and len(counts) == 5 * len(CELLS)
    ordered = table[["lo90", "lo50", "mean", "hi50", "hi90"]].to_numpy()
    assert (np.diff(ordered, axis=1) >= 0).all()
    assert data["cells"] == len(CELLS) and data["step_seconds"] == 3600.0
    assert Path(data["plot_png"]).read_bytes()[:4] == b"\x89PNG"
    assert "Plotly.newPlot" in Path(data["plot_html"]).read_text(encoding="utf-8")


def test_the_figures_are_told_per_target_beside_the_naive(answered: dict[str, Any]) -> None:
    metrics = answered["data"]["metrics"]
    assert set(metrics) == {"CellVoltage", "CellTemperature", "CellSpecificGravity", *SHARED}
    for item in metrics.values():
        assert (
            item["cells"] == len(CELLS) and item["tested"] >= len(CELLS) - 1
        )  # the stopped one may have no test
        assert item["coverage90_worst_tenth"] <= item["coverage90"]
        assert item["coverage50"] <= item["coverage90"]
    assert metrics["CellTemperature"]["skill"] > 0
    assert "rolling origins" in answered["data"]["split"]


def test_the_sinking_cell_is_likeliest_to_leave_and_the_low_one_is_outside_already(
    answered: dict[str, Any],
) -> None:
    data, message = answered["data"], answered["message"]
    assert [cell["cell_id"] for cell in data["outside"]] == [LOW] and data["outside_cells"] == 1
    assert data["risky"][0]["cell_id"] == SINKING
    assert data["risky"][0]["probability"] > 2 * data["risky"][1]["probability"]
    assert f"Outside their window already: {LOW}." in message
    assert f"Most likely to leave it: {SINKING}: P(CellVoltage < 2.13 V within 6 h)" in message


def test_the_risk_file_places_every_cell(answered: dict[str, Any]) -> None:
    risk = pd.read_csv(answered["data"]["risk_csv"], parse_dates=["last_reading"]).set_index("Cell ID")
    assert set(risk.index) == set(CELLS)
    assert risk.loc[LOW, "place"] == "outside" and risk.loc[STOPPED, "place"] == "stopped"
    inside = risk[risk["place"] == "inside"]
    assert inside["rank"].tolist() == [1, 2, 3, 4]
    assert inside["probability"].is_monotonic_decreasing
    assert risk.loc[[LOW, STOPPED], "rank"].isna().all()
    assert risk.loc[STOPPED, "last_reading"] == STOP


def test_a_cell_that_stopped_is_continued_from_its_own_end_and_marked(answered: dict[str, Any]) -> None:
    data = answered["data"]
    own = pd.read_parquet(data["forecast_parquet"]).query("target == 'CellVoltage'")
    begins = own.groupby("Cell ID")["Timestamp"].min()
    assert begins[STOPPED] == STOP + pd.Timedelta("1h")
    assert (begins.drop(STOPPED) == LAST + pd.Timedelta("1h")).all()
    assert data["stopped"] == [STOPPED]
    assert any("stopped long before" in warning and STOPPED in warning for warning in data["warnings"])
    assert STOPPED not in {cell["cell_id"] for cell in data["risky"]}


def test_what_a_string_shares_is_one_forecast_from_the_strings_newest_reading(
    answered: dict[str, Any],
) -> None:
    table = pd.read_parquet(answered["data"]["forecast_parquet"])
    table["step"] = table.groupby(["target", "Cell ID"]).cumcount()

    def means(target: str) -> pd.DataFrame:
        own = table[table["target"] == target]
        return own.pivot_table(index="step", columns="Cell ID", values="mean")

    for target in SHARED:
        assert (means(target)["A/1"] == means(target)["A/3"]).all()
        assert (means(target)["B/2"] == means(target)["B/3"]).all()
        assert not np.allclose(means(target)["A/1"], means(target)["B/2"])
        own = table[(table["target"] == target) & (table["Cell ID"] == "B/2")]
        assert own["Timestamp"].min() == LAST + pd.Timedelta("1h")
    assert not np.allclose(means("CellVoltage")["A/1"], means("CellVoltage")["A/3"])


def test_one_model_serves_both_tools_without_training(
    answered: dict[str, Any], once: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("trained although a model was named")

    monkeypatch.setattr("bms_forecast.boosting.train", refuse)
    again = fleet(once[0], model="latest")["data"]
    assert again["model_version"] == answered["data"]["model_version"]
    assert again["metrics"] == answered["data"]["metrics"] and again["risky"] == answered["data"]["risky"]
    files = [pd.read_parquet(data["forecast_parquet"]) for data in (again, answered["data"])]
    pd.testing.assert_frame_equal(*files)
    cell = forecast(once[0], SINKING, steps=STEPS, model="latest")
    assert cell["status"] == "success", cell["message"]
    assert cell["data"]["model_version"] == answered["data"]["model_version"]


def test_rows_in_another_order_give_the_same_ranking(answered: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "shuffled.csv"
    fleet_frame().sample(frac=1.0, random_state=3).to_csv(path, index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BMS_HOME", str(tmp_path / "home"))
        patch.setenv("BMS_DATA_ROOTS", str(tmp_path))
        assert fleet(path)["data"]["risky"] == answered["data"]["risky"]


def test_cells_with_few_readings_and_other_rhythms_are_said(tmp_path: Path) -> None:
    frame = battery_frame(cells=CELLS)
    hour = frame["Timestamp"].dt.hour
    keep = (frame["Cell ID"] != "B/2") | (hour % 3 == 0)
    keep &= (frame["Cell ID"] != "B/3") | (frame["Timestamp"] > LAST - pd.Timedelta("5h"))
    path = tmp_path / "mixed.csv"
    frame[keep].to_csv(path, index=False)
    data = fleet(path)["data"]
    table = pd.read_parquet(data["forecast_parquet"])
    assert set(table["Cell ID"]) == set(CELLS) - {"B/3"}
    assert any("fewer than 8 readings" in warning and "B/3" in warning for warning in data["warnings"])
    assert any("put on that step" in warning and "B/2" in warning for warning in data["warnings"])
    risk = pd.read_csv(data["risk_csv"]).set_index("Cell ID")
    assert risk.loc["B/3", "place"] == "not judged"


def test_a_fleet_that_no_limit_applies_to_is_forecast_and_not_ranked(tmp_path: Path) -> None:
    path = tmp_path / "currents.csv"
    fleet_frame()[["Cell ID", "Timestamp", "InstantaneousCurrent"]].to_csv(path, index=False)
    answer = fleet(path, chemistry="vrla")
    assert "No limit applies" in answer["message"]
    assert answer["data"]["risky"] == [] and answer["data"]["outside_cells"] == 0
    assert Path(answer["data"]["plot_png"]).stat().st_size > 10_000


def test_a_lone_cell_is_a_fleet_too(tmp_path: Path) -> None:
    path = tmp_path / "lone.csv"
    battery_frame(cells=("A/1",)).drop(columns=["Cell ID", "string"]).to_csv(path, index=False)
    assert fleet(path)["data"]["cells"] == 1


def test_the_picture_shows_the_limit_of_each_panels_title_and_begins_at_the_last_reading() -> None:
    table = canonical_table(fleet_frame(), require=REQUIRED)
    found = forecast_fleet_table(table, STEPS)
    crossings = fleet_crossings(found, limits_of(table))
    panels = prepare_fleet(found, first_of(risk_table(found, crossings), "inside"), crossings)
    assert panels[0].title.startswith(f"{SINKING}: P(CellVoltage < 2.13 V within 6 h)")
    assert panels[0].lines[0].label == "2.13 V"
    assert (panels[0].lines[0].table["value"] == 2.13).all()
    for panel in panels:
        assert panel.ahead["Timestamp"].iloc[0] == panel.history["Timestamp"].iloc[-1]
        assert (panel.ahead.iloc[0].drop("Timestamp") == panel.history["value"].iloc[-1]).all()
        assert len(panel.ahead) == STEPS + 1
