import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_forecast.targets import find_cell
from bms_schema.data.table import canonical_table

from tests.forecast.battery_files import HOURS, Trained, battery_frame, call, forecast

TARGETS = [
    "CellVoltage",
    "CellTemperature",
    "InstantaneousCurrent",
    "AmbientTemperature",
    "CellSpecificGravity",
]


def test_a_cell_is_forecast_with_intervals_figures_and_pictures(trained: Trained) -> None:
    assert trained.answer["status"] == "success", trained.answer["message"]
    data = trained.data
    table = pd.read_csv(data["forecast_csv"], parse_dates=["Timestamp"])
    bands = ["lo50", "hi50", "lo90", "hi90"]
    assert list(table.columns) == ["Timestamp", "target", "mean", *bands, "method"]
    assert table.groupby("target", sort=False).size().to_dict() == dict.fromkeys(TARGETS, 6)
    assert table["Timestamp"].min() == pd.Timestamp("2026-01-01") + pd.Timedelta(hours=HOURS)
    ordered = table[["lo90", "lo50", "mean", "hi50", "hi90"]].to_numpy()
    assert (np.diff(ordered, axis=1) >= 0).all()
    assert (table["hi90"] - table["lo90"] > table["hi50"] - table["lo50"]).all()
    assert data["step_seconds"] == 3600 and data["steps"] == 6 and data["cell_id"] == "A/2"
    assert data["metrics"]["CellTemperature"]["mase"] < 1
    figures = {"mase", "naive_mase", "rmse", "wql", "naive_wql", "coverage90", "coverage50", "method"}
    assert set(data["metrics"]["CellVoltage"]) >= figures
    assert data["metrics"]["CellTemperature"]["wql"] < data["metrics"]["CellTemperature"]["naive_wql"]
    assert Path(data["plot_png"]).read_bytes()[:4] == b"\x89PNG"
    assert "Plotly.newPlot" in Path(data["plot_html"]).read_text(encoding="utf-8")


def test_the_backtest_file_bears_out_the_figures(trained: Trained) -> None:
    data = trained.data
    table = pd.read_csv(data["backtest_csv"], parse_dates=["origin", "Timestamp"])
    own = table[table["target"] == "CellVoltage"]
    metrics = data["metrics"]["CellVoltage"]
    assert (own["Timestamp"] > own["origin"]).all()
    assert np.isclose(np.sqrt(((own["actual"] - own["mean"]) ** 2).mean()), metrics["rmse"])
    for width in (50, 90):
        inside = (own["actual"] >= own[f"lo{width}"]) & (own["actual"] <= own[f"hi{width}"])
        assert np.isclose(inside.mean(), metrics[f"coverage{width}"])
    history = battery_frame().query("`Cell ID` == 'A/2'").set_index("Timestamp")["CellVoltage"]
    past = history[: own["origin"].min()].to_numpy()
    scale = np.abs(past[24:] - past[:-24]).mean()
    assert np.isclose((own["actual"] - own["mean"]).abs().mean() / scale, metrics["mase"])


def test_the_message_names_the_naive_figure_beside_the_models(trained: Trained) -> None:
    data, message = trained.data, trained.answer["message"]
    by_model = [item for item in data["metrics"].values() if "model" in item["method"]]
    assert by_model
    for item in by_model:
        naive = f"{item['naive']} {item['naive_mase']:.2f}"
        method = "mixture" if "+" in item["method"] else item["method"]
        assert f"{method}, MASE {item['mase']:.2f}, {naive})" in message
    assert any(note.startswith("chemistry lead_acid_flooded") for note in data["notes"])


def test_the_likeliest_alarm_opens_the_message_and_every_limit_of_the_table_is_told(trained: Trained) -> None:
    data, message = trained.data, trained.answer["message"]
    events = {item["words"].split(" within")[0] for item in data["crossings"]}
    assert events >= {"P(CellVoltage < 2.13 V", "P(CellTemperature > AmbientTemperature + 10 °C"}
    alarms = [item for item in data["crossings"] if item["alarm"]]
    assert message.startswith(alarms[0]["words"])
    assert alarms == data["crossings"][: len(alarms)]
    chances = [item["probability"] for item in alarms]
    assert chances == sorted(chances, reverse=True)
    assert not any(item["now"] for item in alarms)
    assert {item["hours"] for item in data["crossings"]} == {6.0}


def test_a_cell_that_sinks_is_likelier_to_cross_the_limit_and_one_below_it_says_so(tmp_path: Path) -> None:
    frame = battery_frame()
    hours = (frame["Timestamp"] - frame["Timestamp"].min()) / pd.Timedelta("1h")
    sinking = frame["Cell ID"] == "A/2"
    frame.loc[sinking, "CellVoltage"] -= 0.1 * (hours / HOURS) ** 4  # ends at 2.14 V
    frame.loc[frame["Cell ID"] == "A/3", "CellVoltage"] -= 0.15
    path = tmp_path / "sinking.csv"
    frame.to_csv(path, index=False)
    low = {
        cell: next(item for item in forecast(path, cell)["data"]["crossings"] if item["limit"] == 2.13)
        for cell in ("A/1", "A/2", "A/3")
    }
    assert low["A/1"]["probability"] < 0.1 < low["A/2"]["probability"]
    assert low["A/3"]["now"] and low["A/3"]["probability"] > 0.9
    assert "it is now, at 2.1" in low["A/3"]["words"]


@pytest.mark.parametrize("name", TARGETS)
def test_one_measured_column_is_enough_and_the_others_are_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / "lone.csv"
    battery_frame()[["Cell ID", "Timestamp", name]].to_csv(path, index=False)
    data = forecast(path, chemistry="lead_acid_flooded")["data"]
    assert set(data["metrics"]) == {name}
    absent = next(note for note in data["notes"] if note.startswith("not in the data"))
    assert all((other in absent) == (other != name) for other in TARGETS)


def test_a_column_of_text_is_left_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "text.csv"
    battery_frame().assign(CellVoltage="broken").to_csv(path, index=False)
    data = forecast(path)["data"]
    assert "CellVoltage" not in data["metrics"] and "CellTemperature" in data["metrics"]
    assert any("no usable reading" in note and "CellVoltage" in note for note in data["notes"])


def test_the_stored_model_gives_the_same_numbers_without_training(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("trained although a model was named")

    monkeypatch.setattr("bms_forecast.boosting.train", refuse)
    monkeypatch.setenv("BMS_DATA_ROOTS", str(trained.folder))
    reused = forecast(trained.csv, model="latest")["data"]
    assert reused["model_version"] == trained.data["model_version"]
    assert reused["metrics"] == trained.data["metrics"]
    same = [pd.read_csv(data["forecast_csv"]) for data in (reused, trained.data)]
    pd.testing.assert_frame_equal(*same)


def test_readings_in_memory_are_forecast_like_the_file(trained: Trained) -> None:
    from bms_forecast.cell import forecast_cell
    from bms_forecast.needs import REQUIRED
    from bms_forecast.report import forecast_table
    from bms_forecast.store import load_states

    states, _ = load_states(trained.data["model_version"])
    table = canonical_table(pd.read_csv(trained.csv), require=REQUIRED)
    live = forecast_cell(table, "A/2", 6, states=states)
    written = pd.read_csv(trained.data["forecast_csv"], parse_dates=["Timestamp"])
    pd.testing.assert_frame_equal(forecast_table(live), written, check_dtype=False, rtol=1e-9)


def test_the_model_is_stored_without_pickle(trained: Trained) -> None:
    folder = trained.folder / "home" / "models" / "forecast" / trained.data["model_version"]
    assert {path.suffix for path in folder.iterdir()} <= {".ubj", ".json", ".npz"}
    for path in folder.glob("*.npz"):
        with np.load(path, allow_pickle=False) as arrays:
            assert all(arrays[name].dtype.kind in "fiub" for name in arrays)
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    assert meta["columns"]["CellVoltage"] == "V" and meta["split"].startswith("trained before")


def test_neither_is_dead_nor_the_row_order_changes_anything(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BMS_HOME", str(tmp_path / "home"))
    path = tmp_path / "labelled.csv"
    frame = battery_frame()
    frame = frame.assign(IsDead=(np.arange(len(frame)) % 3 == 0).astype(int))
    frame.sample(frac=1.0, random_state=1).to_csv(path, index=False)
    plain, other = (pd.read_csv(data["forecast_csv"]) for data in (trained.data, forecast(path)["data"]))
    pd.testing.assert_frame_equal(plain, other)


def test_sentinels_are_missing_readings_not_history(battery_csv: Path, tmp_path: Path) -> None:
    path = tmp_path / "sentinels.csv"
    frame = battery_frame()
    frame.loc[frame.index % 7 == 0, "CellVoltage"] = 65.535
    frame.to_csv(path, index=False)
    table = pd.read_csv(forecast(path)["data"]["forecast_csv"])
    assert table.loc[table["target"] == "CellVoltage", ["mean", "lo90", "hi90"]].max(axis=None) < 2.5


def test_a_last_row_far_from_the_others_is_told(battery_csv: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(battery_csv)
    frame.loc[frame.index[frame["Cell ID"] == "A/2"][0], "Timestamp"] = "2060-01-01T00:00:00"
    frame.to_csv(tmp_path / "clock.csv", index=False)
    warnings = forecast(tmp_path / "clock.csv", steps=3)["data"]["warnings"]
    assert any("if its clock was wrong" in warning for warning in warnings)


def test_filled_in_values_are_no_history(battery_csv: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(battery_csv)
    rows = np.arange(len(frame)) % 9 == 0
    frame.loc[rows, "CellVoltage"] = np.nan
    frame.to_csv(tmp_path / "hidden.csv", index=False)
    frame.loc[rows, "CellVoltage"] = 1.5
    frame["CellVoltage_flag"] = np.where(rows, "imputed", "")
    frame.to_csv(tmp_path / "filled.csv", index=False)
    hidden, filled = (forecast(tmp_path / name, steps=3)["data"] for name in ("hidden.csv", "filled.csv"))
    assert filled["metrics"] == hidden["metrics"]
    assert filled["outlook"] == hidden["outlook"]


def test_a_cell_that_stopped_is_continued_from_its_last_reading_and_says_so(tmp_path: Path) -> None:
    path, frame = tmp_path / "stopped.csv", battery_frame()
    stop = frame["Timestamp"].max() - pd.Timedelta("30h")
    frame[(frame["Cell ID"] != "A/2") | (frame["Timestamp"] <= stop)].to_csv(path, index=False)
    data = forecast(path)["data"]
    table = pd.read_csv(data["forecast_csv"], parse_dates=["Timestamp"])
    assert table["Timestamp"].min() == stop + pd.Timedelta("1h")
    assert any("the file goes on" in warning for warning in data["warnings"])


def test_a_constant_target_is_flat_and_has_no_figures(tmp_path: Path) -> None:
    path = tmp_path / "constant.csv"
    battery_frame().assign(InstantaneousCurrent=0.5).to_csv(path, index=False)
    data = forecast(path)["data"]
    table = pd.read_csv(data["forecast_csv"]).query("target == 'InstantaneousCurrent'")
    assert (table[["mean", "lo90", "hi90"]] == 0.5).all(axis=None)
    assert data["metrics"]["InstantaneousCurrent"]["mase"] is None
    assert any("constant" in warning for warning in data["warnings"])


def test_a_horizon_beyond_the_history_is_answered_and_said(tmp_path: Path) -> None:
    frame, path = battery_frame(), tmp_path / "swinging.csv"
    hours = (frame["Timestamp"] - frame["Timestamp"].min()) / pd.Timedelta("1h")
    # Neither a day's profile nor the last value follows a swing of nine hours: the model does.
    frame["CellVoltage"] += 0.05 * np.sin(2 * np.pi * hours / 9)
    frame.to_csv(path, index=False)
    data = forecast(path, steps=500)["data"]
    table = pd.read_csv(data["forecast_csv"])
    assert len(table) == 500 * len(TARGETS)
    assert table[["mean", "lo90", "hi90"]].notna().all(axis=None)
    assert any("history supports" in warning for warning in data["warnings"])


def test_a_lone_cell_without_a_cell_column_is_forecast(tmp_path: Path) -> None:
    path = tmp_path / "lone.csv"
    battery_frame(cells=("A/1",)).drop(columns=["Cell ID", "string"]).to_csv(path, index=False)
    assert forecast(path, "string-1")["status"] == "success"


def test_a_cell_number_is_enough_where_one_string_has_it(battery_csv: Path) -> None:
    assert find_cell(battery_frame(), "3") == "A/3"
    answer = forecast(battery_csv, "1")
    assert answer["status"] == "error" and "A/1, B/1" in answer["message"]


def test_parquet_under_the_same_keys(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMS_DATA_ROOTS", str(trained.folder))
    data = forecast(trained.csv, model="latest", output_format="parquet")["data"]
    assert len(pd.read_parquet(data["forecast_csv"])) == 6 * len(TARGETS)


def test_another_step_than_the_models_is_refused(trained: Trained, tmp_path: Path) -> None:
    path, frame = tmp_path / "minutes.csv", battery_frame()
    start = frame["Timestamp"].min()
    frame.assign(Timestamp=start + (frame["Timestamp"] - start) / 60).to_csv(path, index=False)
    answer = forecast(path, model="latest")
    assert answer["status"] == "error" and "every 60 s" in answer["message"]


def test_starting_the_server_loads_no_heavy_library() -> None:
    heavy = ("torch", "sdv", "sklearn", "xgboost", "pandas", "numpy", "matplotlib", "plotly")
    code = f"import sys, bms_forecast.tools; print([n for n in {heavy!r} if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_tools_are_described_and_small() -> None:
    import anyio
    from bms_forecast.tools import INSTRUCTIONS, server
    from mcp import Client

    async def listed() -> list:
        async with Client(server) as client:
            return (await client.list_tools()).tools

    tools = anyio.run(listed)
    assert [tool.name for tool in tools][:3] == ["predict_cell_timeseries", "forecast_fleet", "health_check"]
    assert sum(len(tool.model_dump_json(exclude_none=True, by_alias=True)) for tool in tools) <= 12_000
    assert len(INSTRUCTIONS) <= 2_000
    for tool in tools[:2]:
        assert all(argument["description"] for argument in tool.input_schema["properties"].values())


def test_health_names_the_latest_model(trained: Trained) -> None:
    health = call(("health_check", {}))[0].structured_content["data"]
    assert health["models"] == {"forecast": trained.data["model_version"]}


def test_no_band_leaves_what_a_cell_can_read(tmp_path: Path) -> None:
    lone = battery_frame()
    lone = lone[lone["Cell ID"] == lone["Cell ID"].iloc[0]].iloc[:60]
    lone["CellVoltage"] = 2.2 + 0.5 * np.sin(np.arange(len(lone)))
    path = tmp_path / "lone.csv"
    lone.to_csv(path, index=False)
    bands = pd.read_csv(
        forecast(path, steps=500, cell_id=str(lone["Cell ID"].iloc[0]))["data"]["forecast_csv"]
    )
    voltage = bands[bands["target"] == "CellVoltage"]
    assert voltage["hi90"].max() <= 3.0
    assert voltage["lo90"].min() >= -0.5
