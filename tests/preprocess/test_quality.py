"""The quality report: its counts are true, its page is safe and whole, its pictures come from tested tables."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bms_preprocess import preprocess
from bms_preprocess.findings import find
from bms_preprocess.plots import draw_quality, draw_voltage, prepare_missing, prepare_reasons, prepare_voltage
from bms_preprocess.quality_page import quality_page
from bms_preprocess.timeline import examine_timeline
from bms_schema.data.table import canonical_table
from bms_schema.run.plot_theme import save_png

T0 = pd.Timestamp("2026-01-01")


def small(**changes: Any) -> pd.DataFrame:
    """Three cells, twelve hours: 36 plain rows; `changes` are {column: {row: value}}."""
    hours, cells = np.divmod(np.arange(36), 3)
    frame = pd.DataFrame(
        {
            "string": "A",
            "Cell ID": [f"A/{cell + 1}" for cell in cells],
            "Timestamp": T0 + pd.to_timedelta(hours, unit="h"),
            "CellVoltage": 2.2 + 0.001 * cells + 0.002 * (hours % 3),
            "CellTemperature": 22.0 + cells + 0.1 * hours,
            "InstantaneousCurrent": 0.2 + 0.1 * (hours % 2),
            "AmbientTemperature": 20.0 + 0.1 * hours,
            "CellSpecificGravity": 1.22 + 0.001 * cells,
        }
    ).astype({"CellVoltage": object})
    for column, cells_changed in changes.items():
        for row, value in cells_changed.items():
            frame.loc[row, column] = value
    return frame


def test_reasons_are_counted_per_column_and_cell() -> None:
    raw = small(
        CellVoltage={0: 65.535, 1: "broken", 2: 9.0, 3: None},
        CellTemperature={0: 65535.0},
        CellSpecificGravity={0: 59.749},
    )
    report = preprocess(raw).report
    assert report["columns"]["CellVoltage"]["reasons"] == {
        "blank": 1,
        "not_a_number": 1,
        "sentinel": 1,
        "out_of_range": 1,
    }
    assert (report["readings_masked"], report["readings_blank"]) == (5, 1)
    assert report["rows_without_any_cell_reading"] == 1
    cells = {cell["Cell ID"]: cell for cell in report["cell_table"]}
    assert report["cell_table"][0]["Cell ID"] == "A/1"
    assert cells["A/1"]["missing_share"]["CellVoltage"] == pytest.approx(2 / 12, abs=1e-6)
    assert cells["A/2"]["masked"] == 1


def test_the_report_is_plain_json_with_counts_at_the_top() -> None:
    report = preprocess(small()).report
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert (report["rows"], report["cells"], report["strings"]) == (36, 3, 1)
    assert report["time"]["usual_step_s"] == 3600.0


def test_gaps_repeats_and_backward_stamps_are_found() -> None:
    raw = small()
    raw.loc[raw.index >= 30, "Timestamp"] += pd.Timedelta(hours=48)
    raw.loc[9, "Timestamp"] = raw.loc[6, "Timestamp"]  # cell 1 repeats its hour 2
    raw.loc[16, "Timestamp"] = raw.loc[1, "Timestamp"]  # cell 2 falls back to its hour 0
    timeline = examine_timeline(canonical_table(raw).frame)
    assert timeline.gaps["Cell ID"].tolist() == ["A/1", "A/2", "A/3"]
    assert timeline.gaps["hours"].tolist() == [49.0, 49.0, 49.0]
    assert np.flatnonzero(timeline.duplicates).tolist() == [9, 16]
    assert np.flatnonzero(timeline.backward).tolist() == [16]


def test_backward_stamps_follow_the_file_not_the_frame() -> None:
    frame = canonical_table(small()).frame
    assert not examine_timeline(frame.sample(frac=1.0, random_state=1)).backward.any()


def test_a_cell_that_does_not_answer_is_named() -> None:
    silent = dict.fromkeys(range(1, 36, 3), 65.535)
    raw = small(
        CellVoltage=dict(list(silent.items())[:6]),
        CellTemperature=dict.fromkeys(list(silent)[:6], 65535.0),
        CellSpecificGravity=dict.fromkeys(list(silent)[:6], 59.749),
    )
    titles = {finding.title: finding.sentence for finding in find(preprocess(raw).report)}
    assert "A/2 (50%)" in titles["Cells that often do not answer"]
    assert "A/1" not in titles["Cells that often do not answer"]


def test_a_plain_table_gives_no_finding_about_missing_or_time() -> None:
    titles = [finding.title for finding in find(preprocess(small()).report)]
    assert titles == []


def test_voltage_outside_the_float_window_is_counted_by_side() -> None:
    report = preprocess(small(CellVoltage={0: 2.0, 1: 2.4, 4: 2.4})).report
    window = report["float_window"]
    assert (window["readings"], window["below"], window["above"]) == (36, 1, 2)


def test_the_page_escapes_what_the_file_says(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    result = preprocess(small().assign(string=hostile, **{"Cell ID": f"{hostile}/1"}))
    page = quality_page(result.report, hostile, [])
    assert hostile not in page
    assert "&lt;script&gt;" in page


def test_the_page_stands_alone_and_has_its_pictures(tmp_path: Path) -> None:
    result = preprocess(small(CellVoltage={0: 65.535}))
    report = result.report
    figure = draw_quality(prepare_missing(report), prepare_reasons(report), report["cells"])
    quality = save_png(figure, tmp_path / "quality.png")
    bands = prepare_voltage(result.cleaned)
    voltage = save_png(draw_voltage(bands, 1, report["float_window"]), tmp_path / "voltage.png")
    page = quality_page(report, "x.csv", [("one", quality), ("two", voltage)])
    assert page.count("data:image/png;base64,") == 2
    sources = re.findall(r"(?:src|href)=['\"]?([a-z]+:)?", page)
    assert sources == ["data:", "data:"]
    for words in ("What came in", "What was wrong", "What was done", "What to look at"):
        assert f"<h2>{words}</h2>" in page


def test_the_heat_map_keeps_the_worst_cells_in_natural_order() -> None:
    cells = [{"Cell ID": f"A/{n}", "missing_share": {"CellVoltage": n / 100}} for n in range(80, 0, -1)]
    shares = prepare_missing({"cell_table": cells})
    assert shares.index.tolist() == [f"A/{n}" for n in range(21, 81)]


def test_voltage_bands_of_many_years_keep_their_order() -> None:
    frame = small()
    frame["Timestamp"] = T0 + pd.to_timedelta(np.repeat(np.arange(12), 3) * 365, unit="D")
    bands = prepare_voltage(canonical_table(frame).frame)
    assert bands["time"].tolist() == sorted(set(frame["Timestamp"]))


def test_voltage_bands_are_per_string_and_never_of_imputed_readings(fleet: pd.DataFrame) -> None:
    bands = prepare_voltage(preprocess(fleet).cleaned)
    assert bands["string"].nunique() == 2
    assert (bands["low"] <= bands["median"]).all() and (bands["median"] <= bands["high"]).all()
    first = fleet[(fleet["Timestamp"] == fleet["Timestamp"].min()) & (fleet["CellVoltage"] < 5)]
    expected = first.groupby("string")["CellVoltage"].median()
    assert bands.groupby("string")["median"].first().to_dict() == pytest.approx(expected.to_dict())
