"""The report stands on its own, escapes everything and bears any subset of results."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from bms_driver.findings import findings
from bms_driver.report import Run, report_html
from bms_driver.result import StageResult, to_json
from bms_driver.tables import head, number, shown

from .conftest import Outcome

BEGUN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
VOID = {"meta", "img"}


class Nesting(HTMLParser):
    """Collects what a page loads or links and checks that its elements are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.sources += [given[key] or "" for key in ("src", "srcset", "data") if key in given]
        self.links += [given["href"] or ""] if "href" in given else []
        self.ids += [given["id"] or ""] if "id" in given else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> Nesting:
    nesting = Nesting()
    nesting.feed(page)
    nesting.close()
    assert nesting.open == []
    return nesting


def page_of(results: dict[str, StageResult], out: Path) -> str:
    return report_html(Run(results, "/data/<log>.csv", out, BEGUN, BEGUN + timedelta(seconds=90)))


def success(**data: Any) -> StageResult:
    return StageResult("success", "done", 1.0, data)


@pytest.mark.stdio
def test_the_report_of_a_whole_run_is_one_file_with_its_pictures(whole_run: Outcome):
    run = whole_run
    page = parsed(run.report)
    assert len(page.sources) == 3
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert not re.search(r"@import|url\(|<script|<link", run.report)
    anchors = [link[1:] for link in page.links if link.startswith("#")]
    assert set(anchors) <= set(page.ids) and "forecast" in anchors
    files = [link for link in page.links if not link.startswith("#")]
    assert "../fake/3d%20plot.html" in files
    assert all(link.startswith("../") for link in files)
    assert "8 of 8 stages succeeded" in run.report


@pytest.mark.stdio
def test_the_first_look_names_the_strongest_event_and_the_riskiest_cell(whole_run: Outcome):
    first = whole_run.first_look()
    assert "2 of 6 rows are anomalous (33.3%), in 2 events" in first
    assert first.index("-9.5") < first.index("0.2")
    assert "1 of 2 cells are likely to fail" in first
    assert first.index("resistance rose") < first.index("S1/3")
    assert "Better than the naive forecast in backtests: CellVoltage. Not better: CellTemperature." in first
    assert "P(CellVoltage &lt; 2.13 V within 24 h) = 0.07. Better" in first
    assert "sentinel values" in first and "17" in first
    assert "87%" in first
    assert "S1/&lt;b&gt;2" in first and "S1/<b>2" not in whole_run.report


def test_every_text_is_escaped(tmp_path: Path):
    evil = "<script>alert('x')</script>&\""
    table = tmp_path / "a.csv"
    table.write_text(f"{evil.replace(',', '')},b\n{evil},2\n")
    results = {
        "preprocess": StageResult("success", evil, 1, {evil: evil, "n": {evil: {evil: evil}}, "l": [evil]}),
        "anomaly": success(events_csv=str(table), rows=3, anomalies=1),
        "forecast": StageResult("error", evil),
    }
    page = page_of(results, tmp_path / "out")
    parsed(page)
    assert "<script" not in page
    assert "/data/&lt;log&gt;.csv" in page


ODD_DATA: list[dict[str, Any] | None] = [
    None,
    {},
    {"rows": None, "anomalies": None, "metrics": None, "cells": None, "overall_score": None},
    {"metrics": {"CellVoltage": None}, "failing_cells": 3, "method": "indicators", "tables": {}},
    {"metrics": {"a": {"b": {"c": [1, {"d": 2}]}}}, "events_csv": 5, "risk_csv": "/no/such/file.csv"},
    {"events_csv": "/dev/null", "forecast_csv": "relative.csv", "plot_png": "/no/such.png", "x": [[], {}]},
    {"rows_in": float("nan"), "report_json": "/dev/null", "y": "a\0b", "anomalies": 1, "rows": 0},
]


@pytest.mark.parametrize("data", ODD_DATA)
def test_missing_and_odd_results_are_borne(data: dict[str, Any] | None, tmp_path: Path):
    names = ("simulate", "preprocess", "evaluate", "anomaly", "forecast", "failure", "unheard_of")
    page = page_of({name: StageResult("success", "ok", 1, data) for name in names}, tmp_path)
    parsed(page)


def test_failed_stages_come_first(tmp_path: Path):
    results = {"evaluate": success(overall_score=0.4), "forecast": StageResult("error", "Found 3 rows.")}
    assert [(finding.title, finding.tone) for finding in findings(results)] == [
        ("forecast failed", "bad"),
        ("Synthetic twin", "warn"),
    ]


def test_long_remarks_of_the_data_quality_stand_in_the_first_look(tmp_path: Path):
    remark = "Cells that often do not answer: S1/3 (26%); check the probe & its wiring first."
    results = {"preprocess": success(rows_in=6, gaps=2, truncated=True, look_at=[remark], short=["a", "b"])}
    (finding,) = findings(results)
    assert (finding.remarks, finding.tone) == ((remark,), "warn")
    assert finding.table is not None and finding.table.rows == [["gaps", "2"]]
    page = page_of(results, tmp_path)
    parsed(page)
    assert page.count("<li>Cells that often do not answer: S1/3 (26%); check the probe &amp; its") == 2
    assert "<dd>a, b</dd>" in page


def test_stages_that_did_not_run_stand_only_in_the_table(tmp_path: Path):
    results = {"anomaly": StageResult("skipped", "preprocess failed"), "failure": success()}
    page = parsed(page_of(results, tmp_path))
    assert "anomaly" not in page.ids and "#anomaly" not in page.links
    assert "failure" in page.ids


def test_a_run_without_any_result_says_so(tmp_path: Path):
    page = page_of({"preprocess": StageResult("skipped", "not asked for")}, tmp_path)
    assert "No stage left a result to look at" in page
    assert "0 of 0 stages succeeded" in page


def test_a_ranking_by_indicators_is_not_called_a_probability(tmp_path: Path):
    path = tmp_path / "risk.csv"
    path.write_text("Cell ID,risk,rank,indicator_score\nb,,2,1.5\na,,1,3.5\n")
    results = {"failure": success(risk_csv=str(path), method="indicators", failing_cells=[])}
    (finding,) = findings(results)
    assert "not by probability" in finding.sentence
    assert finding.table is not None
    assert finding.table.columns == ["rank", "Cell ID", "indicator_score"]
    assert [row[1] for row in finding.table.rows] == ["a", "b"]


def test_risks_come_with_what_became_of_such_risks_and_how_long_cells_may_last(tmp_path: Path):
    path = tmp_path / "risk.csv"
    path.write_text("Cell ID,risk,rank,expected\na,0.9,1,about 3 days (1 to 10)\n")
    said = "Of 100 cells told 20 %, 18 died within 30 days (95 % 9 to 30)."
    data = {"risk_csv": str(path), "method": "classifier", "failing_cells": ["a"], "failing_total": 7}
    (finding,) = findings({"failure": success(**data, in_words=[said])})
    assert finding.sentence == f"7 of 1 cells are likely to fail (method: classifier). {said}"
    assert finding.table is not None
    assert finding.table.rows == [["1", "a", "0.9", "about 3 days (1 to 10)"]]


def test_a_huge_picture_is_linked_instead_of_inlined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bms_driver.html_parts.MAX_PICTURE_BYTES", 10)
    picture = tmp_path / "big.png"
    picture.write_bytes(b"x" * 11)
    page = parsed(page_of({"anomaly_3d": success(plot_png=str(picture))}, tmp_path / "out"))
    assert page.sources == []
    assert "../big.png" in page.links


def test_a_wide_long_table_is_cut_and_says_so(tmp_path: Path):
    path = tmp_path / "wide.csv"
    row = ",".join(str(n) for n in range(40)) + "\n"
    path.write_text(row * 30)
    table = head(str(path))
    assert table is not None
    assert (len(table.columns), len(table.rows)) == (12, 6)
    assert table.remark == "28 more columns and more rows in the file"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.10", "1.10"),
        ("2.2345678", "2.235"),
        ("S1/3", "S1/3"),
        (True, "yes"),
        (3, "3"),
        (float("nan"), "nan"),
    ],
)
def test_ids_keep_their_digits_and_long_fractions_lose_some(value: Any, text: str):
    assert shown(value) == text


def test_only_finite_numbers_are_numbers():
    assert [number(value) for value in ("1e3", "inf", "x", None, False, 2)] == [
        1000.0,
        None,
        None,
        None,
        None,
        2.0,
    ]


def test_json_has_null_where_a_result_has_nan():
    assert '"a": null' in to_json({"a": float("nan")})
    assert '"b": [\n    null\n  ]' in to_json({"b": [float("inf")]})
